package dev.muelle.services.cloudwatch.alarm;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** How alarms write times. */
final class Times {

  private static final DateTimeFormatter DATA =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'+0000'", Locale.ROOT)
          .withZone(ZoneOffset.UTC);
  private static final DateTimeFormatter REASON =
      DateTimeFormatter.ofPattern("dd/MM/yy HH:mm:ss", Locale.ROOT).withZone(ZoneOffset.UTC);
  private static final DateTimeFormatter COMPOSITE =
      DateTimeFormatter.ofPattern("EEEE dd MMMM, yyyy HH:mm:ss z", Locale.ENGLISH)
          .withZone(ZoneOffset.UTC);

  private Times() {}

  /** In JSON. */
  static String data(Instant at) {
    return DATA.format(at);
  }

  /** In the reasons of metric alarms. */
  static String reason(Instant at) {
    return REASON.format(at);
  }

  /** In the reasons of composite alarms. */
  static String composite(Instant at) {
    return COMPOSITE.format(at).replace(" Z", " UTC");
  }
}
