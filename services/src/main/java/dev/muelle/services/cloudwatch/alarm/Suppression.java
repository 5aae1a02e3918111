package dev.muelle.services.cloudwatch.alarm;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatch.model.ActionsSuppressedBy;

/**
 * Whether a composite alarm may act. After its state has changed it waits (WaitPeriod) for its
 * suppressor to go into ALARM; while that is in ALARM nothing is done; and when that has left ALARM
 * it waits again (ExtensionPeriod) before it does what its state then asks for.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-suppression.html">Alarm
 *     suppression</a>
 */
final class Suppression {

  /**
   * What is so now.
   *
   * @param by null if it may act
   * @param until when to look again, if not because of another alarm
   */
  record Standing(@Nullable ActionsSuppressedBy by, @Nullable Instant until) {
    static final Standing FREE = new Standing(null, null);
  }

  private Suppression() {}

  /**
   * Decides.
   *
   * @param before what was so until now
   * @param behind whether the state has changed since actions were last taken
   * @param justChanged whether it has changed just now
   * @param suppressing whether the suppressor is in ALARM
   */
  static Standing decide(
      Standing before,
      boolean behind,
      boolean justChanged,
      boolean suppressing,
      Duration wait,
      Duration extension,
      Instant now) {
    if (suppressing) {
      return new Standing(ActionsSuppressedBy.ALARM, null);
    }
    if (before.by() == ActionsSuppressedBy.ALARM) {
      return waiting(ActionsSuppressedBy.EXTENSION_PERIOD, now.plus(extension), now);
    }
    if (before.by() != null && before.until() != null) {
      return waiting(before.by(), before.until(), now);
    }
    return behind && justChanged
        ? waiting(ActionsSuppressedBy.WAIT_PERIOD, now.plus(wait), now)
        : Standing.FREE;
  }

  private static Standing waiting(ActionsSuppressedBy by, Instant until, Instant now) {
    return until.isAfter(now) ? new Standing(by, until) : Standing.FREE;
  }
}
