package dev.muelle.network.linux;

import dev.muelle.linux.FilterSocket.Counted;
import dev.muelle.network.AddressBlock;
import dev.muelle.network.Cidr;
import dev.muelle.network.Cidr6;
import dev.muelle.network.Network.Flow;
import dev.muelle.network.Network.FlowWindow;
import dev.muelle.network.Network.Vpc;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Flows of one VPC, counted in sets that packets fill by themselves: an element is a flow and has a
 * counter. The sets of a while bear its beginning in their names, so that a new server knows what
 * an earlier one began; at its end others take their place in one step, and are read and go.
 *
 * <p>Where nothing is to be counted there is no rule that any packet would meet, but for one jump
 * on the way of those that are dropped.
 */
final class FlowCounters {

  /** So many flows of a kind are known at once; each takes memory only once it is there. */
  static final int MOST = 1 << 16;

  /** Whose flows are counted. */
  private static final String BLOCKS = "flow_blocks";

  private static final List<String> HOOKS = List.of("forward", "input", "output");
  private static final int TCP = 6;
  private static final int NAME = 16; // IFNAMSIZ

  private static final String PORTED = "meta l4proto { tcp, udp }";

  /** What the server does not send under another's address, nor is sent there. */
  private static final String FOR_ITSELF = "ct mark & 0x80000000 == 0 ";

  private static final Pattern WINDOW = Pattern.compile("flows_([0-9]+)_left_ports");

  /** Where a packet is counted, and what has been said of it there. */
  private enum Point {
    LEFT(false, true),
    TURNED_BACK(false, false),
    ENTERED(true, true),
    SHUT_OUT(true, false);

    private final boolean ingress;
    private final boolean accepted;

    Point(boolean ingress, boolean accepted) {
      this.ingress = ingress;
      this.accepted = accepted;
    }

    private String word() {
      return name().toLowerCase(Locale.ROOT);
    }

    private String device() {
      return ingress ? "oifname" : "iifname";
    }

    /**
     * Rules that count what an interface whose flows are wanted sends or is sent.
     *
     * @param first what a packet has to be besides
     */
    private List<String> jumps(String first) {
      List<String> jumps = new ArrayList<>();
      for (Family family : Family.values()) {
        String side = family.field(ingress ? "daddr" : "saddr");
        jumps.add(
            "%s%s @%s jump %s"
                .formatted(first, side, family.set(BLOCKS), count(this, family, false)));
        // What a NAT gateway or an instance forwards bears others' addresses.
        jumps.add(
            "%s%s { \"v*\", \"n*\" } %s != @%s jump %s"
                .formatted(first, device(), side, family.set("inside"), count(this, family, true)));
      }
      return jumps;
    }
  }

  /** What is counted in one set. */
  private enum Kind {
    PORTS("inet_proto . inet_service . inet_service", "meta l4proto . th sport . th dport"),

    /** One flag in each key: nft(8) 1.0.6 cannot list a set in whose keys there are several. */
    FLAGS("inet_service . inet_service . tcp_flag", "th sport . th dport . tcp flags & "),
    OTHERS("inet_proto", "meta l4proto");

    private final String type;
    private final String key;

    Kind(String type, String key) {
      this.type = type;
      this.key = key;
    }

    private String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private final Vpc vpc;
  private final Filters filters;

  /** Which interface a device or an address is, also of those that went a moment ago. */
  private final Map<String, String> owners = new HashMap<>();

  private final Set<AddressBlock> blocks =
      new TreeSet<>(Comparator.comparing(AddressBlock::toString));

  /** The beginning of what is being counted, as it is in names; null if nothing is. */
  private @Nullable Long window;

  /** What was counted in this window before its sets were made anew. */
  private final List<Flow> carried = new ArrayList<>();

  private boolean carriedWhole = true;

  /** What was counted before the blocks changed. */
  private final List<FlowWindow> kept = new ArrayList<>();

  FlowCounters(Vpc vpc, Filters filters) {
    this.vpc = vpc;
    this.filters = filters;
  }

  /** Chains that every packet passes that is dropped on an interface's account. */
  static String refusals() {
    return """
      chain refused_turned_back {
        drop
      }
      chain refused_shut_out {
        drop
      }
    """;
  }

  /** What an older server's table may lack, and rules of this one lead to. */
  static String missing() {
    StringBuilder script = new StringBuilder();
    for (String chain : List.of("refused_turned_back", "refused_shut_out")) {
      script.append(
          "add chain %1$s %2$s\nadd rule %1$s %2$s drop\n".formatted(Ruleset.TABLE, chain));
    }
    return script.toString();
  }

