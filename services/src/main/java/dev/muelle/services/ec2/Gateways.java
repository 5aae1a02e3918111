package dev.muelle.services.ec2;

import dev.muelle.network.Cidr;
import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.StoredJson;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.services.ec2.model.DescribeInternetGatewaysRequest;
import software.amazon.awssdk.services.ec2.model.DescribeInternetGatewaysResponse;
import software.amazon.awssdk.services.ec2.model.DescribeRouteTablesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeRouteTablesResponse;
import software.amazon.awssdk.services.ec2.model.InternetGateway;
import software.amazon.awssdk.services.ec2.model.InternetGatewayAttachment;
import software.amazon.awssdk.services.ec2.model.Route;
import software.amazon.awssdk.services.ec2.model.RouteTable;
import software.amazon.awssdk.services.ec2.model.RouteTableAssociation;
import software.amazon.awssdk.services.ec2.model.Tag;

/** Internet gateways and main route tables, which every VPC's ways out depend on. */
final class Gateways {

  static final Table<RouteTable> ROUTE_TABLES =
      Table.of("ec2.route_tables", StoredJson.codec(RouteTable.class));

  private static final Table<InternetGateway> GATEWAYS =
      Table.of("ec2.internet_gateways", StoredJson.codec(InternetGateway.class));

  private final Scope scope;
  private final Store store;
  private final Ids ids;

  Gateways(Scope scope, Store store, Ids ids) {
    this.scope = scope;
    this.store = store;
    this.ids = ids;
  }

  /** The main route table of a new VPC: only the VPC itself. */
  void makeMain(Tx tx, String vpcId, Cidr block) {
    String id = ids.ec2("rtb");
    tx.insert(
        ROUTE_TABLES,
        id,
        RouteTable.builder()
            .routeTableId(id)
            .vpcId(vpcId)
            .ownerId(scope.account())
            .associations(
                RouteTableAssociation.builder()
                    .main(true)
                    .routeTableId(id)
                    .routeTableAssociationId(ids.ec2("rtbassoc"))
                    .associationState(s -> s.state("associated"))
                    .build())
            .routes(
                Route.builder()
                    .destinationCidrBlock(block.toString())
                    .gatewayId("local")
                    .origin("CreateRouteTable")
                    .state("active")
                    .build())
            .propagatingVgws(List.of())
            .build());
  }

  /** The default VPC's gateway, and the route to it. */
  void attachDefault(Tx tx, String vpcId) {
    String id = ids.ec2("igw");
    tx.insert(
        GATEWAYS,
        id,
        InternetGateway.builder()
            .internetGatewayId(id)
            .ownerId(scope.account())
            .attachments(
                InternetGatewayAttachment.builder().vpcId(vpcId).state("available").build())
            .build());
    RouteTable main = main(tx, vpcId);
    List<Route> routes = new ArrayList<>(main.routes());
    routes.add(
        Route.builder()
            .destinationCidrBlock("0.0.0.0/0")
            .gatewayId(id)
            .origin("CreateRoute")
            .state("active")
            .build());
    tx.put(ROUTE_TABLES, main.routeTableId(), main.toBuilder().routes(routes).build());
  }

  /** Whether a VPC's packets may go to the internet, given a public address. */
  boolean routesToInternet(Tx tx, String vpcId) {
    return main(tx, vpcId).routes().stream()
        .anyMatch(route ->
            "0.0.0.0/0".equals(route.destinationCidrBlock())
                && route.gatewayId() != null
                && route.gatewayId().startsWith("igw-"));
  }

  private static RouteTable main(Tx tx, String vpcId) {
    return tx.list(ROUTE_TABLES).stream()
        .map(Row::value)
        .filter(table -> table.vpcId().equals(vpcId))
        .findFirst()
        .orElseThrow();
  }

  boolean attached(Tx tx, String vpcId) {
    return tx.list(GATEWAYS).stream()
        .flatMap(row -> row.value().attachments().stream())
        .anyMatch(attachment -> attachment.vpcId().equals(vpcId));
  }

