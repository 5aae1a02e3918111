package dev.muelle.network.linux;

import dev.muelle.network.Cidr;
import dev.muelle.network.Cidr6;
import dev.muelle.network.Network.NetworkInterface;
import dev.muelle.network.Network.Vpc;
import dev.muelle.network.SecurityGroup;
import dev.muelle.network.SecurityGroup.Peer;
import dev.muelle.network.Subnet;
import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What the packet filters of one VPC say, as nft(8) scripts; each script is one transaction. The
 * sender's address is looked up in one map and leads to the egress rules of its groups, the
 * receiver's in another and leads to the ingress rules of its; both must agree. An address leads to
 * the number of its list of groups, and only that to rules: each element that leads to rules at
 * once would have the kernel look through all of them for loops. A group that others name is a set
 * of its members' addresses, so that a new member costs one element.
 *
 * @see <a href="https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html">Security
 *     groups</a>
 */
final class Ruleset {

  static final String NAME = "vpc";
  static final String TABLE = "inet " + NAME;

  /** What packets are marked with that the server answers though they are not for its address. */
  static final int DIVERTED = 2;

  /** What is done with packets that their sender may not send, or their receiver not be sent. */
  static final String TURNED_BACK = "goto refused_turned_back";

  static final String SHUT_OUT = "goto refused_shut_out";

  private static final int ICMP = 1;
  private static final int TCP = 6;
  private static final int UDP = 17;
  private static final int ICMPV6 = 58;

  private Ruleset() {}

