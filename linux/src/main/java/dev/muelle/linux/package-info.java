/**
 * The few Linux system calls that Java lacks (setns, mount, umount2, mknod, lchown, kill) through
 * the foreign-function API, and running a command with a bounded wait. Nothing here knows what a
 * container or a VPC is.
 */
@NullMarked
package dev.muelle.linux;

import org.jspecify.annotations.NullMarked;
