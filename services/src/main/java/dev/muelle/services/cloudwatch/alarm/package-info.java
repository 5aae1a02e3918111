/**
 * Alarms. What an alarm's data mean is decided purely ({@code Judge}, {@code Rule}, {@code
 * Suppression}); {@code Watch} evaluates each when it is time, writes the new state with its
 * history and the actions that are due in one transaction, and {@code Outbox} performs these.
 */
@NullMarked
package dev.muelle.services.cloudwatch.alarm;

import org.jspecify.annotations.NullMarked;
