package dev.muelle.services.cloudwatch.alarm;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.services.AlarmReadings;
import dev.muelle.services.cloudwatch.alarm.Judge.Judgement;
import dev.muelle.services.cloudwatch.math.Queries;
import dev.muelle.services.cloudwatch.series.Metric;
import dev.muelle.services.cloudwatch.series.Statistic;
import dev.muelle.services.cloudwatch.series.Summary;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatch.model.MetricAlarm;

/**
 * A metric alarm's data at one moment, judged and put into words.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html">Alarm
 *     evaluation</a>
 */
final class Measured {

  private final MetricAlarm alarm;
  private final int period;
  private final int evaluate;
  private final int toAlarm;
  private final double threshold;
  private final Comparison comparison;
  private final MissingData missing;
  private final Instant now;
  private final long from;
  private final long to;

  /** Of the evaluation range, oldest first; null where there is none. */
  private final List<@Nullable Double> values = new ArrayList<>();

  private final Map<Long, Double> counts = new TreeMap<>();

  /** What the data say, and why. */
  record Told(Judge.State state, String reason, String data) {}

  private Measured(MetricAlarm alarm, Instant now) {
    this.alarm = alarm;
    this.now = now;
    period = period(alarm);
    evaluate = alarm.evaluationPeriods();
    toAlarm = Objects.requireNonNullElse(alarm.datapointsToAlarm(), evaluate);
    threshold = alarm.threshold();
    comparison = Comparison.of(alarm.comparisonOperator()).orElseThrow();
    missing =
        "AWS/DynamoDB".equals(alarm.namespace())
            ? MissingData.IGNORE // whatever was chosen, says TreatMissingData's documentation
            : MissingData.of(alarm.treatMissingData()).orElseThrow();
    int step = Math.min(period, 60);
    to = Math.floorDiv(now.getEpochSecond(), step) * step;
    from = to - (long) period * (evaluate + AlarmReadings.FARTHER_BACK);
  }

  /** The time between two of the alarm's points: the longest of its metrics'. */
  static int period(MetricAlarm alarm) {
    return alarm.period() != null
        ? alarm.period()
        : alarm.metrics().stream()
            .map(query -> query.metricStat() == null ? query.period() : query.metricStat().period())
            .filter(Objects::nonNull)
            .mapToInt(Integer::intValue)
            .max()
            .orElse(60);
  }

  static Told tell(MetricAlarm alarm, Queries queries, Instant now) {
    Measured measured = new Measured(alarm, now);
    Map<Long, Double> points = measured.points(queries);
    for (long second = measured.from; second < measured.to; second += measured.period) {
      measured.values.add(points.get(second));
    }
    return measured.judge();
  }

  private Map<Long, Double> points(Queries queries) {
    if (!alarm.metrics().isEmpty()) {
      List<Queries.Result> results = queries.answer(alarm.metrics(), from, to, null);
      // A search may find none or several; only one can be judged.
      return results.size() == 1
          ? new TreeMap<>(results.getFirst().series().points())
          : new TreeMap<>();
    }
    Statistic statistic = Statistic.parse(statistic()).orElseThrow();
    Map<Long, Double> points = new TreeMap<>();
    Map<Long, Summary> summaries =
        queries.summaries(
            new Metric(alarm.namespace(), alarm.metricName(), alarm.dimensions()),
            period,
            alarm.unitAsString(),
            from,
            to);
    summaries.forEach((second, summary) -> {
      counts.put(second, summary.count());
      statistic.of(summary).ifPresent(value -> points.put(second, value));
    });
    return points;
  }

  private String statistic() {
    return alarm.statisticAsString() == null
        ? alarm.extendedStatistic()
        : alarm.statisticAsString();
  }

  private Told judge() {
    List<@Nullable Boolean> breaching = new ArrayList<>();
    for (Double value : values) {
      breaching.add(value == null ? null : comparison.breaches(value, threshold));
    }
    Judgement judgement = Judge.judge(breaching, evaluate, toAlarm, missing);
    Judge.State state = tooFew(judgement) ? Judge.State.UNCHANGED : judgement.state();
    return new Told(state, reason(judgement), Json.text(data(judgement)));
  }