  /**
   * Takes over what an earlier server counts.
   *
   * @param sets that there are
   */
  void adopt(List<String> sets) {
    sets.stream()
        .map(WINDOW::matcher)
        .filter(Matcher::matches)
        .map(found -> Long.valueOf(found.group(1)))
        .max(Comparator.naturalOrder())
        .ifPresent(newest -> {
          window = newest;
          filters.apply(lacking(newest, sets));
        });
  }

  /** What an older server, which counted IPv4 only, did not make for its window. */
  private static String lacking(long window, List<String> sets) {
    StringBuilder script = new StringBuilder();
    for (Place place : Place.all()) {
      if (!sets.contains(place.set(window))) {
        script.append(place.declaration(window));
        String chain = count(place.point(), place.family(), place.via());
        script.append("add chain %s %s\n".formatted(Ruleset.TABLE, chain));
      }
    }
    String blocks = Family.IPV6.set(BLOCKS);
    return sets.contains(blocks)
        ? script.toString()
        : script
            .append(
                "add set %s %s { type ipv6_addr; flags interval; auto-merge; }\n"
                    .formatted(Ruleset.TABLE, blocks))
            .toString();
  }

  /** An interface is here, and its flows may be counted. */
  void know(String interfaceId, List<String> addresses) {
    owners.put(KernelNames.veth(interfaceId), interfaceId);
    owners.put(KernelNames.gateway(interfaceId), interfaceId);
    addresses.forEach(address -> owners.put(address, interfaceId));
  }

  /** Counts what is in these blocks from now on. */
  void count(Set<AddressBlock> wanted, Instant now, Function<String, List<Counted>> read) {
    if (wanted.equals(blocks) && (window != null) == !wanted.isEmpty()) {
      return;
    }
    blocks.clear();
    blocks.addAll(wanted);
    kept.addAll(turn(now, read));
  }

  /** Everything that was counted until now. */
  List<FlowWindow> take(Instant now, Function<String, List<Counted>> read) {
    List<FlowWindow> all = new ArrayList<>(kept);
    all.addAll(turn(now, read));
    kept.clear();
    return all;
  }

  /** Ends one window and begins the next, in one step. */
  private List<FlowWindow> turn(Instant now, Function<String, List<Counted>> read) {
    Long ended = window;
    if (ended == null && blocks.isEmpty()) {
      return List.of();
    }
    long next = Math.max(now.toEpochMilli(), ended == null ? 0 : ended + 1);
    filters.apply(blocks.isEmpty() ? stopped() : counting(next));
    window = blocks.isEmpty() ? null : next;
    if (ended == null) {
      return List.of();
    }
    FlowWindow taken = read(ended, Instant.ofEpochMilli(ended), Instant.ofEpochMilli(next), read);
    StringBuilder script = new StringBuilder();
    Place.all()
        .forEach(place ->
            script.append("delete set %s %s\n".formatted(Ruleset.TABLE, place.set(ended))));
    filters.apply(script.toString());
    return List.of(taken);
  }

  /** What is to stand in a table that is made anew, whose sets go: what they counted is kept. */
  String anew(Function<String, List<Counted>> read) {
    Long ended = window;
    if (ended == null || blocks.isEmpty()) {
      return "";
    }
    FlowWindow left = read(ended, Instant.EPOCH, Instant.EPOCH, read);
    carried.addAll(left.flows());
    carriedWhole &= left.whole();
    window = ended + 1; // the next name; it began when it began
    return counting(window);
  }

  /**
   * A set of a window.
   *
   * @param family whose flows are in it; the kernel says their addresses first
   * @param via whether its keys begin with the device, because the address is none of its own
   */
  private record Place(Point point, Family family, Kind kind, boolean via) {

    private static List<Place> all() {
      List<Place> all = new ArrayList<>();
      for (Point point : Point.values()) {
        for (Family family : Family.values()) {
          for (boolean via : new boolean[] {false, true}) {
            for (Kind kind : Kind.values()) {
              all.add(new Place(point, family, kind, via));
            }
          }
        }
      }
      return all;
    }

    private String set(long window) {
      return "flows_%d_%s_%s%s"
          .formatted(window, point.word(), family.set(kind.word()), via ? "_via" : "");
    }

