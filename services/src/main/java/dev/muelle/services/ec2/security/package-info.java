/** Security groups, their rules, and the prefix lists that rules name. */
@NullMarked
package dev.muelle.services.ec2.security;

import org.jspecify.annotations.NullMarked;
