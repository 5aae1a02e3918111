package dev.muelle.services.arczonalshift;

import dev.muelle.services.ZonalShifts;
import dev.muelle.services.ZonalShifts.Shift;
import dev.muelle.store.Store;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import software.amazon.awssdk.services.arczonalshift.model.AppliedStatus;
import software.amazon.awssdk.services.arczonalshift.model.GetManagedResourceRequest;
import software.amazon.awssdk.services.arczonalshift.model.GetManagedResourceResponse;
import software.amazon.awssdk.services.arczonalshift.model.ListManagedResourcesRequest;
import software.amazon.awssdk.services.arczonalshift.model.ListManagedResourcesResponse;
import software.amazon.awssdk.services.arczonalshift.model.ManagedResourceSummary;
import software.amazon.awssdk.services.arczonalshift.model.ShiftType;
import software.amazon.awssdk.services.arczonalshift.model.ValidationExceptionReason;
import software.amazon.awssdk.services.arczonalshift.model.ZonalAutoshiftStatus;
import software.amazon.awssdk.services.arczonalshift.model.ZonalShiftInResource;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancer;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerNotFoundException;

/**
 * What can be shifted: load balancers that let themselves ({@code zonal_shift.config.enabled}).
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/r53recovery/latest/dg/arc-zonal-shift.resource-types.html">Supported
 *     resources</a>
 */
record Resources(Store store, Ec2Client ec2, ElasticLoadBalancingV2Client elb) {

  private static final String ENABLED = "zonal_shift.config.enabled";
  private static final String ARN =
      "arn:[a-z-]+:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:loadbalancer/(?:app|net)/.+/.+";

  /**
   * A resource that can be shifted.
   *
   * @param zones names by ids
   */
  record Managed(String arn, String name, Map<String, String> zones) {}

  /** The resource of this ARN. */
  Managed find(String arn) {
    if (!arn.matches(ARN)) {
      throw Refuse.invalid(
          ValidationExceptionReason.INVALID_RESOURCE_IDENTIFIER,
          "The resource identifier " + arn + " is not valid.");
    }
    try {
      LoadBalancer balancer =
          elb.describeLoadBalancers(r -> r.loadBalancerArns(arn)).loadBalancers().getFirst();
      if (enabled(arn)) {
        return managed(balancer, zoneIds());
      }
    } catch (LoadBalancerNotFoundException e) {
      // it is not there: said below
    }
    throw Refuse.missing("The resource " + arn + " is not managed for zonal shifts.");
  }

  private boolean enabled(String arn) {
    try {
      return elb.describeLoadBalancerAttributes(r -> r.loadBalancerArn(arn)).attributes().stream()
          .anyMatch(one -> one.key().equals(ENABLED) && one.value().equals("true"));
    } catch (LoadBalancerNotFoundException e) {
      return false; // it has just been deleted
    }
  }

  /** The ids of zones by their names. */
  private Map<String, String> zoneIds() {
    Map<String, String> ids = new HashMap<>();
    ec2.describeAvailabilityZones()
        .availabilityZones()
        .forEach(zone -> ids.put(zone.zoneName(), zone.zoneId()));
    return ids;
  }

  private static Managed managed(LoadBalancer balancer, Map<String, String> ids) {
    Map<String, String> zones = new TreeMap<>();
    balancer
        .availabilityZones()
        .forEach(zone ->
            zones.put(
                Objects.requireNonNull(ids.get(zone.zoneName()), "no such zone"), zone.zoneName()));
    return new Managed(balancer.loadBalancerArn(), balancer.loadBalancerName(), zones);
  }

  GetManagedResourceResponse get(GetManagedResourceRequest request) {
    Managed managed =
        find(Refuse.unlessPresent("resourceIdentifier", request.resourceIdentifier()));
    return GetManagedResourceResponse.builder()
        .arn(managed.arn())
        .name(managed.name())
        .appliedWeights(weights(managed))
        .zonalShifts(shifts(managed))
        .autoshifts(List.of())
        .zonalAutoshiftStatus(ZonalAutoshiftStatus.DISABLED)
        .build();
  }

  ListManagedResourcesResponse list(ListManagedResourcesRequest request) {
    Map<String, String> ids = zoneIds();
    List<Managed> all =
        elb.describeLoadBalancersPaginator(r -> {}).loadBalancers().stream()
            .filter(balancer -> enabled(balancer.loadBalancerArn()))
            .map(balancer -> managed(balancer, ids))
            .toList();
    Pages<Managed> page =
        Pages.of(all, Managed::arn, "resources", request.nextToken(), request.maxResults());
    return ListManagedResourcesResponse.builder()
        .items(page.items().stream().map(this::summary).toList())
        .nextToken(page.next())
        .build();
  }

  private ManagedResourceSummary summary(Managed managed) {
    return ManagedResourceSummary.builder()
        .arn(managed.arn())
        .name(managed.name())
        .availabilityZones(managed.zones().keySet())
        .appliedWeights(weights(managed))
        .zonalShifts(shifts(managed))
        .autoshifts(List.of())
        .zonalAutoshiftStatus(ZonalAutoshiftStatus.DISABLED)
        .practiceRunStatus(ZonalAutoshiftStatus.DISABLED)
        .build();
  }

  private Optional<Shift> active(Managed managed) {
    return store.read(tx -> ZonalShifts.active(tx, managed.arn()));
  }

  /** 0 for the zone that is shifted away from, else 1. */
  private Map<String, Float> weights(Managed managed) {
    String away = active(managed).map(Shift::zoneId).orElse("");
    Map<String, Float> weights = new TreeMap<>();
    managed.zones().keySet().forEach(zone -> weights.put(zone, zone.equals(away) ? 0f : 1f));
    return weights;
  }

  private List<ZonalShiftInResource> shifts(Managed managed) {
    return active(managed).stream()
        .map(shift ->
            ZonalShiftInResource.builder()
                .appliedStatus(AppliedStatus.APPLIED)
                .zonalShiftId(shift.id())
                .resourceIdentifier(shift.resource())
                .awayFrom(shift.zoneId())
                .startTime(shift.start())
                .expiryTime(shift.expiry())
                .comment(shift.comment())
                .shiftType(ShiftType.ZONAL_SHIFT)
                .build())
        .toList();
  }
}
