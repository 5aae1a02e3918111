package dev.muelle.network.linux;

import dev.muelle.linux.Command;
import dev.muelle.network.AddressBlock;
import dev.muelle.network.Cidr;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The kernel's route tables of one VPC and one family: one for each subnet, found by the sender's
 * address and numbered by the subnet's IPv4 block. What goes to the VPC itself is thrown back to
 * the main table, which knows every interface; what no table knows is dropped there.
 *
 * @see <a href="https://man7.org/linux/man-pages/man8/ip-rule.8.html">ip-rule(8)</a>
 */
final class RouteTables {

  private static final int PRIORITY = 1000;
  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final String NOWHERE = "blackhole";

  /** In what ip prints of rules: {@code 1000: from 10.0.0.0/24 lookup 167772160}. */
  private static final Pattern RULE =
      Pattern.compile(PRIORITY + ":\\s+from ([0-9a-f.:/]+) lookup ([0-9]+)");

  private final String namespace;
  private final Family family;

  /** Whether there may be tables that this process did not set. */
  private final boolean adopted;

  /** What the tables say, as far as this process has set it. */
  private final Map<Cidr, Table> set = new HashMap<>();

  /**
   * A subnet's.
   *
   * @param from whose packets obey it
   * @param routes by destination
   */
  private record Table(String from, Map<String, String> routes) {}

  RouteTables(String namespace, Family family, boolean adopted) {
    this.namespace = namespace;
    this.family = family;
    this.adopted = adopted;
  }

  /**
   * Makes a subnet's routes these. Each is replaced at once, and only then the others go.
   *
   * @param from the subnet's block of this family
   * @param own the VPC's blocks
   * @param ways by destination, the rest of a route in the words of ip-route(8); empty for one that
   *     leads nowhere
   */
  void put(
      Cidr subnet,
      AddressBlock from,
      List<? extends AddressBlock> own,
      Map<AddressBlock, String> ways) {
    Map<String, String> wanted = new LinkedHashMap<>();
    own.forEach(block -> wanted.put(block.toString(), "throw " + block));
    ways.forEach((to, way) ->
        wanted.put(to.toString(), way.isEmpty() ? NOWHERE + " " + to : to + " " + way));
    Table table = new Table(from.toString(), wanted);
    boolean none = !adopted && !set.containsKey(subnet);
    if (table.equals(set.get(subnet))
        || (none && ways.values().stream().allMatch(String::isEmpty))) {
      return; // without a table nothing leads anywhere either
    }
    StringBuilder batch = new StringBuilder();
    wanted.values().forEach(route -> batch.append("route replace " + route + table(subnet) + "\n"));
    for (String line : none ? List.<String>of() : lines("route", "show", "table", number(subnet))) {
      String to = destination(line);
      if (!wanted.containsKey(to)) {
        String type =
            line.startsWith(NOWHERE) || line.startsWith("throw") ? line.split(" ", -1)[0] : "";
        batch.append("route del " + type + " " + to + table(subnet) + "\n");
      }
    }
    Set<String> senders = none ? Set.of() : senders(subnet);
    if (!senders.contains(table.from())) {
      batch.append(rule("add", table.from(), subnet));
    }
    senders.stream()
        .filter(sender -> !sender.equals(table.from()))
        .forEach(sender -> batch.append(rule("del", sender, subnet)));
    run(batch);
    set.put(subnet, table);
  }

  void remove(Cidr subnet) {
    if (set.remove(subnet) == null && !adopted) {
      return;
    }
    StringBuilder batch = new StringBuilder();
    senders(subnet).forEach(sender -> batch.append(rule("del", sender, subnet)));
    if (!lines("route", "show", "table", number(subnet)).isEmpty()) {
      batch.append("route flush" + table(subnet) + "\n");
    }
    run(batch);
  }

  /** Removes what an earlier server left of other subnets. */
  void retain(Collection<Cidr> subnets) {
    Set<String> wanted = subnets.stream().map(RouteTables::number).collect(Collectors.toSet());
    for (Map.Entry<String, String> rule : rules().entrySet()) {
      if (!wanted.contains(rule.getValue())) {
        remove(new Cidr(Integer.parseUnsignedInt(rule.getValue()), 32));
      }
    }
  }

  private Set<String> senders(Cidr subnet) {
    return rules().entrySet().stream()
        .filter(rule -> rule.getValue().equals(number(subnet)))
        .map(Map.Entry::getKey)
        .collect(Collectors.toSet());
  }

  /** By sender, the number of the table. */
  private Map<String, String> rules() {
    Map<String, String> rules = new HashMap<>();
    for (String line : lines("rule", "show")) {
      Matcher rule = RULE.matcher(line);
      if (rule.find()) {
        rules.put(rule.group(1), rule.group(2));
      }
    }
    return rules;
  }

  private static String rule(String verb, String from, Cidr subnet) {
    return "rule %s from %s lookup %s pref %d\n".formatted(verb, from, number(subnet), PRIORITY);
  }

  private void run(StringBuilder batch) {
    if (!batch.isEmpty()) {
      Command.runWith(batch.toString(), "ip", family.option(), "-n", namespace, "-batch", "-");
    }
  }

  /** Where a line that ip prints of a route leads to, in the form of a block. */
  private String destination(String line) {
    String[] words = line.trim().split("\\s+", -1);
    String to = words[words[0].matches("[a-z]+") && !words[0].equals("default") ? 1 : 0];
    return to.equals("default") ? family.all() : to.contains("/") ? to : family.whole(to);
  }

  /** What ip prints; nothing of a table that does not exist. */
  private List<String> lines(String... command) {
    List<String> whole = new ArrayList<>(List.of("ip", family.option(), "-n", namespace));
    whole.addAll(List.of(command));
    return Command.attempt(whole, Map.of(), "", PATIENCE).output().lines().toList();
  }

  private static String table(Cidr subnet) {
    return " table " + number(subnet);
  }

  private static String number(Cidr subnet) {
    return Integer.toUnsignedString(subnet.base());
  }
}