  /**
   * Whether there are too few samples for the percentile, if that matters.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/percentiles-with-low-samples.html">Percentile-based
   *     alarms and low data samples</a>
   */
  private boolean tooFew(Judgement judgement) {
    if (!"ignore".equals(alarm.evaluateLowSampleCountPercentile())) {
      return false;
    }
    if (!(Statistic.parse(statistic()).orElseThrow() instanceof Statistic.Percentile percentile)) {
      return false;
    }
    double part = percentile.percent() / 100;
    long needed = Math.round(part >= 0.5 ? 10 / (1 - part) : 10 / part);
    return judgement.evaluated().stream()
        .anyMatch(i -> counts.getOrDefault(from + (long) i * period, 0.0) < needed);
  }

  private String reason(Judgement judgement) {
    List<Integer> evaluated = judgement.evaluated();
    if (judgement.state() == Judge.State.INSUFFICIENT_DATA
        || (evaluated.isEmpty() && missing == MissingData.IGNORE)) {
      return "Insufficient Data: "
          + evaluate
          + (evaluate == 1 ? " datapoint was" : " datapoints were")
          + " unknown.";
    }
    boolean filled =
        judgement.filled() > 0
            && (missing == MissingData.BREACHING || missing == MissingData.NOT_BREACHING);
    if (filled && evaluated.isEmpty()) {
      return "Threshold Crossed: no datapoints were received for "
          + evaluate
          + (evaluate == 1 ? " period and " : " periods and ")
          + missingWords(judgement.filled())
          + ".";
    }
    boolean alarmed = judgement.state() == Judge.State.ALARM;
    List<String> shown = new ArrayList<>();
    for (int i : evaluated) {
      double value = Objects.requireNonNull(values.get(i));
      if (comparison.breaches(value, threshold) == alarmed) {
        shown.add(value + " (" + Times.reason(at(i)) + ")");
      }
    }
    int least = alarmed ? toAlarm : evaluate - toAlarm + 1;
    return "Threshold Crossed: "
        + shown.size()
        + " out of the last "
        + (evaluated.size() + (filled ? judgement.filled() : 0))
        + " datapoints ["
        + String.join(", ", shown)
        + (shown.size() == 1 ? "] was " : "] were ")
        + (alarmed ? "" : "not ")
        + comparison.words
        + " ("
        + threshold
        + ")"
        + (filled ? " and " + missingWords(judgement.filled()) : "")
        + " (minimum "
        + least
        + (least == 1 ? " datapoint" : " datapoints")
        + (alarmed ? " for OK -> ALARM transition)." : " for ALARM -> OK transition).");
  }

  private String missingWords(int count) {
    return count
        + " missing "
        + (count == 1 ? "datapoint was" : "datapoints were")
        + " treated as ["
        + missing.words
        + "]";
  }

  private Instant at(int index) {
    return Instant.ofEpochSecond(from + (long) index * period);
  }

  private ObjectNode data(Judgement judgement) {
    ObjectNode data = Json.object();
    data.put("queryDate", Times.data(now));
    List<Integer> evaluated = judgement.evaluated();
    if (!evaluated.isEmpty()) {
      data.put("startDate", Times.data(at(evaluated.getLast())));
    }
    if (alarm.metrics().isEmpty()) {
      if (alarm.unitAsString() != null) {
        data.put("unit", alarm.unitAsString());
      }
      data.put("statistic", statistic());
    }
    data.put("period", period);
    ArrayNode recent = data.putArray("recentDatapoints");
    evaluated.reversed().forEach(i -> recent.add(values.get(i)));
    data.put("threshold", threshold);
    ArrayNode each = data.putArray("evaluatedDatapoints");
    for (int i : evaluated) {
      ObjectNode point = each.addObject().put("timestamp", Times.data(at(i)));
      Double count = counts.get(from + (long) i * period);
      if (count != null) {
        point.put("sampleCount", count);
      }
      point.put("value", values.get(i));
    }
    return data;
  }
}
