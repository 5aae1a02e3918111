package dev.muelle.services.elasticloadbalancingv2;

import dev.muelle.balancer.Balancer;
import dev.muelle.balancer.Balancer.Health;
import dev.muelle.balancer.Balancer.TargetState;
import dev.muelle.balancer.metrics.FlowMetrics;
import dev.muelle.balancer.metrics.Metrics;
import dev.muelle.loop.Timers;
import dev.muelle.services.Measurements;
import dev.muelle.services.Measurements.Metric;
import dev.muelle.services.Measurements.Recorder;
import dev.muelle.services.elasticloadbalancingv2.State.Balancing;
import dev.muelle.services.elasticloadbalancingv2.State.Group;
import dev.muelle.services.elasticloadbalancingv2.oidc.AuthCounts;
import dev.muelle.services.elasticloadbalancingv2.oidc.OidcGates;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.cloudwatch.model.StandardUnit;

/**
 * Tells CloudWatch what load balancers and target groups have counted, as the metrics of {@code
 * AWS/ApplicationELB} and {@code AWS/NetworkELB}: every ten seconds, by how much each counter has
 * moved. As on AWS, one that did not move is not told. No request pays for it.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html">CloudWatch
 *     metrics for your Application Load Balancer</a>
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-cloudwatch-metrics.html">CloudWatch
 *     metrics for your Network Load Balancer</a>
 */
final class Measuring implements AutoCloseable {

  /** Whose metrics they are. */
  private record Subject(String namespace, Map<String, String> dimensions) {

    static Subject of(Balancing balancing, Map<String, String> dimensions) {
      return new Subject(
          balancing.network() ? "AWS/NetworkELB" : "AWS/ApplicationELB", Map.copyOf(dimensions));
    }

    Subject in(String zone) {
      Map<String, String> all = new HashMap<>(dimensions);
      all.put("AvailabilityZone", zone);
      return new Subject(namespace, Map.copyOf(all));
    }
  }

  private static final Logger LOG = LoggerFactory.getLogger(Measuring.class);
  private static final long PERIOD = Duration.ofSeconds(10).toMillis();

  /** Looks a second before each full minute: what it finds belongs to the minute that ends. */
  private static final long EARLY = Duration.ofSeconds(1).toMillis();

  private final Store store;
  private final Timers timers;
  private final Balancer balancer;
  private final OidcGates oidc;
  private final Measurements measurements;
  private Map<String, Long> before = new HashMap<>();
  private Map<String, int[]> timesBefore = new HashMap<>();
  private Map<Metric, Recorder> recorders = new HashMap<>();
  private Timers.Cancellable timer = () -> {};
  private volatile boolean closed;

  Measuring(
      Store store, Timers timers, Balancer balancer, OidcGates oidc, Measurements measurements) {
    this.store = store;
    this.timers = timers;
    this.balancer = balancer;
    this.oidc = oidc;
    this.measurements = measurements;
  }

  void start() {
    later();
  }

  private void later() {
    if (closed) {
      return;
    }
    long now = timers.millis() + EARLY;
    timer =
        timers.after(
            Duration.ofMillis(PERIOD - now % PERIOD),
            () -> {
              try {
                look();
              } catch (RuntimeException e) {
                LOG.warn("load balancers are not measured", e);
              }
              later();
            });
  }

  private synchronized void look() {
    Round round = new Round();
    store.read(tx -> {
      for (Row<Balancing> row : LoadBalancers.all(tx)) {
        Subject of =
            Subject.of(row.value(), Map.of("LoadBalancer", after(row.key(), ":loadbalancer/")));
        if (row.value().network()) {
          balancer.flowMetrics(row.key()).ifPresent(m -> round.flows(of, row.key(), m));
        } else {
          balancer.loadBalancerMetrics(row.key()).ifPresent(m -> round.balancer(of, row.key(), m));
          round.users(of, row.key(), oidc.counts(row.key()));
        }
      }
      for (Row<Group> row : tx.list(State.GROUPS)) {
        Group group = row.value();
        for (String balancerArn : group.group().loadBalancerArns()) {
          Subject of =
              Subject.of(
                  LoadBalancers.get(tx, balancerArn),
                  Map.of(
                      "LoadBalancer", after(balancerArn, ":loadbalancer/"),
                      "TargetGroup", after(row.key(), ":")));
          balancer
              .targetGroupMetrics(row.key())
              .ifPresent(m -> round.group(of, row.key(), m, group));
        }
      }
      return true;
    });
    before = round.counters;
    timesBefore = round.times;
    recorders = round.used;
  }

  /** One look at all counters; what is gone is forgotten with it. */
  private final class Round {

    private final Map<String, Long> counters = new HashMap<>();
    private final Map<String, int[]> times = new HashMap<>();
    private final Map<Metric, Recorder> used = new HashMap<>();

    void flows(Subject of, String arn, FlowMetrics m) {
      gauge(of, "ActiveFlowCount", m.active());
      count(of, arn, "NewFlowCount", m.fresh());
      count(of, arn, "RejectedFlowCount", m.rejected());
      count(of, arn, "TCP_Client_Reset_Count", m.clientResets());
      count(of, arn, "TCP_Target_Reset_Count", m.targetResets());
      count(of, arn, "TCP_ELB_Reset_Count", m.ownResets());
      count(of, arn, "ClientTLSNegotiationErrorCount", m.clientTlsErrors());
      count(of, arn, "TargetTLSNegotiationErrorCount", m.targetTlsErrors());
      long bytes = moved(arn + " ProcessedBytes", m.bytes());
      if (bytes > 0) {
        record(of, "ProcessedBytes", StandardUnit.BYTES, (double) bytes, 1);
      }
    }

