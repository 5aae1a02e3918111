package dev.muelle.services.elasticloadbalancingv2.measure;

import dev.muelle.balancer.metrics.Metrics;
import dev.muelle.services.Measurements;
import dev.muelle.services.Measurements.Metric;
import dev.muelle.services.Measurements.Recorder;
import java.time.Duration;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatch.model.StandardUnit;

/** One look at all counters, compared with the one before; what is gone is forgotten with it. */
public final class Round {

  /** What takes several looks, if the region is asked to look more often. */
  enum Span {
    TEN_SECONDS(Duration.ofSeconds(10)),
    MINUTE(Duration.ofMinutes(1));

    private final Duration length;

    Span(Duration length) {
      this.length = length;
    }

    long millis() {
      return length.toMillis();
    }
  }

  /** A counter of somebody's. */
  private record Key(Subject of, String metric) {}

  private final @Nullable Round before;
  private final Measurements measurements;
  private final Set<Span> ending;
  private final Map<Key, Long> counters = new HashMap<>();

  /** The same as they were when a span began. */
  private final Map<Span, Map<Key, Long>> began = new EnumMap<>(Span.class); // filled once

  private final Map<Subject, int[]> times = new HashMap<>();
  private final Map<Metric, Recorder> recorders = new HashMap<>();

  /**
   * A look.
   *
   * @param before null if it is the first one
   * @param ending what ends with it
   */
  Round(@Nullable Round before, Measurements measurements, Set<Span> ending) {
    this.measurements = measurements;
    this.ending = Set.copyOf(ending);
    this.before = before == null ? null : before.alone();
    for (Span span : Span.values()) {
      began.put(span, new HashMap<>());
    }
  }

  private Round(Round other) {
    this.before = null;
    this.measurements = other.measurements;
    this.ending = other.ending;
    this.counters.putAll(other.counters);
    this.began.putAll(other.began);
    this.times.putAll(other.times);
    this.recorders.putAll(other.recorders);
  }

  /** Without those before it: they are of no use any more. */
  private Round alone() {
    return new Round(this);
  }

  /** Whether a span ends with it. */
  boolean ends(Span span) {
    return ending.contains(span);
  }

  /** Tells by how much a counter has moved, if it has. */
  void count(Subject of, String metric, long now) {
    count(of, metric, now, StandardUnit.COUNT);
  }

  void count(Subject of, String metric, long now, StandardUnit unit) {
    long more = moved(of, metric, now);
    if (more > 0) {
      record(of, metric, unit, (double) more, 1);
    }
  }

  /** How far a counter has come since the last look; one that begins anew begins at 0. */
  long moved(Subject of, String counter, long now) {
    Key key = new Key(of, counter);
    counters.put(key, now);
    return since(before == null ? 0 : before.counters.getOrDefault(key, 0L), now);
  }

  /** How far a counter has come in a span that ends, or so far; to be asked at each look. */
  long moved(Span span, Subject of, String counter, long now) {
    Key key = new Key(of, counter);
    long had = before == null ? 0 : before.began(span).getOrDefault(key, 0L);
    began(span).put(key, ends(span) ? now : had);
    return since(had, now);
  }

  private Map<Key, Long> began(Span span) {
    return Objects.requireNonNull(began.get(span));
  }

  private static long since(long had, long now) {
    return now < had ? now : now - had;
  }

  /** Tells how much there is now. */
  void gauge(Subject of, String metric, long now) {
    record(of, metric, StandardUnit.COUNT, (double) now, 1);
  }

  /** Tells how long answers took. */
  void times(Subject of, String metric, int[] now) {
    int[] had = before == null ? null : before.times.get(of);
    times.put(of, now);
    for (int i = 0; i < now.length; i++) {
      int more = had == null || now[i] < had[i] ? now[i] : now[i] - had[i];
      if (more > 0) {
        record(of, metric, StandardUnit.SECONDS, Metrics.seconds(i), more);
      }
    }
  }

  void record(Subject of, String name, StandardUnit unit, double value, double times) {
    Metric metric = new Metric(of.namespace(), name, of.dimensions(), unit);
    Recorder recorder = recorders.get(metric);
    if (recorder == null) {
      Recorder known = before == null ? null : before.recorders.get(metric);
      recorder = known == null ? measurements.of(metric) : known;
      recorders.put(metric, recorder);
    }
    recorder.record(value, times);
  }
}
