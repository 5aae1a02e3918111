package dev.muelle.services.cloudwatch;

import dev.muelle.services.Scope;
import dev.muelle.services.cloudwatch.math.Queries;
import dev.muelle.services.cloudwatch.math.Ranges;
import dev.muelle.services.cloudwatch.series.Metric;
import dev.muelle.services.cloudwatch.series.Names;
import dev.muelle.services.cloudwatch.series.Refuse;
import dev.muelle.services.cloudwatch.series.Series;
import dev.muelle.services.cloudwatch.series.SeriesStore;
import dev.muelle.services.cloudwatch.series.Statistic;
import dev.muelle.services.cloudwatch.series.Summary;
import dev.muelle.services.cloudwatch.series.Tokens;
import dev.muelle.services.cloudwatch.series.Units;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatch.model.CloudWatchException;
import software.amazon.awssdk.services.cloudwatch.model.Datapoint;
import software.amazon.awssdk.services.cloudwatch.model.DimensionFilter;
import software.amazon.awssdk.services.cloudwatch.model.GetMetricDataRequest;
import software.amazon.awssdk.services.cloudwatch.model.GetMetricDataResponse;
import software.amazon.awssdk.services.cloudwatch.model.GetMetricStatisticsRequest;
import software.amazon.awssdk.services.cloudwatch.model.GetMetricStatisticsResponse;
import software.amazon.awssdk.services.cloudwatch.model.ListMetricsRequest;
import software.amazon.awssdk.services.cloudwatch.model.ListMetricsResponse;
import software.amazon.awssdk.services.cloudwatch.model.RecentlyActive;
import software.amazon.awssdk.services.cloudwatch.model.ScanBy;
import software.amazon.awssdk.services.cloudwatch.model.StandardUnit;

/**
 * Tells what was measured.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html">ListMetrics</a>
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html">GetMetricStatistics</a>
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html">GetMetricData</a>
 */
final class Reading {

  private static final int PAGE = 500;
  private static final int MOST_POINTS = 1_440;
  private static final int MOST_DATA_POINTS = 100_800;
  private static final Duration LISTED = Duration.ofDays(14);
  private static final Duration RECENT = Duration.ofHours(3);
  private static final Comparator<Metric> ORDER =
      Comparator.comparing(Metric::namespace)
          .thenComparing(Metric::name)
          .thenComparing(metric -> metric.dimensions().toString());

  private final SeriesStore series;
  private final Queries queries;
  private final InstantSource clock;
  private final Scope scope;

  Reading(SeriesStore series, Queries queries, InstantSource clock, Scope scope) {
    this.series = series;
    this.queries = queries;
    this.clock = clock;
    this.scope = scope;
  }

  ListMetricsResponse list(ListMetricsRequest request) {
    if (Boolean.TRUE.equals(request.includeLinkedAccounts())) {
      throw Refuse.unsupported("IncludeLinkedAccounts");
    }
    if (request.owningAccount() != null && !request.owningAccount().equals(scope.account())) {
      throw Refuse.unsupported("The OwningAccount of another account");
    }
    if (request.recentlyActiveAsString() != null
        && request.recentlyActive() != RecentlyActive.PT3_H) {
      throw Refuse.value("RecentlyActive", request.recentlyActiveAsString());
    }
    if (request.dimensions().size() > Names.MOST_DIMENSIONS) {
      throw Refuse.invalid("The collection Dimensions must not have a size greater than 30.");
    }
    for (int i = 0; i < request.dimensions().size(); i++) {
      Names.required(
          request.dimensions().get(i).name(), "Dimensions.member." + (i + 1) + ".Name", 255);
    }
    boolean recent = request.recentlyActive() != null;
    long since = clock.instant().minus(recent ? RECENT : LISTED).minusSeconds(300).getEpochSecond();
    ListMetricsRequest question = request.toBuilder().nextToken(null).build();
    int first = Tokens.index(question, request.nextToken());
    List<Metric> found =
        series.all().stream()
            .filter(each -> each.last() >= since)
            .map(Series::metric)
            .filter(metric -> wanted(request, metric))
            .distinct()
            .sorted(ORDER)
            .toList();
    int last = Math.min(found.size(), first + PAGE);
    return ListMetricsResponse.builder()
        .metrics(found.subList(Math.min(first, last), last).stream().map(Metric::toModel).toList())
        .nextToken(last < found.size() ? Tokens.of(question, Integer.toString(last)) : null)
        .build();
  }

  private static boolean wanted(ListMetricsRequest request, Metric metric) {
    return (request.namespace() == null || request.namespace().equals(metric.namespace()))
        && (request.metricName() == null || request.metricName().equals(metric.name()))
        && request.dimensions().stream().allMatch(filter -> has(metric, filter));
  }

  private static boolean has(Metric metric, DimensionFilter filter) {
    return metric.dimensions().stream()
        .anyMatch(dimension ->
            dimension.name().equals(filter.name())
                && (filter.value() == null || filter.value().equals(dimension.value())));
  }