  void removeMain(Tx tx, String vpcId) {
    tx.delete(ROUTE_TABLES, main(tx, vpcId).routeTableId());
  }

  boolean exists(Tx tx, String id) {
    return tx.get(GATEWAYS, id).isPresent() || tx.get(ROUTE_TABLES, id).isPresent();
  }

  DescribeInternetGatewaysResponse gateways(DescribeInternetGatewaysRequest request) {
    Faults.dryRun(request.dryRun());
    List<InternetGateway> all =
        store.read(tx -> {
          for (String id : request.internetGatewayIds()) {
            if (tx.get(GATEWAYS, id).isEmpty()) {
              throw Faults.of(
                  "InvalidInternetGatewayID.NotFound",
                  "The internetGateway ID '" + id + "' does not exist");
            }
          }
          Map<String, List<Tag>> tags = TagSets.all(tx);
          return tx.list(GATEWAYS).stream()
              .map(Row::value)
              .filter(gateway ->
                  request.internetGatewayIds().isEmpty()
                      || request.internetGatewayIds().contains(gateway.internetGatewayId()))
              .map(gateway ->
                  gateway.toBuilder()
                      .tags(tags.getOrDefault(gateway.internetGatewayId(), List.of()))
                      .build())
              .toList();
        });
    Filters<InternetGateway> filters =
        new Filters<InternetGateway>(InternetGateway::tags)
            .one("internet-gateway-id", InternetGateway::internetGatewayId)
            .one("owner-id", InternetGateway::ownerId)
            .many(
                "attachment.vpc-id",
                gateway ->
                    gateway.attachments().stream().map(InternetGatewayAttachment::vpcId).toList())
            .many(
                "attachment.state",
                gateway ->
                    gateway.attachments().stream()
                        .map(InternetGatewayAttachment::stateAsString)
                        .toList());
    Filters.Page<InternetGateway> page =
        Filters.page(
            filters.apply(all, request.filters()), request.nextToken(), request.maxResults());
    return DescribeInternetGatewaysResponse.builder()
        .internetGateways(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  DescribeRouteTablesResponse routeTables(DescribeRouteTablesRequest request) {
    Faults.dryRun(request.dryRun());
    List<RouteTable> all =
        store.read(tx -> {
          for (String id : request.routeTableIds()) {
            if (tx.get(ROUTE_TABLES, id).isEmpty()) {
              throw Faults.of(
                  "InvalidRouteTableID.NotFound", "The routeTable ID '" + id + "' does not exist");
            }
          }
          Map<String, List<Tag>> tags = TagSets.all(tx);
          return tx.list(ROUTE_TABLES).stream()
              .map(Row::value)
              .filter(table ->
                  request.routeTableIds().isEmpty()
                      || request.routeTableIds().contains(table.routeTableId()))
              .map(table ->
                  table.toBuilder()
                      .tags(tags.getOrDefault(table.routeTableId(), List.of()))
                      .build())
              .toList();
        });
    Filters<RouteTable> filters =
        new Filters<RouteTable>(RouteTable::tags)
            .one("route-table-id", RouteTable::routeTableId)
            .one("vpc-id", RouteTable::vpcId)
            .one("owner-id", RouteTable::ownerId)
            .many(
                "association.main",
                table -> table.associations().stream().map(a -> String.valueOf(a.main())).toList())
            .many(
                "route.destination-cidr-block",
                table -> table.routes().stream().map(Route::destinationCidrBlock).toList())
            .many(
                "route.gateway-id",
                table -> table.routes().stream().map(Route::gatewayId).toList());
    Filters.Page<RouteTable> page =
        Filters.page(
            filters.apply(all, request.filters()), request.nextToken(), request.maxResults());
    return DescribeRouteTablesResponse.builder()
        .routeTables(page.items())
        .nextToken(page.nextToken())
        .build();
  }
}
