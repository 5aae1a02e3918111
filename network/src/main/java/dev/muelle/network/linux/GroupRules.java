package dev.muelle.network.linux;

import dev.muelle.network.AddressBlock;
import dev.muelle.network.Cidr;
import dev.muelle.network.Cidr6;
import dev.muelle.network.SecurityGroup;
import dev.muelle.network.SecurityGroup.Peer;
import dev.muelle.network.SecurityGroup.Rule;
import dev.muelle.network.linux.Boxes.Range;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What one security group permits, as nft(8) scripts. The rules of the group are elements of sets
 * (who, and to which service); its chains only look into them. So one rule more is one element
 * more, which the kernel takes without a look at anything else, while a rule in a chain would have
 * it look through all chains of the table for loops, and nft(8) read them.
 *
 * <p>There are sets for what blocks may do, and for what each group may do that a rule refers to;
 * one set for ports, one for ICMP, and one for whole protocols, as far as the group needs them.
 */
final class GroupRules {

  private static final int ANY = -1;
  private static final int ICMP = 1;
  private static final int TCP = 6;
  private static final int UDP = 17;
  private static final int ICMPV6 = 58;
  private static final Range BYTE = new Range(0, 255);
  private static final String ADMITTED = " meta mark set 1 return";

  /** What kind of service a rule speaks of. */
  private enum Kind {
    PORTS("inet_proto . inet_service", "meta l4proto . th dport", ""),
    ICMP_TYPES("icmp_type . icmp_code", "icmp type . icmp code", "meta l4proto icmp "),
    ICMPV6_TYPES("icmpv6_type . icmpv6_code", "icmpv6 type . icmpv6 code", "meta l4proto icmpv6 "),
    PROTOCOLS("inet_proto", "meta l4proto", "");

    private final String type;
    private final String key;
    private final String before;

    Kind(String type, String key, String before) {
      this.type = type;
      this.key = key;
      this.before = before;
    }

    private static Kind of(Rule rule) {
      return switch (rule.protocol()) {
        case TCP, UDP -> PORTS;
        case ICMP -> ICMP_TYPES;
        case ICMPV6 -> ICMPV6_TYPES;
        default -> PROTOCOLS;
      };
    }

    /** Whether packets of a family may be of this kind: each has an ICMP of its own. */
    private boolean in(Family family) {
      return switch (this) {
        case ICMP_TYPES -> family == Family.IPV4;
        case ICMPV6_TYPES -> family == Family.IPV6;
        case PORTS, PROTOCOLS -> true;
      };
    }
  }

  private record SetOf(String type, SortedSet<String> elements) {}

  /**
   * What a group may do that rules name.
   *
   * @param through what is asked first; empty of a group of this VPC
   */
  private record Named(String through, List<List<Range>> services) {
    private Named(String through) {
      this(through, new ArrayList<>());
    }
  }

  private final SecurityGroup group;

  /** Sets by name. */
  private final Map<String, SetOf> sets = new TreeMap<>();

  /** What is in each chain. */
  private final Map<String, List<String>> chains = new LinkedHashMap<>();

  private final Set<String> referred = new TreeSet<>();

  GroupRules(SecurityGroup group) {
    this.group = group;
    direction("in", "saddr", group.ingress());
    direction("out", "daddr", group.egress());
  }

