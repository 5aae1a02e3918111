/**
 * The loop that keeps the Auto Scaling groups of a cluster as large as its waiting tasks need:
 * managed scaling, managed termination protection and managed draining.
 */
@NullMarked
package dev.muelle.services.ecs.scaling;

import org.jspecify.annotations.NullMarked;