  /**
   * The fixed part. First what nobody may: send from another's address. Then the edges of subnets,
   * which every packet crosses anew; then security groups, which judge only the first of a
   * connection. What most packets are, those between two tasks, is asked first and as little as
   * possible. Traffic to the resolver and to the metadata addresses is filtered by neither, as in a
   * VPC.
   *
   * <p>What is sent on somebody's behalf to the server's own addresses was judged as it left; its
   * answers are turned round, since they are for an address that nobody here has.
   */
  static String base(Vpc vpc, Collection<Subnet> subnets) {
    return """
    table inet vpc {
      set bound { type ifname . ipv4_addr; }
      set bound6 { type ifname . ipv6_addr; }
      set inside { type ipv4_addr; flags interval; elements = { %2$s } }
      set inside6 { type ipv6_addr; flags interval; %7$s }
      map public { type ipv4_addr : ipv4_addr; }
      map private { type ipv4_addr : ipv4_addr; }
    %6$s
      %3$s
      map routers { type ifname : mark; }
      map gateway_leaves { type ifname : verdict; }
      map gateway_enters { type ifname : verdict; }
      map egress { type ipv4_addr : mark; }
      map egress6 { type ipv6_addr : mark; }
      map ingress { type ipv4_addr : mark; }
      map ingress6 { type ipv6_addr : mark; }
      map egress_lists { type mark : verdict; }
      map ingress_lists { type mark : verdict; }
      chain authentic {
        iifname "v*" iifname . ip saddr @bound return
        iifname "v*" iifname . ip6 saddr @bound6 return
        iifname @routers return
        iifname "v*" drop
        iifname { "uplink0", "p*" } ip saddr @inside drop
        iifname { "uplink0", "p*" } ip6 saddr @inside6 drop
        iifname "p*" oifname { "uplink0", "n*", "p*" } drop
        iifname "uplink0" oifname { "uplink0", "p*" } drop
      }
      chain between {
        ip saddr vmap @leaves
        ip daddr vmap @enters
        ip6 saddr vmap @leaves6
        ip6 daddr vmap @enters6
      }
      chain edges {
        iifname "v*" oifname "v*" goto between
        iifname "n*" iifname vmap @gateway_leaves
        iifname != "n*" ip saddr vmap @leaves
        iifname != "n*" ip6 saddr vmap @leaves6
        oifname "n*" oifname vmap @gateway_enters
        oifname != "n*" ip daddr vmap @enters
        oifname != "n*" ip6 daddr vmap @enters6
        oifname "uplink0" ip saddr != @public drop
        oifname "uplink0" ip6 saddr != @inside6 drop
      }
      chain sender {
        meta mark set 0
        meta mark set ip saddr map @egress
        meta mark set ip6 saddr map @egress6
        meta mark set iifname map @routers
        meta mark vmap @egress_lists
        meta mark != 1 goto groups_turned_back
      }
      chain receiver {
        oifname { "uplink0", "n*", "p*" } accept
        meta mark set 0
        meta mark set ip daddr map @ingress
        meta mark set ip6 daddr map @ingress6
        meta mark set oifname map @routers
        meta mark vmap @ingress_lists
        meta mark 1 accept
        goto groups_shut_out
      }
      chain hops {
    %5$s
        ip dscp set cs0
      }
      chain on_behalf {
        ct mark set meta mark
        meta mark vmap @egress_lists
        meta mark != 1 goto behalf_turned_back
        goto receiver
      }
      chain diverted {
        type filter hook prerouting priority mangle; policy accept;
        ct mark != 0 ct direction reply meta mark set %4$d
      }
      chain turned {
        type route hook output priority mangle; policy accept;
        ct mark != 0 ct direction reply meta mark set %4$d
      }
      chain forward {
        type filter hook forward priority filter; policy drop;
        jump authentic
        jump edges
        ct state established,related accept
        ct state invalid drop
        iifname "uplink0" ip6 daddr != @reached6 drop
        iifname { "uplink0", "n*", "p*" } goto receiver
        jump sender
        goto receiver
      }
      chain input {
        type filter hook input priority filter; policy drop;
        jump authentic
        iifname != "p*" ip daddr { 169.254.170.2, 169.254.169.254 } tcp dport 80 accept
        iifname != "p*" ip daddr { 169.254.169.253, %1$s } meta l4proto { tcp, udp } th dport 53 accept
        icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } ip6 hoplimit 255 accept
        jump edges
        ct state established,related accept
        iifname "lo" ct mark & 0x80000000 != 0 accept
        iifname "uplink0" ip6 daddr != @reached6 drop
        iifname { "uplink0", "n*", "p*" } goto receiver
        jump sender
        goto receiver
      }
      chain output {
        type filter hook output priority filter; policy drop;
        meta mark %4$d accept
        ip saddr 169.254.169.254 ip dscp != cs0 jump hops
        ip saddr { 169.254.0.0/16, %1$s } ct state established,related accept
        icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
        ip6 saddr fe80::/10 ct state established,related accept
        jump edges
        ct state established,related accept
        meta mark & 0x80000000 != 0 goto on_behalf
        jump sender
        goto receiver
      }
      chain prerouting {
        type nat hook prerouting priority dstnat; policy accept;
        iifname "uplink0" dnat ip to ip daddr map @private;
      }
      chain postrouting {
        type nat hook postrouting priority srcnat; policy accept;
        oifname "uplink0" snat ip to ip saddr map @public;
      }
    }
    """
        .formatted(
            vpc.cidrs().getFirst().at(2),
            vpc.cidrs().stream().map(Cidr::toString).collect(Collectors.joining(", ")),
            SubnetRules.maps(subnets),
            DIVERTED,
            hops(),
            FlowCounters.refusals() + PacketCounters.refusals(),
            interval(vpc.cidrs6()));
  }

  private static String interval(Collection<Cidr6> blocks) {
    return blocks.isEmpty()
        ? ""
        : "elements = { "
            + blocks.stream().map(Cidr6::toString).collect(Collectors.joining(", "))
            + " }";
  }

  /** What an older server's table may lack, and elements of this one are put into. */
  static String missing() {
    return "add set %1$s bound6 { type ifname . ipv6_addr; }\n".formatted(TABLE)
        + "add set %1$s inside6 { type ipv6_addr; flags interval; }\n".formatted(TABLE)
        + "add map %1$s egress6 { type ipv6_addr : mark; }\n".formatted(TABLE)
        + "add map %1$s ingress6 { type ipv6_addr : mark; }\n".formatted(TABLE)
        + SubnetRules.missing();
  }

  /** Says which IPv6 blocks are the VPC's own now. */
  static String inside(Collection<Cidr6> before, Collection<Cidr6> now) {
    StringBuilder script = new StringBuilder();
    before.stream()
        .filter(block -> !now.contains(block))
        .forEach(block -> script.append(element("delete", "inside6", block.toString())));
    now.stream()
        .filter(block -> !before.contains(block))
        .forEach(block -> script.append(element("add", "inside6", block.toString())));
    return script.toString();
  }

