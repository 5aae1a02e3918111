/** Where a load balancer is: its subnets, addresses and fronts on the host. */
@NullMarked
package dev.muelle.services.elasticloadbalancingv2.node;

import org.jspecify.annotations.NullMarked;
