/**
 * Questions about metrics: single ones ({@code MetricStat}), searches, and the language of metric
 * math over them.
 */
@NullMarked
package dev.muelle.services.cloudwatch.math;

import org.jspecify.annotations.NullMarked;