  private void direction(String direction, String side, List<Rule> rules) {
    String chain = Ruleset.chain(direction, group.id());
    List<String> lines = new ArrayList<>();
    chains.put(chain, lines);
    for (Kind kind : Kind.values()) {
      List<Rule> blocks = new ArrayList<>();
      Map<String, Named> peers = new TreeMap<>();
      for (Rule rule : rules) {
        if (Kind.of(rule) == kind) {
          switch (rule.peer()) {
            case Peer.Block ignored -> blocks.add(rule);
            case Peer.Group(String id) ->
                peers.computeIfAbsent(id, absent -> new Named("")).services.add(service(rule));
            case Peer.Guests guests ->
                peers
                    .computeIfAbsent(
                        Ruleset.guests(guests), absent -> new Named(link(direction, guests)))
                    .services
                    .add(service(rule));
          }
        }
      }
      String suffix = "_" + kind.name().toLowerCase(java.util.Locale.ROOT);
      for (Family family : Family.values()) {
        SortedSet<String> elements = kind.in(family) ? elements(family, blocks) : new TreeSet<>();
        if (!elements.isEmpty()) {
          String set = family.set("allow") + "_" + chain + suffix;
          String key = family.field(side) + " . " + kind.key;
          lines.add(kind.before + key + " @" + set + ADMITTED);
          sets.put(set, new SetOf(family.type() + " . " + kind.type, elements));
        }
      }
      peers.forEach((peer, named) -> {
        referred.add(peer);
        List<String> who = new ArrayList<>();
        if (direction.equals("in") && named.through.isEmpty()) {
          // Whom a balancer of this VPC speaks for, under the other's address.
          who.add("ct mark @" + Ruleset.listSet(peer) + " ");
        }
        for (Family family : Family.values()) {
          if (kind.in(family)) {
            who.add(
                named.through + family.field(side) + " @" + Ruleset.memberSet(family, peer) + " ");
          }
        }
        if (kind == Kind.PROTOCOLS) { // of one number only: no set of several, and rare
          for (String protocol : texts(named.services)) {
            who.forEach(one -> lines.add(one + protocols(protocol) + ADMITTED));
          }
        } else {
          String set = "allow_" + chain + "_from_" + Ruleset.identifier(peer) + suffix;
          who.forEach(one -> lines.add(kind.before + one + kind.key + " @" + set + ADMITTED));
          sets.put(set, new SetOf(kind.type, texts(named.services)));
        }
      });
    }
  }

  /** That packets come out of a peering or go into it: two peers may have the same addresses. */
  private static String link(String direction, Peer.Guests guests) {
    return "%s \"%s\" "
        .formatted(
            direction.equals("in") ? "iifname" : "oifname",
            KernelNames.peering(guests.peeringId()));
  }

  private static String protocols(String range) {
    return range.equals("0-255") ? "" : "meta l4proto " + range;
  }

  private static List<Range> service(Rule rule) {
    return switch (Kind.of(rule)) {
      case PORTS ->
          List.of(
              new Range(rule.protocol(), rule.protocol()),
              new Range(rule.fromPort(), rule.toPort()));
      case ICMP_TYPES, ICMPV6_TYPES -> List.of(octet(rule.fromPort()), octet(rule.toPort()));
      case PROTOCOLS -> List.of(octet(rule.protocol()));
    };
  }

  private static Range octet(int number) {
    return number == ANY ? BYTE : new Range(number, number);
  }

  /** What blocks of a family may do, as nft writes it: the block first. */
  private static SortedSet<String> elements(Family family, List<Rule> rules) {
    List<Rule> own =
        rules.stream()
            .filter(rule ->
                rule.peer() instanceof Peer.Block(AddressBlock block) && Family.of(block) == family)
            .toList();
    Places places = new Places(own.stream().map(GroupRules::block).toList());
    List<List<Range>> boxes = new ArrayList<>();
    for (Rule rule : own) {
      List<Range> box = new ArrayList<>(service(rule));
      box.add(places.range(block(rule))); // last: along addresses boxes are joined
      boxes.add(box);
    }
    SortedSet<String> texts = new TreeSet<>();
    for (List<Range> box : Boxes.disjoint(boxes)) {
      texts.add(places.text(box.getLast()) + " . " + text(box.subList(0, box.size() - 1)));
    }
    return texts;
  }

  private static AddressBlock block(Rule rule) {
    return ((Peer.Block) rule.peer()).cidr();
  }

  private static SortedSet<String> texts(List<List<Range>> boxes) {
    SortedSet<String> texts = new TreeSet<>();
    Boxes.disjoint(boxes).forEach(box -> texts.add(text(box)));
    return texts;
  }

  private static String text(List<Range> box) {
    return box.stream()
        .map(range -> joined(String.valueOf(range.first()), String.valueOf(range.last())))
        .collect(Collectors.joining(" . "));
  }

  private static String joined(String first, String last) {
    return first.equals(last) ? first : first + "-" + last;
  }