    void balancer(Subject of, String arn, Metrics m) {
      count(of, arn, "RequestCount", m.requests());
      count(of, arn, "NewConnectionCount", m.newConnections());
      count(of, arn, "ClientTLSNegotiationErrorCount", m.handshakeErrors());
      count(of, arn, "HTTP_Fixed_Response_Count", m.fixedResponses());
      count(of, arn, "HTTP_Redirect_Count", m.redirects());
      for (int hundred = 3; hundred <= 5; hundred++) {
        count(of, arn, "HTTPCode_ELB_" + hundred + "XX_Count", m.ownAnswers(hundred));
      }
      for (int status : new int[] {500, 502, 503, 504}) {
        count(of, arn, "HTTPCode_ELB_" + status + "_Count", m.ownFaults(status));
      }
      targets(of, arn, m);
      gauge(of, "ActiveConnectionCount", m.activeConnections());
    }

    void users(Subject of, String arn, AuthCounts m) {
      count(of, arn, "ELBAuthSuccess", m.successes());
      count(of, arn, "ELBAuthRefreshTokenSuccess", m.refreshes());
      count(of, arn, "ELBAuthFailure", m.failures());
      count(of, arn, "ELBAuthError", m.errors());
      count(of, arn, "ELBAuthUserClaimsSizeExceeded", m.oversized());
      for (long millis : m.latencies()) {
        record(of, "ELBAuthLatency", StandardUnit.MILLISECONDS, (double) millis, 1);
      }
    }

    void group(Subject of, String arn, Metrics m, Group group) {
      if (!group.flows()) {
        count(of, arn, "RequestCount", m.requests());
        count(of, arn, "TargetConnectionErrorCount", m.targetConnectionErrors());
        targets(of, arn, m);
      }
      Map<Balancer.Target, TargetState> states = balancer.targets(arn);
      Map<String, int[]> zones = new TreeMap<>();
      int healthy = 0;
      int unhealthy = 0;
      for (State.Target target : group.targets()) {
        TargetState state = states.get(new Balancer.Target(target.address(), target.port()));
        Health health = state == null ? Health.INITIAL : state.health();
        int[] zone =
            zones.computeIfAbsent(target.zone() == null ? "" : target.zone(), z -> new int[2]);
        if (health == Health.HEALTHY) {
          healthy++;
          zone[0]++;
        } else if (health == Health.UNHEALTHY) {
          unhealthy++;
          zone[1]++;
        }
      }
      gauge(of, "HealthyHostCount", healthy);
      gauge(of, "UnHealthyHostCount", unhealthy);
      zones.forEach((name, counts) -> {
        if (!name.isEmpty() && !name.equals("all")) {
          gauge(of.in(name), "HealthyHostCount", counts[0]);
          gauge(of.in(name), "UnHealthyHostCount", counts[1]);
        }
      });
      long requests = moved(arn + " per target", m.requests());
      if (healthy > 0 && requests > 0) {
        double each = (double) requests / healthy;
        Subject alone = new Subject(of.namespace(), Map.of("TargetGroup", after(arn, ":")));
        record(alone, "RequestCountPerTarget", StandardUnit.COUNT, each, 1);
        record(of, "RequestCountPerTarget", StandardUnit.COUNT, each, 1);
      }
    }

    private void targets(Subject of, String id, Metrics m) {
      for (int hundred = 2; hundred <= 5; hundred++) {
        count(of, id, "HTTPCode_Target_" + hundred + "XX_Count", m.targetAnswers(hundred));
      }
      int[] now = m.responseTimes();
      int[] had = timesBefore.getOrDefault(id, new int[now.length]);
      times.put(id, now);
      for (int i = 0; i < now.length; i++) {
        int more = now[i] < had[i] ? now[i] : now[i] - had[i];
        if (more > 0) {
          record(of, "TargetResponseTime", StandardUnit.SECONDS, Metrics.seconds(i), more);
        }
      }
    }

    private void count(Subject of, String id, String metric, long now) {
      long more = moved(id + " " + metric, now);
      if (more > 0) {
        record(of, metric, StandardUnit.COUNT, (double) more, 1);
      }
    }

    /** How far a counter has come since the last look; one that begins anew begins at 0. */
    private long moved(String key, long now) {
      counters.put(key, now);
      long had = before.getOrDefault(key, 0L);
      return now < had ? now : now - had;
    }

    private void gauge(Subject of, String metric, long now) {
      record(of, metric, StandardUnit.COUNT, (double) now, 1);
    }

    private void record(Subject of, String name, StandardUnit unit, double value, double times) {
      Metric metric = new Metric(of.namespace(), name, of.dimensions(), unit);
      Recorder recorder = recorders.get(metric);
      if (recorder == null) {
        recorder = used.computeIfAbsent(metric, measurements::of);
      }
      used.put(metric, recorder);
      recorder.record(value, times);
    }
  }

  /** The rest of an ARN behind the last of these. */
  private static String after(String arn, String mark) {
    return arn.substring(arn.lastIndexOf(mark) + mark.length());
  }

  @Override
  public void close() {
    closed = true;
    timer.cancel();
  }
}
