package dev.muelle.scaling;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.ZoneId;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ScheduleTest {

  private static final ZoneId UTC = ZoneId.of("UTC");
  private static final Instant BEGIN = Instant.parse("2026-11-21T12:00:30Z"); // a Saturday

  /**
   * The examples of EventBridge's <a
   * href="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html">cron
   * expressions reference</a>, and its special characters.
   */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "0 10 * * ? *|2026-11-22T10:00:00Z",
        "15 12 * * ? *|2026-11-21T12:15:00Z",
        "0 18 ? * MON-FRI *|2026-11-23T18:00:00Z",
        "0 8 1 * ? *|2026-12-01T08:00:00Z",
        "0/15 * * * ? *|2026-11-21T12:15:00Z",
        "0/10 * ? * MON-FRI *|2026-11-23T00:00:00Z",
        "0/5 8-17 ? * MON-FRI *|2026-11-23T08:00:00Z",
        "0/30 20-2 ? * MON-FRI *|2026-11-23T00:00:00Z",
        "30 6 ? * MON *|2026-11-23T06:30:00Z",
        "1 12 * * ? *|2026-11-21T12:01:00Z",
        "0 12 * * ? *|2026-11-22T12:00:00Z",
        "0 0 L * ? *|2026-11-30T00:00:00Z",
        "0 0 ? * L *|2026-11-28T00:00:00Z",
        "0 0 ? * 6L *|2026-11-27T00:00:00Z",
        "0 0 ? * 3#2 *|2026-12-08T00:00:00Z",
        "0 0 ? * tue#5 *|2026-12-29T00:00:00Z",
        "0 0 22W * ? *|2026-11-23T00:00:00Z",
        "0 0 LW * ? *|2026-11-30T00:00:00Z",
        "0 0 1W 8 ? *|2027-08-02T00:00:00Z", // a Sunday
        "0 0 31W 10 ? *|2027-10-29T00:00:00Z", // a Sunday at the month's end
        "0 0 29 2 ? *|2028-02-29T00:00:00Z",
        "0,30 9,21 ? JAN,DEC FRI-SUN 2027-2028|2027-01-01T09:00:00Z",
      })
  void sixFields(String cron, Instant next) {
    assertEquals(Optional.of(next), Cron.aws(cron).orElseThrow().next(BEGIN, UTC));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "0 9 * * * *", // both days
        "0 9 ? * ? *",
        "0 9 * * ?",
        "60 9 * * ? *",
        "0 24 * * ? *",
        "0 9 32 * ? *",
        "0 9 0 * ? *",
        "0 9 * 13 ? *",
        "0 9 ? * 8 *",
        "0 9 ? * 0 *",
        "0 9 ? * MON#6 *",
        "0 9 ? * FOO *",
        "0/0 9 * * ? *",
        "-1 9 * * ? *",
        "1- 9 * * ? *",
        ", 9 * * ? *",
        "0 9 * * ? 1969",
        "0 9 * * ? 99999999999",
        ""
      })
  void noCron(String text) {
    assertTrue(Cron.aws(text).isEmpty(), text);
  }

  @Test
  void whatIsOverIsNeverDueAgain() {
    assertTrue(Cron.aws("0 9 * * ? 2025").orElseThrow().next(BEGIN, UTC).isEmpty());
    assertTrue(Cron.aws("0 9 31 2 ? *").orElseThrow().next(BEGIN, UTC).isEmpty());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "30 6 * * 2|2026-11-24T06:30:00Z",
        "0 0 1,15 * FRI|2026-11-27T00:00:00Z", // either day will do
        "0 0 * * 0|2026-11-22T00:00:00Z",
        "0 0 * * 7|2026-11-22T00:00:00Z",
        "*/20 * * * *|2026-11-21T12:20:00Z",
        "0 22 * * 1-5|2026-11-23T22:00:00Z",
      })
  void fiveFields(String cron, Instant next) {
    assertEquals(Optional.of(next), Cron.unix(cron).orElseThrow().next(BEGIN, UTC));
    assertTrue(Cron.unix(cron + " *").isEmpty());
  }

  @Test
  void timeZonesAndTheirClocks() {
    ZoneId madrid = ZoneId.of("Europe/Madrid");
    Cron nine = Cron.aws("0 9 * * ? *").orElseThrow();
    assertEquals(
        Instant.parse("2026-07-01T07:00:00Z"),
        nine.next(Instant.parse("2026-07-01T00:00:00Z"), madrid).orElseThrow());
    assertEquals(Instant.parse("2026-11-22T08:00:00Z"), nine.next(BEGIN, madrid).orElseThrow());
    // on 28 March 2027 02:30 is left out; on 31 October 2027 it comes twice
    Cron early = Cron.aws("30 2 * * ? *").orElseThrow();
    Instant spring = early.next(Instant.parse("2027-03-27T12:00:00Z"), madrid).orElseThrow();
    assertEquals(Instant.parse("2027-03-29T00:30:00Z"), spring);
    Instant autumn = early.next(Instant.parse("2027-10-30T12:00:00Z"), madrid).orElseThrow();
    assertEquals(Instant.parse("2027-10-31T00:30:00Z"), autumn);
    assertEquals(Instant.parse("2027-11-01T01:30:00Z"), early.next(autumn, madrid).orElseThrow());
  }

  @Test
  void schedules() {
    assertEquals("2026-11-21T18:30:00Z", next("at(2026-11-21T18:30:00)", null));
    assertEquals("2026-11-21T17:30:00Z", next("at(2026-11-21T18:30:00)", "Europe/Madrid"));
    assertEquals("never", next("at(2026-11-21T12:00:00)", null));
    assertEquals("2026-11-21T12:05:30Z", next("rate(5 minutes)", null));
    assertEquals("2026-11-21T13:00:30Z", next("rate(1 hour)", null));
    assertEquals("2026-11-21T12:01:30Z", next("rate(1 minute)", null));
    assertEquals("2026-11-21T12:10:30Z", next("rate(10 minutes)", null));
    assertEquals("2026-11-23T12:00:30Z", next("rate(2 days)", null));
    assertEquals("2026-11-23T00:00:00Z", next("cron(0 0 ? * MON *)", null));
    for (String none :
        new String[] {
          "at(tomorrow)",
          "rate(0 minutes)",
          "rate(5 weeks)",
          "rate(-1 day)",
          "rate(5 minute)", // the unit agrees with the number
          "rate(21 day)",
          "rate(1 hours)",
          "rate( 5 minutes)",
          "rate(05 minutes)",
          "rate(9999999999 days)",
          "cron(* * *)",
          "5",
          ""
        }) {
      assertTrue(Schedule.parse(none, null, BEGIN).isEmpty(), none);
    }
    assertThrows(
        DateTimeException.class, () -> Schedule.parse("rate(1 day)", "Mars/Olympus", BEGIN));
  }

  private static String next(String text, @Nullable String zone) {
    return Schedule.parse(text, zone, BEGIN)
        .orElseThrow()
        .next(BEGIN)
        .map(Instant::toString)
        .orElse("never");
  }

  @Test
  void aRateCountsFromItsBegin() {
    Schedule rate = Schedule.parse("rate(10 minutes)", null, BEGIN).orElseThrow();
    assertEquals(BEGIN, rate.next(BEGIN.minusSeconds(1)).orElseThrow());
    assertEquals(BEGIN.plusSeconds(1_200), rate.next(BEGIN.plusSeconds(600)).orElseThrow());
  }
}
