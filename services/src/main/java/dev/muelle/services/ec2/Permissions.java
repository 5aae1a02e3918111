package dev.muelle.services.ec2;

import dev.muelle.network.Cidr;
import dev.muelle.network.SecurityGroup.Peer;
import dev.muelle.network.SecurityGroup.Rule;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.IpPermission;
import software.amazon.awssdk.services.ec2.model.IpRange;
import software.amazon.awssdk.services.ec2.model.SecurityGroupRule;
import software.amazon.awssdk.services.ec2.model.UserIdGroupPair;

/**
 * Security group rules in their three forms: the permissions that requests bring (one protocol and
 * port range with several peers), single rules as they are stored, and what packets see.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html">IpPermission</a>
 */
final class Permissions {

  private static final Map<String, String> NAMES =
      Map.of(
          "tcp", "tcp", "udp", "udp", "icmp", "icmp", "6", "tcp", "17", "udp", "1", "icmp", "-1",
          "-1", "all", "-1");
  private static final Map<String, Integer> NUMBERS =
      Map.of("tcp", 6, "udp", 17, "icmp", 1, "-1", -1);

  private Permissions() {}

  /** Splits permissions into single rules, without ids; checks them. */
  static List<SecurityGroupRule> split(
      List<IpPermission> permissions, boolean egress, String owner) {
    List<SecurityGroupRule> rules = new ArrayList<>();
    for (IpPermission permission : permissions) {
      if (!permission.ipv6Ranges().isEmpty()) {
        throw Faults.unsupported("IpPermissions.Ipv6Ranges");
      }
      if (!permission.prefixListIds().isEmpty()) {
        throw Faults.unsupported("IpPermissions.PrefixListIds");
      }
      String protocol = protocol(permission.ipProtocol());
      int from = from(protocol, permission.fromPort());
      int to = to(protocol, permission.toPort());
      checkPorts(protocol, from, to);
      SecurityGroupRule base =
          SecurityGroupRule.builder()
              .groupOwnerId(owner)
              .isEgress(egress)
              .ipProtocol(protocol)
              .fromPort(from)
              .toPort(to)
              .build();
      for (IpRange range : permission.ipRanges()) {
        rules.add(
            base.toBuilder()
                .cidrIpv4(canonical(range.cidrIp()))
                .description(range.description())
                .build());
      }
      for (UserIdGroupPair pair : permission.userIdGroupPairs()) {
        String groupId = pair.groupId();
        if (groupId == null) {
          throw Faults.missing("groupId");
        }
        rules.add(
            base.toBuilder()
                .referencedGroupInfo(g -> g.groupId(groupId).userId(owner))
                .description(pair.description())
                .build());
      }
      if (permission.ipRanges().isEmpty() && permission.userIdGroupPairs().isEmpty()) {
        throw Faults.invalid("Invalid value '' for IP permissions: a range or a group is needed.");
      }
    }
    if (rules.isEmpty()) {
      throw Faults.missing("ipPermissions");
    }
    return rules;
  }

  /** Groups single rules as DescribeSecurityGroups shows them. */
  static List<IpPermission> join(List<SecurityGroupRule> rules) {
    record Ports(String protocol, Integer from, Integer to) {}
    Map<Ports, List<SecurityGroupRule>> byPorts = new LinkedHashMap<>();
    for (SecurityGroupRule rule : rules) {
      byPorts
          .computeIfAbsent(
              new Ports(rule.ipProtocol(), rule.fromPort(), rule.toPort()), p -> new ArrayList<>())
          .add(rule);
    }
    List<IpPermission> permissions = new ArrayList<>();
    byPorts.forEach((ports, same) ->
        permissions.add(
            IpPermission.builder()
                .ipProtocol(ports.protocol())
                .fromPort(ports.protocol().equals("-1") ? null : ports.from())
                .toPort(ports.protocol().equals("-1") ? null : ports.to())
                .ipRanges(
                    same.stream()
                        .filter(rule -> rule.cidrIpv4() != null)
                        .map(rule ->
                            IpRange.builder()
                                .cidrIp(rule.cidrIpv4())
                                .description(rule.description())
                                .build())
                        .toList())
                .userIdGroupPairs(
                    same.stream()
                        .filter(rule -> rule.referencedGroupInfo() != null)
                        .map(rule ->
                            UserIdGroupPair.builder()
                                .groupId(rule.referencedGroupInfo().groupId())
                                .userId(rule.referencedGroupInfo().userId())
                                .description(rule.description())
                                .build())
                        .toList())
                .ipv6Ranges(List.of())
                .prefixListIds(List.of())
                .build()));
    return permissions;
  }