    private String declaration(long window) {
      return "add set %s %s { type %s%s . %s . %s; size %d; flags dynamic;%s }\n"
          .formatted(
              Ruleset.TABLE,
              set(window),
              via ? "ifname . " : "",
              family.type(),
              family.type(),
              kind.type,
              MOST,
              kind == Kind.FLAGS ? "" : " counter;");
    }

    /** What is done to count a packet here. */
    private String update(long window) {
      return "update @%s { %s%s . %s . %s"
          .formatted(
              set(window),
              via ? point.device() + " . " : "",
              family.field("saddr"),
              family.field("daddr"),
              kind.key);
    }
  }

  private String counting(long next) {
    StringBuilder script = new StringBuilder();
    Place.all().forEach(place -> script.append(place.declaration(next)));
    for (Family family : Family.values()) {
      String set = family.set(BLOCKS);
      script.append(
          "add set %s %s { type %s; flags interval; auto-merge; }\n"
              .formatted(Ruleset.TABLE, set, family.type()));
      script.append("flush set %s %s\n".formatted(Ruleset.TABLE, set));
      String own =
          blocks.stream()
              .filter(block -> Family.of(block) == family)
              .map(AddressBlock::toString)
              .collect(Collectors.joining(", "));
      script.append(own.isEmpty() ? "" : Ruleset.element("add", set, own));
      for (Point point : Point.values()) {
        for (boolean via : new boolean[] {false, true}) {
          script.append(chain(count(point, family, via), "", counts(point, family, via, next)));
        }
      }
    }
    for (String hook : HOOKS) {
      List<String> rules = new ArrayList<>(own("return"));
      rules.addAll(Point.LEFT.jumps(hook.equals("output") ? FOR_ITSELF : ""));
      rules.addAll(Point.ENTERED.jumps(hook.equals("input") ? FOR_ITSELF : ""));
      script.append(
          chain(
              "flows_" + hook,
              "{ type filter hook %s priority 10; policy accept; }".formatted(hook),
              rules));
    }
    List<String> back = new ArrayList<>(own("drop"));
    back.addAll(Point.TURNED_BACK.jumps(""));
    back.add("drop");
    script.append(chain("refused_turned_back", "", back));
    List<String> out = new ArrayList<>(own("drop"));
    out.addAll(Point.LEFT.jumps(FOR_ITSELF)); // its sender was let, as far as anybody asked
    out.addAll(Point.SHUT_OUT.jumps(""));
    out.add("drop");
    script.append(chain("refused_shut_out", "", out));
    return script.toString();
  }

  /** What most packets are, those in the midst of a connection, is done with first. */
  private static List<String> counts(Point point, Family family, boolean via, long window) {
    String flag = new Place(point, family, Kind.FLAGS, via).update(window);
    return List.of(
        PORTED + " " + new Place(point, family, Kind.PORTS, via).update(window) + " }",
        "tcp flags & (fin | syn | rst) == 0 return",
        "tcp flags & fin != 0 " + flag + "fin }",
        "tcp flags & syn != 0 " + flag + "syn }",
        "tcp flags & rst != 0 " + flag + "rst }",
        "tcp flags & (syn | ack) == (syn | ack) " + flag + "ack }",
        PORTED + " return",
        new Place(point, family, Kind.OTHERS, via).update(window) + " }");
  }

  private static String count(Point point, Family family, boolean via) {
    return family.set("count") + "_" + point.word() + (via ? "_via" : "");
  }

  /** What is said to the VPC's own services and by them is nobody's flow. */
  private List<String> own(String verdict) {
    String services = "{ 169.254.0.0/16, " + vpc.cidrs().getFirst().at(2) + " } ";
    String neighbours = "{ fe80::/10, ff00::/8 } ";
    return List.of(
        "ip saddr " + services + verdict,
        "ip daddr " + services + verdict,
        "ip6 saddr " + neighbours + verdict,
        "ip6 daddr " + neighbours + verdict);
  }

  private static String chain(String name, String hook, List<String> rules) {
    StringBuilder script = new StringBuilder();
    script.append("add chain %1$s %2$s %3$s\n".formatted(Ruleset.TABLE, name, hook));
    script.append("flush chain %1$s %2$s\n".formatted(Ruleset.TABLE, name));
    rules.forEach(
        rule -> script.append("add rule %s %s %s\n".formatted(Ruleset.TABLE, name, rule)));
    return script.toString();
  }

