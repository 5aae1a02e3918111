package dev.muelle.balancer.routing;

import dev.muelle.balancer.LoadBalancer.Action.Forward;
import dev.muelle.balancer.LoadBalancer.Share;
import java.time.Instant;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** Which of the target groups of a forward action a request goes to. */
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
    int total = 0;
    for (Share share : forward.shares()) {
      total += share.weight();
      if (share.weight() > 0 && Sticky.means(cookie, share.groupId(), now)) {
        return share.groupId();
      }
    }
    int ticket = total == 0 ? 0 : random.nextInt(total);
    for (Share share : forward.shares()) {
      if (ticket < share.weight()) {
        return share.groupId();
      }
      ticket -= share.weight();
    }
    return null;
  }
}
