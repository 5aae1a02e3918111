package dev.muelle.services.ec2.route;

import dev.muelle.network.Cidr;
import dev.muelle.network.Cidr6;
import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.StoredJson;
import dev.muelle.services.ec2.plane.DataPlane;
import dev.muelle.services.ec2.plane.Ways;
import dev.muelle.services.ec2.state.ClientToken;
import dev.muelle.services.ec2.state.Filters;
import dev.muelle.services.ec2.state.Ipv6;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Pages;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.services.ec2.state.Tags;
import dev.muelle.store.Codec;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.AssociateRouteTableRequest;
import software.amazon.awssdk.services.ec2.model.AssociateRouteTableResponse;
import software.amazon.awssdk.services.ec2.model.CreateRouteTableRequest;
import software.amazon.awssdk.services.ec2.model.CreateRouteTableResponse;
import software.amazon.awssdk.services.ec2.model.DeleteRouteTableRequest;
import software.amazon.awssdk.services.ec2.model.DeleteRouteTableResponse;
import software.amazon.awssdk.services.ec2.model.DescribeRouteTablesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeRouteTablesResponse;
import software.amazon.awssdk.services.ec2.model.DisassociateRouteTableRequest;
import software.amazon.awssdk.services.ec2.model.DisassociateRouteTableResponse;
import software.amazon.awssdk.services.ec2.model.ReplaceRouteTableAssociationRequest;
import software.amazon.awssdk.services.ec2.model.ReplaceRouteTableAssociationResponse;
import software.amazon.awssdk.services.ec2.model.Route;
import software.amazon.awssdk.services.ec2.model.RouteOrigin;
import software.amazon.awssdk.services.ec2.model.RouteTable;
import software.amazon.awssdk.services.ec2.model.RouteTableAssociation;
import software.amazon.awssdk.services.ec2.model.RouteTableAssociationState;
import software.amazon.awssdk.services.ec2.model.RouteTableAssociationStateCode;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.ec2.model.Tag;
import software.amazon.awssdk.services.ec2.model.Vpc;

/**
 * Route tables and which subnets they are for; what is in them are {@link Routes}.
 *
 * @see <a href="https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Route_Tables.html">Route
 *     tables</a>
 */
public final class RouteTables {

  /** A VPC's quota. */
  private static final int MOST = 200;

  private static final Codec<CreateRouteTableRequest> REQUEST =
      StoredJson.codec(CreateRouteTableRequest.class);

  private static final Filters<RouteTable> FILTERS =
      new Filters<>(RouteTable::tags)
          .byAny("association.gateway-id", table -> associated(table, a -> a.gatewayId()))
          .byAny("association.main", table -> associated(table, a -> String.valueOf(a.main())))
          .byAny(
              "association.route-table-association-id",
              table -> associated(table, RouteTableAssociation::routeTableAssociationId))
          .byAny(
              "association.route-table-id",
              table -> associated(table, RouteTableAssociation::routeTableId))
          .byAny(
              "association.subnet-id", table -> associated(table, RouteTableAssociation::subnetId))
          .by("owner-id", RouteTable::ownerId)
          .by("route-table-id", RouteTable::routeTableId)
          .byAny(
              "route.destination-cidr-block", table -> routed(table, Route::destinationCidrBlock))
          .byAny("route.gateway-id", table -> routed(table, Route::gatewayId))
          .byAny("route.instance-id", table -> routed(table, Route::instanceId))
          .byAny("route.nat-gateway-id", table -> routed(table, Route::natGatewayId))
          .byAny("route.origin", table -> routed(table, Route::originAsString))
          .byAny("route.state", table -> routed(table, Route::stateAsString))
          .byAny(
              "route.vpc-peering-connection-id",
              table -> routed(table, Route::vpcPeeringConnectionId))
          .by("vpc-id", RouteTable::vpcId)
          .byAny(
              "route.destination-prefix-list-id",
              table -> routed(table, Route::destinationPrefixListId))
          .byAny(
              "route.destination-ipv6-cidr-block",
              table -> routed(table, Route::destinationIpv6CidrBlock))
          .byAny(
              "route.egress-only-internet-gateway-id",
              table -> routed(table, Route::egressOnlyInternetGatewayId))
          .none("route.transit-gateway-id");

