package dev.muelle.chart;

import dev.muelle.chart.Chart.Axis;
import dev.muelle.chart.Chart.Fill;
import dev.muelle.chart.Chart.Level;
import dev.muelle.chart.Chart.Moment;
import dev.muelle.chart.Chart.Series;
import dev.muelle.chart.Chart.View;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Shape;
import java.awt.geom.Ellipse2D;
import java.time.Instant;
import java.util.Date;
import java.util.Locale;
import java.util.TimeZone;
import org.jfree.chart.axis.DateAxis;
import org.jfree.chart.axis.NumberAxis;
import org.jfree.chart.plot.IntervalMarker;
import org.jfree.chart.plot.Marker;
import org.jfree.chart.plot.ValueMarker;
import org.jfree.chart.plot.XYPlot;
import org.jfree.chart.renderer.xy.StackedXYAreaRenderer2;
import org.jfree.chart.renderer.xy.XYItemRenderer;
import org.jfree.chart.renderer.xy.XYLineAndShapeRenderer;
import org.jfree.chart.ui.Layer;
import org.jfree.chart.ui.RectangleAnchor;
import org.jfree.chart.ui.TextAnchor;
import org.jfree.data.Range;
import org.jfree.data.time.FixedMillisecond;
import org.jfree.data.time.TimeSeries;
import org.jfree.data.time.TimeSeriesCollection;
import org.jfree.data.time.TimeTableXYDataset;
import org.jfree.data.xy.XYDataset;
import org.jspecify.annotations.Nullable;

/** Lines and stacked areas over time, with their marks. */
final class OverTime {

  private static final int RED = 0xd13212;
  private static final int GRAY = 0x7f7f7f;
  private static final double FAR = 1e300; // beyond every axis
  private static final double ROOM = 0.05; // of an axis, beyond what it shows
  private static final Shape DOT = new Ellipse2D.Double(-2, -2, 4, 4);

  private final Chart chart;
  private final Look look;
  private final TimeZone zone;

  private OverTime(Chart chart) {
    this.chart = chart;
    look = Look.of(chart);
    zone = TimeZone.getTimeZone(chart.zone());
  }

  static XYPlot plot(Chart chart) {
    return new OverTime(chart).plot();
  }

  private XYPlot plot() {
    XYPlot plot = new XYPlot();
    plot.setDomainAxis(time());
    plot.setDomainGridlinesVisible(false);
    plot.setRangeGridlinePaint(look.grid());
    plot.setRangeGridlineStroke(new BasicStroke(1));
    side(plot, 0, false);
    boolean right = chart.series().stream().anyMatch(Series::onRight);
    if (right) {
      side(plot, 1, true);
    }
    for (Level level : chart.levels()) {
      if (right || !level.onRight()) {
        plot.addRangeMarker(level.onRight() ? 1 : 0, line(level), Layer.FOREGROUND);
        @Nullable Marker band = band(level);
        if (band != null) {
          plot.addRangeMarker(level.onRight() ? 1 : 0, band, Layer.BACKGROUND);
        }
      }
    }
    for (Moment moment : chart.moments()) {
      plot.addDomainMarker(line(moment), Layer.FOREGROUND);
      @Nullable Marker band = band(moment);
      if (band != null) {
        plot.addDomainMarker(band, Layer.BACKGROUND);
      }
    }
    return plot;
  }

  private DateAxis time() {
    DateAxis axis = new DateAxis(null, zone, Locale.ROOT);
    Image.plain(axis, look);
    axis.setRange(Date.from(chart.from()), Date.from(chart.to()));
    return axis;
  }

  /** One side's axis with what belongs to it. */
  private void side(XYPlot plot, int index, boolean right) {
    XYItemRenderer renderer = renderer();
    int at = 0;
    for (int i = 0; i < chart.series().size(); i++) {
      Series series = chart.series().get(i);
      if (series.onRight() == right) {
        Color color = Look.color(series, i);
        renderer.setSeriesPaint(at, chart.view() == View.STACKED ? opaque(color) : color);
        if (renderer instanceof XYLineAndShapeRenderer lines) {
          lines.setSeriesStroke(at, new BasicStroke(1.8f));
          lines.setSeriesShape(at, DOT);
          lines.setSeriesShapesVisible(at, series.points().size() == 1); // a line needs two
        }
        at++;
      }
    }
    plot.setDataset(index, data(right));
    plot.setRenderer(index, renderer);
    plot.setRangeAxis(index, axis(plot.getDataset(index), renderer, right));
    plot.mapDatasetToRangeAxis(index, index);
  }

