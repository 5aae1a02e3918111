package dev.muelle.network.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.linux.Command;
import dev.muelle.linux.NetworkNamespace;
import dev.muelle.network.Cidr;
import dev.muelle.network.Network.Vpc;
import dev.muelle.network.SecurityGroup;
import dev.muelle.network.SecurityGroup.Peer;
import dev.muelle.network.SecurityGroup.Rule;
import dev.muelle.network.linux.Boxes.Range;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Rules as elements of sets: what overlaps, what changes, and what the kernel makes of it. */
class GroupRulesTest {

  private static final Vpc VPC = new Vpc("vpc-1", List.of(Cidr.parse("10.0.0.0/16")));

  private static SecurityGroup group(List<Rule> rules) {
    return new SecurityGroup("sg-1", "vpc-1", rules, rules);
  }

  private static Rule tcp(int from, int to, String cidr) {
    return new Rule(6, from, to, new Peer.Block(Cidr.parse(cidr)));
  }

  private static Rule random(Random random) {
    Peer peer =
        switch (random.nextInt(5)) {
          case 0 -> new Peer.Group("sg-1");
          case 1 -> new Peer.Group("sg-2");
          case 2 -> new Peer.Guests("pcx-1", "sg-2");
          default -> {
            int prefix = random.nextInt(4) * 8 + random.nextInt(2);
            int mask = prefix == 0 ? 0 : -1 << (32 - prefix);
            yield new Peer.Block(new Cidr((10 << 24 | random.nextInt(1 << 20)) & mask, prefix));
          }
        };
    int port = random.nextInt(6) * 10;
    return switch (random.nextInt(5)) {
      case 0 -> new Rule(-1, -1, -1, peer);
      case 1 -> new Rule(1, random.nextInt(3) - 1, -1, peer);
      case 2 -> new Rule(47 + random.nextInt(3), -1, -1, peer);
      default -> new Rule(random.nextBoolean() ? 6 : 17, port, port + random.nextInt(30), peer);
    };
  }

  @Test
  void boxesAreDisjointAndSayTheSame() {
    Random random = new Random(5);
    for (int round = 0; round < 2000; round++) {
      List<List<Range>> boxes = new ArrayList<>();
      for (int i = random.nextInt(6); i >= 0; i--) {
        List<Range> box = new ArrayList<>();
        for (int d = 0; d < 3; d++) {
          int first = random.nextInt(7);
          box.add(new Range(first, first + random.nextInt(4)));
        }
        boxes.add(box);
      }
      List<List<Range>> cut = Boxes.disjoint(boxes);
      for (int point = 0; point < 1000; point++) {
        List<Integer> at = List.of(point % 10, point / 10 % 10, point / 100);
        long wanted = boxes.stream().anyMatch(box -> holds(box, at)) ? 1 : 0;
        assertEquals(wanted, cut.stream().filter(box -> holds(box, at)).count(), boxes + " " + at);
      }
    }
    assertEquals(List.of(), Boxes.disjoint(List.of()));
  }

  private static boolean holds(List<Range> box, List<Integer> at) {
    for (int d = 0; d < at.size(); d++) {
      if (at.get(d) < box.get(d).first() || at.get(d) > box.get(d).last()) {
        return false;
      }
    }
    return true;
  }

  @Test
  void oneRuleMoreIsOneElementMore() {
    List<Rule> rules = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      rules.add(tcp(1000 + i, 1000 + i, "10.0." + i + ".0/24"));
    }
    SecurityGroup before = group(rules.subList(0, 59));
    String script = new GroupRules(group(rules)).script(new GroupRules(before));
    assertEquals(
        """
        add element inet vpc allow_in_sg_1_ports { 10.0.59.0-10.0.59.255 . 6 . 1059 }
        add element inet vpc allow_out_sg_1_ports { 10.0.59.0-10.0.59.255 . 6 . 1059 }
        """,
        script);
    assertTrue(Elements.read(script).isPresent(), "no process is needed for it");
    assertEquals("", new GroupRules(before).script(new GroupRules(before)));
  }

  @Test
  void changesAddUpToWhatIsStatedAnew() throws Exception {
    String name = "mt" + UUID.randomUUID().toString().substring(0, 8);
    Command.run("ip", "netns", "add", name);
    try (NetworkNamespace inside = new NetworkNamespace(name);
        Filters filters = new Filters(inside)) {
      filters.apply(Ruleset.base(VPC, List.of()));
      filters.apply(Ruleset.members("sg-2"));
      Random random = new Random(12);
      SecurityGroup present = group(List.of());
      filters.apply(new GroupRules(present).script(null));
      for (int round = 0; round < 60; round++) {
        List<Rule> rules = new ArrayList<>(present.ingress());
        if (!rules.isEmpty() && random.nextInt(3) == 0) {
          rules.remove(random.nextInt(rules.size()));
        } else {
          rules.add(random(random));
        }
        SecurityGroup next = group(rules);
        filters.apply(new GroupRules(next).script(new GroupRules(present)));
        present = next;
        String grown = listed(name);
        filters.apply(new GroupRules(present).script(null)); // over what is there already
        assertEquals(grown, listed(name), "in round " + round + " " + rules);
      }
      filters.apply(new GroupRules(present).removal());
      assertFalse(listed(name).contains("allow_"), "nothing is left of it");
    } finally {
      Command.run("ip", "netns", "del", name);
    }
  }

  /** Line by line, with each set's elements in order. */
  private static String listed(String name) {
    String elements = "(?s)elements = \\{(.*?)\\}";
    String rules = Command.run("ip", "netns", "exec", name, "nft", "-n", "list", "ruleset");
    return Pattern.compile(elements)
        .matcher(rules)
        .replaceAll(found ->
            Stream.of(found.group(1).split(",", -1))
                .map(String::strip)
                .sorted()
                .collect(Collectors.joining(", ")))
        .lines()
        .sorted()
        .collect(Collectors.joining("\n"));
  }
}
