package dev.muelle.network.linux;

import dev.muelle.network.AddressBlock;
import dev.muelle.network.Cidr;
import dev.muelle.network.Cidr6;
import dev.muelle.network.Network.NetworkInterface;
import dev.muelle.network.Subnet;
import dev.muelle.network.Subnet.Entry;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What is filtered at the edges of subnets, as nft(8) scripts: each subnet has a chain for what
 * leaves it and one for what enters it, found by the address inside. What passes returns from the
 * chain, to be judged further.
 *
 * @see <a href="https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html">Network
 *     ACLs</a>
 */
final class SubnetRules {

  private static final List<String> EDGES = List.of("leaves", "enters");

  /** Of IPv6: whom the world may begin to speak to. */
  private static final String REACHED = "reached6";

  private static final int ICMP = 1;
  private static final int ICMPV6 = 58;

  private SubnetRules() {}

  /**
   * The maps of edges and their chains, as a part of a table that is made: nft would add an element
   * of a map of intervals before the chain that it leads to.
   */
  static String maps(Collection<Subnet> subnets) {
    StringBuilder block = new StringBuilder();
    for (String edge : EDGES) {
      for (Subnet subnet : subnets) {
        block.append("chain ").append(chain(edge, subnet.cidr())).append(" {\n");
        rules(edge, subnet).forEach(rule -> block.append(rule).append('\n'));
        block.append("}\n");
      }
      for (Family family : Family.values()) {
        String elements =
            subnets.stream()
                .flatMap(subnet ->
                    block(subnet, family).stream()
                        .map(own -> own + " : jump " + chain(edge, subnet.cidr())))
                .collect(Collectors.joining(", "));
        block.append(
            "map %s { type %s : verdict; flags interval; "
                .formatted(family.set(edge), family.type()));
        block.append(elements(elements)).append("}\n");
      }
    }
    String reached =
        subnets.stream()
            .filter(Subnet::reached)
            .flatMap(subnet -> block(subnet, Family.IPV6).stream())
            .map(AddressBlock::toString)
            .collect(Collectors.joining(", "));
    return block
        .append("set reached6 { type ipv6_addr; flags interval; ")
        .append(elements(reached))
        .append("}\n")
        .toString();
  }

  private static String elements(String all) {
    return all.isEmpty() ? "" : "elements = { " + all + " }";
  }

  /** What an older server's table may lack. */
  static String missing() {
    StringBuilder script = new StringBuilder();
    for (String edge : EDGES) {
      script.append(
          "add map %s %s6 { type ipv6_addr : verdict; flags interval; }\n"
              .formatted(Ruleset.TABLE, edge));
    }
    return script
        .append(
            "add set %s reached6 { type ipv6_addr; flags interval; }\n".formatted(Ruleset.TABLE))
        .toString();
  }

  private static Optional<AddressBlock> block(Subnet subnet, Family family) {
    return switch (family) {
      case IPV4 -> Optional.of(subnet.cidr());
      case IPV6 -> Optional.ofNullable(subnet.cidr6());
    };
  }

  /**
   * Makes a subnet's edges these, whatever they were, in one step.
   *
   * @param before its IPv6 block until now, if it had one
   */
  static String of(Subnet subnet, @Nullable Cidr6 before) {
    StringBuilder script = new StringBuilder();
    if (before != null && !before.equals(subnet.cidr6())) {
      script.append(without6(subnet.cidr(), before));
    }
    for (String edge : EDGES) {
      String chain = chain(edge, subnet.cidr());
      script.append(made(chain));
      script.append("flush chain %s %s\n".formatted(Ruleset.TABLE, chain));
      for (String rule : rules(edge, subnet)) {
        script.append("add rule %s %s %s\n".formatted(Ruleset.TABLE, chain, rule));
      }
      for (Family family : Family.values()) {
        block(subnet, family)
            .ifPresent(own ->
                script.append(Ruleset.element("add", family.set(edge), own + " : jump " + chain)));
      }
    }
    Cidr6 cidr6 = subnet.cidr6();
    if (cidr6 != null) {
      script.append(Ruleset.element("add", REACHED, cidr6.toString()));
      if (!subnet.reached()) {
        script.append(Ruleset.element("delete", REACHED, cidr6.toString()));
      }
    }
    return script.toString();
  }

