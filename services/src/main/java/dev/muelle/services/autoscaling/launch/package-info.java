/** What groups launch: launch configurations, and what EC2 is asked for. */
@NullMarked
package dev.muelle.services.autoscaling.launch;

import org.jspecify.annotations.NullMarked;
