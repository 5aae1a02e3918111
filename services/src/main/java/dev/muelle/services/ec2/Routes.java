package dev.muelle.services.ec2;

import dev.muelle.network.Cidr;
import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import software.amazon.awssdk.services.ec2.model.AttributeValue;
import software.amazon.awssdk.services.ec2.model.DescribeDhcpOptionsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeDhcpOptionsResponse;
import software.amazon.awssdk.services.ec2.model.DescribeInternetGatewaysRequest;
import software.amazon.awssdk.services.ec2.model.DescribeInternetGatewaysResponse;
import software.amazon.awssdk.services.ec2.model.DescribeRouteTablesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeRouteTablesResponse;
import software.amazon.awssdk.services.ec2.model.DhcpConfiguration;
import software.amazon.awssdk.services.ec2.model.DhcpOptions;
import software.amazon.awssdk.services.ec2.model.InternetGateway;
import software.amazon.awssdk.services.ec2.model.InternetGatewayAttachment;
import software.amazon.awssdk.services.ec2.model.Route;
import software.amazon.awssdk.services.ec2.model.RouteOrigin;
import software.amazon.awssdk.services.ec2.model.RouteState;
import software.amazon.awssdk.services.ec2.model.RouteTable;
import software.amazon.awssdk.services.ec2.model.RouteTableAssociation;
import software.amazon.awssdk.services.ec2.model.RouteTableAssociationState;
import software.amazon.awssdk.services.ec2.model.RouteTableAssociationStateCode;

/**
 * Where packets go from a VPC: its main route table and the internet gateway of the default VPC;
 * and the DHCP options that all VPCs share.
 *
 * @see <a href="https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Route_Tables.html">Route
 *     tables</a>
 */
final class Routes {

  private static final Filters<InternetGateway> GATEWAY_FILTERS =
      new Filters<>(InternetGateway::tags)
          .byAny(
              "attachment.state",
              gateway ->
                  gateway.attachments().stream()
                      .map(InternetGatewayAttachment::stateAsString)
                      .toList())
          .byAny(
              "attachment.vpc-id",
              gateway ->
                  gateway.attachments().stream().map(InternetGatewayAttachment::vpcId).toList())
          .by("internet-gateway-id", InternetGateway::internetGatewayId)
          .by("owner-id", InternetGateway::ownerId);

  private static final Filters<RouteTable> TABLE_FILTERS =
      new Filters<>(RouteTable::tags)
          .byAny(
              "association.main",
              table ->
                  table.associations().stream()
                      .map(association -> String.valueOf(association.main()))
                      .toList())
          .byAny(
              "association.route-table-association-id",
              table ->
                  table.associations().stream()
                      .map(RouteTableAssociation::routeTableAssociationId)
                      .toList())
          .byAny(
              "association.route-table-id",
              table ->
                  table.associations().stream().map(RouteTableAssociation::routeTableId).toList())
          .byAny(
              "association.subnet-id",
              table ->
                  table.associations().stream()
                      .map(RouteTableAssociation::subnetId)
                      .filter(Objects::nonNull)
                      .toList())
          .by("owner-id", RouteTable::ownerId)
          .by("route-table-id", RouteTable::routeTableId)
          .byAny(
              "route.destination-cidr-block",
              table -> table.routes().stream().map(Route::destinationCidrBlock).toList())
          .byAny(
              "route.gateway-id", table -> table.routes().stream().map(Route::gatewayId).toList())
          .byAny(
              "route.origin", table -> table.routes().stream().map(Route::originAsString).toList())
          .byAny("route.state", table -> table.routes().stream().map(Route::stateAsString).toList())
          .by("vpc-id", RouteTable::vpcId);

  private static final Filters<DhcpOptions> DHCP_FILTERS =
      new Filters<>(DhcpOptions::tags)
          .by("dhcp-options-id", DhcpOptions::dhcpOptionsId)
          .byAny(
              "key",
              options -> options.dhcpConfigurations().stream().map(DhcpConfiguration::key).toList())
          .byAny(
              "value",
              options ->
                  options.dhcpConfigurations().stream()
                      .flatMap(configuration -> configuration.values().stream())
                      .map(AttributeValue::value)
                      .toList())
          .by("owner-id", DhcpOptions::ownerId);

  private final Scope scope;
  private final Store store;
  private final Ids ids;

  Routes(Scope scope, Store store, Ids ids) {
    this.scope = scope;
    this.store = store;
    this.ids = ids;
  }

  /** The domain that private host names of a region end in. */
  static String domain(Scope scope) {
    return scope.region().equals("us-east-1")
        ? "ec2.internal"
        : scope.region() + ".compute.internal";
  }

  /** The id of the region's DHCP options, made when they are first needed. */
  String dhcpOptions(Tx tx) {
    List<Row<DhcpOptions>> present = tx.list(Tables.DHCP_OPTIONS);
    if (!present.isEmpty()) {
      return present.getFirst().key();
    }
    String id = ids.ec2("dopt");
    tx.insert(
        Tables.DHCP_OPTIONS,
        id,
        DhcpOptions.builder()
            .dhcpOptionsId(id)
            .ownerId(scope.account())
            .dhcpConfigurations(
                configuration("domain-name", domain(scope)),
                configuration("domain-name-servers", "AmazonProvidedDNS"))
            .build());
    return id;
  }

