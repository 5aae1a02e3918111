package dev.muelle.network.linux;

import dev.muelle.linux.FilterSocket.Counted;
import dev.muelle.network.Cidr;
import dev.muelle.network.Cidr6;
import dev.muelle.network.Network.NetworkInterface;
import dev.muelle.network.Network.Packets;
import dev.muelle.network.Network.Refusal;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What interfaces are sent and send at which the server itself answers: they have no device that
 * would count. An element of a set is an address and has a counter, which the look-up moves;
 * another one is the mark of what is sent under others' addresses. What groups refuse is counted
 * where it is dropped, each flow once, however often its first packet comes again.
 *
 * <p>A VPC in which nothing is counted has no rule for this that a packet would meet, but for a
 * jump on the way of those that are dropped. A new server begins at 0.
 */
final class PacketCounters {

  /** So many refused flows are known again; beyond that each of their packets is one. */
  private static final int MOST = 1 << 14;

  /** A connection is tried for two minutes, the last time a minute after the one before. */
  private static final String REMEMBERED = "3m";

  private static final String PASSED = "passed";
  private static final String PASSED_FOR = "passed_for";
  private static final String NODES = "nodes";
  private static final String REFUSED_FLOWS = "refused_flows";
  private static final String REFUSED_FOR = "refused_for";
  private static final List<String> HOOKS = List.of("passed_input", "passed_output");
  private static final String MARKED = "0x"; // as no address begins
  private static final int ICMP = 1;
  private static final int ICMPV6 = 58;

  /** Whose rules refuse a packet, and where it goes then. */
  private enum Side {
    SENDER("groups_turned_back", Ruleset.TURNED_BACK, "refused_out", "saddr", false),
    RECEIVER("groups_shut_out", Ruleset.SHUT_OUT, "refused_in", "daddr", true);

    private final String chain;
    private final String then;
    private final String counts;
    private final String own;
    private final boolean ingress;

    Side(String chain, String then, String counts, String own, boolean ingress) {
      this.chain = chain;
      this.then = then;
      this.counts = counts;
      this.own = own;
      this.ingress = ingress;
    }
  }

  /** Where packets are dropped that the server sent under another's address. */
  private static final String BEHALF = "behalf_turned_back";

  /** What is counted of whom; the direction and the protocol only of what is refused. */
  private record What(String interfaceId, boolean passed, boolean ingress, int protocol) {}

  /** An element: its set, whose address or mark it is, and the protocol; 0 where it says none. */
  private record Place(String set, String whose, int protocol) {}

  /** How far an element's counter is. */
  private record Count(Place place, boolean ingress, long packets) {}

  private final Filters filters;
  private final Map<String, NetworkInterface> counted = new HashMap<>();

  /** How far the kernel's counters were when they were looked at last. */
  private final Map<Place, Long> before = new HashMap<>();

  private final Map<What, Long> sums = new HashMap<>();

  PacketCounters(Filters filters) {
    this.filters = filters;
  }

  /** Chains that every packet passes that a group's rules refuse. */
  static String refusals() {
    StringBuilder script = new StringBuilder();
    for (Side side : Side.values()) {
      script.append("  chain %s {\n    %s\n  }\n".formatted(side.chain, side.then));
    }
    return script.append("  chain %s {\n    drop\n  }\n".formatted(BEHALF)).toString();
  }

  /** What an older server's table may lack, and rules of this one lead to. */
  static String missing() {
    StringBuilder script = new StringBuilder();
    for (Side side : Side.values()) {
      script.append(chain(side.chain, "", List.of(side.then)));
    }
    return script.append(chain(BEHALF, "", List.of("drop"))).toString();
  }

  /** Counts an interface's packets from now on, or as it is from now on. */
  void count(NetworkInterface eni) {
    NetworkInterface known = counted.get(eni.id());
    if (known != null && known.all().equals(eni.all())) {
      return;
    }
    Set<String> had = known == null ? Set.of() : places(known);
    Set<String> gone = without(had, places(eni));
    if (!gone.isEmpty()) {
      look(filters::elements); // what was counted there
    }
    filters.apply(
        (counted.isEmpty() ? counting() : "")
            + elements("delete", gone)
            + elements("add", without(places(eni), had)));
    forget(gone);
    counted.put(eni.id(), eni);
  }

  /** The same of one that is counted already; nothing happens to others. */
  void change(NetworkInterface eni) {
    if (counted.containsKey(eni.id())) {
      count(eni);
    }
  }

  /** Counts an interface's packets no longer, and forgets what there was. */
  void stop(String interfaceId) {
    NetworkInterface gone = counted.remove(interfaceId);
    if (gone != null) {
      sums.keySet().removeIf(what -> what.interfaceId().equals(interfaceId));
      if (counted.isEmpty()) {
        before.clear();
        filters.apply(stopped());
      } else {
        filters.apply(elements("delete", places(gone)));
        forget(places(gone));
      }
    }
  }

