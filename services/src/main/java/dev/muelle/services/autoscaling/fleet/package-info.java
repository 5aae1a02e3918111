/**
 * The loop that makes groups what they are to be: what it sees, what it decides (pure functions),
 * and what it does.
 */
@NullMarked
package dev.muelle.services.autoscaling.fleet;

import org.jspecify.annotations.NullMarked;