  /**
   * The server says by a packet's differentiated services how far it may go; it cannot say the TTL
   * itself. A map would be shorter, but nft 1.0.6 takes none with keys of six bits.
   */
  private static String hops() {
    return IntStream.range(1, 64)
        .mapToObj(most -> "ip dscp %1$d ip ttl set %1$d".formatted(most))
        .collect(Collectors.joining("\n"));
  }

  /** Makes the chains that interfaces with these groups share. */
  static String chains(List<String> groups) {
    StringBuilder script = new StringBuilder();
    String list = list(groups);
    for (String group : groups) {
      script.append(members(group));
      for (String direction : List.of("in", "out")) {
        script.append("add chain %s %s\n".formatted(TABLE, chain(direction, group)));
      }
    }
    for (String direction : List.of("in", "out")) {
      String chain = direction + "_of_" + list;
      script.append("add chain %s %s\nflush chain %s %s\n".formatted(TABLE, chain, TABLE, chain));
      for (String group : groups) {
        script.append("add rule %s %s jump %s\n".formatted(TABLE, chain, chain(direction, group)));
      }
      String map = direction.equals("in") ? "ingress_lists" : "egress_lists";
      script.append(element("add", map, number(list) + " : jump " + chain));
    }
    for (String group : groups) {
      script.append(element("add", listSet(group), number(list)));
    }
    return script.toString();
  }

  /**
   * The number of a list of groups, the same in every server's life. If two lists ever met in one,
   * the second could not be added.
   */
  private static String number(String list) {
    return mark(numbered(list));
  }

  static String mark(int number) {
    return "0x%08x".formatted(number);
  }

  private static int numbered(String list) {
    long hash = Long.parseLong(KernelNames.hash(list, 8), 16);
    return (int) (hash | 0x8000_0000L); // 0 and 1 are what rules say
  }

  /** The mark of sockets that send for an interface under others' addresses: one of its own. */
  static int onBehalf(NetworkInterface eni) {
    return numbered(eni.id());
  }

  /**
   * Has who bears an interface's mark judged by its groups, which have their {@link #chains}, and
   * admitted by whoever admits one of these groups.
   */
  static String speaker(String verb, NetworkInterface eni) {
    String list = list(eni.securityGroups());
    String mark = mark(onBehalf(eni));
    String leads = verb.equals("add") ? " : jump out_of_" + list : "";
    StringBuilder script = new StringBuilder(element(verb, "egress_lists", mark + leads));
    for (String group : eni.securityGroups()) {
      script.append(element(verb, listSet(group), mark));
    }
    return script.toString();
  }

  /**
   * Makes an interface's address known with its groups, which have their {@link #chains}, and lets
   * its own device send from this address, and from no other. One without groups is a NAT gateway:
   * the edges of its subnet are around its device.
   */
  static String networkInterface(NetworkInterface eni) {
    return elements("add", eni, eni.securityGroups().isEmpty() ? SubnetRules.chains(eni) : "");
  }

  /** Takes away what {@link #networkInterface} added for this same value. */
  static String withoutInterface(NetworkInterface eni) {
    return elements("delete", eni, "");
  }

  private static String elements(String verb, NetworkInterface eni, String before) {
    boolean add = verb.equals("add");
    StringBuilder script = new StringBuilder(before);
    if (eni.securityGroups().isEmpty()) {
      script.append(SubnetRules.gateway(verb, eni));
    } else {
      String number = add ? " : " + number(list(eni.securityGroups())) : "";
      for (String address : eni.all()) {
        Family family = Family.of(address);
        script.append(element(verb, family.set("bound"), bound(eni, address)));
        script.append(element(verb, family.set("egress"), address + number));
        script.append(element(verb, family.set("ingress"), address + number));
        for (String group : eni.securityGroups()) {
          script.append(element(verb, memberSet(family, group), address));
        }
      }
      if (!eni.ipv6().isEmpty()) { // under which it asks for its neighbour, the router
        script.append(element(verb, "bound6", bound(eni, Family.linkLocal(eni.macAddress()))));
      }
      if (eni.forwards()) {
        script.append(element(verb, "routers", device(eni.id()) + number));
      }
    }
    eni.publicAddresses()
        .forEach((address, outside) -> {
          if (address.equals(outside)) {
            return; // IPv6: nothing is translated
          }
          script.append(element(verb, "public", address + (add ? " : " + outside : "")));
          script.append(element(verb, "private", outside + (add ? " : " + address : "")));
        });
    return script.toString();
  }

