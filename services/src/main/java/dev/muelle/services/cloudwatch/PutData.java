package dev.muelle.services.cloudwatch;

import dev.muelle.services.cloudwatch.series.Metric;
import dev.muelle.services.cloudwatch.series.Names;
import dev.muelle.services.cloudwatch.series.Refuse;
import dev.muelle.services.cloudwatch.series.Sample;
import dev.muelle.services.cloudwatch.series.SeriesStore;
import dev.muelle.services.cloudwatch.series.Summary;
import dev.muelle.services.cloudwatch.series.Units;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatch.model.Dimension;
import software.amazon.awssdk.services.cloudwatch.model.MetricDatum;
import software.amazon.awssdk.services.cloudwatch.model.PutMetricDataRequest;
import software.amazon.awssdk.services.cloudwatch.model.PutMetricDataResponse;
import software.amazon.awssdk.services.cloudwatch.model.StandardUnit;
import software.amazon.awssdk.services.cloudwatch.model.StatisticSet;

/**
 * Takes measurements.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html">PutMetricData</a>
 */
final class PutData {

  private static final int MOST_METRICS = 1_000;
  private static final int MOST_VALUES = 150;
  private static final Duration PAST = Duration.ofDays(14);
  private static final Duration FUTURE = Duration.ofHours(2);
  private static final double LARGEST = 0x1p360;

  private final SeriesStore series;
  private final InstantSource clock;

  PutData(SeriesStore series, InstantSource clock) {
    this.series = series;
    this.clock = clock;
  }

  /**
   * Takes a request whole or not at all.
   *
   * @param platform whether it comes from a service of the region, and not from a caller
   */
  PutMetricDataResponse put(PutMetricDataRequest request, boolean platform) {
    String namespace = Names.namespace(request.namespace());
    if (!platform) {
      own(request, namespace);
    }
    if (!request.entityMetricData().isEmpty() || request.strictEntityValidation() != null) {
      throw Refuse.unsupported("EntityMetricData");
    }
    if (request.metricData().isEmpty()) {
      throw Refuse.missing("MetricData");
    }
    if (request.metricData().size() > MOST_METRICS) {
      throw Refuse.invalid(
          "The collection MetricData must not have a size greater than " + MOST_METRICS + ".");
    }
    Instant now = clock.instant();
    List<Sample> samples = new ArrayList<>();
    for (int i = 0; i < request.metricData().size(); i++) {
      String member = "MetricData.member." + (i + 1);
      samples.add(sample(namespace, request.metricData().get(i), member, now));
    }
    series.write(samples);
    return PutMetricDataResponse.builder().build();
  }

  /** What callers may not do; what the region measures has the names that its resources have. */
  private static void own(PutMetricDataRequest request, String namespace) {
    if (namespace.startsWith("AWS/")) {
      throw Refuse.value("Namespace", namespace);
    }
    Names.plain(namespace, "Namespace");
    for (int i = 0; i < request.metricData().size(); i++) {
      List<Dimension> dimensions = request.metricData().get(i).dimensions();
      for (int j = 0; j < dimensions.size(); j++) {
        String each = "MetricData.member." + (i + 1) + ".Dimensions.member." + (j + 1);
        Names.plain(dimensions.get(j).name(), each + ".Name");
        Names.plain(dimensions.get(j).value(), each + ".Value");
      }
    }
  }

  private static Sample sample(String namespace, MetricDatum datum, String member, Instant now) {
    String name = Names.required(datum.metricName(), member + ".MetricName", 255);
    Instant time = time(datum, member, now);
    Integer resolution = datum.storageResolution();
    if (resolution != null && resolution != 1 && resolution != 60) {
      throw Refuse.value(member + ".StorageResolution", resolution);
    }
    String unit = datum.unitAsString() == null ? "None" : datum.unitAsString();
    if (!Units.ALL.contains(unit)) {
      throw Refuse.noneOf(member + ".Unit", StandardUnit.knownValues());
    }
    return new Sample(
        new Metric(namespace, name, Names.dimensions(datum.dimensions(), member + ".Dimensions")),
        unit,
        time.getEpochSecond(),
        resolution != null && resolution == 1,
        summary(datum, member));
  }

  private static Instant time(MetricDatum datum, String member, Instant now) {
    Instant time = datum.timestamp() == null ? now : datum.timestamp();
    if (time.isBefore(now.minus(PAST))) {
      throw Refuse.invalid(
          "The parameter " + member + ".Timestamp must specify a time within the past two weeks.");
    }
    if (time.isAfter(now.plus(FUTURE))) {
      throw Refuse.invalid(
          "The parameter "
              + member
              + ".Timestamp must specify a time no more than two hours in the future.");
    }
    return time;
  }

  private static Summary summary(MetricDatum datum, String member) {
    int given =
        (datum.value() == null ? 0 : 1)
            + (datum.statisticValues() == null ? 0 : 1)
            + (datum.values().isEmpty() ? 0 : 1);
    if (given > 1) {
      throw Refuse.combination(
          "The parameters "
              + member
              + ".Value, "
              + member
              + ".Values and "
              + member
              + ".StatisticValues are mutually exclusive and you have specified more than one.");
    }
    if (given == 0) {
      throw Refuse.missing(member + ".Value");
    }
    if (datum.values().isEmpty() && !datum.counts().isEmpty()) {
      throw Refuse.missing(member + ".Values");
    }
    Summary summary = new Summary();
    if (datum.value() != null) {
      summary.add(number(datum.value(), member + ".Value"), 1);
    } else if (datum.statisticValues() != null) {
      statistics(datum.statisticValues(), member + ".StatisticValues", summary);
    } else {
      values(datum, member, summary);
    }
    return summary;
  }

  private static void values(MetricDatum datum, String member, Summary summary) {
    if (datum.values().size() > MOST_VALUES) {
      throw Refuse.invalid(
          "The collection "
              + member
              + ".Values must not have a size greater than "
              + MOST_VALUES
              + ".");
    }
    if (datum.hasCounts() && datum.counts().size() != datum.values().size()) {
      throw Refuse.invalid(
          "The parameters "
              + member
              + ".Values and "
              + member
              + ".Counts must be of the same size.");
    }
    for (int i = 0; i < datum.values().size(); i++) {
      String each = ".member." + (i + 1);
      double times =
          datum.hasCounts() ? number(datum.counts().get(i), member + ".Counts" + each) : 1;
      if (!(times > 0)) {
        throw Refuse.value(member + ".Counts" + each, times);
      }
      summary.add(number(datum.values().get(i), member + ".Values" + each), times);
    }
  }

  private static void statistics(StatisticSet set, String member, Summary summary) {
    double count = number(set.sampleCount(), member + ".SampleCount");
    double sum = number(set.sum(), member + ".Sum");
    double least = number(set.minimum(), member + ".Minimum");
    double most = number(set.maximum(), member + ".Maximum");
    if (!(count > 0)) {
      throw Refuse.value(member + ".SampleCount", count);
    }
    if (least > most) {
      throw Refuse.invalid(
          "The parameter "
              + member
              + ".Minimum must be less than or equal to "
              + member
              + ".Maximum.");
    }
    summary.add(count, sum, least, most);
  }

  private static double number(@Nullable Double value, String member) {
    if (value == null) {
      throw Refuse.missing(member);
    }
    if (value.isNaN() || Math.abs(value) > LARGEST) {
      throw Refuse.value(member, value);
    }
    return value;
  }
}
