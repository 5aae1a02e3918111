package dev.muelle.services.cloudwatch.widget;

import dev.muelle.chart.Chart;
import dev.muelle.chart.Chart.Level;
import dev.muelle.chart.Chart.Series;
import dev.muelle.services.Scope;
import dev.muelle.services.cloudwatch.math.Queries;
import dev.muelle.services.cloudwatch.math.Ranges;
import dev.muelle.services.cloudwatch.series.Refuse;
import dev.muelle.services.cloudwatch.series.Statistic;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.cloudwatch.model.GetMetricWidgetImageRequest;
import software.amazon.awssdk.services.cloudwatch.model.GetMetricWidgetImageResponse;
import software.amazon.awssdk.services.cloudwatch.model.MetricAlarm;
import software.amazon.awssdk.services.cloudwatch.model.MetricDataQuery;

/**
 * Draws graphs of metrics.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricWidgetImage.html">GetMetricWidgetImage</a>
 */
public final class WidgetImages {

  private static final int LONGEST = 100_000; // characters

  private final Queries queries;
  private final InstantSource clock;
  private final Scope scope;
  private final Function<String, @Nullable MetricAlarm> alarms;

  /**
   * Images of a region's metrics.
   *
   * @param alarms finds an alarm by its ARN
   */
  public WidgetImages(
      Queries queries,
      InstantSource clock,
      Scope scope,
      Function<String, @Nullable MetricAlarm> alarms) {
    this.queries = queries;
    this.clock = clock;
    this.scope = scope;
    this.alarms = alarms;
  }

  public GetMetricWidgetImageResponse draw(GetMetricWidgetImageRequest request) {
    String text = request.metricWidget();
    if (text == null || text.isEmpty()) {
      throw Refuse.missing("MetricWidget");
    }
    if (text.length() > LONGEST) {
      throw Refuse.invalid("MetricWidget is longer than " + LONGEST + " characters.");
    }
    String format = request.outputFormat();
    if ("image/png".equals(format)) {
      throw Refuse.unsupported("The OutputFormat image/png");
    }
    if (format != null && !format.equals("png")) {
      throw Refuse.value("OutputFormat", format);
    }
    Widget widget = Widget.read(text, clock.instant(), scope.region());
    return GetMetricWidgetImageResponse.builder()
        .metricWidgetImage(SdkBytes.fromByteArrayUnsafe(chart(widget).png()))
        .build();
  }

  /** A query, and how its answer is drawn. */
  private record Drawn(MetricDataQuery query, @Nullable String color, boolean onRight) {}

  private Chart chart(Widget widget) {
    List<Level> levels = new ArrayList<>(widget.levels());
    List<Drawn> drawn =
        widget.alarms().isEmpty() ? lines(widget) : alarm(widget.alarms().getFirst(), levels);
    List<MetricDataQuery> asked = drawn.stream().map(Drawn::query).toList();
    queries.check(asked, "metrics");
    Map<String, Drawn> byId = new LinkedHashMap<>();
    drawn.forEach(each -> byId.put(each.query().id(), each));
    List<Series> series = new ArrayList<>();
    for (Queries.Result result :
        queries.answer(
            asked,
            widget.from().getEpochSecond(),
            widget.to().getEpochSecond(),
            widget.zone().getTotalSeconds() == 0 ? null : widget.zone().getId().replace(":", ""))) {
      Drawn how = Objects.requireNonNull(byId.get(result.id()));
      TreeMap<Instant, Double> points = new TreeMap<>();
      result
          .series()
          .points()
          .forEach((second, value) -> points.put(Instant.ofEpochSecond(second), value));
      // The latest point stands for the series, or the only one, of the whole range.
      Double value = points.isEmpty() ? null : points.lastEntry().getValue();
      series.add(new Series(result.series().label(), how.color(), how.onRight(), points, value));
    }
    return new Chart(
        view(widget),
        title(widget),
        widget.width(),
        widget.height(),
        widget.from(),
        widget.to(),
        widget.zone(),
        widget.left(),
        widget.right(),
        widget.legend(),
        widget.dark(),
        series,
        levels,
        widget.moments());
  }