  private final Scope scope;
  private final Store store;
  private final Ids ids;
  private final DataPlane plane;

  public RouteTables(Scope scope, Store store, Ids ids, DataPlane plane) {
    this.scope = scope;
    this.store = store;
    this.ids = ids;
    this.plane = plane;
  }

  private interface Part<T> {
    @Nullable String of(T whole);
  }

  private static List<String> associated(RouteTable table, Part<RouteTableAssociation> part) {
    return table.associations().stream().map(part::of).filter(Objects::nonNull).toList();
  }

  private static List<String> routed(RouteTable table, Part<Route> part) {
    return table.routes().stream().map(part::of).filter(Objects::nonNull).toList();
  }

  /** Makes the main route table of a new VPC, which knows the VPC only. */
  public String makeMain(Tx tx, String vpcId, Cidr block) {
    RouteTable table = make(tx, vpcId, block.toString(), List.of());
    put(tx, table, List.of(association(table.routeTableId(), null)));
    return table.routeTableId();
  }

  private RouteTable make(Tx tx, String vpcId, String block, List<Cidr6> blocks6) {
    String id = ids.ec2("rtb");
    RouteTable table =
        RouteTable.builder()
            .routeTableId(id)
            .vpcId(vpcId)
            .ownerId(scope.account())
            .propagatingVgws(List.of())
            .associations(List.of())
            .routes(
                Stream.concat(
                        Stream.of(local().destinationCidrBlock(block).build()),
                        blocks6.stream().map(RouteTables::local))
                    .toList())
            .build();
    tx.insert(Tables.ROUTE_TABLES, id, table);
    return table;
  }

  private static Route.Builder local() {
    return Route.builder().gatewayId(Ways.LOCAL).origin(RouteOrigin.CREATE_ROUTE_TABLE);
  }

  private static Route local(Cidr6 block) {
    return local().destinationIpv6CidrBlock(block.toString()).build();
  }

  /** Every table of a VPC knows the VPC's new block. */
  public void addLocal(Tx tx, String vpcId, Cidr6 block) {
    for (RouteTable table : Tables.of(tx, Tables.ROUTE_TABLES, "vpc", vpcId)) {
      List<Route> routes = new ArrayList<>(table.routes());
      routes.add(local(block));
      tx.put(Tables.ROUTE_TABLES, table.routeTableId(), table.toBuilder().routes(routes).build());
    }
  }

  /** No table of a VPC knows a block any more that the VPC loses. */
  public void removeLocal(Tx tx, String vpcId, String block) {
    for (RouteTable table : Tables.of(tx, Tables.ROUTE_TABLES, "vpc", vpcId)) {
      List<Route> left =
          table.routes().stream()
              .filter(route -> !block.equals(route.destinationIpv6CidrBlock()))
              .toList();
      tx.put(Tables.ROUTE_TABLES, table.routeTableId(), table.toBuilder().routes(left).build());
    }
  }

  /**
   * An association.
   *
   * @param subnetId null for the main one
   */
  private RouteTableAssociation association(String tableId, @Nullable String subnetId) {
    return RouteTableAssociation.builder()
        .main(subnetId == null)
        .subnetId(subnetId)
        .routeTableAssociationId(ids.ec2("rtbassoc"))
        .routeTableId(tableId)
        .associationState(associated())
        .build();
  }

  private static RouteTableAssociationState associated() {
    return RouteTableAssociationState.builder()
        .state(RouteTableAssociationStateCode.ASSOCIATED)
        .build();
  }

  private static void put(Tx tx, RouteTable table, List<RouteTableAssociation> associations) {
    tx.put(
        Tables.ROUTE_TABLES,
        table.routeTableId(),
        table.toBuilder().associations(associations).build());
  }

