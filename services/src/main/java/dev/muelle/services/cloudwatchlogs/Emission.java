package dev.muelle.services.cloudwatchlogs;

import dev.muelle.loop.Loop;
import dev.muelle.loop.Timers;
import dev.muelle.services.LogBatch;
import dev.muelle.services.Measurements;
import dev.muelle.services.Measurements.Recorder;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.cloudwatch.model.Dimension;
import software.amazon.awssdk.services.cloudwatch.model.MetricDatum;
import software.amazon.awssdk.services.cloudwatch.model.PutMetricDataRequest;
import software.amazon.awssdk.services.cloudwatch.model.StandardUnit;
import software.amazon.awssdk.services.cloudwatchlogs.model.MetricFilter;
import software.amazon.awssdk.services.cloudwatchlogs.model.MetricTransformation;

/**
 * What events become in CloudWatch: the metrics of metric filters, and those of Logs itself. They
 * are emitted when the events are stored, before they are acknowledged: a client whose server died
 * in between puts them again.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html">Creating
 *     metrics from log events using filters</a>
 */
final class Emission implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Emission.class);
  private static final long MINUTE = 60_000;
  private static final int MOST_VALUES = 150; // in one datum
  private static final int MOST_DATA = 1_000; // in one request
  private static final double LARGEST = 0x1p360;

  private final Timers timers;
  private final Consumer<PutMetricDataRequest> metrics;
  private final Measurements measurements;
  private final Map<String, Volume> volumes = new ConcurrentHashMap<>();
  private final Volume whole;
  private final Map<String, Quiet> quiet = new HashMap<>();
  private final Loop<String> minutes;

  /** What a group takes in, or all of them. */
  private record Volume(Recorder bytes, Recorder events) {}

  /**
   * A minute in which events came that a filter with a default value has not matched, so far.
   *
   * @param matched whether one has
   */
  private record Quiet(long minute, boolean matched, MetricTransformation emitted) {}

  /** One metric's minute. */
  private record Place(Map<String, String> dimensions, long minute) {}

  Emission(
      Timers timers,
      RandomGenerator random,
      Consumer<PutMetricDataRequest> metrics,
      Measurements measurements) {
    this.timers = timers;
    this.metrics = metrics;
    this.measurements = measurements;
    whole = volume(Map.of());
    minutes = new Loop<>("log-metrics", timers, random, 1, this::minute);
  }

  /** A group has taken these events. */
  void taken(String group, List<MetricFilter> filters, LogBatch events, long bytes) {
    for (Volume volume :
        List.of(
            whole, volumes.computeIfAbsent(group, one -> volume(Map.of("LogGroupName", one))))) {
      volume.bytes().record((double) bytes);
      volume.events().record(events.count());
    }
    for (MetricFilter filter : filters) {
      emit(filter, events);
    }
  }

  private Volume volume(Map<String, String> dimensions) {
    return new Volume(
        measurements.of(
            new Measurements.Metric("AWS/Logs", "IncomingBytes", dimensions, StandardUnit.BYTES)),
        measurements.of(
            new Measurements.Metric(
                "AWS/Logs", "IncomingLogEvents", dimensions, StandardUnit.NONE)));
  }

  void deleted(String group) {
    volumes.remove(group);
  }

  private void emit(MetricFilter filter, LogBatch events) {
    MetricTransformation emitted = filter.metricTransformations().getFirst();
    Map<Place, Map<Double, Double>> values = values(filter, emitted, events);
    boolean matched = !values.isEmpty();
    List<MetricDatum> data = new ArrayList<>();
    values.forEach((place, counts) -> data(emitted, place, counts, data));
    put(emitted, data);
    if (emitted.defaultValue() != null) {
      noted(filter, emitted, matched);
    }
  }

  private static Map<Place, Map<Double, Double>> values(
      MetricFilter filter, MetricTransformation emitted, LogBatch events) {
    FilterPattern pattern = FilterPattern.parse(filter.filterPattern());
    FilterPattern.Selector value = pattern.selector(emitted.metricValue());
    Map<String, FilterPattern.Selector> dimensions = new TreeMap<>();
    emitted
        .dimensions()
        .forEach((name, selector) -> {
          FilterPattern.Selector found = pattern.selector(selector);
          if (found != null) {
            dimensions.put(name, found);
          }
        });
    Map<Place, Map<Double, Double>> values = new LinkedHashMap<>();
    for (int i = 0; i < events.count(); i++) {
      if (events.time(i) < filter.creationTime()) {
        continue; // filters are for what happens after they are made
      }
      String message = events.message(i);
      if (!pattern.matches(message)) {
        continue;
      }
      String text = value == null ? emitted.metricValue() : value.in(message);
      BigDecimal number = text == null ? null : Comparison.number(text);
      Map<String, String> where = where(dimensions, message);
      if (number != null && where != null && Math.abs(number.doubleValue()) <= LARGEST) {
        values
            .computeIfAbsent(
                new Place(where, events.time(i) / MINUTE * MINUTE), any -> new TreeMap<>())
            .merge(number.doubleValue(), 1.0, Double::sum);
      }
    }
    return values;
  }

  /** Null if one of the dimensions is not there: the event belongs to no such metric. */
  private static @Nullable Map<String, String> where(
      Map<String, FilterPattern.Selector> dimensions, String message) {
    Map<String, String> where = new TreeMap<>();
    for (var dimension : dimensions.entrySet()) {
      String value = dimension.getValue().in(message);
      if (value == null || value.isBlank() || value.length() > 1_024) {
        return null;
      }
      where.put(dimension.getKey(), value);
    }
    return where;
  }

  private static void data(
      MetricTransformation emitted,
      Place place,
      Map<Double, Double> counts,
      List<MetricDatum> data) {
    List<Map.Entry<Double, Double>> all = List.copyOf(counts.entrySet());
    for (int from = 0; from < all.size(); from += MOST_VALUES) {
      List<Map.Entry<Double, Double>> some =
          all.subList(from, Math.min(all.size(), from + MOST_VALUES));
      data.add(
          datum(emitted, place.minute())
              .dimensions(
                  place.dimensions().entrySet().stream()
                      .map(d -> Dimension.builder().name(d.getKey()).value(d.getValue()).build())
                      .toList())
              .values(some.stream().map(Map.Entry::getKey).toList())
              .counts(some.stream().map(Map.Entry::getValue).toList())
              .build());
    }
  }

  private static MetricDatum.Builder datum(MetricTransformation emitted, long minute) {
    return MetricDatum.builder()
        .metricName(emitted.metricName())
        .unit(emitted.unitAsString() == null ? "None" : emitted.unitAsString())
        .timestamp(Instant.ofEpochMilli(minute));
  }

  private void put(MetricTransformation emitted, List<MetricDatum> data) {
    for (int from = 0; from < data.size(); from += MOST_DATA) {
      List<MetricDatum> some = data.subList(from, Math.min(data.size(), from + MOST_DATA));
      try {
        metrics.accept(
            PutMetricDataRequest.builder()
                .namespace(emitted.metricNamespace())
                .metricData(some)
                .build());
      } catch (SdkException e) {
        // The events are stored; what CloudWatch refuses (its limits) is no fault of theirs.
        LOG.warn("The metric {} was refused: {}", emitted.metricName(), e.getMessage());
      }
    }
  }

  /** A default value is for a minute in which events came, none of which matched. */
  private void noted(MetricFilter filter, MetricTransformation emitted, boolean matched) {
    String key = filter.logGroupName() + ":" + filter.filterName();
    long minute = timers.millis() / MINUTE * MINUTE;
    Quiet over = null;
    synchronized (quiet) {
      Quiet before = quiet.get(key);
      boolean same = before != null && before.minute() == minute;
      boolean earlier = before != null && same && before.matched();
      quiet.put(key, new Quiet(minute, matched || earlier, emitted));
      over = same ? null : before;
    }
    if (over != null) {
      byDefault(over);
    }
    minutes.wake(key);
  }

  private void byDefault(Quiet over) {
    if (!over.matched()) {
      put(
          over.emitted(),
          List.of(
              datum(over.emitted(), over.minute()).value(over.emitted().defaultValue()).build()));
    }
  }

  private @Nullable Duration minute(String key) {
    Quiet over;
    synchronized (quiet) {
      over = quiet.get(key);
      if (over == null) {
        return null;
      }
      long left = over.minute() + MINUTE - timers.millis();
      if (left > 0) {
        return Duration.ofMillis(left);
      }
      quiet.remove(key);
    }
    byDefault(over);
    return null;
  }

  @Override
  public void close() {
    minutes.close();
  }
}