  GetMetricStatisticsResponse statistics(GetMetricStatisticsRequest request) {
    String namespace = Names.namespace(request.namespace());
    String name = Names.required(request.metricName(), "MetricName", 255);
    Names.dimensions(request.dimensions(), "Dimensions");
    range(request.startTime(), request.endTime(), Refuse::invalid);
    Integer period = request.period();
    if (period == null) {
      throw Refuse.missing("Period");
    }
    if (!Ranges.isPeriod(period)) {
      throw Refuse.invalid("The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60.");
    }
    checkStatistics(request);
    if (request.unitAsString() != null && !Units.ALL.contains(request.unitAsString())) {
      throw Refuse.noneOf("Unit", StandardUnit.knownValues());
    }
    long now = clock.instant().getEpochSecond();
    long from = Ranges.start(request.startTime().getEpochSecond(), period, now);
    long to = request.endTime().getEpochSecond();
    long points = (to - from + period - 1) / period;
    if (points > MOST_POINTS) {
      throw Refuse.combination(
          String.format(
              Locale.ROOT,
              "You have requested up to %,d datapoints, which exceeds the limit of %,d. You may"
                  + " reduce the datapoints requested by increasing Period, or decreasing the time"
                  + " range.",
              points,
              MOST_POINTS));
    }
    List<Datapoint> found = new ArrayList<>();
    for (Series each :
        series.of(new Metric(namespace, name, request.dimensions()), request.unitAsString())) {
      series
          .read(each, from, to, period)
          .forEach((second, summary) -> {
            Datapoint point = point(request, second, each.unit(), summary);
            if (point != null) {
              found.add(point);
            }
          });
    }
    return GetMetricStatisticsResponse.builder().label(name).datapoints(found).build();
  }

  private static void checkStatistics(GetMetricStatisticsRequest request) {
    boolean simple = !request.statistics().isEmpty();
    boolean extended = !request.extendedStatistics().isEmpty();
    if (simple == extended) {
      throw Refuse.combination(
          simple
              ? "The parameters Statistics and ExtendedStatistics are mutually exclusive and you"
                  + " have specified both."
              : "At least one of the parameters Statistics and ExtendedStatistics must be"
                  + " specified.");
    }
    if (request.statistics().size() > 5) {
      throw Refuse.invalid("The collection Statistics must not have a size greater than 5.");
    }
    if (request.extendedStatistics().size() > 10) {
      throw Refuse.invalid(
          "The collection ExtendedStatistics must not have a size greater than 10.");
    }
    for (int i = 0; i < request.statisticsAsStrings().size(); i++) {
      String each = request.statisticsAsStrings().get(i);
      if (Statistic.parse(each).map(Statistic::extended).orElse(true)) {
        throw Refuse.noneOf("Statistics.member." + (i + 1), Statistic.SIMPLE);
      }
    }
    for (String each : request.extendedStatistics()) {
      if (!Statistic.parse(each).map(Statistic::extended).orElse(false)) {
        throw Refuse.value("ExtendedStatistics", each);
      }
    }
  }

  /** Null if none of what was asked for is known. */
  private static @Nullable Datapoint point(
      GetMetricStatisticsRequest request, long second, String unit, Summary summary) {
    Datapoint.Builder point =
        Datapoint.builder().timestamp(Instant.ofEpochSecond(second)).unit(unit);
    for (String statistic : request.statisticsAsStrings()) {
      switch (statistic) {
        case "SampleCount" -> point.sampleCount(summary.count());
        case "Average" -> point.average(summary.average());
        case "Sum" -> point.sum(summary.sum());
        case "Minimum" -> point.minimum(summary.min());
        case "Maximum" -> point.maximum(summary.max());
        default -> throw new IllegalArgumentException(statistic);
      }
    }
    Map<String, Double> extended = new TreeMap<>();
    for (String statistic : request.extendedStatistics()) {
      OptionalDouble value = Statistic.parse(statistic).orElseThrow().of(summary);
      if (value.isPresent()) {
        extended.put(statistic, value.getAsDouble());
      }
    }
    if (!request.extendedStatistics().isEmpty()) {
      if (extended.isEmpty()) {
        return null;
      }
      point.extendedStatistics(extended);
    }
    return point.build();
  }

  private static void range(
      @Nullable Instant from,
      @Nullable Instant to,
      Function<String, ? extends CloudWatchException> refusal) {
    if (from == null) {
      throw Refuse.missing("StartTime");
    }
    if (to == null) {
      throw Refuse.missing("EndTime");
    }
    if (!from.isBefore(to)) {
      throw refusal.apply("The parameter StartTime must be less than the parameter EndTime.");
    }
  }

  GetMetricDataResponse data(GetMetricDataRequest request) {
    range(request.startTime(), request.endTime(), Refuse::validation);
    queries.check(request.metricDataQueries(), "MetricDataQueries");
    if (request.scanByAsString() != null && request.scanBy() == ScanBy.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.noneOf(request.scanByAsString(), "scanBy", ScanBy.knownValues());
    }
    int most = request.maxDatapoints() == null ? MOST_DATA_POINTS : request.maxDatapoints();
    if (most < 1 || most > MOST_DATA_POINTS) {
      throw Refuse.value("MaxDatapoints", most);
    }
    if (request.metricDataQueries().stream()
        .allMatch(query -> Boolean.FALSE.equals(query.returnData()))) {
      throw Refuse.combination("At least one query must return data.");
    }
    GetMetricDataRequest question = request.toBuilder().nextToken(null).build();
    DataPage page = new DataPage(most, request.scanBy() == ScanBy.TIMESTAMP_ASCENDING);
    DataPage.Place next =
        page.fill(
            DataPage.Place.of(Tokens.position(question, request.nextToken())),
            queries.open(
                request.metricDataQueries(),
                request.startTime().getEpochSecond(),
                request.endTime().getEpochSecond(),
                request.labelOptions() == null ? null : request.labelOptions().timezone()));
    return GetMetricDataResponse.builder()
        .metricDataResults(page.results())
        .nextToken(next == null ? null : Tokens.of(question, next.text()))
        .messages(List.of())
        .build();
  }
}
