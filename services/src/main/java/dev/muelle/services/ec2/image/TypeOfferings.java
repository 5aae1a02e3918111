package dev.muelle.services.ec2.image;

import dev.muelle.services.Scope;
import dev.muelle.services.ec2.state.Filters;
import dev.muelle.services.ec2.state.Pages;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.zone.Zones;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import software.amazon.awssdk.services.ec2.model.AvailabilityZone;
import software.amazon.awssdk.services.ec2.model.DescribeInstanceTypeOfferingsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeInstanceTypeOfferingsResponse;
import software.amazon.awssdk.services.ec2.model.InstanceTypeOffering;
import software.amazon.awssdk.services.ec2.model.LocationType;

/**
 * Where instances of a type can be had: in every zone of the region.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceTypeOfferings.html">DescribeInstanceTypeOfferings</a>
 */
public final class TypeOfferings {

  private static final Filters<InstanceTypeOffering> FILTERS =
      new Filters<InstanceTypeOffering>()
          .by("instance-type", InstanceTypeOffering::instanceTypeAsString)
          .by("location", InstanceTypeOffering::location);

  private final Scope scope;
  private final Zones zones;

  public TypeOfferings(Scope scope, Zones zones) {
    this.scope = scope;
    this.zones = zones;
  }

  public DescribeInstanceTypeOfferingsResponse describe(
      DescribeInstanceTypeOfferingsRequest request) {
    LocationType type = Objects.requireNonNullElse(request.locationType(), LocationType.REGION);
    List<String> locations =
        switch (type) {
          case REGION -> List.of(scope.region());
          case AVAILABILITY_ZONE -> zones.all().stream().map(AvailabilityZone::zoneName).toList();
          case AVAILABILITY_ZONE_ID -> zones.all().stream().map(AvailabilityZone::zoneId).toList();
          case OUTPOST -> List.of(); // there are none
          case UNKNOWN_TO_SDK_VERSION ->
              throw Refuse.invalidValue(
                  "Invalid value '" + request.locationTypeAsString() + "' for LocationType.");
        };
    Refuse.ifDryRun(request.dryRun());
    List<InstanceTypeOffering> all =
        InstanceTypes.names().stream()
            .flatMap(name ->
                locations.stream()
                    .map(location ->
                        InstanceTypeOffering.builder()
                            .instanceType(name)
                            .location(location)
                            .locationType(type)
                            .build()))
            .sorted(Comparator.comparing(TypeOfferings::order))
            .toList();
    Pages<InstanceTypeOffering> page =
        Pages.of(
            FILTERS.select(all, request.filters()),
            TypeOfferings::order,
            List.of(),
            request.nextToken(),
            request.maxResults());
    return DescribeInstanceTypeOfferingsResponse.builder()
        .instanceTypeOfferings(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  private static String order(InstanceTypeOffering offering) {
    return offering.instanceTypeAsString() + "/" + offering.location();
  }
}
