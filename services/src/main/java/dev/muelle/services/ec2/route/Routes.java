package dev.muelle.services.ec2.route;

import dev.muelle.network.AddressBlock;
import dev.muelle.network.Cidr;
import dev.muelle.network.Cidr6;
import dev.muelle.network.Subnet.Target;
import dev.muelle.services.ec2.plane.DataPlane;
import dev.muelle.services.ec2.plane.Ways;
import dev.muelle.services.ec2.state.Blocks;
import dev.muelle.services.ec2.state.InstanceRecord;
import dev.muelle.services.ec2.state.Ipv6;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.PeeringRecord;
import dev.muelle.services.ec2.state.PrefixListVersion;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
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
import software.amazon.awssdk.services.ec2.model.CreateRouteRequest;
import software.amazon.awssdk.services.ec2.model.CreateRouteResponse;
import software.amazon.awssdk.services.ec2.model.DeleteRouteRequest;
import software.amazon.awssdk.services.ec2.model.DeleteRouteResponse;
import software.amazon.awssdk.services.ec2.model.NatGateway;
import software.amazon.awssdk.services.ec2.model.NatGatewayState;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.NetworkInterfaceAttachment;
import software.amazon.awssdk.services.ec2.model.ReplaceRouteRequest;
import software.amazon.awssdk.services.ec2.model.ReplaceRouteResponse;
import software.amazon.awssdk.services.ec2.model.Route;
import software.amazon.awssdk.services.ec2.model.RouteOrigin;
import software.amazon.awssdk.services.ec2.model.RouteState;
import software.amazon.awssdk.services.ec2.model.RouteTable;
import software.amazon.awssdk.services.ec2.model.Vpc;

/**
 * What is in route tables. Where a route leads now is not stored: a gateway that is gone or
 * detached makes a black hole of it, and one that comes back mends it.
 *
 * @see <a href="https://docs.aws.amazon.com/vpc/latest/userguide/route-table-options.html">Routing
 *     options</a>
 */
public final class Routes {

  /** A route table's quota. */
  private static final int MOST = 500;

  private static final Set<String> EFFECTIVE =
      Set.of(
          "RouteTableId",
          "DestinationCidrBlock",
          "DestinationIpv6CidrBlock",
          "DestinationPrefixListId",
          "EgressOnlyInternetGatewayId",
          "GatewayId",
          "NatGatewayId",
          "VpcPeeringConnectionId",
          "NetworkInterfaceId",
          "InstanceId",
          "DryRun");

  private final Store store;
  private final DataPlane plane;

  public Routes(Store store, DataPlane plane) {
    this.store = store;
    this.plane = plane;
  }

  public static RouteState state(Tx tx, RouteTable table, Route route) {
    boolean coming =
        Optional.ofNullable(route.natGatewayId())
            .flatMap(id -> tx.get(Tables.NAT_GATEWAYS, id))
            .filter(row -> row.value().state() == NatGatewayState.PENDING)
            .isPresent();
    boolean dead =
        !coming
            && !Ways.LOCAL.equals(route.gatewayId())
            && Ways.target(tx, table, route) instanceof Target.Nowhere;
    return dead ? RouteState.BLACKHOLE : RouteState.ACTIVE;
  }

  /** Adds the route that leads everything else to an internet gateway. */
  public static void addDefault(Tx tx, String tableId, String gatewayId) {
    put(
        tx,
        Kind.ROUTE_TABLE.get(tx, tableId),
        Route.builder()
            .destinationCidrBlock("0.0.0.0/0")
            .gatewayId(gatewayId)
            .origin(RouteOrigin.CREATE_ROUTE)
            .build());
  }

  /** In place of the one with the same destination, or at the end. */
  private static RouteTable put(Tx tx, RouteTable table, Route route) {
    List<Route> routes = new ArrayList<>(table.routes());
    int at =
        find(table, Ways.destination(route)).map(present -> routes.indexOf(present)).orElse(-1);
    if (at < 0) {
      routes.add(route);
    } else {
      routes.set(at, route);
    }
    RouteTable with = table.toBuilder().routes(routes).build();
    tx.put(Tables.ROUTE_TABLES, table.routeTableId(), with);
    return with;
  }

  private static Optional<Route> find(RouteTable table, String destination) {
    return table.routes().stream()
        .filter(route -> destination.equals(Ways.destination(route)))
        .findFirst();
  }

