package dev.muelle.services.ec2.security;

import dev.muelle.services.ec2.plane.Permits;
import dev.muelle.services.ec2.state.Blocks;
import dev.muelle.services.ec2.state.Refuse;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.IpPermission;
import software.amazon.awssdk.services.ec2.model.IpRange;
import software.amazon.awssdk.services.ec2.model.Ipv6Range;
import software.amazon.awssdk.services.ec2.model.PrefixListId;
import software.amazon.awssdk.services.ec2.model.ReferencedSecurityGroup;
import software.amazon.awssdk.services.ec2.model.SecurityGroupRule;
import software.amazon.awssdk.services.ec2.model.UserIdGroupPair;

/**
 * Two forms of what a security group permits: the permissions of the API's first days, which bundle
 * peers; and rules, one peer each, which is what is stored.
 *
 * @see <a href="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html">
 *     IpPermission</a>
 */
final class Permissions {

  private static final int ANY = -1;
  private static final int MAX_PORT = 65_535;
  private static final int MAX_DESCRIPTION = 255;

  private Permissions() {}

  /**
   * The rules that a permission stands for, in their normal form; of groups that it refers to, what
   * it says itself.
   */
  static List<SecurityGroupRule> rules(IpPermission permission) {
    SecurityGroupRule service =
        service(permission.ipProtocol(), permission.fromPort(), permission.toPort());
    List<SecurityGroupRule> rules = new ArrayList<>();
    for (IpRange range : permission.ipRanges()) {
      rules.add(
          service.toBuilder()
              .cidrIpv4(Blocks.block(range.cidrIp()))
              .description(description(range.description()))
              .build());
    }
    for (Ipv6Range range : permission.ipv6Ranges()) {
      rules.add(
          service.toBuilder()
              .cidrIpv6(Blocks.block6(range.cidrIpv6()))
              .description(description(range.description()))
              .build());
    }
    for (UserIdGroupPair pair : permission.userIdGroupPairs()) {
      rules.add(
          service.toBuilder()
              .referencedGroupInfo(reference(pair))
              .description(description(pair.description()))
              .build());
    }
    for (PrefixListId list : permission.prefixListIds()) {
      rules.add(
          service.toBuilder()
              .prefixListId(Refuse.required(list.prefixListId(), "PrefixListId"))
              .description(description(list.description()))
              .build());
    }
    if (rules.isEmpty()) {
      throw Refuse.because(
          "MissingParameter", "The request must contain a source or destination of the permission");
    }
    return rules;
  }

  private static ReferencedSecurityGroup reference(UserIdGroupPair pair) {
    return ReferencedSecurityGroup.builder()
        .groupId(Refuse.required(pair.groupId(), "GroupId"))
        .userId(pair.userId())
        .vpcId(pair.vpcId())
        .vpcPeeringConnectionId(pair.vpcPeeringConnectionId())
        .build();
  }

  /** A rule without a peer: protocol and ports, checked and in their normal form. */
  static SecurityGroupRule service(
      @Nullable String ipProtocol, @Nullable Integer fromPort, @Nullable Integer toPort) {
    String protocol = protocol(Refuse.required(ipProtocol, "ipProtocol"));
    SecurityGroupRule.Builder rule = SecurityGroupRule.builder().ipProtocol(protocol);
    return switch (protocol) {
      case "tcp", "udp" -> {
        if (fromPort == null || toPort == null) {
          throw Refuse.invalidValue(
              "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.");
        }
        if (fromPort < 0 || toPort < 0 || fromPort > MAX_PORT || toPort > MAX_PORT) {
          throw Refuse.invalidValue(
              "Invalid value '"
                  + (fromPort < 0 || fromPort > MAX_PORT ? fromPort : toPort)
                  + "' for portRange. Ports must be between 0 and 65535.");
        }
        if (fromPort > toPort) {
          throw Refuse.invalidValue("Invalid TCP/UDP port range (" + fromPort + ":" + toPort + ")");
        }
        yield rule.fromPort(fromPort).toPort(toPort).build();
      }
      case "icmp", "icmpv6" -> {
        int type = Objects.requireNonNullElse(fromPort, ANY);
        int code = Objects.requireNonNullElse(toPort, ANY);
        if (type < ANY || type > 255 || code < ANY || code > 255 || (type == ANY && code != ANY)) {
          throw Refuse.invalidValue(
              "ICMP code (" + code + ") and type (" + type + ") are not valid together");
        }
        yield rule.fromPort(type).toPort(code).build();
      }
      default -> rule.fromPort(ANY).toPort(ANY).build();
    };
  }

  private static String protocol(String text) {
    String name = text.toLowerCase(Locale.ROOT);
    if (name.equals(Permits.EVERY) || name.equals("all")) {
      return Permits.EVERY;
    }
    if (Permits.NAMED.containsKey(name)) {
      return name;
    }
    try {
      int number = Integer.parseInt(name);
      if (number >= 0 && number <= 255) {
        return Permits.NAMED.entrySet().stream()
            .filter(named -> named.getValue() == number)
            .map(Map.Entry::getKey)
            .findFirst()
            .orElse(String.valueOf(number));
      }
    } catch (NumberFormatException e) {
      // Neither a name nor a number: answered below.
    }
    throw Refuse.because(
        "InvalidPermission.Malformed",
        "Invalid value '" + text + "' for IP protocol. Unknown protocol.");
  }

