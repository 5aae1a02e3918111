package dev.muelle.scaling;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * When a scheduled action is due.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html">Schedule
 *     recurring scaling actions using cron expressions</a>
 */
public sealed interface Schedule {

  /** The first time after this one at which it is due; empty if it never is again. */
  Optional<Instant> next(Instant after);

  /** {@code at(2026-11-21T18:30:00)}: once. */
  record At(Instant when) implements Schedule {
    @Override
    public Optional<Instant> next(Instant after) {
      return when.isAfter(after) ? Optional.of(when) : Optional.empty();
    }
  }

  /** {@code rate(5 minutes)}: from its begin on, at regular intervals. */
  record Rate(Duration every, Instant begin) implements Schedule {
    @Override
    public Optional<Instant> next(Instant after) {
      if (begin.isAfter(after)) {
        return Optional.of(begin);
      }
      long passed = Duration.between(begin, after).dividedBy(every);
      return Optional.of(begin.plus(every.multipliedBy(passed + 1)));
    }
  }

  /** {@code cron(0 9 ? * MON-FRI *)}, in a time zone. */
  record Recurring(Cron cron, ZoneId zone) implements Schedule {
    @Override
    public Optional<Instant> next(Instant after) {
      return cron.next(after, zone);
    }
  }

  Pattern FORM = Pattern.compile("(at|rate|cron)\\(([^()]*)\\)");
  Pattern RATE =
      Pattern.compile(
          "(?:(?<one>1) (?<single>minute|hour|day))"
              + "|(?:(?<many>[2-9]|[1-9]\\d{1,8}) (?<plural>minute|hour|day)s)");

  /**
   * Reads a schedule; empty if it is none.
   *
   * @param zone for {@code at} and {@code cron}; null for UTC
   * @param begin from when on a rate counts
   * @throws DateTimeException if there is no such zone
   */
  static Optional<Schedule> parse(String text, @Nullable String zone, Instant begin) {
    ZoneId in = ZoneId.of(zone == null ? "UTC" : zone);
    Matcher form = FORM.matcher(text.strip());
    if (!form.matches()) {
      return Optional.empty();
    }
    String inner = form.group(2).strip();
    return switch (form.group(1)) {
      case "at" -> at(inner, in);
      case "rate" -> rate(form.group(2), begin);
      default -> Cron.aws(inner).map(cron -> new Recurring(cron, in));
    };
  }

  /**
   * Whether this names a zone of the IANA's database; what Java takes beyond, {@code +02:00}, is
   * none.
   */
  static boolean isZone(String name) {
    return ZoneId.getAvailableZoneIds().contains(name);
  }

  private static Optional<Schedule> at(String text, ZoneId zone) {
    try {
      return Optional.of(new At(LocalDateTime.parse(text).atZone(zone).toInstant()));
    } catch (DateTimeException e) {
      return Optional.empty();
    }
  }

  /**
   * One minute, two minutes: the unit agrees with the number.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html#eb-rate-expressions">Rate
   *     expressions</a>
   */
  private static Optional<Schedule> rate(String text, Instant begin) {
    Matcher rate = RATE.matcher(text);
    if (!rate.matches()) {
      return Optional.empty();
    }
    boolean one = rate.group("one") != null;
    long value = one ? 1 : Long.parseLong(rate.group("many"));
    Duration every =
        switch (rate.group(one ? "single" : "plural")) {
          case "minute" -> Duration.ofMinutes(value);
          case "hour" -> Duration.ofHours(value);
          default -> Duration.ofDays(value);
        };
    return Optional.of(new Rate(every, begin));
  }
}
