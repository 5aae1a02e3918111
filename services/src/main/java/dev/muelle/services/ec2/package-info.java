/**
 * The networking part of Amazon EC2: VPCs, subnets, security groups, network interfaces. Each
 * resource class keeps its table and tells the {@link dev.muelle.network.Network} what packets have
 * to obey, before it answers.
 */
@NullMarked
package dev.muelle.services.ec2;

import org.jspecify.annotations.NullMarked;
