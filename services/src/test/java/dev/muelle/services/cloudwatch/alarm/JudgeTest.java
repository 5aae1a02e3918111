package dev.muelle.services.cloudwatch.alarm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.muelle.services.cloudwatch.alarm.Judge.State;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * AWS's tables of missing data, row by row: 0 is a point that does not breach, X one that does, - a
 * missing one; the latest is the last.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html#alarms-evaluating-missing-data">How
 *     alarm state is evaluated when data is missing</a>
 */
class JudgeTest {

  private static List<Boolean> points(String row) {
    List<Boolean> points = new ArrayList<>();
    for (String each : row.strip().split(" ")) {
      points.add(each.equals("-") ? null : each.equals("X"));
    }
    return points;
  }

  private static void row(int m, int n, String data, int filled, State... states) {
    MissingData[] treatments = {
      MissingData.MISSING, MissingData.IGNORE, MissingData.BREACHING, MissingData.NOT_BREACHING
    };
    for (int i = 0; i < treatments.length; i++) {
      Judge.Judgement judgement = Judge.judge(points(data), n, m, treatments[i]);
      assertEquals(states[i], judgement.state(), data + " " + treatments[i]);
      assertEquals(filled, judgement.filled(), data);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          0 - X - X | 0 | OK                | OK        | OK    | OK
          0 - - - - | 2 | OK                | OK        | OK    | OK
          - - - - - | 3 | INSUFFICIENT_DATA | UNCHANGED | ALARM | OK
          0 X X - X | 0 | ALARM             | ALARM     | ALARM | ALARM
          - - X - - | 2 | ALARM             | UNCHANGED | ALARM | OK
          """)
  void threeOutOfThree(
      String data, int filled, State missing, State ignore, State breaching, State not) {
    row(3, 3, data, filled, missing, ignore, breaching, not);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          0 - X - X | 0 | ALARM | ALARM     | ALARM | ALARM
          0 0 X 0 X | 0 | ALARM | ALARM     | ALARM | ALARM
          0 - X - - | 1 | OK    | OK        | ALARM | OK
          - - - - 0 | 2 | OK    | OK        | ALARM | OK
          - - - X - | 2 | ALARM | UNCHANGED | ALARM | OK
          """)
  void twoOutOfThree(
      String data, int filled, State missing, State ignore, State breaching, State not) {
    row(2, 3, data, filled, missing, ignore, breaching, not);
  }

  @Test
  void onePointThatHasJustComeIsNoAlarmOfThree() {
    assertEquals(State.OK, Judge.judge(points("- - - - X"), 3, 3, MissingData.MISSING).state());
  }

  @Test
  void withAllPointsThereTheTreatmentDoesNotMatter() {
    Random random = new Random(3);
    for (int i = 0; i < 2_000; i++) {
      int n = 1 + random.nextInt(6);
      int m = 1 + random.nextInt(n);
      List<Boolean> points = new ArrayList<>();
      for (int j = 0; j < n + 2; j++) {
        points.add(random.nextBoolean());
      }
      long breaches = points.subList(2, n + 2).stream().filter(b -> b).count();
      for (MissingData missing : MissingData.values()) {
        assertEquals(
            breaches >= m ? State.ALARM : State.OK, Judge.judge(points, n, m, missing).state());
      }
    }
  }
}