  public CreateRouteResponse create(CreateRouteRequest request) {
    Refuse.unlessEffective(request, EFFECTIVE);
    String tableId = Refuse.required(request.routeTableId(), "routeTableId");
    String destination =
        destination(
            request.destinationCidrBlock(),
            request.destinationIpv6CidrBlock(),
            request.destinationPrefixListId());
    String vpcId =
        store.write(tx -> {
          RouteTable table = Kind.ROUTE_TABLE.get(tx, tableId);
          Route route =
              route(
                  tx,
                  table,
                  destination,
                  new Asked(
                      request.gatewayId(),
                      request.egressOnlyInternetGatewayId(),
                      request.natGatewayId(),
                      request.vpcPeeringConnectionId(),
                      request.networkInterfaceId(),
                      request.instanceId()));
          Optional<Route> present = find(table, destination);
          if (present.isPresent() && !present.get().equals(route)) {
            throw Refuse.because(
                "RouteAlreadyExists",
                "The route identified by " + destination + " already exists.");
          }
          mustLeadOut(tx, table, route);
          mustFit(tx, put(tx, table, route));
          Refuse.ifDryRun(request.dryRun());
          return table.vpcId();
        });
    plane.ways(vpcId);
    return CreateRouteResponse.builder().returnValue(true).build();
  }

  /** Tables in which a route refers to a prefix list. */
  public static List<RouteTable> tables(Tx tx, String listId) {
    return tx.list(Tables.ROUTE_TABLES).stream()
        .map(Row::value)
        .filter(table -> find(table, listId).isPresent())
        .toList();
  }

  /** A table may have no more routes than its quota; one to a prefix list counts for many. */
  public static void mustFit(Tx tx, RouteTable table) {
    int weight =
        table.routes().stream()
            .mapToInt(route -> PrefixListVersion.weight(tx, route.destinationPrefixListId()))
            .sum();
    if (weight > MOST) {
      throw Refuse.because("RouteLimitExceeded", "The maximum number of routes has been reached.");
    }
  }

  /** What a table's route to a prefix list means now must lead out of the VPC. */
  public static void mustLeadOut(Tx tx, RouteTable table, String listId) {
    find(table, listId).ifPresent(route -> mustLeadOut(tx, table, route));
  }

  /** A part of the VPC may only be led to appliances, which are not built. */
  private static void mustLeadOut(Tx tx, RouteTable table, Route route) {
    Vpc vpc = Kind.VPC.get(tx, table.vpcId()).vpc();
    for (AddressBlock block : Ways.blocks(tx, route)) {
      boolean inside =
          switch (block) {
            case Cidr cidr -> Cidr.parse(vpc.cidrBlock()).contains(cidr);
            case Cidr6 wide -> Ipv6.blocks(vpc).stream().anyMatch(own -> own.contains(wide));
          };
      if (inside) {
        throw Refuse.invalidValue(
            "The destination CIDR block "
                + block
                + " is equal to or more specific than one of this VPC's CIDR blocks. This route can"
                + " target only an interface or an instance.");
      }
    }
  }

  /**
   * What a route is for, in the form in which it is stored: of a block of IPv4 host bits are
   * cleared, as EC2 does.
   */
  private static String destination(
      @Nullable String text, @Nullable String text6, @Nullable String list) {
    if (Stream.of(text, text6, list).filter(Objects::nonNull).count() > 1) {
      throw Refuse.combination(
          "Only one of the parameters destinationCidrBlock, destinationIpv6CidrBlock and"
              + " destinationPrefixListId can be used");
    }
    if (list != null) {
      if (!isList(list)) {
        throw Kind.PREFIX_LIST.missing(list);
      }
      return list;
    }
    if (text6 != null) {
      try {
        return Cidr6.parse(text6).toString();
      } catch (IllegalArgumentException e) {
        throw Refuse.invalidValue(
            text6, "destinationIpv6CidrBlock", "This is not a valid IPv6 CIDR block.");
      }
    }
    String given = Refuse.required(text, "destinationCidrBlock");
    try {
      return Blocks.block(given);
    } catch (RuntimeException e) {
      throw Refuse.invalidValue(given, "destinationCidrBlock", "This is not a valid CIDR block.");
    }
  }

