/**
 * Amazon CloudWatch Logs: groups, streams and events. Events lie under their stream, by time and
 * then by order of arrival, so that appending and reading a range are cheap.
 */
@NullMarked
package dev.muelle.services.cloudwatchlogs;

import org.jspecify.annotations.NullMarked;