  /** Under what an interface's packets are counted: its addresses, and its mark. */
  private static Set<String> places(NetworkInterface eni) {
    return Stream.concat(eni.all().stream(), Stream.of(Ruleset.mark(Ruleset.onBehalf(eni))))
        .collect(Collectors.toSet());
  }

  private static Set<String> without(Set<String> all, Set<String> some) {
    return all.stream().filter(one -> !some.contains(one)).collect(Collectors.toSet());
  }

  /**
   * Forgets what was counted at places at which nothing is any more. Those that are refused there
   * fill their sets by themselves; who has the address next begins at 0.
   */
  private void forget(Set<String> places) {
    if (places.isEmpty()) {
      return;
    }
    filters.apply(
        counts(filters::elements).stream()
            .map(Count::place)
            .filter(place -> !passes(place.set()) && places.contains(place.whose()))
            .map(PacketCounters::removal)
            .collect(Collectors.joining()));
    before.keySet().removeIf(place -> places.contains(place.whose()));
  }

  private static String removal(Place place) {
    return Ruleset.element("delete", place.set(), place.whose() + " . " + place.protocol());
  }

  /** What is to stand in a table that is made anew: what was counted until now is kept. */
  String anew(Function<String, List<Counted>> read) {
    if (counted.isEmpty()) {
      return "";
    }
    look(read);
    before.clear();
    return counting()
        + counted.values().stream()
            .map(eni -> elements("add", places(eni)))
            .collect(Collectors.joining());
  }

  /** What was counted of each interface. */
  Map<String, Packets> packets() {
    look(filters::elements);
    Map<String, Packets> all = new HashMap<>();
    counted.keySet().forEach(id -> all.put(id, packets(id)));
    return all;
  }

  private Packets packets(String interfaceId) {
    long passed = 0;
    Map<Refusal, Long> refused = new HashMap<>();
    for (Map.Entry<What, Long> one : sums.entrySet()) {
      What what = one.getKey();
      if (what.interfaceId().equals(interfaceId) && what.passed()) {
        passed += one.getValue();
      } else if (what.interfaceId().equals(interfaceId)) {
        refused.merge(new Refusal(what.ingress(), what.protocol()), one.getValue(), Long::sum);
      }
    }
    return new Packets(passed, Map.copyOf(refused));
  }

  private void look(Function<String, List<Counted>> read) {
    if (counted.isEmpty()) {
      return;
    }
    Map<String, String> owners = new HashMap<>();
    counted.values().forEach(eni -> places(eni).forEach(place -> owners.put(place, eni.id())));
    for (Count now : counts(read)) {
      Place place = now.place();
      String owner = owners.get(place.whose());
      if (owner != null) {
        Long had = before.put(place, now.packets());
        long more = had == null || now.packets() < had ? now.packets() : now.packets() - had;
        int protocol = place.protocol() == ICMPV6 ? ICMP : place.protocol();
        sums.merge(new What(owner, passes(place.set()), now.ingress(), protocol), more, Long::sum);
      }
    }
  }

  private static List<Count> counts(Function<String, List<Counted>> read) {
    List<Count> all = new ArrayList<>();
    for (Family family : Family.values()) {
      Function<ByteBuffer, String> whose = in -> address(family, in);
      all.addAll(counts(read, family.set(PASSED), whose, false));
      for (Side side : Side.values()) {
        all.addAll(counts(read, family.set(side.counts), whose, side.ingress));
      }
    }
    all.addAll(counts(read, PASSED_FOR, PacketCounters::mark, false));
    all.addAll(counts(read, REFUSED_FOR, PacketCounters::mark, false));
    return all;
  }

  private static List<Count> counts(
      Function<String, List<Counted>> read,
      String set,
      Function<ByteBuffer, String> whose,
      boolean ingress) {
    List<Count> all = new ArrayList<>();
    for (Counted one : read.apply(set)) {
      ByteBuffer key = ByteBuffer.wrap(one.key());
      String who = whose.apply(key);
      int protocol = passes(set) ? 0 : key.get() & 0xff;
      all.add(new Count(new Place(set, who, protocol), ingress, one.packets()));
    }
    return all;
  }

  private static boolean passes(String set) {
    return set.startsWith(PASSED);
  }

  private static String address(Family family, ByteBuffer in) {
    return switch (family) {
      case IPV4 -> Cidr.format(in.getInt());
      case IPV6 -> {
        byte[] address = new byte[Cidr6.BYTES];
        in.get(address);
        yield Cidr6.format(address);
      }
    };
  }

  private static String mark(ByteBuffer in) {
    int mark = in.order(ByteOrder.nativeOrder()).getInt(); // as the packet bears it
    return Ruleset.mark(mark);
  }

  private static String elements(String verb, Set<String> places) {
    StringBuilder script = new StringBuilder();
    for (String place : places) {
      if (place.startsWith(MARKED)) {
        script.append(Ruleset.element(verb, PASSED_FOR, place));
      } else {
        Family family = Family.of(place);
        script.append(Ruleset.element(verb, family.set(PASSED), place));
        script.append(Ruleset.element(verb, family.set(NODES), place));
      }
    }
    return script.toString();
  }

