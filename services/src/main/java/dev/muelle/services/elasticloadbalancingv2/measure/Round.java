package dev.muelle.services.elasticloadbalancingv2.measure;

import dev.muelle.balancer.metrics.Metrics;
import dev.muelle.services.Measurements;
import dev.muelle.services.Measurements.Metric;
import dev.muelle.services.Measurements.Recorder;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatch.model.StandardUnit;

/** One look at all counters, compared with the one before; what is gone is forgotten with it. */
public final class Round {

  /** A counter of somebody's. */
  private record Key(Subject of, String metric) {}

  private final @Nullable Round before;
  private final Measurements measurements;
  private final boolean minute;
  private final Map<Key, Long> counters = new HashMap<>();

  /** The same as they were when a minute began. */
  private final Map<Key, Long> sinceMinute = new HashMap<>();

  private final Map<Subject, int[]> times = new HashMap<>();
  private final Map<Metric, Recorder> recorders = new HashMap<>();

  /**
   * A look.
   *
   * @param before null if it is the first one
   * @param minute whether a minute ends with it
   */
  Round(@Nullable Round before, Measurements measurements, boolean minute) {
    this.measurements = measurements;
    this.minute = minute;
    this.before = before == null ? null : before.alone();
  }

  private Round(Round other) {
    this.before = null;
    this.measurements = other.measurements;
    this.minute = other.minute;
    this.counters.putAll(other.counters);
    this.sinceMinute.putAll(other.sinceMinute);
    this.times.putAll(other.times);
    this.recorders.putAll(other.recorders);
  }

  /** Without those before it: they are of no use any more. */
  private Round alone() {
    return new Round(this);
  }

  /** Whether a minute ends with it. */
  boolean endsMinute() {
    return minute;
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

  /** How far a counter has come in the minute that ends; to be asked at each look. */
  long movedInMinute(Subject of, String counter, long now) {
    Key key = new Key(of, counter);
    long had = before == null ? 0 : before.sinceMinute.getOrDefault(key, 0L);
    sinceMinute.put(key, minute ? now : had);
    return since(had, now);
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
