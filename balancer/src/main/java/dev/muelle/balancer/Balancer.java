package dev.muelle.balancer;

import dev.muelle.balancer.metrics.FlowMetrics;
import dev.muelle.balancer.metrics.Metrics;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** Balances HTTP. Told the whole desired state of each load balancer, in any order, any time. */
public interface Balancer extends AutoCloseable {

  /**
   * Makes a load balancer as described; requests in flight are not disturbed by a change.
   *
   * @return the problems that keep single endpoints from listening (a port that is taken), by
   *     {@code address:port}; the others work
   */
  Map<String, String> put(LoadBalancer wanted);

  /** Closes a load balancer's listeners; requests in flight may end. */
  void remove(String loadBalancerId);

  /** What the health checks and the draining of one target group have found; empty if unused. */
  Map<Target, TargetState> targets(String targetGroupId);

  /** Which targets of a group that is in use fail more often than its others. */
  Map<Target, Anomaly> anomalies(String targetGroupId);

  /** What a load balancer has counted so far; empty if there is none of that id. */
  Optional<Metrics> loadBalancerMetrics(String id);

  /** What a network load balancer has counted so far; empty if there is none of that id. */
  Map<FlowMetrics.Part, FlowMetrics> flowMetrics(String id);

  /** What a target group has counted so far; empty if it is in no load balancer. */
  Optional<Metrics> targetGroupMetrics(String id);

  /** What a target group has counted so far of a network load balancer's flows, by protocol. */
  Map<FlowMetrics.Protocol, FlowMetrics> targetGroupFlows(String id);

  /** Calls {@code listener} with the id of a target group in which some target's state changed. */
  Watch watch(Consumer<String> listener);

  @Override
  void close();

  /** A listener that can be taken away again. */
  @FunctionalInterface
  interface Watch extends AutoCloseable {
    @Override
    void close();
  }

  /** Who may be sent requests: an address and port. */
  record Target(String address, int port) {}

  /**
   * @param reason in ELB's words: {@code Elb.RegistrationInProgress}, {@code
   *     Target.ResponseCodeMismatch}, {@code Target.Timeout}, {@code Target.FailedHealthChecks}, …;
   *     empty when healthy
   * @param description in ELB's words, for example {@code Health checks failed with these codes:
   *     [404]}; empty when healthy
   */
  record TargetState(Health health, String reason, String description, Instant since) {}

  /**
   * @param anomalous whether it fails more often than others of its group
   * @param mitigated whether it gets less for that
   */
  record Anomaly(boolean anomalous, boolean mitigated) {}

  /** As ELB names them. */
  enum Health {
    INITIAL,
    HEALTHY,
    UNHEALTHY,
    /** Deregistered; requests in flight are being finished. */
    DRAINING,
    /** Deregistered, and nothing is in flight any more (or the delay has passed). */
    DRAINED
  }

  /** Where things stand, for tests and metrics. */
  default List<String> endpoints() {
    return List.of();
  }
}