  /** Whether two rules permit the same, whatever they are called. */
  static boolean same(SecurityGroupRule one, SecurityGroupRule other) {
    return Objects.equals(one.isEgress(), other.isEgress())
        && Objects.equals(one.ipProtocol(), other.ipProtocol())
        && Objects.equals(one.fromPort(), other.fromPort())
        && Objects.equals(one.toPort(), other.toPort())
        && Objects.equals(one.cidrIpv4(), other.cidrIpv4())
        && Objects.equals(referred(one), referred(other));
  }

  static @Nullable String referred(SecurityGroupRule rule) {
    return rule.referencedGroupInfo() == null ? null : rule.referencedGroupInfo().groupId();
  }

  /** The rule as packets see it. */
  static Rule packet(SecurityGroupRule rule) {
    String group = referred(rule);
    Peer peer = group == null ? new Peer.Block(Cidr.parse(rule.cidrIpv4())) : new Peer.Group(group);
    Integer number = NUMBERS.get(rule.ipProtocol());
    return new Rule(
        number == null ? Integer.parseInt(rule.ipProtocol()) : number,
        rule.fromPort(),
        rule.toPort(),
        peer);
  }

  /** In EC2's words, for the error of a rule that is there already or is not. */
  static String describe(SecurityGroupRule rule) {
    String peer = referred(rule) == null ? rule.cidrIpv4() : referred(rule);
    String protocol =
        rule.ipProtocol().equals("-1") ? "ALL" : rule.ipProtocol().toUpperCase(Locale.ROOT);
    return "peer: "
        + peer
        + ", "
        + protocol
        + ", from port: "
        + rule.fromPort()
        + ", to port: "
        + rule.toPort()
        + ", ALLOW";
  }

  private static String protocol(@Nullable String text) {
    if (text == null) {
      throw Faults.missing("ipProtocol");
    }
    String name = NAMES.get(text.toLowerCase(Locale.ROOT));
    if (name != null) {
      return name;
    }
    if (text.matches("[0-9]{1,3}") && Integer.parseInt(text) <= 255) {
      return text;
    }
    throw Faults.invalid("Invalid value '" + text + "' for IP protocol. Unknown protocol.");
  }

  private static int from(String protocol, @Nullable Integer port) {
    return switch (protocol) {
      case "tcp", "udp" -> port == null ? 0 : port;
      default -> port == null ? -1 : port;
    };
  }

  private static int to(String protocol, @Nullable Integer port) {
    return switch (protocol) {
      case "tcp", "udp" -> port == null ? 65_535 : port;
      default -> port == null ? -1 : port;
    };
  }

  private static void checkPorts(String protocol, int from, int to) {
    boolean tcpOrUdp = protocol.equals("tcp") || protocol.equals("udp");
    if (tcpOrUdp && (from < 0 || to > 65_535 || from > to)) {
      throw Faults.of(
          "InvalidParameterValue", "Invalid TCP/UDP port range (" + from + ":" + to + ")");
    }
    if (protocol.equals("icmp") && (from < -1 || from > 255 || to < -1 || to > 255)) {
      throw Faults.invalid("ICMP code (" + to + ") out of range");
    }
  }

  /** EC2 drops the host bits of what it is given. */
  private static String canonical(@Nullable String text) {
    if (text == null) {
      throw Faults.missing("cidrIp");
    }
    int slash = text.indexOf('/');
    try {
      int prefix = Integer.parseInt(text.substring(slash + 1));
      int mask = prefix == 0 ? 0 : -1 << (32 - prefix);
      if (slash < 0 || prefix < 0 || prefix > 32) {
        throw new IllegalArgumentException(text);
      }
      return new Cidr(Cidr.address(text.substring(0, slash)) & mask, prefix).toString();
    } catch (IllegalArgumentException e) {
      throw Faults.invalid("CIDR block " + text + " is malformed");
    }
  }
}
