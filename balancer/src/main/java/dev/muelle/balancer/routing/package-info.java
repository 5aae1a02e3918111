/**
 * Where requests and flows go: load balancers, target groups and targets as they run, and whose
 * turn it is.
 */
@NullMarked
package dev.muelle.balancer.routing;

import org.jspecify.annotations.NullMarked;
