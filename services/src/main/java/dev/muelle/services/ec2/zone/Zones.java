package dev.muelle.services.ec2.zone;

import dev.muelle.services.Scope;
import dev.muelle.services.ec2.state.Filters;
import dev.muelle.services.ec2.state.Refuse;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import software.amazon.awssdk.regions.RegionMetadata;
import software.amazon.awssdk.services.ec2.model.AvailabilityZone;
import software.amazon.awssdk.services.ec2.model.AvailabilityZoneOptInStatus;
import software.amazon.awssdk.services.ec2.model.AvailabilityZoneState;
import software.amazon.awssdk.services.ec2.model.DescribeAvailabilityZonesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeAvailabilityZonesResponse;
import software.amazon.awssdk.services.ec2.model.DescribeRegionsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeRegionsResponse;
import software.amazon.awssdk.services.ec2.model.Region;

/**
 * Regions, and the three zones of this one.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/global-infrastructure/latest/regions/az-ids.html">Availability
 *     Zone IDs</a>
 */
public final class Zones {

  private static final String NO_OPT_IN = "opt-in-not-required";

  private static final Filters<AvailabilityZone> ZONE_FILTERS =
      new Filters<AvailabilityZone>()
          .by("group-name", AvailabilityZone::groupName)
          .by("opt-in-status", AvailabilityZone::optInStatusAsString)
          .by("region-name", AvailabilityZone::regionName)
          .by("state", AvailabilityZone::stateAsString)
          .by("zone-id", AvailabilityZone::zoneId)
          .by("zone-name", AvailabilityZone::zoneName)
          .by("zone-type", AvailabilityZone::zoneType)
          .none("message", "parent-zone-id", "parent-zone-name");

  private static final Filters<Region> REGION_FILTERS =
      new Filters<Region>()
          .by("endpoint", Region::endpoint)
          .by("opt-in-status", Region::optInStatus)
          .by("region-name", Region::regionName);

  private static final Map<String, String> SHORT =
      Map.of(
          "north",
          "n",
          "south",
          "s",
          "east",
          "e",
          "west",
          "w",
          "central",
          "c",
          "northeast",
          "ne",
          "southeast",
          "se",
          "northwest",
          "nw",
          "southwest",
          "sw",
          "gov",
          "g");

  private final List<AvailabilityZone> zones;

  public Zones(Scope scope) {
    List<AvailabilityZone> all = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      all.add(
          AvailabilityZone.builder()
              .zoneName(scope.region() + (char) ('a' + i))
              .zoneId(shortName(scope.region()) + "-az" + (i + 1))
              .regionName(scope.region())
              .groupName(scope.region() + "-zg-1")
              .networkBorderGroup(scope.region())
              .zoneType("availability-zone")
              .state(AvailabilityZoneState.AVAILABLE)
              .optInStatus(AvailabilityZoneOptInStatus.OPT_IN_NOT_REQUIRED)
              .messages(List.of())
              .build());
    }
    zones = List.copyOf(all);
  }

  /** {@code use1} for {@code us-east-1}. */
  static String shortName(String region) {
    StringBuilder name = new StringBuilder();
    for (String part : region.split("-", -1)) {
      name.append(SHORT.getOrDefault(part, part));
    }
    return name.toString();
  }

  public List<AvailabilityZone> all() {
    return zones;
  }

  public Optional<AvailabilityZone> byName(String name) {
    return zones.stream().filter(zone -> zone.zoneName().equals(name)).findFirst();
  }

  public Optional<AvailabilityZone> byId(String id) {
    return zones.stream().filter(zone -> zone.zoneId().equals(id)).findFirst();
  }

  public DescribeAvailabilityZonesResponse describe(DescribeAvailabilityZonesRequest request) {
    Refuse.ifDryRun(request.dryRun());
    for (String name : request.zoneNames()) {
      if (byName(name).isEmpty()) {
        throw Refuse.invalidValue("Invalid availability zone: [" + name + "]");
      }
    }
    for (String id : request.zoneIds()) {
      if (byId(id).isEmpty()) {
        throw Refuse.invalidValue("Invalid availability zone-id: [" + id + "]");
      }
    }
    List<AvailabilityZone> named =
        zones.stream()
            .filter(zone ->
                request.zoneNames().isEmpty() || request.zoneNames().contains(zone.zoneName()))
            .filter(
                zone -> request.zoneIds().isEmpty() || request.zoneIds().contains(zone.zoneId()))
            .toList();
    return DescribeAvailabilityZonesResponse.builder()
        .availabilityZones(ZONE_FILTERS.select(named, request.filters()))
        .build();
  }

  /** Every region of the partition can be used here, and none needs to be opted in to. */
  public DescribeRegionsResponse regions(DescribeRegionsRequest request) {
    Refuse.ifDryRun(request.dryRun());
    List<Region> all =
        software.amazon.awssdk.regions.Region.regions().stream()
            .filter(region -> !region.isGlobalRegion())
            .filter(region -> inPartition(region.metadata()))
            .map(region ->
                Region.builder()
                    .regionName(region.id())
                    .endpoint("ec2." + region.id() + ".amazonaws.com")
                    .optInStatus(NO_OPT_IN)
                    .build())
            .sorted(Comparator.comparing(Region::regionName))
            .toList();
    for (String name : request.regionNames()) {
      if (all.stream().noneMatch(region -> region.regionName().equals(name))) {
        throw Refuse.invalidValue("Invalid region: [" + name + "]");
      }
    }
    List<Region> named =
        all.stream()
            .filter(region ->
                request.regionNames().isEmpty()
                    || request.regionNames().contains(region.regionName()))
            .toList();
    return DescribeRegionsResponse.builder()
        .regions(REGION_FILTERS.select(named, request.filters()))
        .build();
  }

  private static boolean inPartition(RegionMetadata metadata) {
    return metadata != null && metadata.partition().id().equals("aws");
  }
}
