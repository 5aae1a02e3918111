package dev.muelle.wire;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import software.amazon.awssdk.core.SdkField;
import software.amazon.awssdk.core.traits.TimestampFormatTrait;
import software.amazon.awssdk.core.traits.TimestampFormatTrait.Format;

/**
 * The forms of a point in time. <a
 * href="https://smithy.io/2.0/spec/protocol-traits.html#timestampformat-trait">Smithy's
 * timestampFormat</a>; milliseconds are the finest grain, as in AWS's own answers.
 */
final class Timestamps {
  private static final DateTimeFormatter HTTP_DATE =
      DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.US)
          .withZone(ZoneOffset.UTC);

  private static final DateTimeFormatter ISO_WITH_MILLIS =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", Locale.US)
          .withZone(ZoneOffset.UTC);

  /** Beyond these not every form can be written. */
  private static final Instant EARLIEST = Instant.parse("0001-01-01T00:00:00Z");

  private static final Instant LATEST = Instant.parse("9999-12-31T23:59:59.999Z");

  private Timestamps() {}

  /** The member's own format, or the protocol's default. */
  static Format format(SdkField<?> field, Format byDefault) {
    TimestampFormatTrait trait = field.getTrait(TimestampFormatTrait.class);
    return trait == null ? byDefault : trait.format();
  }

  static String write(Instant value, Format format) {
    return switch (format) {
      case ISO_8601 -> ISO_WITH_MILLIS.format(value);
      case RFC_822 -> HTTP_DATE.format(value);
      case UNIX_TIMESTAMP -> seconds(value).toPlainString();
      case UNIX_TIMESTAMP_MILLIS -> Long.toString(value.toEpochMilli());
    };
  }

  /** Seconds since 1970, with milliseconds only where there are some. */
  static BigDecimal seconds(Instant value) {
    BigDecimal seconds = BigDecimal.valueOf(value.toEpochMilli(), 3).stripTrailingZeros();
    return seconds.scale() < 0 ? seconds.setScale(0, RoundingMode.UNNECESSARY) : seconds;
  }

  /**
   * Reads any form in which clients send a time; which one is told by its look, so that a client
   * that differs from the model in this is understood all the same.
   *
   * @throws DateTimeException if it is none
   */
  static Instant read(String text, Format format) {
    Instant time = readAny(text, format);
    if (time.isBefore(EARLIEST) || time.isAfter(LATEST)) {
      throw new DateTimeException("timestamp out of range");
    }
    return time;
  }

  private static Instant readAny(String text, Format format) {
    if (text.isEmpty()) {
      throw new DateTimeParseException("no timestamp", text, 0);
    }
    char first = text.charAt(0);
    if (Character.isLetter(first)) {
      return HTTP_DATE.parse(text, Instant::from);
    }
    if (text.indexOf('T') > 0 || text.indexOf(':') > 0) {
      return DateTimeFormatter.ISO_DATE_TIME
          .withZone(ZoneOffset.UTC)
          .parse(text, Instant::from)
          .truncatedTo(ChronoUnit.MILLIS);
    }
    if (text.indexOf('-') > 0) {
      return LocalDate.parse(text).atStartOfDay(ZoneOffset.UTC).toInstant();
    }
    try {
      return ofNumber(new BigDecimal(text), format);
    } catch (NumberFormatException e) {
      throw new DateTimeParseException("not a timestamp", text, 0, e);
    }
  }

  /**
   * Reads a number of seconds, or of milliseconds if the format says so.
   *
   * @throws DateTimeException if it is out of range
   */
  static Instant ofNumber(BigDecimal number, Format format) {
    try {
      int places = format == Format.UNIX_TIMESTAMP_MILLIS ? 0 : 3;
      // Refused before it is expanded: 1e-999999999 is short on the wire and not in memory.
      if ((long) number.precision() - number.scale() > 15 || number.scale() > 100) {
        throw new DateTimeException("timestamp out of range");
      }
      return Instant.ofEpochMilli(
          number.movePointRight(places).setScale(0, RoundingMode.HALF_EVEN).longValueExact());
    } catch (ArithmeticException e) {
      throw new DateTimeException("timestamp out of range", e);
    }
  }
}
