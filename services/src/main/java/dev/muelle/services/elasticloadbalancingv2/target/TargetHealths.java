package dev.muelle.services.elasticloadbalancingv2.target;

import dev.muelle.balancer.Balancer;
import dev.muelle.services.elasticloadbalancingv2.request.FlowGroupAttributes;
import dev.muelle.services.elasticloadbalancingv2.request.Refuse;
import dev.muelle.services.elasticloadbalancingv2.state.Existing;
import dev.muelle.services.elasticloadbalancingv2.state.Shifts;
import dev.muelle.services.elasticloadbalancingv2.state.State;
import dev.muelle.services.elasticloadbalancingv2.state.State.Balancing;
import dev.muelle.services.elasticloadbalancingv2.state.State.Group;
import dev.muelle.services.elasticloadbalancingv2.state.State.Known;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.AdministrativeOverride;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.AnomalyDetection;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.AnomalyResultEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTargetHealthRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTargetHealthResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.MitigationInEffectEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetAdministrativeOverrideReasonEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetAdministrativeOverrideStateEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetDescription;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetHealth;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetHealthDescription;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetHealthReasonEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetHealthStateEnum;

/** How targets are, in ELB's words. */
public final class TargetHealths {

  private static final Set<String> EXTRAS = Set.of("AnomalyDetection", "All");
  private static final List<String> BEST_FIRST =
      List.of("HEALTHY", "INITIAL", "UNHEALTHY", "DRAINING", "DRAINED");

  private final Store store;
  private final InstantSource clock;
  private final Balancer balancer;

  public TargetHealths(Store store, InstantSource clock, Balancer balancer) {
    this.store = store;
    this.clock = clock;
    this.balancer = balancer;
  }

  /** The load balancer that sends to a group; null if none does. */
  static @Nullable Balancing balancer(Tx tx, Group group) {
    return group.group().loadBalancerArns().stream()
        .findFirst()
        .flatMap(arn -> tx.get(State.BALANCERS, arn))
        .map(Row::value)
        .orElse(null);
  }

  public DescribeTargetHealthResponse describe(DescribeTargetHealthRequest request) {
    Refuse.unlessEffective(request, Set.of("TargetGroupArn", "Targets", "Include"));
    for (String extra : request.includeAsStrings()) {
      if (!EXTRAS.contains(extra)) {
        throw Refuse.invalid(
            "1 validation error detected: Value '["
                + extra
                + "]' at 'include' failed to satisfy constraint: Member must satisfy constraint:"
                + " [Member must satisfy enum value set: [AnomalyDetection, All]]");
      }
    }
    Map<Balancer.Target, Balancer.Anomaly> anomalies =
        request.includeAsStrings().isEmpty()
            ? Map.of()
            : balancer.anomalies(request.targetGroupArn());
    return store.read(tx -> {
      Group group = Existing.group(tx, request.targetGroupArn());
      List<TargetHealthDescription> all = new ArrayList<>();
      if (request.targets().isEmpty()) {
        group.targets().forEach(t -> all.add(describe(tx, group, t, anomalies)));
      }
      for (TargetDescription asked : request.targets()) {
        int port = asked.port() == null ? group.group().port() : asked.port();
        Optional<State.Target> target =
            group.targets().stream()
                .filter(t -> Targets.means(asked, t, group.group()))
                .findFirst();
        all.add(
            target
                .map(t -> describe(tx, group, t, anomalies))
                .orElseGet(() ->
                    TargetHealthDescription.builder()
                        .target(t -> t.id(asked.id()).port(port))
                        .targetHealth(h ->
                            h.state(TargetHealthStateEnum.UNUSED)
                                .reason(TargetHealthReasonEnum.TARGET_NOT_REGISTERED)
                                .description("Target is not registered to the target group"))
                        .build()));
      }
      return DescribeTargetHealthResponse.builder().targetHealthDescriptions(all).build();
    });
  }

