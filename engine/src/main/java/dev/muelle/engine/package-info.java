/**
 * The contract that runs tasks: pull images, make sandboxes, start and stop containers, read their
 * output and usage. Implementations: oci (real containers) and sim (for tests of the control
 * plane). What a task is, which container is essential, when to restart: that is the caller's
 * matter.
 */
@NullMarked
package dev.muelle.engine;

import org.jspecify.annotations.NullMarked;