  /** What a route is to lead to; exactly one of these is to be said. */
  private record Asked(
      @Nullable String gateway,
      @Nullable String egressOnly,
      @Nullable String natGateway,
      @Nullable String peering,
      @Nullable String networkInterface,
      @Nullable String instance) {}

  private static Route route(Tx tx, RouteTable table, String destination, Asked asked) {
    long targets =
        Stream.of(
                asked.gateway(),
                asked.egressOnly(),
                asked.natGateway(),
                asked.peering(),
                asked.networkInterface(),
                asked.instance())
            .filter(Objects::nonNull)
            .count();
    if (targets != 1) {
      throw Refuse.combination(
          "A route needs exactly one target of gatewayId, egressOnlyInternetGatewayId, natGatewayId,"
              + " vpcPeeringConnectionId, networkInterfaceId and instanceId");
    }
    Route.Builder route = to(destination).origin(RouteOrigin.CREATE_ROUTE);
    boolean ipv6 =
        isList(destination)
            ? Kind.PREFIX_LIST.get(tx, destination).addressFamily().equals("IPv6")
            : destination.indexOf(':') >= 0;
    if (asked.egressOnly() != null) {
      return route
          .egressOnlyInternetGatewayId(egressOnly(tx, table, ipv6, asked.egressOnly()))
          .build();
    }
    if (ipv6 && asked.natGateway() != null) {
      throw Refuse.unsupported(
          "A route of IPv6 to a NAT gateway is not supported by this region yet.");
    }
    if (asked.networkInterface() != null) {
      return toInterface(table, route, Kind.INTERFACE.get(tx, asked.networkInterface()));
    }
    if (asked.instance() != null) {
      return toInterface(table, route, onlyInterface(tx, asked.instance()));
    }
    if (asked.peering() != null) {
      return route.vpcPeeringConnectionId(peering(tx, table, asked.peering())).build();
    }
    return asked.gateway() != null
        ? route.gatewayId(gateway(tx, table, asked.gateway())).build()
        : route.natGatewayId(natGateway(tx, table, asked.natGateway())).build();
  }

  private static boolean isList(String destination) {
    return destination.startsWith("pl-");
  }

  private static Route.Builder to(String destination) {
    Route.Builder route = Route.builder();
    if (isList(destination)) {
      return route.destinationPrefixListId(destination);
    }
    return destination.indexOf(':') >= 0
        ? route.destinationIpv6CidrBlock(destination)
        : route.destinationCidrBlock(destination);
  }

  /** The interface that is meant where an instance is named. */
  private static NetworkInterface onlyInterface(Tx tx, String instance) {
    Kind.INSTANCE.get(tx, InstanceRecord.wellFormed(instance));
    List<NetworkInterface> all = Tables.of(tx, Tables.INTERFACES, "instance", instance);
    if (all.size() != 1) {
      throw Refuse.because(
          "InvalidInstanceID",
          all.isEmpty()
              ? "The instance '" + instance + "' is not in a valid state for this operation."
              : "There are multiple interfaces attached to instance '"
                  + instance
                  + "'. Please specify an interface ID for the operation instead.");
    }
    return all.getFirst();
  }

  private static Route toInterface(RouteTable table, Route.Builder route, NetworkInterface eni) {
    String id = eni.networkInterfaceId();
    if (!eni.vpcId().equals(table.vpcId())) {
      throw RouteTables.differentNetworks(table, "interface " + id);
    }
    NetworkInterfaceAttachment attachment = eni.attachment();
    return route
        .networkInterfaceId(id)
        .instanceId(attachment == null ? null : attachment.instanceId())
        .instanceOwnerId(attachment == null ? null : attachment.instanceOwnerId())
        .build();
  }

  private static String peering(Tx tx, RouteTable table, String id) {
    PeeringRecord peering = Kind.PEERING.get(tx, id);
    if (peering.ended() != null) {
      throw Kind.PEERING.missing(id);
    }
    if (!peering.concerns(table.vpcId())) {
      throw RouteTables.differentNetworks(table, "vpc peering connection " + id);
    }
    return id;
  }

