/**
 * Application Auto Scaling of ECS services' desired counts.
 *
 * <p>An alarm's action names a policy: {@code PolicyActions} reads what the policy needs to know,
 * lets {@code dev.muelle.scaling} decide, and puts the decision down as an activity, in one
 * transaction with the cooldown that it begins and the mark that this alarm's call has been
 * answered. {@code TargetLoop} carries activities out, runs scheduled actions and keeps capacities
 * within their bounds; it sets absolute numbers, so that a server that died between a decision and
 * its execution does not do a step twice.
 */
@NullMarked
package dev.muelle.services.applicationautoscaling;

import org.jspecify.annotations.NullMarked;
