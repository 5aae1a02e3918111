package dev.muelle.network.linux;

import dev.muelle.network.Cidr;
import dev.muelle.network.Network.NetworkInterface;
import dev.muelle.network.Subnet;
import dev.muelle.network.Subnet.Entry;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;

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
      String elements =
          subnets.stream()
              .map(subnet -> subnet.cidr() + " : jump " + chain(edge, subnet.cidr()))
              .collect(Collectors.joining(", "));
      block.append("map %s { type ipv4_addr : verdict; flags interval; ".formatted(edge));
      block.append(elements.isEmpty() ? "" : "elements = { " + elements + " }").append("}\n");
    }
    return block.toString();
  }

  /** Makes a subnet's edges these, whatever they were, in one step. */
  static String of(Subnet subnet) {
    StringBuilder script = new StringBuilder();
    for (String edge : EDGES) {
      String chain = chain(edge, subnet.cidr());
      script.append(made(chain));
      script.append("flush chain %s %s\n".formatted(Ruleset.TABLE, chain));
      for (String rule : rules(edge, subnet)) {
        script.append("add rule %s %s %s\n".formatted(Ruleset.TABLE, chain, rule));
      }
      script.append(Ruleset.element("add", edge, subnet.cidr() + " : jump " + chain));
    }
    return script.toString();
  }

  private static List<String> rules(String edge, Subnet subnet) {
    boolean leaves = edge.equals("leaves");
    String other = leaves ? "ip daddr " : "ip saddr ";
    String refused = leaves ? Ruleset.TURNED_BACK : Ruleset.SHUT_OUT;
    List<String> rules = new ArrayList<>();
    rules.add(other + subnet.cidr() + " return");
    for (Entry entry : leaves ? subnet.acl().egress() : subnet.acl().ingress()) {
      rules.add(
          other
              + entry.peer()
              + " "
              + Ruleset.service(entry.protocol(), entry.fromPort(), entry.toPort())
              + (entry.allow() ? "return" : refused));
    }
    rules.add(refused);
    return rules;
  }

  /** Takes a subnet's edges away; its chains stay, empty, as long as something may jump there. */
  static String without(Cidr subnet) {
    StringBuilder script = new StringBuilder();
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
