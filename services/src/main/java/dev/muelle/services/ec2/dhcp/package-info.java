/** Sets of DHCP options. */
@NullMarked
package dev.muelle.services.ec2.dhcp;

import org.jspecify.annotations.NullMarked;
