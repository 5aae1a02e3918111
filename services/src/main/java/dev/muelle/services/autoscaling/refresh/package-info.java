/** Instance refreshes: a group's instances are replaced, a few at a time. */
@NullMarked
package dev.muelle.services.autoscaling.refresh;

import org.jspecify.annotations.NullMarked;
