package dev.muelle.network;

import java.util.List;

/** A security group as packets see it. */
public record SecurityGroup(String id, String vpcId, List<Rule> ingress, List<Rule> egress) {

  /**
   * One permission. Everything that no rule permits is dropped.
   *
   * @param protocol an IP protocol number, or -1 for every protocol
   * @param fromPort first port, for TCP and UDP; type for ICMP and ICMPv6 (-1: every)
   * @param toPort last port, inclusive; code for ICMP and ICMPv6 (-1: every)
   */
  public record Rule(int protocol, int fromPort, int toPort, Peer peer) {}

  /** The other end that a rule speaks of. */
  public sealed interface Peer {
    record Block(AddressBlock cidr) implements Peer {}

    /** Every interface of the same VPC that belongs to this group. */
    record Group(String groupId) implements Peer {}

    /**
     * Every interface of the VPC at a peering's other end that belongs to this group there, as long
     * as the peering is there.
     */
    record Guests(String peeringId, String groupId) implements Peer {}
  }
}