  public CreateRouteTableResponse create(CreateRouteTableRequest request) {
    Refuse.unlessEffective(request, Set.of("VpcId", "ClientToken", "TagSpecifications", "DryRun"));
    String vpcId = Refuse.required(request.vpcId(), "vpcId");
    List<Tag> tags = Tags.given("route-table", request.tagSpecifications());
    String asked = ClientToken.fingerprint(REQUEST, request.toBuilder().clientToken("").build());
    RouteTable made =
        store.write(tx -> {
          Optional<String> done = ClientToken.done(tx, request.clientToken(), asked);
          if (done.isPresent()) {
            return shown(tx, Kind.ROUTE_TABLE.get(tx, done.get()));
          }
          Vpc vpc = Kind.VPC.get(tx, vpcId).vpc();
          if (tx.find(Tables.ROUTE_TABLES, "vpc", vpcId).size() >= MOST) {
            throw Refuse.because(
                "RouteTableLimitExceeded", "The maximum number of route tables has been reached.");
          }
          RouteTable table = make(tx, vpcId, vpc.cidrBlock(), Ipv6.blocks(vpc));
          Tags.put(tx, table.routeTableId(), tags);
          ClientToken.put(tx, request.clientToken(), asked, table.routeTableId());
          Refuse.ifDryRun(request.dryRun());
          return shown(tx, table);
        });
    return CreateRouteTableResponse.builder()
        .routeTable(made)
        .clientToken(request.clientToken())
        .build();
  }

  public DeleteRouteTableResponse delete(DeleteRouteTableRequest request) {
    String id = Refuse.required(request.routeTableId(), "routeTableId");
    store.write(tx -> {
      if (!Kind.ROUTE_TABLE.get(tx, id).associations().isEmpty()) {
        throw Refuse.dependency(
            "The routeTable '" + id + "' has dependencies and cannot be deleted.");
      }
      forget(tx, id);
      Refuse.ifDryRun(request.dryRun());
      return true;
    });
    return DeleteRouteTableResponse.builder().build();
  }

  /** Forgets all of a VPC's. */
  public static void forgetAll(Tx tx, String vpcId) {
    tx.find(Tables.ROUTE_TABLES, "vpc", vpcId).forEach(row -> forget(tx, row.key()));
  }

  private static void forget(Tx tx, String id) {
    ClientToken.forget(tx, id);
    Tags.forget(tx, id);
    tx.delete(Tables.ROUTE_TABLES, id);
  }

  /** A subnet that goes takes its association with it. */
  public static void forgetSubnet(Tx tx, String subnetId) {
    for (Row<RouteTable> row : tx.list(Tables.ROUTE_TABLES)) {
      List<RouteTableAssociation> left =
          row.value().associations().stream()
              .filter(one -> !subnetId.equals(one.subnetId()))
              .toList();
      if (left.size() < row.value().associations().size()) {
        put(tx, row.value(), left);
      }
    }
  }

  public AssociateRouteTableResponse associate(AssociateRouteTableRequest request) {
    Refuse.unlessEffective(request, Set.of("RouteTableId", "SubnetId", "DryRun"));
    String id = Refuse.required(request.routeTableId(), "routeTableId");
    String subnetId = Refuse.required(request.subnetId(), "subnetId");
    String association =
        store.write(tx -> {
          RouteTable table = Kind.ROUTE_TABLE.get(tx, id);
          Subnet subnet = Kind.SUBNET.get(tx, subnetId);
          sameNetwork(table, subnet.vpcId(), "subnet " + subnetId);
          RouteTable present = Ways.table(tx, subnet);
          Optional<RouteTableAssociation> own =
              present.associations().stream()
                  .filter(one -> subnetId.equals(one.subnetId()))
                  .findFirst();
          if (own.isPresent() && !present.routeTableId().equals(id)) {
            throw conflicting(present.routeTableId());
          }
          if (own.isPresent()) {
            return own.get().routeTableAssociationId();
          }
          RouteTableAssociation made = association(id, subnetId);
          put(tx, table, with(table, made));
          Refuse.ifDryRun(request.dryRun());
          return made.routeTableAssociationId();
        });
    plane.subnetAlone(subnetId);
    return AssociateRouteTableResponse.builder()
        .associationId(association)
        .associationState(associated())
        .build();
  }

  private static void sameNetwork(RouteTable table, String vpcId, String other) {
    if (!table.vpcId().equals(vpcId)) {
      throw differentNetworks(table, other);
    }
  }

