/**
 * Tries scaling policies on a recorded day of traffic: the region's own ECS, CloudWatch and
 * Application Auto Scaling, in virtual time and with simulated containers, under a model of what
 * requests cost a task. What is shown is therefore what the policies do here, to the minute.
 */
@NullMarked
package dev.muelle.region.simulate;

import org.jspecify.annotations.NullMarked;