  private TargetHealthDescription describe(
      Tx tx, Group group, State.Target t, Map<Balancer.Target, Balancer.Anomaly> anomalies) {
    String checked = group.group().healthCheckPort();
    Balancer.Anomaly anomaly = anomalies.get(new Balancer.Target(t.address(), t.port()));
    return TargetHealthDescription.builder()
        .target(d ->
            d.id(t.id()).port(t.port()).availabilityZone(t.instance() == null ? t.zone() : null))
        .anomalyDetection(
            anomaly == null
                ? null
                : AnomalyDetection.builder()
                    .result(
                        anomaly.anomalous()
                            ? AnomalyResultEnum.ANOMALOUS
                            : AnomalyResultEnum.NORMAL)
                    .mitigationInEffect(
                        anomaly.mitigated()
                            ? MitigationInEffectEnum.YES
                            : MitigationInEffectEnum.NO)
                    .build())
        .administrativeOverride(override(tx, group, t))
        .healthCheckPort(checked.equals("traffic-port") ? String.valueOf(t.port()) : checked)
        .targetHealth(state(tx, group, balancer(tx, group), t))
        .build();
  }

  /**
   * Whether nothing new is sent to a target because of a zonal shift.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/network/zonal-shift.html#admin-override">
   *     Zonal shift administrative override</a>
   */
  private static @Nullable AdministrativeOverride override(Tx tx, Group group, State.Target t) {
    Balancing balancer = balancer(tx, group);
    if (balancer == null) {
      return null;
    }
    boolean shifted = Shifts.away(tx, balancer).filter(zone -> zone.equals(t.zone())).isPresent();
    if (!shifted) {
      return override(
          TargetAdministrativeOverrideStateEnum.NO_OVERRIDE,
          TargetAdministrativeOverrideReasonEnum.ADMINISTRATIVE_OVERRIDE_NO_OVERRIDE,
          "No override is currently active on target");
    }
    return Shifts.crosses(balancer, group)
        ? override(
            TargetAdministrativeOverrideStateEnum.ZONAL_SHIFT_ACTIVE,
            TargetAdministrativeOverrideReasonEnum.ADMINISTRATIVE_OVERRIDE_ZONAL_SHIFT_ACTIVE,
            "Zonal shift is active in target Availability Zone")
        : override(
            TargetAdministrativeOverrideStateEnum.ZONAL_SHIFT_DELEGATED_TO_DNS,
            TargetAdministrativeOverrideReasonEnum
                .ADMINISTRATIVE_OVERRIDE_ZONAL_SHIFT_DELEGATED_TO_DNS,
            "The zonal shift is visible in the load balancer's name only");
  }

  private static AdministrativeOverride override(
      TargetAdministrativeOverrideStateEnum state,
      TargetAdministrativeOverrideReasonEnum reason,
      String description) {
    return AdministrativeOverride.builder()
        .state(state)
        .reason(reason)
        .description(description)
        .build();
  }

  /** What checks found; of a load balancer, how that of its nodes is which is best. */
  private static @Nullable Known known(Tx tx, Group group, List<State.Target> places) {
    String arn = group.group().targetGroupArn();
    return places.stream()
        .flatMap(at -> tx.get(State.HEALTH, State.healthKey(arn, at.address(), at.port())).stream())
        .map(Row::value)
        .min(Comparator.comparingInt(known -> BEST_FIRST.indexOf(known.health())))
        .orElse(null);
  }

  /** Whether flows to an unhealthy target may still go on for a while. */
  private boolean drains(Group group, Known known) {
    Instant since = known.since();
    return group.flows()
        && since != null
        && clock.instant().isBefore(since.plus(FlowGroupAttributes.draining(group.all())));
  }

  private TargetHealth state(Tx tx, Group group, @Nullable Balancing balancer, State.Target t) {
    if (t.drainUntil() != null) {
      return of(
          "draining", "Target.DeregistrationInProgress", "Target deregistration is in progress");
    }
    if (balancer == null) {
      return of(
          "unused",
          "Target.NotInUse",
          "Target group is not configured to receive traffic from the load balancer");
    }
    List<State.Target> places = BalancerTargets.reached(tx, t);
    if (places.stream().noneMatch(balancer::covers)) {
      return of(
          "unused",
          "Target.NotInUse",
          "Target is in an Availability Zone that is not enabled for the load balancer");
    }
    Known known = known(tx, group, places);
    if (known == null || known.health().startsWith("DRAIN")) {
      return of("initial", "Elb.RegistrationInProgress", "Target registration is in progress");
    }
    return switch (known.health()) {
      case "HEALTHY" -> of("healthy", null, null);
      case "UNHEALTHY" ->
          of(
              drains(group, known) ? "unhealthy.draining" : "unhealthy",
              known.reason(),
              known.description());
      default -> of("initial", known.reason(), known.description());
    };
  }

  private static TargetHealth of(
      String state, @Nullable String reason, @Nullable String description) {
    return TargetHealth.builder().state(state).reason(reason).description(description).build();
  }
}
