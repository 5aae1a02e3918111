/**
 * Elastic Load Balancing v2: application and network load balancers. {@link
 * dev.muelle.services.elasticloadbalancingv2.ElbV2} is the door and wires the rooms together; each
 * room uses only those before it: {@code request}, {@code state}, {@code node} and {@code log},
 * {@code target}, {@code trust}, {@code oidc}, {@code rule}, {@code listener}, {@code balancer},
 * {@code measure}, {@code plane}. Requests write what is wanted into the store; {@code plane} tells
 * the data plane (module {@code balancer}) of it, at once or by its loop.
 */
@NullMarked
package dev.muelle.services.elasticloadbalancingv2;

import org.jspecify.annotations.NullMarked;
