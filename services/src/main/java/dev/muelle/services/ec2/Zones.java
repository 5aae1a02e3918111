package dev.muelle.services.ec2;

import dev.muelle.services.Scope;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import software.amazon.awssdk.services.ec2.model.AvailabilityZone;
import software.amazon.awssdk.services.ec2.model.DescribeAvailabilityZonesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeAvailabilityZonesResponse;
import software.amazon.awssdk.services.ec2.model.DescribeRegionsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeRegionsResponse;
import software.amazon.awssdk.services.ec2.model.Region;

/** The region's three zones. They are one machine, but everything tells them apart. */
final class Zones {

  private static final List<String> LETTERS = List.of("a", "b", "c");

  /** How zone ids abbreviate the parts of a region's name. */
  private static final Map<String, String> SHORT =
      Map.ofEntries(
          Map.entry("north", "n"),
          Map.entry("south", "s"),
          Map.entry("east", "e"),
          Map.entry("west", "w"),
          Map.entry("central", "c"),
          Map.entry("northeast", "ne"),
          Map.entry("southeast", "se"),
          Map.entry("northwest", "nw"),
          Map.entry("southwest", "sw"));

  private final Scope scope;

  Zones(Scope scope) {
    this.scope = scope;
  }

  List<AvailabilityZone> all() {
    return Stream.iterate(0, i -> i < LETTERS.size(), i -> i + 1)
        .map(i ->
            AvailabilityZone.builder()
                .zoneName(scope.region() + LETTERS.get(i))
                .zoneId(prefix() + "-az" + (i + 1))
                .regionName(scope.region())
                .state("available")
                .optInStatus("opt-in-not-required")
                .groupName(scope.region())
                .networkBorderGroup(scope.region())
                .zoneType("availability-zone")
                .messages(List.of())
                .build())
        .toList();
  }

  Optional<AvailabilityZone> find(String nameOrId) {
    return all().stream()
        .filter(zone -> zone.zoneName().equals(nameOrId) || zone.zoneId().equals(nameOrId))
        .findFirst();
  }

  /** {@code use1} for {@code us-east-1}. */
  private String prefix() {
    String[] parts = scope.region().split("-");
    StringBuilder prefix = new StringBuilder();
    for (String part : parts) {
      prefix.append(SHORT.getOrDefault(part, part));
    }
    return prefix.toString();
  }

  DescribeAvailabilityZonesResponse describe(DescribeAvailabilityZonesRequest request) {
    Faults.dryRun(request.dryRun());
    for (String name : request.zoneNames()) {
      if (find(name).isEmpty()) {
        throw Faults.invalid("Invalid availability zone: [" + name + "]");
      }
    }
    Filters<AvailabilityZone> filters =
        new Filters<AvailabilityZone>(zone -> List.of())
            .one("zone-name", AvailabilityZone::zoneName)
            .one("zone-id", AvailabilityZone::zoneId)
            .one("region-name", AvailabilityZone::regionName)
            .one("state", AvailabilityZone::stateAsString)
            .one("group-name", AvailabilityZone::groupName)
            .one("zone-type", AvailabilityZone::zoneType)
            .one("opt-in-status", AvailabilityZone::optInStatusAsString);
    List<AvailabilityZone> zones =
        all().stream()
            .filter(zone ->
                request.zoneNames().isEmpty() || request.zoneNames().contains(zone.zoneName()))
            .filter(
                zone -> request.zoneIds().isEmpty() || request.zoneIds().contains(zone.zoneId()))
            .toList();
    return DescribeAvailabilityZonesResponse.builder()
        .availabilityZones(filters.apply(zones, request.filters()))
        .build();
  }

  DescribeRegionsResponse regions(DescribeRegionsRequest request) {
    Faults.dryRun(request.dryRun());
    Region own =
        Region.builder()
            .regionName(scope.region())
            .endpoint("ec2." + scope.region() + ".amazonaws.com")
            .optInStatus("opt-in-not-required")
            .build();
    Filters<Region> filters =
        new Filters<Region>(region -> List.of())
            .one("region-name", Region::regionName)
            .one("endpoint", Region::endpoint)
            .one("opt-in-status", Region::optInStatus);
    List<Region> regions =
        request.regionNames().isEmpty() || request.regionNames().contains(own.regionName())
            ? List.of(own)
            : List.of();
    return DescribeRegionsResponse.builder()
        .regions(filters.apply(regions, request.filters()))
        .build();
  }
}
