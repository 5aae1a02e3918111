package dev.muelle.chart;

import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What an image shows: series over a stretch of time, or one value of each.
 *
 * @param title above the chart; null for none
 * @param width in pixels
 * @param height in pixels
 * @param from the left edge
 * @param to the right edge
 * @param zone in which times are written
 * @param right the second axis; drawn only if a series is on it
 */
public record Chart(
    View view,
    @Nullable String title,
    int width,
    int height,
    Instant from,
    Instant to,
    ZoneOffset zone,
    Axis left,
    Axis right,
    Legend legend,
    boolean dark,
    List<Series> series,
    List<Level> levels,
    List<Moment> moments) {

  /** A pixel is four bytes: an image stays below 16 MiB. */
  public static final int LARGEST = 2_000;

  /** How series are shown. Bars, pies, numbers and gauges show one value of each. */
  public enum View {
    LINES,
    STACKED,
    BARS,
    PIE,
    NUMBERS,
    GAUGE
  }

  /** Where the series' names stand. */
  public enum Legend {
    BOTTOM,
    RIGHT,
    HIDDEN
  }

  /** Which side of a level or a moment is tinted. */
  public enum Fill {
    NONE,
    BEFORE,
    AFTER
  }

  /**
   * A vertical axis.
   *
   * @param min its lower end; null to fit what is shown, from 0 on if it is positive
   * @param max its upper end; null to fit
   */
  public record Axis(@Nullable String label, @Nullable Double min, @Nullable Double max) {

    /** Fits what is shown. */
    public static final Axis FITTING = new Axis(null, null, null);
  }

  /**
   * One series.
   *
   * @param color {@code #rrggbb}; null for the next of the palette
   * @param onRight whether it belongs to the right axis
   * @param value what a view of single values shows; null if there is none
   */
  public record Series(
      String label,
      @Nullable String color,
      boolean onRight,
      SortedMap<Instant, Double> points,
      @Nullable Double value) {

    public Series {
      points = new TreeMap<>(points);
    }

    /** A series on the left axis, of which the last point is its single value. */
    public static Series of(String label, Map<Instant, Double> points) {
      TreeMap<Instant, Double> sorted = new TreeMap<>(points);
      return new Series(
          label, null, false, sorted, sorted.isEmpty() ? null : sorted.lastEntry().getValue());
    }
  }

  /**
   * A horizontal line, or a band up to {@code to}. {@link Fill#BEFORE} is below.
   *
   * @param color {@code #rrggbb}; null for red
   * @param to the other edge of a band; null for a line
   */
  public record Level(
      @Nullable String label,
      @Nullable String color,
      double value,
      @Nullable Double to,
      Fill fill,
      boolean onRight) {}

  /**
   * A vertical line, or a band up to {@code to}.
   *
   * @param color {@code #rrggbb}; null for gray
   * @param to the other edge of a band; null for a line
   */
  public record Moment(
      @Nullable String label,
      @Nullable String color,
      Instant at,
      @Nullable Instant to,
      Fill fill) {}

  public Chart {
    if (width < 1 || width > LARGEST || height < 1 || height > LARGEST) {
      throw new IllegalArgumentException(
          "a chart of " + width + " by " + height + " pixels; at most " + LARGEST + " each");
    }
    if (!from.isBefore(to)) {
      throw new IllegalArgumentException("a chart from " + from + " to " + to);
    }
    series = List.copyOf(series);
    levels = List.copyOf(levels);
    moments = List.copyOf(moments);
  }

  /** Lines over time on one axis that fits, in UTC, with their names below. */
  public static Chart lines(
      String title, int width, int height, Instant from, Instant to, List<Series> series) {
    return new Chart(
        View.LINES,
        title,
        width,
        height,
        from,
        to,
        ZoneOffset.UTC,
        Axis.FITTING,
        Axis.FITTING,
        Legend.BOTTOM,
        false,
        series,
        List.of(),
        List.of());
  }

  /** The image, as PNG. */
  public byte[] png() {
    return Image.png(this);
  }
}
