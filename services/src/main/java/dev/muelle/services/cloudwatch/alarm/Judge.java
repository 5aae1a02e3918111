package dev.muelle.services.cloudwatch.alarm;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Whether data are an alarm.
 *
 * <p>If the evaluation range holds at least as many points as are to be evaluated, the latest of
 * them decide. If not, all of them are looked at, and as many missing ones as are needed to make up
 * the number, which mean what the alarm says. Where missing points stay missing, a breaching point
 * that is at least as old as the number of points to alarm, and is followed only by breaching or
 * missing ones, is an alarm, too.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html">Configuring
 *     how CloudWatch alarms treat missing data</a>
 */
final class Judge {

  /** What the data say. */
  enum State {
    OK,
    ALARM,
    INSUFFICIENT_DATA,
    /** Whatever it was before. */
    UNCHANGED
  }

  /**
   * A judgement.
   *
   * @param evaluated indexes in the range, latest first
   * @param filled how many missing points were counted in
   */
  record Judgement(State state, List<Integer> evaluated, int filled) {}

  private Judge() {}

  /**
   * Judges an evaluation range.
   *
   * @param breaching by period, oldest first; null where a point is missing
   * @param evaluate N, how many points are to be evaluated
   * @param toAlarm M, how many of them must breach
   */
  static Judgement judge(
      List<@Nullable Boolean> breaching, int evaluate, int toAlarm, MissingData missing) {
    List<Integer> evaluated = new ArrayList<>();
    for (int i = breaching.size() - 1; i >= 0 && evaluated.size() < evaluate; i--) {
      if (breaching.get(i) != null) {
        evaluated.add(i);
      }
    }
    int filled = evaluate - evaluated.size();
    int breaches =
        (int) evaluated.stream().filter(i -> Objects.equals(breaching.get(i), true)).count();
    return new Judgement(
        state(breaching, evaluated, breaches, filled, toAlarm, missing), evaluated, filled);
  }

  private static State state(
      List<@Nullable Boolean> breaching,
      List<Integer> evaluated,
      int breaches,
      int filled,
      int toAlarm,
      MissingData missing) {
    if (breaches >= toAlarm) {
      return State.ALARM;
    }
    if (filled == 0 || missing == MissingData.NOT_BREACHING) {
      return State.OK;
    }
    boolean someOk = breaches < evaluated.size();
    return switch (missing) {
      case BREACHING -> breaches + filled >= toAlarm ? State.ALARM : State.OK;
      case IGNORE -> someOk ? State.OK : State.UNCHANGED;
      case MISSING -> {
        if (evaluated.isEmpty()) {
          yield State.INSUFFICIENT_DATA;
        }
        int oldest = breaching.size() - evaluated.getLast(); // 1 is the latest period
        yield !someOk && oldest >= toAlarm ? State.ALARM : State.OK;
      }
      case NOT_BREACHING -> State.OK;
    };
  }
}
