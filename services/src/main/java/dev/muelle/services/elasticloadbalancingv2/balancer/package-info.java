/** Load balancers themselves. */
@NullMarked
package dev.muelle.services.elasticloadbalancingv2.balancer;

import org.jspecify.annotations.NullMarked;
