package dev.muelle.balancer.routing;

import dev.muelle.balancer.LoadBalancer;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Those of a group's targets that requests are shared out among, until something about the group
 * changes: so a request does not look at all of them.
 *
 * @param changes of the group that it knows of
 * @param open whether unhealthy ones are among them, for too few are healthy
 * @param marks what cookies say of each; empty if clients keep no targets
 */
record Pool(
    long changes, List<MemberState> members, Map<ByteBuffer, MemberState> marks, boolean open) {

  /**
   * The healthy ones that a zone's node sends to, or all of those if too few are healthy
   * (fail-open). Avoided ones are among them only if there are not enough others.
   *
   * @param zone null for every node
   */
  static Pool of(
      long changes,
      Collection<MemberState> all,
      LoadBalancer.Choice choice,
      @Nullable String zone) {
    List<MemberState> registered =
        all.stream().filter(member -> !member.draining() && member.serves(zone)).toList();
    List<MemberState> wanted = registered.stream().filter(member -> !member.avoided).toList();
    List<MemberState> healthy = healthy(wanted);
    boolean enough = choice.healthy().reached(healthy.size(), wanted.size());
    if (!enough && wanted.size() < registered.size()) {
      healthy = healthy(registered);
      enough = choice.healthy().reached(healthy.size(), registered.size());
    }
    List<MemberState> members = enough ? healthy : registered;
    Map<ByteBuffer, MemberState> marks = new HashMap<>();
    if (choice.sticky() != null) {
      members.forEach(member -> marks.put(Sticky.mark(GroupState.mark(member)), member));
    }
    return new Pool(changes, members, marks, !enough);
  }

  private static List<MemberState> healthy(List<MemberState> members) {
    return members.stream().filter(MemberState::healthy).toList();
  }

  int size() {
    return members.size();
  }

  /** The members in turn, beginning with one of them. */
  MemberState after(int first, int steps) {
    return members.get((first + steps) % members.size());
  }
}