  /** Takes an IPv6 block away from a subnet that keeps its edges. */
  private static String without6(Cidr subnet, Cidr6 gone) {
    StringBuilder script = new StringBuilder();
    for (String edge : EDGES) {
      String chain = chain(edge, subnet);
      script.append(made(chain));
      // An element is deleted without an error only if it is there.
      script.append(Ruleset.element("add", Family.IPV6.set(edge), gone + " : jump " + chain));
      script.append(Ruleset.element("delete", Family.IPV6.set(edge), gone.toString()));
    }
    return script
        .append(Ruleset.element("add", REACHED, gone.toString()))
        .append(Ruleset.element("delete", REACHED, gone.toString()))
        .toString();
  }

  private static List<String> rules(String edge, Subnet subnet) {
    boolean leaves = edge.equals("leaves");
    String side = leaves ? "daddr" : "saddr";
    String refused = leaves ? Ruleset.TURNED_BACK : Ruleset.SHUT_OUT;
    List<String> rules = new ArrayList<>();
    for (Family family : Family.values()) {
      block(subnet, family).ifPresent(own -> rules.add(family.field(side) + " " + own + " return"));
    }
    for (Entry entry : leaves ? subnet.acl().egress() : subnet.acl().ingress()) {
      Family family = Family.of(entry.peer());
      if (entry.protocol() == (family == Family.IPV4 ? ICMPV6 : ICMP)) {
        continue; // the other family's: there are no such packets
      }
      rules.add(
          family.field(side)
              + " "
              + entry.peer()
              + " "
              + Ruleset.service(entry.protocol(), entry.fromPort(), entry.toPort())
              + (entry.allow() ? "return" : refused));
    }
    rules.add(refused);
    return rules;
  }

  /** Takes a subnet's edges away; its chains stay, empty, as long as something may jump there. */
  static String without(Cidr subnet, @Nullable Cidr6 cidr6) {
    StringBuilder script = new StringBuilder();
    if (cidr6 != null) {
      script.append(without6(subnet, cidr6));
    }
    for (String edge : EDGES) {
      String chain = chain(edge, subnet);
      script.append(made(chain));
      // An element is deleted without an error only if it is there.
      script.append(Ruleset.element("add", edge, subnet + " : jump " + chain));
      script.append(Ruleset.element("delete", edge, subnet.toString()));
      script.append("flush chain %s %s\n".formatted(Ruleset.TABLE, chain));
    }
    return script.toString();
  }

  /** Makes the chains that a NAT gateway's device is to jump to, if its subnet has none yet. */
  static String chains(NetworkInterface gateway) {
    return made(chain("leaves", gateway.subnet())) + made(chain("enters", gateway.subnet()));
  }

  /** Puts a NAT gateway's device behind the edges of its subnet, or takes it away there. */
  static String gateway(String verb, NetworkInterface gateway) {
    StringBuilder script = new StringBuilder();
    String device = "\"" + KernelNames.gateway(gateway.id()) + "\"";
    for (String edge : EDGES) {
      String verdict = verb.equals("add") ? " : jump " + chain(edge, gateway.subnet()) : "";
      script.append(Ruleset.element(verb, "gateway_" + edge, device + verdict));
    }
    return script.toString();
  }

  private static String made(String chain) {
    return "add chain %s %s\n".formatted(Ruleset.TABLE, chain);
  }

  private static String chain(String edge, Cidr subnet) {
    return edge + "_" + subnet.toString().replace('.', '_').replace('/', '_');
  }
}
