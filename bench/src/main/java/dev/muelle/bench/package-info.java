/** The parts of {@code bench/run} that need the SDK or the balancer itself. */
@NullMarked
package dev.muelle.bench;

import org.jspecify.annotations.NullMarked;
