package dev.muelle.services.applicationautoscaling;

import java.time.Duration;
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

/** What an alarm looks at, read from CloudWatch. */
record Readings(CloudWatchClient cloudWatch) {

  private static final int PERIOD = 60; // s, where an alarm's metrics say nothing
  private static final Set<String> ACROSS_TASKS = Set.of("Average", "Minimum", "Maximum");

  /**
   * An alarm's data.
   *
   * @param points of the periods that it evaluates, oldest first; periods without data have none
   */
  record Reading(StateValue state, double threshold, List<Double> points) {
    Optional<Double> latest() {
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
  Optional<Reading> of(String alarmName, Instant at, @Nullable String aggregation) {
    return cloudWatch.describeAlarms(r -> r.alarmNames(alarmName)).metricAlarms().stream()
        .findFirst()
        .map(alarm ->
            new Reading(alarm.stateValue(), alarm.threshold(), points(alarm, at, aggregation)));
  }

  private List<Double> points(MetricAlarm alarm, Instant at, @Nullable String aggregation) {
    int period = period(alarm);
    long end = Math.floorDiv(at.getEpochSecond(), period) * (long) period;
    Duration range = Duration.ofSeconds((long) period * alarm.evaluationPeriods());
    Instant to = Instant.ofEpochSecond(end);
    List<MetricDataQuery> queries =
        alarm.metrics().isEmpty() ? List.of(query(alarm, period, aggregation)) : alarm.metrics();
    List<MetricDataResult> results =
        cloudWatch
            .getMetricData(r ->
                r.startTime(to.minus(range))
                    .endTime(to)
                    .scanBy(ScanBy.TIMESTAMP_ASCENDING)
                    .metricDataQueries(queries))
            .metricDataResults();
    return results.size() == 1 ? results.getFirst().values() : List.of();
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
            : aggregation != null && ACROSS_TASKS.contains(own) ? aggregation : own;
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