  private static DhcpConfiguration configuration(String key, String value) {
    return DhcpConfiguration.builder()
        .key(key)
        .values(AttributeValue.builder().value(value).build())
        .build();
  }

  void makeMainTable(Tx tx, String vpcId, Cidr block) {
    String id = ids.ec2("rtb");
    tx.insert(
        Tables.ROUTE_TABLES,
        id,
        RouteTable.builder()
            .routeTableId(id)
            .vpcId(vpcId)
            .ownerId(scope.account())
            .propagatingVgws(List.of())
            .associations(
                RouteTableAssociation.builder()
                    .main(true)
                    .routeTableAssociationId(ids.ec2("rtbassoc"))
                    .routeTableId(id)
                    .associationState(
                        RouteTableAssociationState.builder()
                            .state(RouteTableAssociationStateCode.ASSOCIATED)
                            .build())
                    .build())
            .routes(route(block.toString(), "local", RouteOrigin.CREATE_ROUTE_TABLE))
            .build());
  }

  private static Route route(String destination, String gateway, RouteOrigin origin) {
    return Route.builder()
        .destinationCidrBlock(destination)
        .gatewayId(gateway)
        .origin(origin)
        .state(RouteState.ACTIVE)
        .build();
  }

  /** Gives a VPC an internet gateway, and its main route table the route there. */
  void makeGateway(Tx tx, String vpcId) {
    String id = ids.ec2("igw");
    tx.insert(
        Tables.GATEWAYS,
        id,
        InternetGateway.builder()
            .internetGatewayId(id)
            .ownerId(scope.account())
            .attachments(
                InternetGatewayAttachment.builder()
                    .vpcId(vpcId)
                    // The API's word for an attached internet gateway; the model has none for it.
                    .state("available")
                    .build())
            .build());
    for (Row<RouteTable> row : tx.find(Tables.ROUTE_TABLES, "vpc", vpcId)) {
      List<Route> routes = new ArrayList<>(row.value().routes());
      routes.add(route("0.0.0.0/0", id, RouteOrigin.CREATE_ROUTE));
      tx.put(Tables.ROUTE_TABLES, row.key(), row.value().toBuilder().routes(routes).build());
    }
  }

  void forgetTables(Tx tx, String vpcId) {
    for (Row<RouteTable> row : tx.find(Tables.ROUTE_TABLES, "vpc", vpcId)) {
      Tags.forget(tx, row.key());
      tx.delete(Tables.ROUTE_TABLES, row.key());
    }
  }

  DescribeInternetGatewaysResponse gateways(DescribeInternetGatewaysRequest request) {
    Refuse.ifDryRun(request.dryRun());
    List<InternetGateway> all =
        store.read(tx ->
            Kind.GATEWAY.list(tx, request.internetGatewayIds()).stream()
                .map(gateway ->
                    gateway.toBuilder().tags(Tags.of(tx, gateway.internetGatewayId())).build())
                .toList());
    Pages<InternetGateway> page =
        Pages.of(
            GATEWAY_FILTERS.select(all, request.filters()),
            InternetGateway::internetGatewayId,
            request.internetGatewayIds(),
            request.nextToken(),
            request.maxResults());
    return DescribeInternetGatewaysResponse.builder()
        .internetGateways(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  DescribeRouteTablesResponse tables(DescribeRouteTablesRequest request) {
    Refuse.ifDryRun(request.dryRun());
    List<RouteTable> all =
        store.read(tx ->
            Kind.ROUTE_TABLE.list(tx, request.routeTableIds()).stream()
                .map(table -> table.toBuilder().tags(Tags.of(tx, table.routeTableId())).build())
                .toList());
    Pages<RouteTable> page =
        Pages.of(
            TABLE_FILTERS.select(all, request.filters()),
            RouteTable::routeTableId,
            request.routeTableIds(),
            request.nextToken(),
            request.maxResults());
    return DescribeRouteTablesResponse.builder()
        .routeTables(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  DescribeDhcpOptionsResponse dhcpOptions(DescribeDhcpOptionsRequest request) {
    Refuse.ifDryRun(request.dryRun());
    List<DhcpOptions> all =
        store.read(tx ->
            Kind.DHCP.list(tx, request.dhcpOptionsIds()).stream()
                .map(options ->
                    options.toBuilder().tags(Tags.of(tx, options.dhcpOptionsId())).build())
                .toList());
    Pages<DhcpOptions> page =
        Pages.of(
            DHCP_FILTERS.select(all, request.filters()),
            DhcpOptions::dhcpOptionsId,
            request.dhcpOptionsIds(),
            request.nextToken(),
            request.maxResults());
    return DescribeDhcpOptionsResponse.builder()
        .dhcpOptions(page.items())
        .nextToken(page.nextToken())
        .build();
  }
}
