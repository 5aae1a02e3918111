/** What is counted; counters that only grow, from any thread. */
@NullMarked
package dev.muelle.balancer.metrics;

import org.jspecify.annotations.NullMarked;
