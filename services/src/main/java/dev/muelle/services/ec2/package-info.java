/**
 * Amazon EC2: the virtual networks. {@link dev.muelle.services.ec2.Ec2} is the door; one class per
 * resource ({@code Vpcs}, {@code Subnets}, {@code SecurityGroups}, {@code NetworkInterfaces}, …)
 * does what callers ask: it checks, writes what is wanted into the store in one transaction, and
 * then lets {@code DataPlane} bring the packets' world to what is stored. {@code Filters}, {@code
 * Pages} and {@code Permissions} are pure. What is not built is refused by name.
 */
@NullMarked
package dev.muelle.services.ec2;

import org.jspecify.annotations.NullMarked;
