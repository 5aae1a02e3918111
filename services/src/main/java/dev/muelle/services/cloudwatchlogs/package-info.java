/**
 * Amazon CloudWatch Logs: groups, streams and events. Events lie under their stream, by time and
 * then by order of arrival, so that appending and reading a range are cheap. A search reads several
 * streams side by side; what a deletion or a retention leaves behind goes in small steps.
 */
@NullMarked
package dev.muelle.services.cloudwatchlogs;

import org.jspecify.annotations.NullMarked;
