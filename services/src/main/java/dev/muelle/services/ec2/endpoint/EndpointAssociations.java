package dev.muelle.services.ec2.endpoint;

import dev.muelle.services.ec2.state.Filters;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Pages;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.store.Store;
import java.util.List;
import software.amazon.awssdk.services.ec2.model.DescribeVpcEndpointAssociationsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeVpcEndpointAssociationsResponse;
import software.amazon.awssdk.services.ec2.model.VpcEndpointAssociation;

/**
 * What VPC endpoints are for besides services: resources, and service networks. All of ours are for
 * services, and have none.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcEndpointAssociations.html">DescribeVpcEndpointAssociations</a>
 */
public final class EndpointAssociations {

  private static final Filters<VpcEndpointAssociation> FILTERS =
      new Filters<>(VpcEndpointAssociation::tags)
          .none(
              "associated-resource-accessibility",
              "associated-resource-id",
              "association-id",
              "resource-configuration-group-arn",
              "service-network-arn",
              "vpc-endpoint-id");

  private static final Pages.Sizes SIZES = new Pages.Sizes(1, 100);

  private final Store store;

  public EndpointAssociations(Store store) {
    this.store = store;
  }

  public DescribeVpcEndpointAssociationsResponse describe(
      DescribeVpcEndpointAssociationsRequest request) {
    store.read(tx -> Kind.ENDPOINT.list(tx, request.vpcEndpointIds())); // all of them must exist
    Pages<VpcEndpointAssociation> page =
        Pages.of(
            FILTERS.select(List.of(), request.filters()),
            VpcEndpointAssociation::id,
            request.vpcEndpointIds(),
            request.nextToken(),
            request.maxResults(),
            SIZES);
    Refuse.ifDryRun(request.dryRun());
    return DescribeVpcEndpointAssociationsResponse.builder()
        .vpcEndpointAssociations(page.items())
        .nextToken(page.nextToken())
        .build();
  }
}
