package dev.muelle.network;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A part of a VPC: where packets that leave it may go, and which may cross its edge.
 *
 * @param cidr unique within the VPC; no two overlap
 * @param cidr6 its IPv6 block, unique likewise; null if it carries none
 * @param routes beyond those to the VPC itself, which every subnet has; of several the longest
 *     destination counts, and what no route knows is dropped
 */
public record Subnet(String vpcId, Cidr cidr, @Nullable Cidr6 cidr6, List<Route> routes, Acl acl) {

  /** One of IPv4 only. */
  public Subnet(String vpcId, Cidr cidr, List<Route> routes, Acl acl) {
    this(vpcId, cidr, null, routes, acl);
  }

  /** Whether everything of the families that it carries may cross its edge. */
  public boolean open() {
    return Stream.of(acl.ingress(), acl.egress())
        .allMatch(
            entries -> opens(entries, Acl.ALL) && (cidr6 == null || opens(entries, Acl.ALL6)));
  }

  private static boolean opens(List<Entry> entries, Entry all) {
    return entries.stream()
        .filter(entry -> entry.peer().getClass() == all.peer().getClass())
        .findFirst()
        .equals(Optional.of(all));
  }

  /** Whether the world may begin to speak to its IPv6 addresses. */
  public boolean reached() {
    return routes.stream()
        .anyMatch(route ->
            route.destination() instanceof Cidr6 && route.target() instanceof Target.Internet);
  }

  /** What goes to these addresses goes this way. */
  public record Route(AddressBlock destination, Target target) {}

  /** Where a route leads. */
  public sealed interface Target {

    /**
     * Through the host to the world, for interfaces that have a public address. An IPv6 address is
     * one: the world reaches those in subnets that have such a route.
     */
    record Internet() implements Target {}

    /** To the world likewise, but only IPv6, and nothing comes in but answers. */
    record EgressOnly() implements Target {}

    /** To the NAT gateway that is plugged at this interface; nowhere while there is none. */
    record Gateway(String interfaceId) implements Target {}

    /** To an interface that forwards, while it is plugged; nowhere otherwise. */
    record Interface(String interfaceId) implements Target {}

    /** To the VPC at the other end of a peering; nowhere while there is none. */
    record Peer(String peeringId) implements Target {}

    /** What goes here is dropped without a word. */
    record Nowhere() implements Target {}
  }

  /**
   * A stateless filter at the edge: what the first matching entry says of a packet is done with it,
   * and what none matches is dropped. Packets between two interfaces of one subnet, and those to
   * the VPC's own services (names, metadata), do not cross the edge.
   */
  public record Acl(List<Entry> ingress, List<Entry> egress) {

    private static final Entry ALL = new Entry(true, -1, -1, -1, Cidr.parse("0.0.0.0/0"));
    private static final Entry ALL6 = new Entry(true, -1, -1, -1, Cidr6.parse("::/0"));

    /** Lets everything pass. */
    public static final Acl OPEN = new Acl(List.of(ALL, ALL6), List.of(ALL, ALL6));
  }

  /**
   * One entry of an ACL.
   *
   * @param protocol an IP protocol number, or -1 for every protocol
   * @param fromPort first destination port, for TCP and UDP; type for ICMP and ICMPv6 (-1: every)
   * @param toPort last port, inclusive; code for ICMP and ICMPv6 (-1: every)
   * @param peer the source of what comes in, the destination of what goes out
   */
  public record Entry(boolean allow, int protocol, int fromPort, int toPort, AddressBlock peer) {}
}
