/** Scaling policies: how alarms change the desired capacity of groups. */
@NullMarked
package dev.muelle.services.autoscaling.policy;

import org.jspecify.annotations.NullMarked;
