/** Network load balancers: TCP connections and flows of datagrams, passed on as they are. */
@NullMarked
package dev.muelle.balancer.flows;

import org.jspecify.annotations.NullMarked;
