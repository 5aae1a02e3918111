package dev.muelle.services.cloudwatch.series;

import dev.muelle.loop.Timers;
import dev.muelle.loop.Timers.Cancellable;
import dev.muelle.services.Measurements;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.cloudwatch.model.Dimension;

/**
 * Takes what the platform's own parts measure, and writes it when its minute, or shorter period, is
 * over.
 */
public final class Intake implements Measurements, AutoCloseable {

  static final int MOST = SeriesStore.MOST_SERIES; // metrics that measure in the same period
  private static final long MINUTE = 60;
  private static final Logger LOG = LoggerFactory.getLogger(Intake.class);

  private final SeriesStore series;
  private final Timers timers;
  private final Duration period;
  private final boolean highResolution;

  /** Those that measured something since they were last written. */
  private final Map<Gathering, Boolean> busy = new ConcurrentHashMap<>();

  private volatile boolean warned;
  private volatile boolean closed;
  private @Nullable Cancellable next;

  /**
   * An intake that writes nothing by itself before {@link #start}.
   *
   * @param period a divisor of a minute; what is measured in shorter ones is kept by the second
   */
  public Intake(SeriesStore series, Timers timers, Duration period) {
    this.series = series;
    this.timers = timers;
    this.period = period;
    highResolution = period.toSeconds() < MINUTE;
  }

  @Override
  public Duration period() {
    return period;
  }

  /** Writes from now on, at the end of each period. */
  public synchronized void start() {
    if (!closed) {
      long length = period.toMillis();
      long into = Math.floorMod(timers.millis(), length);
      next =
          timers.after(
              Duration.ofMillis(length - into),
              () -> {
                write(current());
                start();
              });
    }
  }

  @Override
  public Recorder of(Metric metric) {
    return new Gathering(metric);
  }

  /** When the present period began, in epoch seconds. */
  private long current() {
    long length = period.toSeconds();
    return Math.floorDiv(timers.instant().getEpochSecond(), length) * length;
  }

  /** Writes what was gathered before a period began. */
  private void write(long before) {
    List<Sample> samples = new ArrayList<>();
    for (Gathering gathering : busy.keySet()) {
      gathering.give(before, samples);
    }
    try {
      int left = series.writeWhatFits(samples);
      if (left > 0) {
        LOG.warn("There are too many metrics: {} measurements of new ones are left out", left);
      }
    } catch (RuntimeException e) {
      LOG.warn("{} measurements of the platform are lost", samples.size(), e);
    }
  }

  /** Writes what there is, also of the period that is not over. */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      if (next != null) {
        next.cancel();
      }
    }
    write(Long.MAX_VALUE);
  }

  /** One metric's values, by the period. */
  private final class Gathering implements Recorder {
    private final dev.muelle.services.cloudwatch.series.Metric metric;
    private final String unit;
    private @Nullable Summary current;
    private long since;
    private final List<Sample> over = new ArrayList<>(1);

    Gathering(Metric measured) {
      metric =
          new dev.muelle.services.cloudwatch.series.Metric(
              measured.namespace(),
              measured.name(),
              measured.dimensions().entrySet().stream()
                  .map(each ->
                      Dimension.builder().name(each.getKey()).value(each.getValue()).build())
                  .toList());
      unit = measured.unit().toString();
    }

    @Override
    public void record(double value, double times) {
      if (!Double.isFinite(value) || !(times > 0)) {
        throw new IllegalArgumentException("cannot record " + value + " " + times + " times");
      }
      long start = current();
      synchronized (this) {
        if (current == null || since != start) {
          if (current != null) {
            over.add(sample(current, since)); // its writer is about to come
            current = null;
          }
          if (!room()) {
            return;
          }
          current = new Summary();
          since = start;
        }
        current.add(value, times);
      }
    }

    private boolean room() {
      if (busy.size() < MOST || busy.containsKey(this)) {
        busy.put(this, true);
        return true;
      }
      if (!warned) {
        warned = true;
        LOG.warn("More than {} metrics measure at once: {} is left out", MOST, metric);
      }
      return false;
    }

    synchronized void give(long before, List<Sample> samples) {
      samples.addAll(over);
      over.clear();
      if (current != null && since < before) {
        samples.add(sample(current, since));
        current = null;
      }
      if (current == null) {
        busy.remove(this);
      }
    }

    private Sample sample(Summary summary, long start) {
      return new Sample(metric, unit, start, highResolution, summary);
    }
  }
}
