/** Lifecycle hooks: where instances wait on their way into a group, and out of it. */
@NullMarked
package dev.muelle.services.autoscaling.hook;

import org.jspecify.annotations.NullMarked;
