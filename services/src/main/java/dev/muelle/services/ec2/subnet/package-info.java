/** Subnets. */
@NullMarked
package dev.muelle.services.ec2.subnet;

import org.jspecify.annotations.NullMarked;
