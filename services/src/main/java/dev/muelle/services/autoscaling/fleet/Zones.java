package dev.muelle.services.autoscaling.fleet;

import dev.muelle.services.autoscaling.state.Member;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;

/**
 * How a group's instances are spread over its zones.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-availability-zone-balanced.html">Availability
 *     Zone distribution</a>
 */
final class Zones {

  private Zones() {}

  /** How many instances are there, or on their way there. */
  private static long in(List<Member> members, Predicate<Member> where) {
    return members.stream()
        .filter(m -> m.inService() || m.coming() || (m.pooled() && !m.going()))
        .filter(where)
        .count();
  }

  /**
   * Where to launch next: in the zone with the fewest instances, and there in the subnet with the
   * fewest.
   *
   * @param failed subnets in which launching failed of late; they are avoided as long as there are
   *     others
   */
  static Optional<Place> next(List<Place> places, List<Member> members, List<String> failed) {
    Set<String> bad = new HashSet<>(failed);
    List<Place> good = places.stream().filter(place -> !bad.contains(place.subnet())).toList();
    return (good.isEmpty() ? places : good)
        .stream()
            .min(
                Comparator.<Place>comparingLong(
                        place -> in(members, m -> m.zone().equals(place.zone())))
                    .thenComparingLong(place -> in(members, m -> m.subnet().equals(place.subnet())))
                    .thenComparing(Place::zone)
                    .thenComparing(Place::subnet));
  }

  /** Which of some there are in the warm pool evens the zones out best; the oldest of these. */
  static Member best(List<Member> warm, List<Member> members) {
    return Collections.min(
        warm,
        Comparator.<Member>comparingLong(one -> in(members, m -> m.zone().equals(one.zone())))
            .thenComparing(Member::since)
            .thenComparing(Member::token));
  }

  /**
   * Where one is to be launched so that another can go: if a zone has two more than another, or
   * some are where the group is no more; empty if they are even.
   */
  static Optional<Place> uneven(List<Place> places, List<Member> members) {
    Optional<Place> least = next(places, members, List.of());
    if (least.isEmpty()) {
      return Optional.empty();
    }
    long fewest = in(members, m -> m.zone().equals(least.get().zone()));
    Set<String> zones = new HashSet<>();
    places.forEach(place -> zones.add(place.zone()));
    return fullest(places, members, m -> m.inService() && !m.isProtected())
        .filter(
            zone -> !zones.contains(zone) || in(members, m -> m.zone().equals(zone)) >= fewest + 2)
        .flatMap(zone -> least);
  }

  /**
   * The zone that one is to be taken from: one where the group is no more, else that with the most
   * instances.
   *
   * @param may whether an instance may be taken at all
   */
  static Optional<String> fullest(List<Place> places, List<Member> members, Predicate<Member> may) {
    Set<String> enabled = new HashSet<>();
    places.forEach(place -> enabled.add(place.zone()));
    Set<String> zones = new TreeSet<>();
    members.stream().filter(may).forEach(member -> zones.add(member.zone()));
    return zones.stream()
        .min(
            Comparator.<String, Boolean>comparing(enabled::contains)
                .thenComparing(
                    zone -> in(members, m -> m.zone().equals(zone)), Comparator.reverseOrder())
                .thenComparing(Comparator.naturalOrder()));
  }
}