  private @Nullable String title(Widget widget) {
    if (widget.title() != null || widget.alarms().isEmpty()) {
      return widget.title();
    }
    return found(widget.alarms().getFirst()).alarmName();
  }

  private static Chart.View view(Widget widget) {
    return switch (widget.view()) {
      case TIMESERIES -> widget.stacked() ? Chart.View.STACKED : Chart.View.LINES;
      case BAR -> Chart.View.BARS;
      case PIE -> Chart.View.PIE;
      case SINGLEVALUE -> Chart.View.NUMBERS;
      case GAUGE -> Chart.View.GAUGE;
    };
  }

  private List<Drawn> lines(Widget widget) {
    Set<String> taken = new HashSet<>();
    widget.lines().forEach(line -> taken.add(String.valueOf(line.id())));
    int number = 0;
    Map<String, Integer> names = new HashMap<>();
    for (Line line : widget.lines()) {
      if (!line.words().isEmpty()) {
        names.merge(line.words().get(1), 1, Integer::sum);
      }
    }
    List<Drawn> drawn = new ArrayList<>();
    for (Line line : widget.lines()) {
      String id = line.id();
      while (id == null) {
        String free = "line" + number++;
        id = taken.add(free) ? free : null;
      }
      MetricDataQuery.Builder query =
          MetricDataQuery.builder().id(id).label(line.label()).returnData(line.visible());
      int period = period(widget, line);
      if (line.expression() != null) {
        query.expression(line.expression()).period(period);
      } else {
        String stat = line.stat() == null ? widget.stat() : line.stat();
        if (Statistic.parse(stat).isEmpty()) {
          throw Refuse.value("stat", stat);
        }
        query.metricStat(s ->
            s.metric(m ->
                    m.namespace(line.words().get(0))
                        .metricName(line.words().get(1))
                        .dimensions(line.dimensions()))
                .period(period)
                .stat(stat));
        if (line.label() == null && names.getOrDefault(line.words().get(1), 0) > 1) {
          query.label(String.join(" ", line.words().subList(1, line.words().size())));
        }
      }
      drawn.add(new Drawn(query.build(), line.color(), line.side() == Line.Side.RIGHT));
    }
    if (widget.lines().stream().noneMatch(Line::visible)) {
      throw Refuse.invalid("Invalid metric widget: no metric is visible.");
    }
    return drawn;
  }

  /** Single values may be of the whole range at once. */
  private static int period(Widget widget, Line line) {
    int period = line.period() == null ? widget.period() : line.period();
    if (widget.periodIsRange() && widget.view() != Widget.View.TIMESERIES) {
      long seconds = Duration.between(widget.from(), widget.to()).toSeconds();
      return Math.clamp((seconds + 59) / 60 * 60, 60, 86_400 * 30);
    }
    if (!Ranges.isPeriod(period)) {
      throw Refuse.value("period", period);
    }
    return period;
  }

  private MetricAlarm found(String arn) {
    MetricAlarm alarm = alarms.apply(arn);
    if (alarm == null) {
      throw Refuse.invalid("Invalid metric widget: there is no metric alarm " + arn + ".");
    }
    return alarm;
  }

  /** What an alarm watches, with its threshold. */
  private List<Drawn> alarm(String arn, List<Level> levels) {
    MetricAlarm alarm = found(arn);
    levels.add(
        new Level(
            alarm.metricName() == null
                ? "threshold " + alarm.threshold()
                : alarm.metricName()
                    + " "
                    + alarm.comparisonOperatorAsString()
                    + " "
                    + alarm.threshold(),
            null,
            alarm.threshold(),
            null,
            Chart.Fill.NONE,
            false));
    if (alarm.metricName() == null) {
      return alarm.metrics().stream().map(query -> new Drawn(query, null, false)).toList();
    }
    String stat =
        alarm.statisticAsString() == null ? alarm.extendedStatistic() : alarm.statisticAsString();
    return List.of(
        new Drawn(
            MetricDataQuery.builder()
                .id("watched")
                .metricStat(s ->
                    s.metric(m ->
                            m.namespace(alarm.namespace())
                                .metricName(alarm.metricName())
                                .dimensions(alarm.dimensions()))
                        .period(alarm.period())
                        .stat(stat)
                        .unit(alarm.unitAsString()))
                .build(),
            null,
            false));
  }
}
