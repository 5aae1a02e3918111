package dev.muelle.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Metrics and alarms with the stock {@code aws} command. */
@Timeout(600)
class CloudWatchTest {

  private static TestRegion region;
  private static Session shell;

  @BeforeAll
  static void start() throws IOException {
    region = TestRegion.start("--resolution 1");
    shell = region.session();
    shell.run(
        """
        eval "$(./muelle env)"
        errors() { # VALUE
          aws cloudwatch put-metric-data --namespace Alba --metric-name Errors --value $1 \\
            --dimensions Host=a --unit Count --storage-resolution 1
        }
        state() {
          aws cloudwatch describe-alarms --alarm-names errors --output text \\
            --query 'MetricAlarms[0].StateValue'
        }
        """);
  }

  @AfterAll
  static void stop() throws IOException {
    shell.close();
    region.close();
  }

  @Test
  void whatIsMeasuredIsKeptComputedAndWatched() throws IOException {
    shell.run(
        """
        aws cloudwatch put-metric-data --namespace Alba --metric-data \\
          '[{"MetricName":"Latency","Values":[1,2,3],"Counts":[1,1,8],"Unit":"Seconds"}]'
        from=$(date -u -d '-5 min' +%FT%TZ); to=$(date -u -d '+5 min' +%FT%TZ)
        """);
    String p90 =
        "aws cloudwatch get-metric-statistics --namespace Alba --metric-name Latency --period 60"
            + " --start-time $from --end-time $to --extended-statistics p90 --output text"
            + " --query 'Datapoints[0].ExtendedStatistics.p90'";
    assertEquals("3.0", shell.run(p90));
    assertEquals(
        "27.0",
        shell.run(
            """
            aws cloudwatch get-metric-data --start-time $from --end-time $to --output text \\
              --query 'MetricDataResults[0].Values[0]' --metric-data-queries '[
                {"Id":"m1","ReturnData":false,"MetricStat":{"Stat":"Average","Period":60,
                 "Metric":{"Namespace":"Alba","MetricName":"Latency"}}},
                {"Id":"e1","Expression":"m1*10"}]'
            """));
    shell.run(
        """
        aws cloudwatch put-metric-alarm --alarm-name errors --namespace Alba --metric-name Errors \\
          --dimensions Name=Host,Value=a --statistic Sum --period 10 --evaluation-periods 1 \\
          --threshold 1 --comparison-operator GreaterThanThreshold
        for i in $(seq 60); do
          errors 5
          if [ "$(state)" = ALARM ]; then break; fi
          sleep 1
        done
        """);
    assertEquals("ALARM", shell.run("state"));
    assertTrue(
        shell
            .run(
                "aws cloudwatch describe-alarms --output text --query"
                    + " 'MetricAlarms[0].StateReason'")
            .startsWith("Threshold Crossed: 1 out of the last 1 datapoints ["));
    assertEquals(
        "Alarm updated from INSUFFICIENT_DATA to ALARM",
        shell.run(
            "aws cloudwatch describe-alarm-history --alarm-name errors --output text"
                + " --history-item-type StateUpdate --query"
                + " 'AlarmHistoryItems[0].HistorySummary'"));
    ProcessHandle server = region.server();
    server.destroyForcibly(); // kill -9
    server.onExit().join();
    region.up();
    assertEquals("3.0", shell.run(p90));
    assertEquals(
        "errors",
        shell.run(
            "aws cloudwatch describe-alarms --output text --query 'MetricAlarms[0].AlarmName'"));
  }

  /** Of a hundred days the last two weeks' minutes are there: nobody could put older ones. */
  @Test
  void weeksAreReadPageByPage() throws IOException {
    shell.run(
        """
        for days in 13 1 0; do
          aws cloudwatch put-metric-data --namespace Alba --metric-name Age --value $days \
            --timestamp $(date -u -d "-$days day -1 min" +%FT%TZ)
        done
        since=$(date -u -d '-100 day' +%FT%TZ); until=$(date -u -d '+1 min' +%FT%TZ)
        """);
    for (int period : new int[] {60, 300, 3_600}) {
      assertEquals(
          "0.0 1.0 13.0",
          shell.run(
              """
              aws cloudwatch get-metric-data --start-time $since --end-time $until --page-size 1 \
                --output text --query 'MetricDataResults[].Values[]' --metric-data-queries '[
                  {"Id":"m1","MetricStat":{"Stat":"Average","Period":%d,
                   "Metric":{"Namespace":"Alba","MetricName":"Age"}}}]' | xargs
              """
                  .formatted(period)));
    }
    String statistics =
        "get-metric-statistics --namespace Alba --metric-name Age --statistics Sum"
            + " --start-time $since --end-time $until --period ";
    refused(
        statistics + 3_600,
        "(InvalidParameterCombination) when calling the GetMetricStatistics operation: You have"
            + " requested up to 2,40");
    assertEquals(
        "3",
        shell.run(
            "aws cloudwatch " + statistics + "86400 --output text --query 'length(Datapoints)'"));
  }

  @Test
  void theRegionMeasuresByTheSecondIfItIsToldTo() throws IOException {
    Shell.Outcome other = region.refused("./muelle up --detach --resolution 5");
    assertTrue(other.output().contains("at --resolution 1."), other.output());
    other = region.refused("./muelle up --detach --resolution 7");
    assertTrue(other.output().contains("--resolution 7 is none of 1, 5, 10"), other.output());
    shell.run(
        """
        aws logs create-log-group --log-group-name /fino
        aws logs create-log-stream --log-group-name /fino --log-stream-name uno
        seconds() {
          aws cloudwatch get-metric-statistics --namespace AWS/Logs --metric-name IncomingLogEvents \
            --dimensions Name=LogGroupName,Value=/fino --statistics Sum --period 1 --output text \
            --start-time $(date -u -d '-5 min' +%FT%TZ) --end-time $(date -u -d '+5 min' +%FT%TZ) \
            --query 'length(Datapoints)'
        }
        for i in $(seq 60); do
          aws logs put-log-events --log-group-name /fino --log-stream-name uno \
            --log-events timestamp=$(date +%s%3N),message=uno >/dev/null
          [ $(seconds) -lt 2 ] || break
        done
        """);
    assertTrue(Integer.parseInt(shell.run("seconds")) >= 2);
  }

  @Test
  void whatIsRefusedIsRefusedInAmazonsForm() throws IOException {
    refused("delete-alarms --alarm-names nobody", "(ResourceNotFound)");
    refused(
        "put-metric-data --namespace AWS/ECS --metric-name m --value 1",
        "(InvalidParameterValue) when calling the PutMetricData operation: The value AWS/ECS for"
            + " parameter Namespace is invalid.");
    refused("describe-anomaly-detectors", "(NotImplemented)");
  }

  private static void refused(String command, String said) throws IOException {
    Shell.Outcome outcome = shell.attempt("aws cloudwatch " + command);
    assertNotEquals(0, outcome.exitCode(), outcome::output);
    assertTrue(outcome.output().contains("An error occurred " + said), outcome::output);
  }
}
