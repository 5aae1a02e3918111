/** NAT gateways. */
@NullMarked
package dev.muelle.services.ec2.nat;

import org.jspecify.annotations.NullMarked;
