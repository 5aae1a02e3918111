/**
 * Decides how many there are to be: the pure half of Application Auto Scaling and EC2 Auto Scaling.
 * A policy ({@link dev.muelle.scaling.TargetTracking}, {@link dev.muelle.scaling.StepScaling}, a
 * single {@link dev.muelle.scaling.Adjustment}) is a function from a capacity and a metric to a
 * wanted capacity; {@link dev.muelle.scaling.Decision} brings bounds, suspended processes and the
 * {@link dev.muelle.scaling.Cooldown} to bear on it, and {@link dev.muelle.scaling.Schedule} says
 * when a scheduled action is next due. No I/O, no clock, no AWS type.
 */
@NullMarked
package dev.muelle.scaling;

import org.jspecify.annotations.NullMarked;