  private static String stopped() {
    StringBuilder script = new StringBuilder();
    for (String refusal : List.of("refused_turned_back", "refused_shut_out")) {
      script.append(chain(refusal, "", List.of("drop")));
    }
    List<String> chains = new ArrayList<>();
    HOOKS.forEach(hook -> chains.add("flows_" + hook));
    for (Point point : Point.values()) {
      for (Family family : Family.values()) {
        chains.add(count(point, family, false));
        chains.add(count(point, family, true));
      }
    }
    chains.forEach(chain -> script.append("flush chain %s %s\n".formatted(Ruleset.TABLE, chain)));
    chains.forEach(chain -> script.append("delete chain %s %s\n".formatted(Ruleset.TABLE, chain)));
    for (Family family : Family.values()) {
      script.append("delete set %s %s\n".formatted(Ruleset.TABLE, family.set(BLOCKS)));
    }
    return script.toString();
  }

  /** A flow as the kernel knows it. */
  private record Key(
      Point point, String device, String source, String destination, int protocol, int ports) {

    /** Each part of what the kernel says has four bytes or a multiple of them. */
    private static Key of(Place place, byte[] bytes) {
      ByteBuffer in = ByteBuffer.wrap(bytes);
      byte[] device = new byte[place.via() ? NAME : 0];
      in.get(device);
      String source = address(place.family(), in);
      String destination = address(place.family(), in);
      int protocol = place.kind() == Kind.FLAGS ? TCP : in.getInt() >>> 24;
      int ports = place.kind() == Kind.OTHERS ? 0 : in.getInt() & 0xffff0000 | in.getInt() >>> 16;
      return new Key(
          place.point(),
          new String(device, StandardCharsets.US_ASCII).trim(),
          source,
          destination,
          protocol,
          ports);
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
  }

  private FlowWindow read(
      long ended, Instant start, Instant end, Function<String, List<Counted>> read) {
    boolean whole = true;
    Map<Key, Integer> flags = new HashMap<>();
    List<Map.Entry<Key, Counted>> counted = new ArrayList<>();
    List<Flow> flows = new ArrayList<>();
    for (Place place : Place.all()) {
      List<Counted> all = read.apply(place.set(ended));
      whole &= all.size() < MOST;
      all.forEach(one -> {
        Key key = Key.of(place, one.key());
        if (place.kind() == Kind.FLAGS) {
          flags.merge(key, (int) one.key()[one.key().length - 4], (a, b) -> a | b);
        } else {
          counted.add(Map.entry(key, one));
        }
      });
    }
    for (Map.Entry<Key, Counted> one : counted) {
      flow(one.getKey(), flags.getOrDefault(one.getKey(), 0), one.getValue()).ifPresent(flows::add);
    }
    flows.addAll(carried);
    whole &= carriedWhole;
    carried.clear();
    carriedWhole = true;
    return new FlowWindow(start, end, whole, together(flows));
  }

  /** Each flow once. */
  private static List<Flow> together(List<Flow> flows) {
    Map<Flow, Flow> sums = new LinkedHashMap<>();
    for (Flow flow : flows) {
      sums.merge(
          with(flow, 0, 0, 0),
          flow,
          (a, b) ->
              with(
                  a,
                  a.tcpFlags() | b.tcpFlags(),
                  a.packets() + b.packets(),
                  a.bytes() + b.bytes()));
    }
    return List.copyOf(sums.values());
  }

  private static Flow with(Flow flow, int flags, long packets, long bytes) {
    return new Flow(
        flow.interfaceId(),
        flow.ingress(),
        flow.accepted(),
        flow.source(),
        flow.destination(),
        flow.protocol(),
        flow.sourcePort(),
        flow.destinationPort(),
        flags,
        packets,
        bytes);
  }

  /** Nothing for an address in the VPC that nobody has. */
  private Optional<Flow> flow(Key key, int flags, Counted counted) {
    String own = key.point().ingress ? key.destination() : key.source();
    String known = key.device().isEmpty() ? own : key.device();
    return Optional.ofNullable(owners.get(known))
        .map(owner ->
            new Flow(
                owner,
                key.point().ingress,
                key.point().accepted,
                key.source(),
                key.destination(),
                key.protocol(),
                key.ports() >>> 16,
                key.ports() & 0xffff,
                flags,
                counted.packets(),
                counted.bytes()));
  }

  /** Forgets who is gone. */
  void forget(Set<String> interfaceIds) {
    owners.values().retainAll(interfaceIds);
  }
}
