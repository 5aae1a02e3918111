/**
 * The load balancer's data plane: listeners, rules, targets, health checks. It knows no AWS type
 * and no store: it is told the whole desired state of one load balancer and makes it so, without
 * dropping a connection.
 */
@NullMarked
package dev.muelle.balancer;

import org.jspecify.annotations.NullMarked;
