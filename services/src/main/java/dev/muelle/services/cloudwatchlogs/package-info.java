/**
 * Amazon CloudWatch Logs: groups, streams and events. Events are in the order of their time and
 * then of their arrival; how they lie in the store is the matter of {@code packs}, and how Insights
 * asks about them that of {@code insights}. A search reads several streams side by side; what a
 * deletion or a retention leaves behind goes in small steps.
 */
@NullMarked
package dev.muelle.services.cloudwatchlogs;

import org.jspecify.annotations.NullMarked;
