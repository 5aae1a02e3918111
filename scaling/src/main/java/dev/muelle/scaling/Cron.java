package dev.muelle.scaling;

import java.time.DayOfWeek;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.YearMonth;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.temporal.TemporalAdjusters;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * A cron expression: the six fields of Application Auto Scaling and EventBridge ({@link #aws}), or
 * the five traditional ones of EC2 Auto Scaling ({@link #unix}). A local time that a change of the
 * clocks leaves out is left out; one that comes twice is due the first time.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html">Cron
 *     expressions reference</a>
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/scheduled-scaling-recurring-schedules.html">Recurring
 *     schedules</a>
 */
public final class Cron {

  private static final List<String> MONTHS =
      List.of("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC");
  private static final List<String> DAYS = List.of("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT");
  private static final int FIRST_YEAR = 1970;
  private static final int LAST_YEAR = 2199;

  private final BitSet minutes;
  private final BitSet hours;
  private final BitSet months;
  private final BitSet years;
  private final Predicate<LocalDate> day;

  private Cron(
      BitSet minutes, BitSet hours, BitSet months, BitSet years, Predicate<LocalDate> day) {
    this.minutes = minutes;
    this.hours = hours;
    this.months = months;
    this.years = years;
    this.day = day;
  }

  /**
   * Minutes, hours, day of the month, month, day of the week (1 is Sunday), year; one of the two
   * days is {@code ?}. Empty if it is none.
   */
  public static Optional<Cron> aws(String text) {
    String[] fields = text.strip().split("\\s+", -1);
    if (fields.length != 6 || fields[2].equals("?") == fields[4].equals("?")) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          new Cron(
              Field.of(0, 59, 0).parse(fields[0]),
              Field.of(0, 23, 0).parse(fields[1]),
              new Field(1, 12, 1, MONTHS).parse(fields[3]),
              Field.of(FIRST_YEAR, LAST_YEAR, 0).parse(fields[5]),
              fields[2].equals("?") ? dayOfWeek(fields[4]) : dayOfMonth(fields[2])));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  /**
   * Minute, hour, day of the month, month, day of the week (0 and 7 are Sunday); if both days are
   * restricted, either will do. Empty if it is none.
   */
  public static Optional<Cron> unix(String text) {
    String[] fields = text.strip().split("\\s+", -1);
    if (fields.length != 5) {
      return Optional.empty();
    }
    try {
      BitSet dates = Field.of(1, 31, 0).parse(fields[2]);
      BitSet days = new Field(0, 7, 0, DAYS).parse(fields[4]);
      Predicate<LocalDate> onDate = date -> dates.get(date.getDayOfMonth());
      Predicate<LocalDate> onDay =
          date -> {
            int number = date.getDayOfWeek().getValue();
            return days.get(number) || (number == 7 && days.get(0));
          };
      boolean both = !fields[2].startsWith("*") && !fields[4].startsWith("*");
      return Optional.of(
          new Cron(
              Field.of(0, 59, 0).parse(fields[0]),
              Field.of(0, 23, 0).parse(fields[1]),
              new Field(1, 12, 1, MONTHS).parse(fields[3]),
              Field.of(FIRST_YEAR, LAST_YEAR, 0).parse("*"),
              both ? onDate.or(onDay) : onDate.and(onDay)));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  /** The first time after this one; empty if there is none. */
  public Optional<Instant> next(Instant after, ZoneId zone) {
    LocalDate date = after.atZone(zone).toLocalDate();
    while (date.getYear() <= LAST_YEAR) {
      if (!years.get(date.getYear())) {
        date = LocalDate.of(date.getYear() + 1, 1, 1);
      } else if (!months.get(date.getMonthValue())) {
        date = date.withDayOfMonth(1).plusMonths(1);
      } else {
        Optional<Instant> found = day.test(date) ? on(date, after, zone) : Optional.empty();
        if (found.isPresent()) {
          return found;
        }
        date = date.plusDays(1);
      }
    }
    return Optional.empty();
  }

  private Optional<Instant> on(LocalDate date, Instant after, ZoneId zone) {
    Instant first = null;
    for (int hour = hours.nextSetBit(0); hour >= 0; hour = hours.nextSetBit(hour + 1)) {
      for (int min = minutes.nextSetBit(0); min >= 0; min = minutes.nextSetBit(min + 1)) {
        LocalDateTime local = LocalDateTime.of(date, LocalTime.of(hour, min));
        List<ZoneOffset> offsets = zone.getRules().getValidOffsets(local);
        if (offsets.isEmpty()) {
          continue;
        }
        Instant when = local.toInstant(offsets.getFirst());
        // where clocks are set back, later local times may be earlier
        if (when.isAfter(after) && (first == null || when.isBefore(first))) {
          first = when;
        }
      }
    }
    return Optional.ofNullable(first);
  }

  /** {@code L} is the month's last day, {@code 15W} the weekday nearest to the 15th. */
  private static Predicate<LocalDate> dayOfMonth(String text) {
    if (text.equals("L")) {
      return date -> date.getDayOfMonth() == date.lengthOfMonth();
    }
    if (text.equals("LW")) {
      return date -> date.equals(weekdayNearest(date, date.lengthOfMonth()));
    }
    if (text.endsWith("W")) {
      int wanted = Field.of(1, 31, 0).value(text.substring(0, text.length() - 1));
      return date -> wanted <= date.lengthOfMonth() && date.equals(weekdayNearest(date, wanted));
    }
    BitSet dates = Field.of(1, 31, 0).parse(text);
    return date -> dates.get(date.getDayOfMonth());
  }

  /** Within the same month, as everywhere where there is a W. */
  private static LocalDate weekdayNearest(LocalDate within, int day) {
    YearMonth month = YearMonth.from(within);
    LocalDate date = month.atDay(day);
    return switch (date.getDayOfWeek()) {
      case SATURDAY -> day == 1 ? date.plusDays(2) : date.minusDays(1);
      case SUNDAY -> day == month.lengthOfMonth() ? date.minusDays(2) : date.plusDays(1);
      default -> date;
    };
  }

  /** {@code L} is Saturday, {@code 6L} the month's last Friday, {@code 3#2} its second Tuesday. */
  private static Predicate<LocalDate> dayOfWeek(String text) {
    Field field = new Field(1, 7, 1, DAYS);
    int hash = text.indexOf('#');
    if (hash > 0) {
      DayOfWeek wanted = day(field.value(text.substring(0, hash)));
      int which = Field.of(1, 5, 0).value(text.substring(hash + 1));
      return date -> date.getDayOfWeek() == wanted && (date.getDayOfMonth() - 1) / 7 + 1 == which;
    }
    if (text.equals("L")) {
      return date -> date.getDayOfWeek() == DayOfWeek.SATURDAY;
    }
    if (text.endsWith("L")) {
      DayOfWeek wanted = day(field.value(text.substring(0, text.length() - 1)));
      return date -> date.equals(date.with(TemporalAdjusters.lastInMonth(wanted)));
    }
    BitSet days = field.parse(text);
    return date -> days.get(date.getDayOfWeek().getValue() % 7 + 1);
  }

  /** AWS counts from Sunday, 1. */
  private static DayOfWeek day(int number) {
    return number == 1 ? DayOfWeek.SUNDAY : DayOfWeek.of(number - 1);
  }

  /**
   * The values that a field may have.
   *
   * @param names of the values, from {@code firstName} on
   */
  private record Field(int low, int high, int firstName, List<String> names) {

    static Field of(int low, int high, int firstName) {
      return new Field(low, high, firstName, List.of());
    }

    BitSet parse(String text) {
      BitSet values = new BitSet();
      for (String part : text.split(",", -1)) {
        part(part, values);
      }
      return values;
    }

    private void part(String text, BitSet values) {
      int slash = text.indexOf('/');
      String range = slash < 0 ? text : text.substring(0, slash);
      int step = slash < 0 ? 1 : number(text.substring(slash + 1));
      if (step < 1) {
        throw new IllegalArgumentException(text);
      }
      int dash = range.indexOf('-');
      int from = range.equals("*") ? low : value(dash < 0 ? range : range.substring(0, dash));
      int to =
          dash >= 0
              ? value(range.substring(dash + 1))
              : range.equals("*") || slash >= 0 ? high : from;
      // FRI-MON and 20-2 go around the end
      for (int i = from; i <= (to < from ? high : to); i += step) {
        values.set(i);
      }
      if (to < from) {
        for (int i = low; i <= to; i += step) {
          values.set(i);
        }
      }
    }

    int value(String text) {
      int name = names.indexOf(text.toUpperCase(Locale.ROOT));
      int value = name >= 0 ? firstName + name : number(text);
      if (value < low || value > high) {
        throw new IllegalArgumentException(text);
      }
      return value;
    }

    private static int number(String text) {
      if (!text.matches("\\d{1,4}")) {
        throw new IllegalArgumentException(text);
      }
      return Integer.parseInt(text);
    }
  }
}
