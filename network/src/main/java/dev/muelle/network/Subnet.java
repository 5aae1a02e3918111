package dev.muelle.network;

import java.util.List;

/**
 * A part of a VPC: where packets that leave it may go, and which may cross its edge.
 *
 * @param cidr unique within the VPC; no two overlap
 * @param routes beyond those to the VPC itself, which every subnet has; of several the longest
 *     destination counts, and what no route knows is dropped
 */
public record Subnet(String vpcId, Cidr cidr, List<Route> routes, Acl acl) {

  /** What goes to these addresses goes this way. */
  public record Route(Cidr destination, Target target) {}

  /** Where a route leads. */
  public sealed interface Target {

    /** Through the host to the world, for interfaces that have a public address. */
    record Internet() implements Target {}

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

    /** Lets everything pass. */
    public static final Acl OPEN;

    static {
      List<Entry> all = List.of(new Entry(true, -1, -1, -1, Cidr.parse("0.0.0.0/0")));
      OPEN = new Acl(all, all);
    }
  }

  /**
   * One entry of an ACL.
   *
   * @param protocol an IP protocol number, or -1 for every protocol
   * @param fromPort first destination port, for TCP and UDP; ICMP type for ICMP (-1: every)
   * @param toPort last port, inclusive; ICMP code for ICMP (-1: every)
   * @param peer the source of what comes in, the destination of what goes out
   */
  public record Entry(boolean allow, int protocol, int fromPort, int toPort, Cidr peer) {}
}
