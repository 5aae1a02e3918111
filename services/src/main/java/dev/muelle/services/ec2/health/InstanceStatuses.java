package dev.muelle.services.ec2.health;

import dev.muelle.network.Network.Link;
import dev.muelle.network.Network.Use;
import dev.muelle.services.ec2.plane.DataPlane;
import dev.muelle.services.ec2.state.Filters;
import dev.muelle.services.ec2.state.InstanceRecord;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Pages;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.zone.Zones;
import dev.muelle.store.Store;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.DescribeInstanceStatusRequest;
import software.amazon.awssdk.services.ec2.model.DescribeInstanceStatusResponse;
import software.amazon.awssdk.services.ec2.model.InstanceStateName;
import software.amazon.awssdk.services.ec2.model.InstanceStatus;
import software.amazon.awssdk.services.ec2.model.InstanceStatusDetails;
import software.amazon.awssdk.services.ec2.model.InstanceStatusSummary;
import software.amazon.awssdk.services.ec2.model.StatusName;
import software.amazon.awssdk.services.ec2.model.StatusType;
import software.amazon.awssdk.services.ec2.model.SummaryStatus;

/**
 * Status checks. An instance passes its own when its interface is up at both ends, so that packets
 * reach it; the system's check is of this machine, which answers as long as this is asked.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-system-instance-status-check.html">Status
 *     checks</a>
 */
public final class InstanceStatuses {

  private static final Filters<InstanceStatus> FILTERS =
      new Filters<InstanceStatus>()
          .by("availability-zone", InstanceStatus::availabilityZone)
          .by("availability-zone-id", InstanceStatus::availabilityZoneId)
          .byAny("event.code", status -> List.of()) // nothing is ever scheduled here
          .byAny("event.description", status -> List.of())
          .byAny("event.instance-event-id", status -> List.of())
          .byAny("event.not-after", status -> List.of())
          .byAny("event.not-before", status -> List.of())
          .byAny("event.not-before-deadline", status -> List.of())
          .by("instance-state-code", status -> status.instanceState().code())
          .by("instance-state-name", status -> status.instanceState().nameAsString())
          .by("instance-status.reachability", status -> reachability(status.instanceStatus()))
          .by("instance-status.status", status -> status.instanceStatus().statusAsString())
          .by("system-status.reachability", status -> reachability(status.systemStatus()))
          .by("system-status.status", status -> status.systemStatus().statusAsString())
          .never("operator.managed")
          .none("attached-ebs-status.status", "operator.principal");

  private static @Nullable String reachability(InstanceStatusSummary summary) {
    return summary.details().isEmpty() ? null : summary.details().getFirst().statusAsString();
  }

  private final Store store;
  private final InstantSource clock;
  private final DataPlane plane;
  private final Zones zones;

  /** Since when instances cannot be reached, as far as anybody looked. */
  private final Map<String, Instant> impaired = new ConcurrentHashMap<>();

  public InstanceStatuses(Store store, InstantSource clock, DataPlane plane, Zones zones) {
    this.store = store;
    this.clock = clock;
    this.plane = plane;
    this.zones = zones;
  }

  public DescribeInstanceStatusResponse describe(DescribeInstanceStatusRequest request) {
    Refuse.unlessEffective(
        request,
        Set.of(
            "InstanceIds", "IncludeAllInstances", "MaxResults", "NextToken", "Filters", "DryRun"));
    Refuse.ifDryRun(request.dryRun());
    request.instanceIds().forEach(InstanceRecord::wellFormed);
    List<InstanceRecord> asked =
        store.read(tx -> Kind.INSTANCE.list(tx, request.instanceIds())).stream()
            .filter(record ->
                record.state() == InstanceStateName.RUNNING
                    || Boolean.TRUE.equals(request.includeAllInstances()))
            .toList();
    Function<InstanceRecord, Check> checks = checks();
    List<InstanceStatus> all =
        asked.stream().map(record -> shown(record, checks.apply(record))).toList();
    Pages<InstanceStatus> page =
        Pages.of(
            FILTERS.select(all, request.filters()),
            InstanceStatus::instanceId,
            request.instanceIds(),
            request.nextToken(),
            request.maxResults());
    return DescribeInstanceStatusResponse.builder()
        .instanceStatuses(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  /** What is found when an instance is looked at. */
  enum Check {
    /** It does not run. */
    NONE,
    /** It has just been started, or the machine has. */
    BEGINNING,
    PASSED,
    FAILED
  }

  /** Looks at instances; the kernel is asked once for each VPC. */
  Function<InstanceRecord, Check> checks() {
    Map<String, Map<String, Link>> links = new HashMap<>();
    return record -> {
      Check check =
          check(
              record,
              links.computeIfAbsent(record.instance().vpcId(), vpcId -> plane.links(vpcId)));
      if (check == Check.FAILED) {
        impaired.putIfAbsent(record.id(), clock.instant());
      } else {
        impaired.remove(record.id());
      }
      return check;
    };
  }

  private Check check(InstanceRecord record, Map<String, Link> links) {
    String eni = record.interfaceId();
    if (record.state() != InstanceStateName.RUNNING || eni == null) {
      return Check.NONE;
    }
    Optional<Use> plugged = plane.plugged(eni);
    Link link = links.get(eni);
    if (plugged.isEmpty()) {
      return Check.BEGINNING;
    }
    return link != null && link.up() ? Check.PASSED : Check.FAILED;
  }

  private InstanceStatus shown(InstanceRecord record, Check check) {
    String zone = record.instance().placement().availabilityZone();
    return InstanceStatus.builder()
        .instanceId(record.id())
        .availabilityZone(zone)
        .availabilityZoneId(zones.byName(zone).orElseThrow().zoneId())
        .instanceState(record.instance().state())
        .instanceStatus(summary(check, impaired.get(record.id())))
        .systemStatus(summary(check == Check.FAILED ? Check.PASSED : check, null))
        .events(List.of())
        .build();
  }

  private static InstanceStatusSummary summary(Check check, @Nullable Instant since) {
    return switch (check) {
      case NONE -> InstanceStatusSummary.builder().status(SummaryStatus.NOT_APPLICABLE).build();
      case BEGINNING -> summary(SummaryStatus.INITIALIZING, StatusType.INITIALIZING, null);
      case PASSED -> summary(SummaryStatus.OK, StatusType.PASSED, null);
      case FAILED -> summary(SummaryStatus.IMPAIRED, StatusType.FAILED, since);
    };
  }

  private static InstanceStatusSummary summary(
      SummaryStatus status, StatusType reachability, @Nullable Instant since) {
    return InstanceStatusSummary.builder()
        .status(status)
        .details(
            InstanceStatusDetails.builder()
                .name(StatusName.REACHABILITY)
                .status(reachability)
                .impairedSince(since)
                .build())
        .build();
  }
}
