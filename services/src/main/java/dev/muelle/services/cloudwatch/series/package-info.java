/**
 * Metrics over time: what values a period saw ({@code Summary}), where they are kept ({@code
 * SeriesStore}), and how the platform's own parts hand theirs over ({@code Intake}).
 */
@NullMarked
package dev.muelle.services.cloudwatch.series;

import org.jspecify.annotations.NullMarked;
