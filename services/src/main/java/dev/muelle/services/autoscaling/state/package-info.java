/** What Auto Scaling keeps, and how it says no. */
@NullMarked
package dev.muelle.services.autoscaling.state;

import org.jspecify.annotations.NullMarked;
