/** Scheduled actions: bounds and desired capacities that come and go with the time. */
@NullMarked
package dev.muelle.services.autoscaling.schedule;

import org.jspecify.annotations.NullMarked;
