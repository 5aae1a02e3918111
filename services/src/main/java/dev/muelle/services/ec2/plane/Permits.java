package dev.muelle.services.ec2.plane;

import dev.muelle.network.AddressBlock;
import dev.muelle.network.SecurityGroup.Peer;
import dev.muelle.network.SecurityGroup.Rule;
import dev.muelle.services.ec2.state.PrefixListVersion;
import dev.muelle.store.Tx;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import software.amazon.awssdk.services.ec2.model.ReferencedSecurityGroup;
import software.amazon.awssdk.services.ec2.model.SecurityGroupRule;

/** What the rules of security groups say of packets. */
public final class Permits {

  /** The protocol that stands for every protocol. */
  public static final String EVERY = "-1";

  /** Protocols that rules name, and their numbers. */
  public static final Map<String, Integer> NAMED =
      Map.of("tcp", 6, "udp", 17, "icmp", 1, "icmpv6", 58);

  private static final int ANY = -1;

  private Permits() {}

  static List<Rule> packets(Tx tx, List<SecurityGroupRule> rules, boolean egress) {
    return rules.stream()
        .filter(rule -> rule.isEgress() == egress)
        .flatMap(rule -> spelled(tx, rule))
        .map(Permits::packets)
        .toList();
  }

  /** A rule that names a prefix list stands for one for each of its blocks. */
  private static Stream<SecurityGroupRule> spelled(Tx tx, SecurityGroupRule rule) {
    if (rule.prefixListId() == null) {
      return Stream.of(rule);
    }
    return PrefixListVersion.current(tx, rule.prefixListId()).stream()
        .map(entry -> {
          SecurityGroupRule.Builder one = rule.toBuilder().prefixListId(null);
          return entry.cidr().contains(":")
              ? one.cidrIpv6(entry.cidr()).build()
              : one.cidrIpv4(entry.cidr()).build();
        });
  }

  /** What packets obey. */
  private static Rule packets(SecurityGroupRule rule) {
    int protocol =
        rule.ipProtocol().equals(EVERY)
            ? ANY
            : Optional.ofNullable(NAMED.get(rule.ipProtocol()))
                .orElseGet(() -> Integer.valueOf(rule.ipProtocol()));
    ReferencedSecurityGroup named = rule.referencedGroupInfo();
    if (named != null) {
      String peering = named.vpcPeeringConnectionId();
      Peer group =
          peering == null
              ? new Peer.Group(named.groupId())
              : new Peer.Guests(peering, named.groupId());
      return new Rule(protocol, rule.fromPort(), rule.toPort(), group);
    }
    AddressBlock block =
        AddressBlock.parse(Objects.requireNonNullElseGet(rule.cidrIpv4(), rule::cidrIpv6));
    return new Rule(protocol, rule.fromPort(), rule.toPort(), new Peer.Block(block));
  }
}
