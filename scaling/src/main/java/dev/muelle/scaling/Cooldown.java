package dev.muelle.scaling;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * The time after a scaling activity for it to take effect.
 *
 * @param out whether the activity scaled out
 * @param base the capacity before the first of the scale-outs that follow each other within their
 *     cooldowns; of no meaning after a scale-in
 * @param began when the activity was complete; null while it is not: then the cooldown is yet to
 *     begin, and holds
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html#target-tracking-cooldown">Define
 *     cooldown periods</a>
 */
public record Cooldown(boolean out, int base, @Nullable Instant began, Duration length) {

  /** Whether it holds. A clock that was set back ends it, lest it lasts for ever. */
  public boolean holds(Instant now) {
    return began == null || (!now.isBefore(began) && now.isBefore(began.plus(length)));
  }
}