  private static String natGateway(Tx tx, RouteTable table, @Nullable String id) {
    NatGateway nat =
        Optional.ofNullable(id)
            .flatMap(given -> tx.get(Tables.NAT_GATEWAYS, given))
            .map(Row::value)
            .filter(one ->
                one.state() == NatGatewayState.PENDING || one.state() == NatGatewayState.AVAILABLE)
            .orElseThrow(() ->
                Refuse.because(
                    "InvalidNatGatewayID.NotFound",
                    "The natGateway ID '" + id + "' does not exist"));
    if (!nat.vpcId().equals(table.vpcId())) {
      throw RouteTables.differentNetworks(table, "network gateway " + id);
    }
    return nat.natGatewayId();
  }

  private static String egressOnly(Tx tx, RouteTable table, boolean ipv6, String id) {
    Kind.EGRESS_ONLY.get(tx, id);
    if (!ipv6) {
      throw Refuse.invalidValue(
          "An egress-only internet gateway can only be the target of a route of IPv6");
    }
    if (Ways.egressOnly(tx, table.vpcId())
        .filter(own -> own.egressOnlyInternetGatewayId().equals(id))
        .isEmpty()) {
      throw RouteTables.differentNetworks(table, "network gateway " + id);
    }
    return id;
  }

  private static String gateway(Tx tx, RouteTable table, String id) {
    if (!id.startsWith("igw-") || tx.get(Tables.GATEWAYS, id).isEmpty()) {
      throw Refuse.because(
          "InvalidGatewayID.NotFound", "The gateway ID '" + id + "' does not exist");
    }
    if (Ways.gateway(tx, table.vpcId())
        .filter(attached -> attached.internetGatewayId().equals(id))
        .isEmpty()) {
      throw RouteTables.differentNetworks(table, "network gateway " + id);
    }
    return id;
  }

  public ReplaceRouteResponse replace(ReplaceRouteRequest request) {
    Refuse.unlessEffective(request, EFFECTIVE);
    String tableId = Refuse.required(request.routeTableId(), "routeTableId");
    String destination =
        destination(
            request.destinationCidrBlock(),
            request.destinationIpv6CidrBlock(),
            request.destinationPrefixListId());
    String vpcId =
        store.write(tx -> {
          RouteTable table = Kind.ROUTE_TABLE.get(tx, tableId);
          if (find(table, destination).isEmpty()) {
            throw Refuse.invalidValue(
                "There is no route defined for '"
                    + destination
                    + "' in the route table. Use CreateRoute instead.");
          }
          Route route =
              route(
                  tx,
                  table,
                  destination,
                  new Asked(
                      request.gatewayId(),
                      request.egressOnlyInternetGatewayId(),
                      request.natGatewayId(),
                      request.vpcPeeringConnectionId(),
                      request.networkInterfaceId(),
                      request.instanceId()));
          mustLeadOut(tx, table, route);
          put(tx, table, route);
          Refuse.ifDryRun(request.dryRun());
          return table.vpcId();
        });
    plane.ways(vpcId);
    return ReplaceRouteResponse.builder().build();
  }

  public DeleteRouteResponse delete(DeleteRouteRequest request) {
    Refuse.unlessEffective(
        request,
        Set.of(
            "RouteTableId",
            "DestinationCidrBlock",
            "DestinationIpv6CidrBlock",
            "DestinationPrefixListId",
            "DryRun"));
    String tableId = Refuse.required(request.routeTableId(), "routeTableId");
    String destination =
        destination(
            request.destinationCidrBlock(),
            request.destinationIpv6CidrBlock(),
            request.destinationPrefixListId());
    String vpcId =
        store.write(tx -> {
          RouteTable table = Kind.ROUTE_TABLE.get(tx, tableId);
          Route gone =
              find(table, destination)
                  .orElseThrow(() ->
                      Refuse.because(
                          "InvalidRoute.NotFound",
                          "no route with destination-"
                              + (isList(destination)
                                  ? "prefix-list-id "
                                  : destination.indexOf(':') < 0
                                      ? "cidr-block "
                                      : "ipv6-cidr-block ")
                              + destination
                              + " in route table "
                              + tableId));
          if (Ways.LOCAL.equals(gone.gatewayId())) {
            throw Refuse.invalidValue(
                "cannot remove local route " + destination + " in route table " + tableId);
          }
          List<Route> left = table.routes().stream().filter(route -> !route.equals(gone)).toList();
          tx.put(Tables.ROUTE_TABLES, tableId, table.toBuilder().routes(left).build());
          Refuse.ifDryRun(request.dryRun());
          return table.vpcId();
        });
    plane.ways(vpcId);
    return DeleteRouteResponse.builder().build();
  }
}
