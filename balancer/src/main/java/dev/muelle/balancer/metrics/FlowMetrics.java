package dev.muelle.balancer.metrics;

import java.util.Collection;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;

/**
 * What a network load balancer counts of the flows of one protocol in one zone; all but active
 * flows only grow.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-cloudwatch-metrics.html">
 *     CloudWatch metrics for your Network Load Balancer</a>
 */
public final class FlowMetrics {

  /** What flows are told apart by. */
  public enum Protocol {
    TCP,
    TLS,
    UDP
  }

  /**
   * Which flows.
   *
   * @param zone of the node at which they came in; empty on the host
   */
  public record Part(String zone, Protocol protocol) {}

  /** What is simply counted. */
  public enum Count {
    FLOWS,
    /** Flows beyond what is kept at once. */
    REJECTED_FLOWS,
    /** Both ways. */
    BYTES,
    CLIENT_RESETS,
    TARGET_RESETS,
    OWN_RESETS,
    CLIENT_TLS_ERRORS,
    TARGET_TLS_ERRORS,
    /** Flows of which also unhealthy targets might have been chosen. */
    FAILED_OPEN,
    /** Connections for which no port was left to come from. */
    PORT_ERRORS
  }

  private final LongAdder active = new LongAdder();
  private final Map<Count, LongAdder> counts = new EnumMap<>(Count.class); // filled once

  public FlowMetrics() {
    for (Count what : Count.values()) {
      counts.put(what, new LongAdder());
    }
  }

  /** Of all these together, as they are now. */
  public static FlowMetrics sum(Collection<FlowMetrics> parts) {
    FlowMetrics all = new FlowMetrics();
    for (FlowMetrics part : parts) {
      all.active.add(part.active());
      for (Count what : Count.values()) {
        all.add(what, part.get(what));
      }
    }
    return all;
  }

  public void begins() {
    active.increment();
    add(Count.FLOWS);
  }

  public void ends() {
    active.decrement();
  }

  public void add(Count what) {
    add(what, 1);
  }

  public void add(Count what, long number) {
    of(what).add(number);
  }

  private LongAdder of(Count what) {
    return Objects.requireNonNull(counts.get(what));
  }

  public long get(Count what) {
    return of(what).sum();
  }

  /** Flows that are open. */
  public long active() {
    return active.sum();
  }
}
