package dev.muelle.services;

import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import software.amazon.awssdk.services.cloudwatch.model.StandardUnit;

/**
 * Where the platform's own parts (tasks, load balancers, instances) leave what they measure, under
 * AWS's names: {@code cloudwatch} makes of it the metrics of the namespaces {@code AWS/…}. Whoever
 * measures asks once for the {@link Recorder} of a metric, keeps it, and calls it as often as it
 * likes: a call takes a lock and about half a microsecond. What is only counted (requests, bytes)
 * is better summed up by the one who counts, and recorded from time to time.
 *
 * <p>What is recorded is gathered by the {@link #period} in which it is recorded, as a statistic
 * set and the distribution of the values (for percentiles), and written when that is over; a server
 * that is killed loses its current one. Memory is bounded: a minute of one metric takes a few
 * kilobytes however many values it sees, and metrics beyond a limit are left out, with a warning.
 */
@FunctionalInterface
public interface Measurements {

  /** Forgets everything: for regions without CloudWatch, and tests. */
  Measurements NONE = metric -> (value, times) -> {};

  /**
   * How often it is worth looking: a minute, or less where the region is to measure more finely.
   */
  default Duration period() {
    return Duration.ofMinutes(1);
  }

  /** The recorder of a metric; the same metric may have several, they add up. */
  Recorder of(Metric metric);

  /**
   * One metric.
   *
   * @param namespace for example {@code AWS/ApplicationELB}
   * @param name for example {@code TargetResponseTime}
   * @param dimensions for example {@code LoadBalancer} to {@code app/web/50dc6c495c0c9188}
   * @param unit as AWS documents it for this metric
   */
  record Metric(String namespace, String name, Map<String, String> dimensions, StandardUnit unit) {
    public Metric {
      dimensions = Map.copyOf(new TreeMap<>(dimensions));
    }
  }

  /** Takes the values of one metric, from any thread. */
  @FunctionalInterface
  interface Recorder {

    /**
     * Notes a value that was seen this many times.
     *
     * @param value finite
     * @param times more than 0
     */
    void record(double value, double times);

    /** Notes a value. */
    default void record(double value) {
      record(value, 1);
    }
  }
}
