package dev.muelle.chart;

import dev.muelle.chart.Chart.Axis;
import dev.muelle.chart.Chart.Legend;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.jfree.chart.ChartUtils;
import org.jfree.chart.JFreeChart;
import org.jfree.chart.axis.NumberAxis;
import org.jfree.chart.axis.ValueAxis;
import org.jfree.chart.block.BlockBorder;
import org.jfree.chart.plot.Plot;
import org.jfree.chart.title.LegendTitle;
import org.jfree.chart.ui.RectangleEdge;
import org.jfree.chart.ui.RectangleInsets;

/** Draws what a chart says. */
final class Image {

  private static final int MARGIN = 8; // pixels

  private Image() {}

  static byte[] png(Chart chart) {
    Plot plot =
        switch (chart.view()) {
          case LINES, STACKED -> OverTime.plot(chart);
          case BARS -> Single.bars(chart);
          case PIE -> Single.pie(chart);
          case GAUGE -> Single.gauge(chart);
          case NUMBERS -> new Numbers(chart);
        };
    Look look = Look.of(chart);
    plot.setBackgroundPaint(look.paper());
    plot.setOutlineVisible(false);
    plot.setNoDataMessage("No data available");
    plot.setNoDataMessageFont(Look.TEXT);
    plot.setNoDataMessagePaint(look.ink());
    JFreeChart drawn = new JFreeChart(chart.title(), Look.TITLE, plot, false);
    drawn.setBackgroundPaint(look.paper());
    drawn.setPadding(new RectangleInsets(MARGIN, MARGIN, MARGIN, MARGIN));
    if (drawn.getTitle() != null) {
      drawn.getTitle().setPaint(look.ink());
    }
    boolean named = chart.view() != Chart.View.NUMBERS && chart.view() != Chart.View.GAUGE;
    if (named && chart.legend() != Legend.HIDDEN) {
      drawn.addLegend(legend(chart, plot, look));
    }
    BufferedImage image = drawn.createBufferedImage(chart.width(), chart.height());
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      ChartUtils.writeBufferedImageAsPNG(out, image);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  private static LegendTitle legend(Chart chart, Plot plot, Look look) {
    LegendTitle legend = new LegendTitle(plot);
    legend.setItemFont(Look.TEXT);
    legend.setItemPaint(look.ink());
    legend.setBackgroundPaint(look.paper());
    legend.setFrame(BlockBorder.NONE);
    legend.setPosition(chart.legend() == Legend.RIGHT ? RectangleEdge.RIGHT : RectangleEdge.BOTTOM);
    return legend;
  }

  /** A vertical axis. */
  static NumberAxis axis(Axis wanted, Look look) {
    NumberAxis axis = new NumberAxis(wanted.label());
    plain(axis, look);
    axis.setAutoRangeIncludesZero(true);
    if (wanted.min() != null) {
      axis.setLowerBound(wanted.min());
    }
    if (wanted.max() != null) {
      // A bound that the other end lies beyond would move it.
      axis.setUpperBound(wanted.max());
    }
    return axis;
  }

  static void plain(ValueAxis axis, Look look) {
    axis.setLabelFont(Look.TEXT);
    axis.setLabelPaint(look.ink());
    axis.setTickLabelFont(Look.TEXT);
    axis.setTickLabelPaint(look.ink());
    axis.setAxisLinePaint(look.grid());
    axis.setTickMarkPaint(look.grid());
  }
}
