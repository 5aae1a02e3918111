package dev.muelle.services.ec2.endpoint;

import dev.muelle.services.Api;
import dev.muelle.services.RegionalApis;
import dev.muelle.services.Scope;
import dev.muelle.services.ec2.state.Filters;
import dev.muelle.services.ec2.state.Pages;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.zone.Zones;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import software.amazon.awssdk.services.ec2.model.AvailabilityZone;
import software.amazon.awssdk.services.ec2.model.DescribeVpcEndpointServicesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeVpcEndpointServicesResponse;
import software.amazon.awssdk.services.ec2.model.DnsNameState;
import software.amazon.awssdk.services.ec2.model.PrivateDnsDetails;
import software.amazon.awssdk.services.ec2.model.ServiceConnectivityType;
import software.amazon.awssdk.services.ec2.model.ServiceDetail;
import software.amazon.awssdk.services.ec2.model.ServiceType;
import software.amazon.awssdk.services.ec2.model.ServiceTypeDetail;

/**
 * What VPC endpoints can be made for: the region's own APIs whose names are a region's, all of them
 * of type Interface. AWS's gateways lead to S3 and DynamoDB, which are not here yet.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html">Services
 *     that integrate with AWS PrivateLink</a>
 */
public final class EndpointServices {

  private static final String OWNER = "amazon";

  private static final Filters<ServiceDetail> FILTERS =
      new Filters<>(ServiceDetail::tags)
          .by("owner", ServiceDetail::owner)
          .by("service-name", ServiceDetail::serviceName)
          .by("service-region", ServiceDetail::serviceRegion)
          .byAny(
              "service-type",
              one ->
                  one.serviceType().stream().map(ServiceTypeDetail::serviceTypeAsString).toList())
          .byAny("supported-ip-address-types", ServiceDetail::supportedIpAddressTypesAsStrings);

  private final Scope scope;
  private final RegionalApis apis;
  private final Zones zones;

  public EndpointServices(Scope scope, RegionalApis apis, Zones zones) {
    this.scope = scope;
    this.apis = apis;
    this.zones = zones;
  }

  private Stream<Api> offered() {
    return apis.all().stream().filter(api -> api.form() != Api.Form.GLOBAL);
  }

  private String name(Api api) {
    return "com.amazonaws." + scope.region() + "." + api.service();
  }

  Optional<Api> find(String serviceName) {
    return offered().filter(api -> name(api).equals(serviceName)).findFirst();
  }

  static RuntimeException missing(String serviceName) {
    return Refuse.because(
        "InvalidServiceName", "The Vpc Endpoint Service '" + serviceName + "' does not exist");
  }

  public DescribeVpcEndpointServicesResponse describe(DescribeVpcEndpointServicesRequest request) {
    Refuse.unlessEffective(
        request,
        Set.of("ServiceNames", "Filters", "MaxResults", "NextToken", "ServiceRegions", "DryRun"));
    Refuse.ifDryRun(request.dryRun());
    for (String name : request.serviceNames()) {
      if (find(name).isEmpty()) {
        throw missing(name);
      }
    }
    boolean here =
        request.serviceRegions().isEmpty() || request.serviceRegions().contains(scope.region());
    List<ServiceDetail> all =
        offered()
            .filter(api -> here)
            .filter(api ->
                request.serviceNames().isEmpty() || request.serviceNames().contains(name(api)))
            .map(this::detail)
            .sorted((a, b) -> a.serviceName().compareTo(b.serviceName()))
            .toList();
    Pages<ServiceDetail> page =
        Pages.of(
            FILTERS.select(all, request.filters()),
            ServiceDetail::serviceName,
            request.serviceNames(),
            request.nextToken(),
            request.maxResults());
    return DescribeVpcEndpointServicesResponse.builder()
        .serviceNames(page.items().stream().map(ServiceDetail::serviceName).toList())
        .serviceDetails(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  private ServiceDetail detail(Api api) {
    String host = api.host(scope.region());
    return ServiceDetail.builder()
        .serviceName(name(api))
        .serviceType(ServiceTypeDetail.builder().serviceType(ServiceType.INTERFACE).build())
        .serviceRegion(scope.region())
        .availabilityZones(zones.all().stream().map(AvailabilityZone::zoneName).toList())
        .owner(OWNER)
        .baseEndpointDnsNames(api.endpointDomain(scope.region()))
        .privateDnsName(host)
        .privateDnsNames(PrivateDnsDetails.builder().privateDnsName(host).build())
        .privateDnsNameVerificationState(DnsNameState.VERIFIED)
        .vpcEndpointPolicySupported(false) // nobody here judges policies
        .acceptanceRequired(false)
        .managesVpcEndpoints(false)
        .supportedIpAddressTypes(ServiceConnectivityType.IPV4)
        .build();
  }
}
