package dev.muelle.services.cloudwatch.alarm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.services.cloudwatch.model.ActionsSuppressedBy;
import software.amazon.awssdk.services.cloudwatch.model.CloudWatchException;
import software.amazon.awssdk.services.cloudwatch.model.StateValue;

class RuleTest {

  private static final Map<String, StateValue> STATES =
      Map.of(
          "a", StateValue.ALARM,
          "b c", StateValue.OK,
          "d", StateValue.INSUFFICIENT_DATA);

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '~',
      textBlock =
          """
          ALARM(a); true
          OK(a); false
          OK("b c") AND INSUFFICIENT_DATA(d); true
          ALARM(arn:aws:cloudwatch:us-east-1:000000000000:alarm:a); true
          NOT ALARM(a) OR TRUE; true
          NOT (ALARM(a) OR FALSE); false
          ALARM(x); false
          TRUE OR FALSE AND FALSE; true
          NOT NOT ALARM( a ); true
          (ALARM(a) AND (OK(a) OR OK('b c'))); true
          """)
  void holds(String rule, boolean expected) {
    assertEquals(expected, Rule.parse(rule).holds(STATES::get));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "ALARM()",
        "ALARM(a",
        "a",
        "ALARM(a) ALARM(b)",
        "AND",
        "(TRUE",
        "TRUE)",
        "NOT",
        "ALARM(a) XOR OK(b)",
        "TRUEish"
      })
  void isNone(String rule) {
    assertThrows(CloudWatchException.class, () -> Rule.parse(rule));
  }

  @Test
  void knowsWhatItLooksAt() {
    assertEquals(
        Set.of("a", "b c"), Rule.parse("ALARM(a) OR NOT (OK(\"b c\") AND OK(a))").alarms());
    assertThrows(CloudWatchException.class, () -> Rule.parse("(".repeat(500) + "TRUE"));
  }

  @Test
  void waitsActsAndIsSuppressed() {
    Instant now = Instant.parse("2026-11-21T12:00:00Z");
    Duration wait = Duration.ofSeconds(60);
    Duration extension = Duration.ofSeconds(30);
    Suppression.Standing waiting =
        Suppression.decide(Suppression.Standing.FREE, true, true, false, wait, extension, now);
    assertEquals(ActionsSuppressedBy.WAIT_PERIOD, waiting.by());
    assertEquals(
        Suppression.Standing.FREE,
        Suppression.decide(waiting, true, false, false, wait, extension, now.plus(wait)));
    Suppression.Standing suppressed =
        Suppression.decide(waiting, true, false, true, wait, extension, now.plusSeconds(10));
    assertEquals(ActionsSuppressedBy.ALARM, suppressed.by());
    Suppression.Standing extended =
        Suppression.decide(suppressed, true, false, false, wait, extension, now.plusSeconds(500));
    assertEquals(ActionsSuppressedBy.EXTENSION_PERIOD, extended.by());
    assertEquals(now.plusSeconds(530), extended.until());
    assertEquals(
        Suppression.Standing.FREE,
        Suppression.decide(extended, true, false, false, wait, extension, now.plusSeconds(530)));
  }
}
