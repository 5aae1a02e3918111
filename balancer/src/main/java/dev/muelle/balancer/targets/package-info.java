/** Connections to targets, and the event loops that they live on. */
@NullMarked
package dev.muelle.balancer.targets;

import org.jspecify.annotations.NullMarked;
