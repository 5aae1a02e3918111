package dev.muelle.chart;

import dev.muelle.chart.Chart.Series;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.geom.Point2D;
import java.awt.geom.Rectangle2D;
import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.util.List;
import java.util.Locale;
import org.jfree.chart.plot.Plot;
import org.jfree.chart.plot.PlotRenderingInfo;
import org.jfree.chart.plot.PlotState;
import org.jfree.chart.text.TextUtils;
import org.jfree.chart.ui.TextAnchor;
import org.jspecify.annotations.Nullable;

/** Each series' value in large letters, its name below: the one view that the library lacks. */
final class Numbers extends Plot {

  private static final long serialVersionUID = 1L;
  private static final float LARGEST = 48;

  private final transient Chart chart;

  Numbers(Chart chart) {
    this.chart = chart;
  }

  @Override
  public String getPlotType() {
    return "Numbers";
  }

  @Override
  public void draw(
      Graphics2D g,
      Rectangle2D area,
      @Nullable Point2D anchor,
      @Nullable PlotState parent,
      @Nullable PlotRenderingInfo info) {
    drawBackground(g, area);
    List<Series> all = chart.series();
    if (all.isEmpty()) {
      drawNoDataMessage(g, area);
      return;
    }
    double each = area.getWidth() / all.size();
    for (int i = 0; i < all.size(); i++) {
      Series series = all.get(i);
      float x = (float) (area.getX() + each * (i + 0.5));
      float y = (float) area.getCenterY();
      String text = series.value() == null ? "--" : text(series.value());
      g.setFont(fitting(g, text, each * 0.9));
      g.setPaint(Look.color(series, i));
      TextUtils.drawAlignedString(text, g, x, y, TextAnchor.CENTER);
      g.setFont(Look.TEXT);
      g.setPaint(Look.of(chart).ink());
      TextUtils.drawAlignedString(series.label(), g, x, y + LARGEST, TextAnchor.CENTER);
    }
  }

  private static Font fitting(Graphics2D g, String text, double width) {
    Font largest = Look.TITLE.deriveFont(LARGEST);
    double needed = g.getFontMetrics(largest).stringWidth(text);
    return needed <= width ? largest : Look.TITLE.deriveFont((float) (LARGEST * width / needed));
  }

  /** Short, with thousands as K, millions as M, milliards as G. */
  static String text(double value) {
    double size = Math.abs(value);
    DecimalFormat format = new DecimalFormat("0.##", DecimalFormatSymbols.getInstance(Locale.ROOT));
    if (size >= 1e9) {
      return format.format(value / 1e9) + "G";
    }
    if (size >= 1e6) {
      return format.format(value / 1e6) + "M";
    }
    return size >= 1e3 ? format.format(value / 1e3) + "K" : format.format(value);
  }
}