  private static String device(String interfaceId) {
    return '"' + KernelNames.veth(interfaceId) + '"';
  }

  /** Takes away what an earlier server said of an interface that forwarded then. */
  static String withoutRouter(String interfaceId) {
    return element("delete", "routers", device(interfaceId));
  }

  /** Takes away an address whose groups are not known (an earlier server's). */
  static String withoutAddress(String address) {
    Family family = Family.of(address);
    return element("delete", family.set("egress"), address)
        + element("delete", family.set("ingress"), address);
  }

  /** Takes away the public address that an earlier server gave to an address. */
  static String withoutPublic(String address, String outside) {
    return element("delete", "public", address) + element("delete", "private", outside);
  }

  /** Everything at once, in place of whatever there was: one transaction, so nothing flickers. */
  static String whole(
      Vpc vpc,
      Collection<Subnet> subnets,
      Collection<SecurityGroup> groups,
      Collection<NetworkInterface> interfaces) {
    StringBuilder script = new StringBuilder();
    script.append("add table ").append(TABLE).append("\ndelete table ").append(TABLE).append('\n');
    script.append(base(vpc, subnets));
    groups.forEach(group -> script.append(new GroupRules(group).script(null)));
    interfaces.stream()
        .map(NetworkInterface::securityGroups)
        .filter(list -> !list.isEmpty())
        .distinct()
        .forEach(list -> script.append(chains(list)));
    interfaces.forEach(eni -> script.append(networkInterface(eni)));
    return script.toString();
  }

  private static String bound(NetworkInterface eni, String address) {
    return "\"" + KernelNames.veth(eni.id()) + "\" . " + address;
  }

  static String element(String verb, String set, String element) {
    return "%s element %s %s { %s }\n".formatted(verb, TABLE, set, element);
  }

  static String members(String groupId) {
    StringBuilder script = new StringBuilder();
    for (Family family : Family.values()) {
      script.append(
          "add set %s %s { type %s; }\n"
              .formatted(TABLE, memberSet(family, groupId), family.type()));
    }
    return script
        .append("add set %s %s { type mark; }\n".formatted(TABLE, listSet(groupId)))
        .toString();
  }

  static String service(int protocol, int from, int to) {
    return switch (protocol) {
      case -1 -> "";
      case TCP, UDP -> "meta l4proto %d th dport %d-%d ".formatted(protocol, from, to);
      case ICMP ->
          "meta l4proto icmp "
              + (from < 0 ? "" : "icmp type " + from + " ")
              + (to < 0 ? "" : "icmp code " + to + " ");
      case ICMPV6 ->
          "meta l4proto icmpv6 "
              + (from < 0 ? "" : "icmpv6 type " + from + " ")
              + (to < 0 ? "" : "icmpv6 code " + to + " ");
      default -> "meta l4proto " + protocol + " ";
    };
  }

  static String chain(String direction, String groupId) {
    return direction + "_" + identifier(groupId);
  }

  static String memberSet(Family family, String groupId) {
    return family.set("members") + "_" + identifier(groupId);
  }

  /** What a peer's group is called here, among the groups of this VPC. */
  static String guests(Peer.Guests guests) {
    return guests.groupId() + "-of-" + guests.peeringId();
  }

  /** The numbers of lists of groups in which a group is. */
  static String listSet(String groupId) {
    return "lists_" + identifier(groupId);
  }

  /** Interfaces with the same groups share their chains. */
  private static String list(List<String> groups) {
    return String.join("_", groups.stream().map(Ruleset::identifier).sorted().toList());
  }

  static String identifier(String id) {
    return id.replace('-', '_');
  }
}
