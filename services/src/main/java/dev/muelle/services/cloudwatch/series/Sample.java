package dev.muelle.services.cloudwatch.series;

/**
 * Something measured.
 *
 * @param second when, since 1970
 * @param highResolution whether to keep it by the second
 */
public record Sample(
    Metric metric, String unit, long second, boolean highResolution, Summary summary) {}