  public static @Nullable String description(@Nullable String text) {
    if (text != null
        && (text.length() > MAX_DESCRIPTION
            || !text.matches("[a-zA-Z0-9 ._\\-:/()#,@\\[\\]+=&;{}!$*]*"))) {
      throw Refuse.invalidValue(
          "Invalid rule description. Valid descriptions are strings less than 256 characters from"
              + " the following set: a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*");
    }
    return text == null || text.isEmpty() ? null : text;
  }

  /** What makes two rules of one group the same: everything but id, description and tags. */
  public static List<Object> identity(SecurityGroupRule rule) {
    return identity(rule, PeerGroups.peering(rule));
  }

  /** Whether a request means a rule; through which peering it names a group need not be said. */
  static boolean means(SecurityGroupRule asked, SecurityGroupRule rule) {
    String peering = PeerGroups.peering(asked);
    ReferencedSecurityGroup group = asked.referencedGroupInfo();
    return identity(asked).equals(identity(rule, peering == null ? null : PeerGroups.peering(rule)))
        && (group == null
            || group.userId() == null
            || group.userId().equals(rule.referencedGroupInfo().userId()));
  }

  private static List<Object> identity(SecurityGroupRule rule, @Nullable String peering) {
    return List.of(
        rule.isEgress(),
        rule.ipProtocol(),
        rule.fromPort(),
        rule.toPort(),
        Objects.requireNonNullElse(rule.cidrIpv4(), ""),
        Objects.requireNonNullElse(rule.cidrIpv6(), ""),
        Objects.requireNonNullElse(rule.prefixListId(), ""),
        rule.referencedGroupInfo() == null ? "" : rule.referencedGroupInfo().groupId(),
        Objects.requireNonNullElse(peering, ""));
  }

  /** {@code peer: 0.0.0.0/0, TCP, from port: 80, to port: 80, ALLOW}. */
  public static String describe(SecurityGroupRule rule) {
    String peer =
        rule.referencedGroupInfo() != null
            ? rule.referencedGroupInfo().groupId()
            : Stream.of(rule.cidrIpv4(), rule.cidrIpv6(), rule.prefixListId())
                .filter(Objects::nonNull)
                .findFirst()
                .orElseThrow();
    String service =
        switch (rule.ipProtocol()) {
          case Permits.EVERY -> "ALL";
          case "tcp", "udp" ->
              rule.ipProtocol().toUpperCase(Locale.ROOT)
                  + ", from port: "
                  + rule.fromPort()
                  + ", to port: "
                  + rule.toPort();
          case "icmp", "icmpv6" ->
              rule.ipProtocol().toUpperCase(Locale.ROOT)
                  + ", type: "
                  + rule.fromPort()
                  + ", code: "
                  + rule.toPort();
          default -> "protocol: " + rule.ipProtocol();
        };
    return "peer: " + peer + ", " + service + ", ALLOW";
  }

  /** The permissions of one direction; peers of the same protocol and ports are bundled. */
  static List<IpPermission> bundled(List<SecurityGroupRule> rules) {
    Map<List<Object>, List<SecurityGroupRule>> services = new LinkedHashMap<>();
    for (SecurityGroupRule rule : rules) {
      services
          .computeIfAbsent(
              List.of(rule.ipProtocol(), rule.fromPort(), rule.toPort()), key -> new ArrayList<>())
          .add(rule);
    }
    return services.values().stream().map(Permissions::bundle).toList();
  }

  private static IpPermission bundle(List<SecurityGroupRule> rules) {
    SecurityGroupRule first = rules.getFirst();
    boolean ported =
        first.ipProtocol().equals("tcp")
            || first.ipProtocol().equals("udp")
            || first.ipProtocol().startsWith("icmp");
    IpPermission.Builder permission =
        IpPermission.builder()
            .ipProtocol(first.ipProtocol())
            .ipRanges(
                rules.stream()
                    .filter(rule -> rule.cidrIpv4() != null)
                    .map(rule ->
                        IpRange.builder()
                            .cidrIp(rule.cidrIpv4())
                            .description(rule.description())
                            .build())
                    .toList())
            .ipv6Ranges(
                rules.stream()
                    .filter(rule -> rule.cidrIpv6() != null)
                    .map(rule ->
                        Ipv6Range.builder()
                            .cidrIpv6(rule.cidrIpv6())
                            .description(rule.description())
                            .build())
                    .toList())
            .userIdGroupPairs(
                rules.stream()
                    .filter(rule -> rule.referencedGroupInfo() != null)
                    .map(Permissions::pair)
                    .toList())
            .prefixListIds(
                rules.stream()
                    .filter(rule -> rule.prefixListId() != null)
                    .map(rule ->
                        PrefixListId.builder()
                            .prefixListId(rule.prefixListId())
                            .description(rule.description())
                            .build())
                    .toList());
    return ported
        ? permission.fromPort(first.fromPort()).toPort(first.toPort()).build()
        : permission.build();
  }

  private static UserIdGroupPair pair(SecurityGroupRule rule) {
    ReferencedSecurityGroup group = rule.referencedGroupInfo();
    return UserIdGroupPair.builder()
        .groupId(group.groupId())
        .userId(group.userId())
        .vpcId(group.vpcId())
        .vpcPeeringConnectionId(group.vpcPeeringConnectionId())
        .peeringStatus(group.peeringStatus())
        .description(rule.description())
        .build();
  }
}
