package dev.muelle.network.linux;

import dev.muelle.network.Network.NetworkInterface;
import dev.muelle.network.SecurityGroup;
import dev.muelle.network.SecurityGroup.Peer;
import dev.muelle.network.SecurityGroup.Rule;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The members of peers' groups that rules of one VPC name: for each such group its filters have a
 * set of their addresses, which follows what is known in the other VPC. Each method looks there
 * anew, so it does not matter in which order two changes are told. One caller at a time.
 */
final class Guests {

  private final Filters filters;

  /** The interfaces at the other ends of peerings, by the peerings' ids. */
  private final Map<String, Map<String, NetworkInterface>> peers = new HashMap<>();

  /** Which addresses are in the sets, by interface. */
  private final Map<Peer.Guests, Map<String, List<String>>> sets = new HashMap<>();

  Guests(Filters filters) {
    this.filters = filters;
  }

  /** The groups of peers that a group's rules name. */
  static Set<Peer.Guests> named(SecurityGroup group) {
    return Stream.concat(group.ingress().stream(), group.egress().stream())
        .map(Rule::peer)
        .filter(Peer.Guests.class::isInstance)
        .map(Peer.Guests.class::cast)
        .collect(Collectors.toSet());
  }

  /** These are the groups that rules name from now on; their sets are there. */
  void name(Set<Peer.Guests> named) {
    for (Peer.Guests gone : Set.copyOf(sets.keySet())) {
      if (!named.contains(gone)) {
        filters.apply(
            "flush set %1$s %2$s\nflush set %1$s %3$s\n"
                .formatted(Ruleset.TABLE, set(Family.IPV4, gone), set(Family.IPV6, gone)));
        sets.remove(gone);
      }
    }
    named.forEach(one -> sets.putIfAbsent(one, new HashMap<>()));
    follow();
  }

  /**
   * A peering is there.
   *
   * @param interfaces those at its other end, as they are at any time
   */
  void peer(String peeringId, Map<String, NetworkInterface> interfaces) {
    peers.put(peeringId, interfaces);
    follow();
  }

  void unpeer(String peeringId) {
    peers.remove(peeringId);
    follow();
  }

  /** Brings all sets to what is so now. */
  void follow() {
    sets.forEach((group, known) -> {
      Set<String> ids = new HashSet<>(known.keySet());
      ids.addAll(peers.getOrDefault(group.peeringId(), Map.of()).keySet());
      follow(group, ids);
    });
  }

  /** An interface at a peering's other end has changed, come or gone. */
  void follow(String peeringId, String interfaceId) {
    sets.keySet().stream()
        .filter(group -> group.peeringId().equals(peeringId))
        .forEach(group -> follow(group, Set.of(interfaceId)));
  }

  private void follow(Peer.Guests group, Set<String> interfaceIds) {
    Map<String, List<String>> known = Objects.requireNonNull(sets.get(group));
    Map<String, List<String>> now = new HashMap<>();
    Set<String> gone = new HashSet<>();
    Set<String> come = new HashSet<>();
    for (String id : interfaceIds) {
      now.put(id, addresses(group, id));
      come.addAll(now.getOrDefault(id, List.of()));
      gone.addAll(known.getOrDefault(id, List.of()));
    }
    Set<String> before = Set.copyOf(gone);
    gone.removeAll(come);
    come.removeAll(before);
    if (!gone.isEmpty()) { // but not what is another's by now
      known.forEach((id, addresses) -> {
        if (!now.containsKey(id)) {
          addresses.forEach(gone::remove);
        }
      });
    }
    filters.apply(elements("delete", group, gone) + elements("add", group, come));
    now.forEach((id, addresses) -> {
      if (addresses.isEmpty()) {
        known.remove(id);
      } else {
        known.put(id, addresses);
      }
    });
  }

  private List<String> addresses(Peer.Guests group, String interfaceId) {
    NetworkInterface eni = peers.getOrDefault(group.peeringId(), Map.of()).get(interfaceId);
    return eni != null && eni.securityGroups().contains(group.groupId()) ? eni.all() : List.of();
  }

  /** What is in the sets, for new ones in their place. */
  String anew() {
    return sets.entrySet().stream()
        .map(one ->
            elements(
                "add",
                one.getKey(),
                one.getValue().values().stream().flatMap(List::stream).collect(Collectors.toSet())))
        .collect(Collectors.joining());
  }

  private static String elements(String verb, Peer.Guests group, Set<String> addresses) {
    return addresses.stream()
        .map(address -> Ruleset.element(verb, set(Family.of(address), group), address))
        .collect(Collectors.joining());
  }

  private static String set(Family family, Peer.Guests group) {
    return Ruleset.memberSet(family, Ruleset.guests(group));
  }
}
