package dev.muelle.region.simulate;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * Recorded requests per second. Between two rows it goes from one to the other in a straight line.
 *
 * @param rows by time; at least two
 */
public record Traffic(NavigableMap<Instant, Double> rows) {

  private static final int MOST = 1_000_000; // rows
  private static final LocalDate SOME_DAY = LocalDate.of(2026, 11, 23); // a Monday, for times alone

  public Traffic {
    rows = new TreeMap<>(rows);
    if (rows.size() < 2) {
      throw new IllegalArgumentException("a recording has at least two rows");
    }
  }

  /**
   * Reads a CSV file of two columns: a time ({@code 2026-11-21T09:00:00Z}, without Z for UTC, or
   * {@code 09:00}), and requests per second. A first row that is no such thing is a heading.
   *
   * @throws IllegalArgumentException that names the row that cannot be read
   */
  public static Traffic read(Path file) throws IOException {
    return parse(Files.readAllLines(file));
  }

  static Traffic parse(List<String> lines) {
    if (lines.size() > MOST) {
      throw new IllegalArgumentException("a recording has at most " + MOST + " rows");
    }
    TreeMap<Instant, Double> rows = new TreeMap<>();
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i).strip();
      if (line.isEmpty() || line.startsWith("#")) {
        continue;
      }
      try {
        String[] fields = line.split("[,;]", -1);
        if (fields.length != 2) {
          throw new IllegalArgumentException("two columns are expected");
        }
        Instant at = time(fields[0].strip());
        if (!rows.isEmpty() && !at.isAfter(rows.lastKey())) {
          throw new IllegalArgumentException("times must go on");
        }
        rows.put(at, rate(fields[1].strip()));
      } catch (IllegalArgumentException | DateTimeException e) {
        if (rows.isEmpty() && i == 0) {
          continue; // the heading
        }
        throw new IllegalArgumentException(
            "row %d, \"%s\": %s".formatted(i + 1, line, e.getMessage()), e);
      }
    }
    return new Traffic(rows);
  }

  private static Instant time(String text) {
    String upper = text.toUpperCase(Locale.ROOT);
    if (upper.endsWith("Z")) {
      return Instant.parse(upper);
    }
    return upper.contains("T")
        ? LocalDateTime.parse(upper).toInstant(ZoneOffset.UTC)
        : SOME_DAY.atTime(LocalTime.parse(upper)).toInstant(ZoneOffset.UTC);
  }

  private static double rate(String text) {
    double rate = Double.parseDouble(text);
    if (!(rate >= 0) || Double.isInfinite(rate)) {
      throw new IllegalArgumentException("requests per second are a number from 0 on");
    }
    return rate;
  }

  public Instant begin() {
    return rows.firstKey();
  }

  public Instant end() {
    return rows.lastKey();
  }

  /** Requests per second at a moment. */
  public double at(Instant moment) {
    Map.Entry<Instant, Double> before = rows.floorEntry(moment);
    Map.Entry<Instant, Double> after = rows.ceilingEntry(moment);
    if (before == null || after == null) {
      return before == null ? rows.firstEntry().getValue() : rows.lastEntry().getValue();
    }
    if (before.getKey().equals(after.getKey())) {
      return before.getValue();
    }
    double part =
        (double) (moment.toEpochMilli() - before.getKey().toEpochMilli())
            / (after.getKey().toEpochMilli() - before.getKey().toEpochMilli());
    return before.getValue() + part * (after.getValue() - before.getValue());
  }
}
