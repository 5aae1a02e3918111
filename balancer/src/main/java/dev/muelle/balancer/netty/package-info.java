/** The balancer on Netty's event loops. */
@NullMarked
package dev.muelle.balancer.netty;

import org.jspecify.annotations.NullMarked;
