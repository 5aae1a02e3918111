/**
 * Elastic Load Balancing v2, of which this region has Application Load Balancers: load balancers,
 * target groups, targets and listeners as AWS describes them, kept in the store; the data plane is
 * told of them by {@link dev.muelle.services.elasticloadbalancingv2.Apply}.
 */
@NullMarked
package dev.muelle.services.elasticloadbalancingv2;

import org.jspecify.annotations.NullMarked;
