package dev.muelle.services.elasticloadbalancingv2.measure;

import dev.muelle.balancer.Balancer;
import dev.muelle.balancer.metrics.Metrics;
import dev.muelle.loop.Timers;
import dev.muelle.network.Network.Packets;
import dev.muelle.services.Measurements;
import dev.muelle.services.elasticloadbalancingv2.measure.Round.Span;
import dev.muelle.services.elasticloadbalancingv2.oidc.OidcGates;
import dev.muelle.services.elasticloadbalancingv2.state.Existing;
import dev.muelle.services.elasticloadbalancingv2.state.Shifts;
import dev.muelle.services.elasticloadbalancingv2.state.State;
import dev.muelle.services.elasticloadbalancingv2.state.State.Balancing;
import dev.muelle.services.elasticloadbalancingv2.state.State.Group;
import dev.muelle.services.elasticloadbalancingv2.target.ZoneHealth;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetTypeEnum;

/**
 * Tells CloudWatch what load balancers and target groups have counted, as the metrics of {@code
 * AWS/ApplicationELB} and {@code AWS/NetworkELB}: every ten seconds, or as often as the region is
 * asked to, by how much each counter has moved. As on AWS, one that did not move is not told. No
 * request pays for it.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html">CloudWatch
 *     metrics for your Application Load Balancer</a>
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-cloudwatch-metrics.html">CloudWatch
 *     metrics for your Network Load Balancer</a>
 */
public final class Measuring implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Measuring.class);
  private static final long LONGEST = Span.TEN_SECONDS.millis();

  private final Store store;
  private final Timers timers;
  private final Function<String, Map<String, Packets>> packets;
  private final Balancer balancer;
  private final OidcGates oidc;
  private final Measurements measurements;
  private final long period; // ms

  /** It looks a little before each period's end: what it finds belongs to the one that ends. */
  private final long early;

  private @Nullable Round before;
  private Timers.Cancellable timer = () -> {};
  private volatile boolean closed;

  /**
   * The measuring of one region's load balancers.
   *
   * @param packets what the kernel counted in a VPC, by network interface
   */
  public Measuring(
      Store store,
      Timers timers,
      Function<String, Map<String, Packets>> packets,
      Balancer balancer,
      OidcGates oidc,
      Measurements measurements) {
    this.store = store;
    this.timers = timers;
    this.packets = packets;
    this.balancer = balancer;
    this.oidc = oidc;
    this.measurements = measurements;
    period = Math.min(LONGEST, measurements.period().toMillis());
    early = period / 10;
  }

  public void start() {
    later();
  }

  private void later() {
    if (closed) {
      return;
    }
    long now = timers.millis() + early;
    timer =
        timers.after(
            Duration.ofMillis(period - now % period),
            () -> {
              try {
                look();
              } catch (RuntimeException e) {
                LOG.warn("load balancers are not measured", e);
              }
              later();
            });
  }

  /**
   * What the kernel counted, by VPC. It is asked before anything is told: would it fail in between,
   * what was told until then would be told again.
   */
  private Map<String, Map<String, Packets>> packets() {
    Set<String> vpcs =
        store.read(tx ->
            Existing.balancers(tx).stream()
                .map(Row::value)
                .filter(Balancing::network)
                .map(balancing -> balancing.balancer().vpcId())
                .collect(Collectors.toSet()));
    return vpcs.stream().collect(Collectors.toMap(vpc -> vpc, packets));
  }

  private synchronized void look() {
    Set<Span> ending = EnumSet.allOf(Span.class);
    ending.removeIf(span -> (timers.millis() + early) % span.millis() >= period);
    Round now = new Round(before, measurements, ending);
    Map<String, Map<String, Packets>> counted = packets();
    store.read(tx -> {
      List<Row<Group>> groups = tx.list(State.GROUPS);
      for (Row<Balancing> row : Existing.balancers(tx)) {
        Subject of =
            Subject.of(row.value(), Map.of("LoadBalancer", after(row.key(), ":loadbalancer/")));
        if (row.value().network()) {
          FlowMeasures.tell(now, of, balancer.flowMetrics(row.key()));
          FlowMeasures.packets(
              now,
              of,
              row.value().nodes(),
              counted.getOrDefault(row.value().balancer().vpcId(), Map.of()));
          if (groups.stream().anyMatch(group -> uses(row.key(), group))) {
            FlowMeasures.zones(
                now, of, row.value().enabled(), ZoneHealth.of(tx, row.value()).well());
          }
        } else {
          List<Metrics> targets =
              groups.stream()
                  .filter(group -> uses(row.key(), group))
                  .flatMap(group -> balancer.targetGroupMetrics(group.key()).stream())
                  .toList();
          balancer
              .loadBalancerMetrics(row.key())
              .ifPresent(m -> HttpMeasures.balancer(now, of, m, targets));
          HttpMeasures.users(now, of, oidc.counts(row.key()));
        }
      }
      for (Row<Group> row : groups) {
        for (String arn : row.value().group().loadBalancerArns()) {
          Balancing user = Existing.balancer(tx, arn);
          Subject of =
              Subject.of(
                  user,
                  Map.of(
                      "LoadBalancer", after(arn, ":loadbalancer/"),
                      "TargetGroup", after(row.key(), ":")));
          if (row.value().group().targetType() != TargetTypeEnum.ALB) { // which AWS leaves out
            HostMeasures.tell(now, of, user, row.value(), balancer);
          }
          if (Shifts.enabled(user)) {
            Optional<String> away =
                Shifts.away(tx, user).filter(zone -> Shifts.crosses(user, row.value()));
            HostMeasures.shifted(now, of, user, row.value(), away.orElse(""));
          }
          balancer
              .targetGroupMetrics(row.key())
              .filter(m -> !row.value().flows())
              .ifPresent(m -> HttpMeasures.group(now, of, m));
        }
        if (row.value().flows() && !row.value().group().loadBalancerArns().isEmpty()) {
          FlowMeasures.group(
              now,
              new Subject("AWS/NetworkELB", Map.of("TargetGroup", after(row.key(), ":"))),
              balancer.targetGroupFlows(row.key()));
        }
      }
      return true;
    });
    before = now;
  }

  private static boolean uses(String balancerArn, Row<Group> group) {
    return group.value().group().loadBalancerArns().contains(balancerArn);
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
