package dev.muelle.balancer.routing;

import dev.muelle.balancer.LoadBalancer.Action.Forward;
import dev.muelle.balancer.LoadBalancer.Share;
import java.time.Instant;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** Which of the target groups of a forward action a request or a flow goes to. */
public final class Shares {

  private Shares() {}

  /**
   * The group for one request; null if all weights are 0.
   *
   * @param cookie what the client brings of an earlier choice, which holds unless that group's
   *     weight is 0 by now
   */
  public static @Nullable String choose(
      Forward forward, RandomGenerator random, @Nullable String cookie, Instant now) {
    for (Share share : forward.shares()) {
      if (share.weight() > 0 && Sticky.means(cookie, share.groupId(), now)) {
        return share.groupId();
      }
    }
    return choose(forward.shares(), random);
  }

  /** By weight alone; null if all weights are 0. */
  public static @Nullable String choose(List<Share> shares, RandomGenerator random) {
    int total = shares.stream().mapToInt(Share::weight).sum();
    int ticket = total == 0 ? 0 : random.nextInt(total);
    for (Share share : shares) {
      if (ticket < share.weight()) {
        return share.groupId();
      }
      ticket -= share.weight();
    }
    return null;
  }
}
