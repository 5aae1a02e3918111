/**
 * Amazon EC2: virtual networks, and instances in them. {@link dev.muelle.services.ec2.Ec2} is the
 * door and wires the rooms together; each room uses only those before it: {@code state}, {@code
 * plane}, {@code zone}, {@code dhcp} and {@code address}, {@code security}, {@code acl}, {@code
 * gateway} and {@code peering}, {@code route}, {@code image}, {@code template}, {@code eni}, {@code
 * nat}, {@code subnet}, {@code vpc}, {@code key}, {@code metadata}, {@code health}, {@code
 * instance}. One class per resource does what callers ask: it checks, writes what is wanted into
 * the store in one transaction, and then lets {@code plane} bring the packets' world to what is
 * stored. What is not built is refused by name.
 */
@NullMarked
package dev.muelle.services.ec2;

import org.jspecify.annotations.NullMarked;
