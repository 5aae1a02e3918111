/** Whether instances are well, and how much they carry: status checks and metrics. */
@NullMarked
package dev.muelle.services.ec2.health;

import org.jspecify.annotations.NullMarked;