  /** Levels are to be seen, too, where the axis fits. */
  private NumberAxis axis(XYDataset data, XYItemRenderer renderer, boolean right) {
    Axis wanted = right ? chart.right() : chart.left();
    NumberAxis axis = Image.axis(wanted, look);
    @Nullable Range range = renderer.findRangeBounds(data);
    for (Level level : chart.levels()) {
      if (level.onRight() == right) {
        range = Range.expandToInclude(range, level.value());
        range = level.to() == null ? range : Range.expandToInclude(range, level.to());
      }
    }
    if (range != null) {
      double low = wanted.min() == null ? Math.min(0, range.getLowerBound()) : wanted.min();
      double high = wanted.max() == null ? Math.max(0, range.getUpperBound()) : wanted.max();
      double room = high > low ? (high - low) * ROOM : 1;
      axis.setRange(
          wanted.min() == null && low < 0 ? low - room : low,
          wanted.max() == null ? Math.max(high, low) + room : Math.max(high, low + 1e-9));
    }
    return axis;
  }

  private static Color opaque(Color color) {
    return new Color(color.getRed(), color.getGreen(), color.getBlue(), 200);
  }

  private XYItemRenderer renderer() {
    return chart.view() == View.STACKED
        ? new StackedXYAreaRenderer2()
        : new XYLineAndShapeRenderer(true, false);
  }

  private XYDataset data(boolean right) {
    if (chart.view() == View.STACKED) {
      TimeTableXYDataset table = new TimeTableXYDataset(zone);
      for (int i = 0; i < chart.series().size(); i++) {
        Series series = chart.series().get(i);
        if (series.onRight() == right) {
          String key = key(i);
          series.points().forEach((at, value) -> table.add(moment(at), value, key, false));
        }
      }
      return table;
    }
    TimeSeriesCollection data = new TimeSeriesCollection(zone);
    for (int i = 0; i < chart.series().size(); i++) {
      Series series = chart.series().get(i);
      if (series.onRight() == right) {
        TimeSeries drawn = new TimeSeries(key(i));
        series.points().forEach((at, value) -> drawn.add(moment(at), value));
        data.addSeries(drawn);
      }
    }
    return data;
  }

  /** As the library counts: exact for the next 285,000 years. */
  private static double millis(Instant at) {
    return (double) at.toEpochMilli();
  }

  private static FixedMillisecond moment(Instant at) {
    return new FixedMillisecond(at.toEpochMilli());
  }

  /** Series may have one name; those of the library may not. */
  private String key(int place) {
    String label = chart.series().get(place).label();
    long before =
        chart.series().subList(0, place).stream()
            .filter(series -> series.label().equals(label))
            .count();
    return label + "\u200b".repeat((int) before); // invisible
  }

  private Marker line(Level level) {
    return named(
        new ValueMarker(level.value()), level.label(), Look.color(level.color(), RED), false);
  }

  private static @Nullable Marker band(Level level) {
    Color color = Look.color(level.color(), RED);
    if (level.to() != null) {
      return tinted(level.value(), level.to(), color);
    }
    return switch (level.fill()) {
      case NONE -> null;
      case BEFORE -> tinted(-FAR, level.value(), color);
      case AFTER -> tinted(level.value(), FAR, color);
    };
  }

  private Marker line(Moment moment) {
    return named(
        new ValueMarker(millis(moment.at())),
        moment.label(),
        Look.color(moment.color(), GRAY),
        true);
  }

  private @Nullable Marker band(Moment moment) {
    Color color = Look.color(moment.color(), GRAY);
    double at = millis(moment.at());
    if (moment.to() != null) {
      return tinted(at, millis(moment.to()), color);
    }
    return moment.fill() == Fill.NONE
        ? null
        : moment.fill() == Fill.BEFORE
            ? tinted(millis(chart.from()), at, color)
            : tinted(at, millis(chart.to()), color);
  }

  private static Marker tinted(double one, double other, Color color) {
    IntervalMarker marker = new IntervalMarker(Math.min(one, other), Math.max(one, other));
    marker.setPaint(Look.tint(color));
    return marker;
  }

  private static Marker named(
      Marker marker, @Nullable String label, Color color, boolean vertical) {
    marker.setPaint(color);
    marker.setStroke(new BasicStroke(1.2f));
    if (label != null) {
      marker.setLabel(label);
      marker.setLabelFont(Look.TEXT);
      marker.setLabelPaint(color);
      marker.setLabelAnchor(vertical ? RectangleAnchor.TOP_RIGHT : RectangleAnchor.TOP_LEFT);
      marker.setLabelTextAnchor(vertical ? TextAnchor.TOP_LEFT : TextAnchor.BOTTOM_LEFT);
    }
    return marker;
  }
}