  /**
   * Addresses of blocks as numbers. Those of IPv6 have no room in one: there the number of an
   * address is its place among those where blocks begin and end.
   */
  private static final class Places {

    private final List<BigInteger> borders;

    private Places(List<AddressBlock> blocks) {
      borders =
          blocks.stream()
              .flatMap(block ->
                  block instanceof Cidr6 wide
                      ? Stream.of(wide.first(), wide.end())
                      : Stream.<BigInteger>empty())
              .sorted()
              .distinct()
              .toList();
    }

    private Range range(AddressBlock block) {
      return switch (block) {
        case Cidr cidr -> {
          long first = Integer.toUnsignedLong(cidr.base());
          yield new Range(first, first + cidr.size() - 1);
        }
        case Cidr6 wide -> new Range(place(wide.first()), place(wide.end()) - 1);
      };
    }

    private long place(BigInteger border) {
      return Collections.binarySearch(borders, border);
    }

    private String text(Range range) {
      return borders.isEmpty()
          ? joined(narrow(range.first()), narrow(range.last()))
          : joined(
              Cidr6.format(borders.get((int) range.first())),
              Cidr6.format(borders.get((int) range.last() + 1).subtract(BigInteger.ONE)));
    }

    private static String narrow(long number) {
      return new Cidr((int) number, 32).at(0);
    }
  }

  /**
   * Makes the group's rules these.
   *
   * @param before what they are in the kernel; null if nobody knows
   */
  String script(@Nullable GroupRules before) {
    StringBuilder script = new StringBuilder();
    if (before != null && before.chains.equals(chains)) {
      sets.forEach((name, set) -> change(script, name, before.sets.get(name), set));
      return script.toString();
    }
    referred.forEach(peer -> script.append(Ruleset.members(peer)));
    script.append(Ruleset.members(group.id()));
    sets.forEach((name, set) -> {
      SetOf present = before == null ? null : before.sets.get(name);
      if (present == null) {
        script.append(
            "add set %s %s { type %s; flags interval; }\nflush set %s %s\n"
                .formatted(Ruleset.TABLE, name, set.type(), Ruleset.TABLE, name));
      }
      change(script, name, present, set);
    });
    chains.forEach((chain, lines) -> {
      script.append(
          "add chain %s %s\nflush chain %s %s\n"
              .formatted(Ruleset.TABLE, chain, Ruleset.TABLE, chain));
      for (String line : lines) {
        script.append("add rule %s %s %s\n".formatted(Ruleset.TABLE, chain, line));
      }
    });
    if (before != null) {
      before.sets.keySet().stream()
          .filter(name -> !sets.containsKey(name))
          .forEach(name -> script.append(deleted(name)));
    }
    return script.toString();
  }

  /** What goes first: a new element may be where an old one was. */
  private static void change(StringBuilder script, String name, @Nullable SetOf from, SetOf to) {
    Set<String> before = from == null ? Set.of() : from.elements();
    before.stream()
        .filter(one -> !to.elements().contains(one))
        .forEach(one -> script.append(Ruleset.element("delete", name, one)));
    to.elements().stream()
        .filter(one -> !before.contains(one))
        .forEach(one -> script.append(Ruleset.element("add", name, one)));
  }

  /** Takes the group away that no interface has any more. */
  String removal() {
    StringBuilder script = new StringBuilder();
    for (String chain : chains.keySet()) {
      script.append("flush chain %s %s\n".formatted(Ruleset.TABLE, chain));
    }
    sets.keySet().forEach(name -> script.append(deleted(name)));
    return script
        .append(Ruleset.members(group.id()))
        .append(flushed(Ruleset.memberSet(Family.IPV4, group.id())))
        .append(flushed(Ruleset.memberSet(Family.IPV6, group.id())))
        .append(flushed(Ruleset.listSet(group.id())))
        .toString();
  }

  private static String flushed(String set) {
    return "flush set %s %s\n".formatted(Ruleset.TABLE, set);
  }

  private static String deleted(String set) {
    return "delete set %s %s\n".formatted(Ruleset.TABLE, set);
  }
}
