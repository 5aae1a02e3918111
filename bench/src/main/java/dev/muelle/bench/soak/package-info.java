/**
 * A load balancer under load for as long as one likes, while its targets come, leave and are
 * killed: {@code Soak} drives {@code SoakedBalancer}, which has a process for itself.
 */
@NullMarked
package dev.muelle.bench.soak;

import org.jspecify.annotations.NullMarked;
