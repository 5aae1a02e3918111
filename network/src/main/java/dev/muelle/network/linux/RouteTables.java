package dev.muelle.network.linux;

import dev.muelle.linux.Command;
import dev.muelle.network.Cidr;
import dev.muelle.network.Network.Vpc;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The kernel's route tables of one VPC: one for each subnet, found by the sender's address and
 * numbered by the subnet's. What goes to the VPC itself is thrown back to the main table, which
 * knows every interface; what no table knows is dropped there.
 *
 * @see <a href="https://man7.org/linux/man-pages/man8/ip-rule.8.html">ip-rule(8)</a>
 */
final class RouteTables {

  private static final int PRIORITY = 1000;
  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final String NOWHERE = "blackhole";

  /** In what ip prints of rules: {@code 1000: from 10.0.0.0/24 lookup 167772160}. */
  private static final Pattern RULE =
      Pattern.compile(PRIORITY + ":\\s+from ([0-9./]+) lookup ([0-9]+)");

  private final String namespace;
  private final Vpc vpc;

  /** Whether there may be tables that this process did not set. */
  private final boolean adopted;

  /** What the tables say, as far as this process has set it. */
  private final Map<Cidr, Map<String, String>> set = new HashMap<>();

  RouteTables(String namespace, Vpc vpc, boolean adopted) {
    this.namespace = namespace;
    this.vpc = vpc;
    this.adopted = adopted;
  }

  /**
   * Makes a subnet's routes these. Each is replaced at once, and only then the others go.
   *
   * @param ways by destination, the rest of a route in the words of ip-route(8); empty for one that
   *     leads nowhere
   */
  void put(Cidr subnet, Map<Cidr, String> ways) {
    Map<String, String> wanted = new LinkedHashMap<>();
    vpc.cidrs().forEach(own -> wanted.put(own.toString(), "throw " + own));
    ways.forEach((to, way) ->
        wanted.put(to.toString(), way.isEmpty() ? NOWHERE + " " + to : to + " " + way));
    boolean none = !adopted && !set.containsKey(subnet);
    if (wanted.equals(set.get(subnet))
        || (none && ways.values().stream().allMatch(String::isEmpty))) {
      return; // without a table nothing leads anywhere either
    }
    String table = table(subnet);
    StringBuilder batch = new StringBuilder();
    wanted.values().forEach(route -> batch.append("route replace " + route + table + "\n"));
    for (String line : none ? List.<String>of() : lines("route", "show", "table", number(subnet))) {
      String to = destination(line);
      if (!wanted.containsKey(to)) {
        String type =
            line.startsWith(NOWHERE) || line.startsWith("throw") ? line.split(" ", -1)[0] : "";
        batch.append("route del " + type + " " + to + table + "\n");
      }
    }
    if (none || !rules().contains(subnet)) {
      batch.append("rule add from " + subnet + " lookup " + number(subnet) + priority());
    }
    Command.runWith(batch.toString(), "ip", "-n", namespace, "-batch", "-");
    set.put(subnet, wanted);
  }

  void remove(Cidr subnet) {
    if (set.remove(subnet) == null && !adopted) {
      return;
    }
    StringBuilder batch = new StringBuilder();
    if (rules().contains(subnet)) {
      batch.append("rule del from " + subnet + " lookup " + number(subnet) + priority());
    }
    if (!lines("route", "show", "table", number(subnet)).isEmpty()) {
      batch.append("route flush" + table(subnet) + "\n");
    }
    if (!batch.isEmpty()) {
      Command.runWith(batch.toString(), "ip", "-n", namespace, "-batch", "-");
    }
  }

  /** Removes what an earlier server left of other subnets. */
  void retain(Set<Cidr> subnets) {
    for (Cidr present : rules()) {
      if (!subnets.contains(present)) {
        remove(present);
      }
    }
  }

  private Set<Cidr> rules() {
    Set<Cidr> subnets = new HashSet<>();
    for (String line : lines("rule", "show")) {
      Matcher rule = RULE.matcher(line);
      if (rule.find()) {
        subnets.add(Cidr.parse(rule.group(1)));
      }
    }
    return subnets;
  }

  /** Where a line that ip prints of a route leads to, in the form of a block. */
  private static String destination(String line) {
    String[] words = line.trim().split("\\s+", -1);
    String to = words[words[0].matches("[a-z]+") && !words[0].equals("default") ? 1 : 0];
    return to.equals("default") ? "0.0.0.0/0" : to.contains("/") ? to : to + "/32";
  }

  /** What ip prints; nothing of a table that does not exist. */
  private List<String> lines(String... command) {
    List<String> whole = new ArrayList<>(List.of("ip", "-n", namespace));
    whole.addAll(List.of(command));
    return Command.attempt(whole, Map.of(), "", PATIENCE).output().lines().toList();
  }

  private static String priority() {
    return " pref " + PRIORITY + "\n";
  }

  private static String table(Cidr subnet) {
    return " table " + number(subnet);
  }

  private static String number(Cidr subnet) {
    return Integer.toUnsignedString(subnet.base());
  }
}
