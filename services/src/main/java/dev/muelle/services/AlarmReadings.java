package dev.muelle.services;

import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.cloudwatch.model.MetricAlarm;
import software.amazon.awssdk.services.cloudwatch.model.MetricDataQuery;
import software.amazon.awssdk.services.cloudwatch.model.MetricDataResult;
import software.amazon.awssdk.services.cloudwatch.model.ScanBy;
import software.amazon.awssdk.services.cloudwatch.model.StateValue;

/** What an alarm looks at, read from CloudWatch by those who scale. */
public record AlarmReadings(CloudWatchClient cloudWatch) {

  private static final int PERIOD = 60; // s, where an alarm's metrics say nothing

  /** How many periods beyond its own an alarm looks at, where some have no data. */
  public static final int FARTHER_BACK = 2;

  private static final Set<String> ACROSS_MEMBERS = Set.of("Average", "Minimum", "Maximum");

  /**
   * An alarm's data.
   *
   * @param points as many as it evaluates, oldest first, or fewer: where periods have no data, it
   *     looks a little farther back
   */
  public record Reading(StateValue state, double threshold, List<Double> points) {
    public Optional<Double> latest() {
      return points.isEmpty() ? Optional.empty() : Optional.of(points.getLast());
    }
  }

  /**
   * Reads up to the last period that is complete; empty if there is no such alarm.
   *
   * @param aggregation a policy's {@code MetricAggregationType}, which is "applied to the metric
   *     data points from all instances": it takes the place of an alarm's statistic of the same
   *     kind; sums, percentiles and expressions stay what they are
   * @see <a
   *     href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-simple-step.html">Step
   *     and simple scaling policies for Amazon EC2 Auto Scaling</a>
   */
  public Optional<Reading> of(String alarmName, Instant at, @Nullable String aggregation) {
    return since(Instant.EPOCH, alarmName, at, aggregation);
  }

  /** The same, of the periods only that began no earlier than this. */
  public Optional<Reading> since(
      Instant earliest, String alarmName, Instant at, @Nullable String aggregation) {
    return cloudWatch.describeAlarms(r -> r.alarmNames(alarmName)).metricAlarms().stream()
        .findFirst()
        .map(alarm ->
            new Reading(
                alarm.stateValue(), alarm.threshold(), points(alarm, earliest, at, aggregation)));
  }

  private List<Double> points(
      MetricAlarm alarm, Instant earliest, Instant at, @Nullable String aggregation) {
    int period = period(alarm);
    int periods = alarm.evaluationPeriods();
    long end = Math.floorDiv(at.getEpochSecond(), period) * (long) period;
    long begin =
        Math.max(
            end - (long) period * (periods + FARTHER_BACK),
            Math.ceilDiv(earliest.plusNanos(999_999_999).getEpochSecond(), period) * (long) period);
    if (begin >= end) {
      return List.of();
    }
    List<MetricDataQuery> queries =
        alarm.metrics().isEmpty() ? List.of(query(alarm, period, aggregation)) : alarm.metrics();
    List<MetricDataResult> results =
        cloudWatch
            .getMetricData(r ->
                r.startTime(Instant.ofEpochSecond(begin))
                    .endTime(Instant.ofEpochSecond(end))
                    .scanBy(ScanBy.TIMESTAMP_ASCENDING)
                    .metricDataQueries(queries))
            .metricDataResults();
    List<Double> all = results.size() == 1 ? results.getFirst().values() : List.of();
    return all.subList(Math.max(0, all.size() - periods), all.size());
  }

  private static int period(MetricAlarm alarm) {
    return Stream.concat(
            Stream.ofNullable(alarm.period()),
            alarm.metrics().stream()
                .map(q -> q.metricStat() == null ? q.period() : q.metricStat().period()))
        .filter(Objects::nonNull)
        .mapToInt(Integer::intValue)
        .max()
        .orElse(PERIOD);
  }

  private static MetricDataQuery query(
      MetricAlarm alarm, int period, @Nullable String aggregation) {
    String own = alarm.statisticAsString();
    String statistic =
        own == null
            ? alarm.extendedStatistic()
            : aggregation != null && ACROSS_MEMBERS.contains(own) ? aggregation : own;
    return MetricDataQuery.builder()
        .id("m1")
        .metricStat(s ->
            s.metric(m ->
                    m.namespace(alarm.namespace())
                        .metricName(alarm.metricName())
                        .dimensions(alarm.dimensions()))
                .stat(statistic)
                .unit(alarm.unitAsString())
                .period(period))
        .build();
  }
}