  static RuntimeException differentNetworks(RouteTable table, String other) {
    return Refuse.invalidValue(
        "route table " + table.routeTableId() + " and " + other + " belong to different networks");
  }

  private static RuntimeException conflicting(String tableId) {
    return Refuse.because(
        "Resource.AlreadyAssociated",
        "the specified association for route table "
            + tableId
            + " conflicts with an existing association");
  }

  private static List<RouteTableAssociation> with(RouteTable table, RouteTableAssociation one) {
    List<RouteTableAssociation> all = new ArrayList<>(table.associations());
    all.add(one);
    return all;
  }

  private static List<RouteTableAssociation> without(RouteTable table, String associationId) {
    return table.associations().stream()
        .filter(one -> !one.routeTableAssociationId().equals(associationId))
        .toList();
  }

  private record Found(RouteTable table, RouteTableAssociation association) {}

  private static Found find(Tx tx, String associationId) {
    for (Row<RouteTable> row : tx.list(Tables.ROUTE_TABLES)) {
      for (RouteTableAssociation one : row.value().associations()) {
        if (one.routeTableAssociationId().equals(associationId)) {
          return new Found(row.value(), one);
        }
      }
    }
    throw Refuse.because(
        "InvalidAssociationID.NotFound",
        "The association ID '" + associationId + "' does not exist");
  }

  public DisassociateRouteTableResponse disassociate(DisassociateRouteTableRequest request) {
    String id = Refuse.required(request.associationId(), "associationId");
    String subnetId =
        store.write(tx -> {
          Found found = find(tx, id);
          if (Boolean.TRUE.equals(found.association().main())) {
            throw Refuse.invalidValue("cannot disassociate the main route table association " + id);
          }
          put(tx, found.table(), without(found.table(), id));
          Refuse.ifDryRun(request.dryRun());
          return found.association().subnetId();
        });
    plane.subnetAlone(subnetId);
    return DisassociateRouteTableResponse.builder().build();
  }

  /** Also the way to another main route table. */
  public ReplaceRouteTableAssociationResponse replace(ReplaceRouteTableAssociationRequest request) {
    String associationId = Refuse.required(request.associationId(), "associationId");
    String id = Refuse.required(request.routeTableId(), "routeTableId");
    String fresh =
        store.write(tx -> {
          Found found = find(tx, associationId);
          RouteTable table = Kind.ROUTE_TABLE.get(tx, id);
          sameNetwork(table, found.table().vpcId(), "route table " + found.table().routeTableId());
          if (found.table().routeTableId().equals(id)) {
            throw conflicting(id);
          }
          RouteTableAssociation made = association(id, found.association().subnetId());
          put(tx, found.table(), without(found.table(), associationId));
          put(tx, table, with(table, made));
          Refuse.ifDryRun(request.dryRun());
          return made.routeTableAssociationId();
        });
    plane.ways(store.read(tx -> Kind.ROUTE_TABLE.get(tx, id)).vpcId());
    return ReplaceRouteTableAssociationResponse.builder()
        .newAssociationId(fresh)
        .associationState(associated())
        .build();
  }

  private static RouteTable shown(Tx tx, RouteTable table) {
    return table.toBuilder()
        .routes(
            table.routes().stream()
                .map(route -> route.toBuilder().state(Routes.state(tx, table, route)).build())
                .toList())
        .tags(Tags.of(tx, table.routeTableId()))
        .build();
  }

  public DescribeRouteTablesResponse describe(DescribeRouteTablesRequest request) {
    Refuse.ifDryRun(request.dryRun());
    List<RouteTable> all =
        store.read(tx ->
            Kind.ROUTE_TABLE.list(tx, request.routeTableIds()).stream()
                .map(table -> shown(tx, table))
                .toList());
    Pages<RouteTable> page =
        Pages.of(
            FILTERS.select(all, request.filters()),
            RouteTable::routeTableId,
            request.routeTableIds(),
            request.nextToken(),
            request.maxResults(),
            new Pages.Sizes(5, 100));
    return DescribeRouteTablesResponse.builder()
        .routeTables(page.items())
        .nextToken(page.nextToken())
        .build();
  }
}
