package dev.muelle.services.ec2.plane;

import dev.muelle.network.AddressBlock;
import dev.muelle.network.Subnet.Target;
import dev.muelle.services.ec2.state.PrefixListVersion;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.store.Row;
import dev.muelle.store.Tx;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import software.amazon.awssdk.services.ec2.model.EgressOnlyInternetGateway;
import software.amazon.awssdk.services.ec2.model.InternetGateway;
import software.amazon.awssdk.services.ec2.model.NatGatewayState;
import software.amazon.awssdk.services.ec2.model.Route;
import software.amazon.awssdk.services.ec2.model.RouteTable;
import software.amazon.awssdk.services.ec2.model.RouteTableAssociation;
import software.amazon.awssdk.services.ec2.model.Subnet;

/** Where the packets of a subnet may go: its route table, and what its routes lead to now. */
public final class Ways {

  public static final String LOCAL = "local";

  private Ways() {}

  /** Where a route leads now; the one to the VPC itself leads nowhere else. */
  public static Target target(Tx tx, RouteTable table, Route route) {
    String gateway = route.gatewayId();
    if (gateway != null) {
      return gateway(tx, table.vpcId())
              .filter(attached -> attached.internetGatewayId().equals(gateway))
              .isPresent()
          ? new Target.Internet()
          : new Target.Nowhere();
    }
    String outOnly = route.egressOnlyInternetGatewayId();
    if (outOnly != null) {
      return tx.get(Tables.EGRESS_ONLY, outOnly).isPresent()
          ? new Target.EgressOnly()
          : new Target.Nowhere();
    }
    String eni = route.networkInterfaceId();
    if (eni != null) {
      return tx.get(Tables.INTERFACES, eni)
          .filter(row -> row.value().attachment() != null)
          .<Target>map(row -> new Target.Interface(eni))
          .orElseGet(Target.Nowhere::new);
    }
    String peering = route.vpcPeeringConnectionId();
    if (peering != null) {
      return tx.get(Tables.PEERINGS, peering)
          .filter(row -> row.value().active())
          .<Target>map(row -> new Target.Peer(peering))
          .orElseGet(Target.Nowhere::new);
    }
    return Optional.ofNullable(route.natGatewayId())
        .flatMap(id -> tx.get(Tables.NAT_GATEWAYS, id))
        .map(Row::value)
        .filter(nat -> nat.state() == NatGatewayState.AVAILABLE)
        .<Target>map(
            nat -> new Target.Gateway(nat.natGatewayAddresses().getFirst().networkInterfaceId()))
        .orElseGet(Target.Nowhere::new);
  }

  /** The gateway that is attached to a VPC. */
  public static Optional<InternetGateway> gateway(Tx tx, String vpcId) {
    return Tables.of(tx, Tables.GATEWAYS, "vpc", vpcId).stream().findFirst();
  }

  /** The egress-only gateway of a VPC. */
  public static Optional<EgressOnlyInternetGateway> egressOnly(Tx tx, String vpcId) {
    return Tables.of(tx, Tables.EGRESS_ONLY, "vpc", vpcId).stream().findFirst();
  }

  /** What a route is for: a block of either family, or a prefix list. */
  public static String destination(Route route) {
    return Stream.of(
            route.destinationCidrBlock(),
            route.destinationIpv6CidrBlock(),
            route.destinationPrefixListId())
        .filter(Objects::nonNull)
        .findFirst()
        .orElseThrow();
  }

  /** Where a route leads to: its block, or those that are in its prefix list now. */
  public static List<AddressBlock> blocks(Tx tx, Route route) {
    List<String> blocks =
        route.destinationPrefixListId() == null
            ? List.of(destination(route))
            : PrefixListVersion.blocks(tx, route.destinationPrefixListId());
    return blocks.stream().map(AddressBlock::parse).toList();
  }

  /**
   * The route of a table that counts for each block. Of several for the same block one that names
   * the block itself does, before those that name prefix lists; of these the oldest.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/vpc/latest/userguide/route-tables-priority.html#route-priority-managed-prefix-list">Route
   *     priority for prefix lists</a>
   */
  public static Map<AddressBlock, Route> routes(Tx tx, RouteTable table) {
    Map<AddressBlock, Route> routes = new LinkedHashMap<>();
    table.routes().stream()
        .sorted(Comparator.comparing(route -> route.destinationPrefixListId() != null))
        .forEach(route -> blocks(tx, route).forEach(block -> routes.putIfAbsent(block, route)));
    return routes;
  }

  /** The subnet's own route table, otherwise the VPC's main one. */
  public static RouteTable table(Tx tx, Subnet subnet) {
    List<RouteTable> tables = Tables.of(tx, Tables.ROUTE_TABLES, "vpc", subnet.vpcId());
    Stream<RouteTable> own =
        tables.stream()
            .filter(table ->
                table.associations().stream()
                    .anyMatch(one -> subnet.subnetId().equals(one.subnetId())));
    return Stream.concat(
            own,
            tables.stream()
                .filter(
                    table -> table.associations().stream().anyMatch(RouteTableAssociation::main)))
        .findFirst()
        .orElseThrow();
  }
}
