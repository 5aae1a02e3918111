/** Warm pools: instances that are prepared, and wait until their group needs them. */
@NullMarked
package dev.muelle.services.autoscaling.pool;

import org.jspecify.annotations.NullMarked;
