/**
 * The REST API of the lab: an ordinary container that knows nothing of Muelle, only the task
 * metadata endpoint that every ECS task has.
 */
@NullMarked
package dev.muelle.examples.albadigi;

import org.jspecify.annotations.NullMarked;