  /** The sets, empty, and who fills them. */
  private static String counting() {
    StringBuilder script = new StringBuilder();
    List<String> sets = new ArrayList<>();
    for (Family family : Family.values()) {
      String type = family.type();
      sets.add(set(family.set(PASSED), type, " counter;"));
      sets.add(set(family.set(NODES), type, ""));
      for (Side side : Side.values()) {
        sets.add(
            set(
                family.set(side.counts),
                type + " . inet_proto",
                " size 4096; flags dynamic; counter;"));
      }
      sets.add(
          set(
              family.set(REFUSED_FLOWS),
              type + " . " + type + " . inet_proto . inet_service . inet_service",
              " size %d; flags dynamic,timeout; timeout %s;".formatted(MOST, REMEMBERED)));
    }
    sets.add(set(PASSED_FOR, "mark", " counter;"));
    sets.add(set(REFUSED_FOR, "mark . inet_proto", " size 4096; flags dynamic; counter;"));
    sets.forEach(script::append);
    List<String> in = new ArrayList<>();
    List<String> out = new ArrayList<>();
    for (Family family : Family.values()) {
      in.add("%s @%s accept".formatted(family.field("daddr"), family.set(PASSED)));
      out.add("%s @%s accept".formatted(family.field("saddr"), family.set(PASSED)));
    }
    in.add("ct direction reply ct mark @%s accept".formatted(PASSED_FOR));
    out.add("ct direction original ct mark @%s accept".formatted(PASSED_FOR));
    script.append(hook("input", in)).append(hook("output", out));
    for (Side side : Side.values()) {
      List<String> refused = new ArrayList<>();
      for (Family family : Family.values()) {
        String own = family.field(side.own);
        String counting = family.set(side.counts);
        script.append(chain(counting, "", told(family, own, counting)));
        refused.add("%s @%s jump %s".formatted(own, family.set(NODES), counting));
      }
      refused.add(side.then);
      script.append(chain(side.chain, "", refused));
    }
    List<String> behalf = new ArrayList<>();
    for (Family family : Family.values()) {
      String counting = family.set(REFUSED_FOR);
      script.append(chain(counting, "", told(family, "ct mark", REFUSED_FOR)));
      behalf.add(
          "meta nfproto %s jump %s".formatted(family == Family.IPV4 ? "ipv4" : "ipv6", counting));
    }
    behalf.add("drop");
    return script.append(chain(BEHALF, "", behalf)).toString();
  }

  /** Each message of ICMP, and each flow of the others once. */
  private static List<String> told(Family family, String whose, String set) {
    String icmp = family == Family.IPV4 ? "icmp" : "icmpv6";
    String flow =
        family.field("saddr")
            + " . "
            + family.field("daddr")
            + " . meta l4proto . th sport . th dport";
    String known = family.set(REFUSED_FLOWS);
    String count = "update @%s { %s . meta l4proto }".formatted(set, whose);
    return List.of(
        "meta l4proto %s %s return".formatted(icmp, count),
        "meta l4proto != { tcp, udp } return",
        "tcp flags & (fin | syn | rst | ack) != syn return",
        "%s @%s return".formatted(flow, known),
        "update @%s { %s }".formatted(known, flow),
        count);
  }

  private static String hook(String hook, List<String> rules) {
    return chain(
        "passed_" + hook,
        "{ type filter hook %s priority 10; policy accept; }".formatted(hook),
        rules);
  }

  private static String set(String name, String type, String more) {
    return "add set %1$s %2$s { type %3$s;%4$s }\nflush set %1$s %2$s\n"
        .formatted(Ruleset.TABLE, name, type, more);
  }

  private static String chain(String name, String hook, Collection<String> rules) {
    StringBuilder script = new StringBuilder();
    script.append("add chain %1$s %2$s %3$s\n".formatted(Ruleset.TABLE, name, hook));
    script.append("flush chain %1$s %2$s\n".formatted(Ruleset.TABLE, name));
    rules.forEach(
        rule -> script.append("add rule %s %s %s\n".formatted(Ruleset.TABLE, name, rule)));
    return script.toString();
  }

  private static String stopped() {
    StringBuilder script = new StringBuilder(missing());
    List<String> chains = new ArrayList<>(HOOKS);
    List<String> sets = new ArrayList<>(List.of(PASSED_FOR, REFUSED_FOR));
    for (Family family : Family.values()) {
      chains.add(family.set(REFUSED_FOR));
      sets.addAll(List.of(family.set(PASSED), family.set(NODES), family.set(REFUSED_FLOWS)));
      for (Side side : Side.values()) {
        chains.add(family.set(side.counts));
        sets.add(family.set(side.counts));
      }
    }
    chains.forEach(chain -> script.append("flush chain %s %s\n".formatted(Ruleset.TABLE, chain)));
    chains.forEach(chain -> script.append("delete chain %s %s\n".formatted(Ruleset.TABLE, chain)));
    sets.forEach(set -> script.append("delete set %s %s\n".formatted(Ruleset.TABLE, set)));
    return script.toString();
  }
}
