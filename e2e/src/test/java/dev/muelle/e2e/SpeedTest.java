package dev.muelle.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A region whose time goes faster than this machine's, used with the stock {@code aws}. */
@Timeout(600)
class SpeedTest {

  private static Instant time(TestRegion region) throws IOException {
    return Instant.parse(region.bare("./muelle time"));
  }

  @Test
  void minutesPassSoonAndTimeNeverGoesBack() throws Exception {
    try (TestRegion region = TestRegion.prepare("--speed 30")) {
      for (String wrong : new String[] {"0", "61", "-1", "2.5", "fast"}) {
        Shell.Outcome refused = region.refused("./muelle up --speed " + wrong);
        assertEquals(2, refused.exitCode(), refused.output());
        assertTrue(refused.output().contains("--speed"), refused.output());
      }
      Instant before = Instant.now();
      region.up();
      Instant first = time(region);
      assertFalse(first.isBefore(before.minusSeconds(1)), "it begins with this machine's time");

      // The client signs by this machine's clock; five minutes of the region are ten seconds.
      region.run(
          """
          aws cloudwatch put-metric-alarm --alarm-name mucho --namespace Prueba --metric-name carga \\
            --statistic Average --period 60 --evaluation-periods 3 --threshold 70 \\
            --comparison-operator GreaterThanThreshold
          for attempt in $(seq 100); do
            aws cloudwatch put-metric-data --namespace Prueba --metric-name carga --value 90
            state=$(aws cloudwatch describe-alarms --alarm-names mucho --query 'MetricAlarms[0].StateValue' --output text)
            [ "$state" != ALARM ] || break
          done
          [ "$state" = ALARM ]
          """);
      assertTrue(Duration.between(first, time(region)).toMinutes() >= 3);
      // A minute may be too short for a client on a busy machine.
      region.run(
          """
          for attempt in $(seq 100); do
            aws cloudwatch put-metric-data --namespace Prueba --metric-name carga --value 90
            points=$(aws cloudwatch get-metric-statistics --namespace Prueba --metric-name carga --statistics Average \\
              --period 60 --start-time "$(./muelle time --ago 1h)" --end-time "$(./muelle time)" \\
              --query 'length(Datapoints)')
            [ "$points" -lt 3 ] || break
          done
          [ "$points" -ge 3 ]
          """);
      assertTrue(region.run("./muelle env").contains("# Time goes 30 times as fast"));
      Shell.Outcome other = region.refused("./muelle up --detach --speed 2");
      assertEquals(1, other.exitCode(), other.output());
      assertTrue(other.output().contains("at --speed 30"), other.output());

      Instant last = time(region);
      ProcessHandle server = region.server();
      assertTrue(server.destroyForcibly());
      server.onExit().get();
      String up = region.bare("./muelle up --detach --port " + region.port());
      assertTrue(up.contains("ahead of this machine's"), up);
      Instant next = time(region);
      assertFalse(next.isBefore(last), next + " is before " + last);
      assertTrue(Duration.between(Instant.now(), next).toMinutes() >= 3, "it stays ahead");
      region.run(
          """
          aws cloudwatch put-metric-data --namespace Prueba --metric-name carga --value 10
          aws cloudwatch describe-alarm-history --alarm-name mucho --history-item-type StateUpdate \\
            --end-date "$(./muelle time)" --query 'AlarmHistoryItems[].HistorySummary' --output text | grep 'to ALARM'
          """);
      region.run("aws sts get-caller-identity");
    }
  }
}
