package dev.muelle.chart;

import dev.muelle.chart.Chart.Axis;
import dev.muelle.chart.Chart.Series;
import java.awt.Color;
import java.util.List;
import java.util.Objects;
import org.jfree.chart.axis.CategoryAxis;
import org.jfree.chart.plot.CategoryPlot;
import org.jfree.chart.plot.MeterInterval;
import org.jfree.chart.plot.MeterPlot;
import org.jfree.chart.plot.PiePlot;
import org.jfree.chart.plot.Plot;
import org.jfree.chart.renderer.category.BarRenderer;
import org.jfree.chart.renderer.category.StandardBarPainter;
import org.jfree.data.Range;
import org.jfree.data.category.DefaultCategoryDataset;
import org.jfree.data.general.DefaultPieDataset;
import org.jfree.data.general.DefaultValueDataset;

/** One value of each series: as a bar, as a piece of a pie, or on a gauge. */
final class Single {

  private Single() {}

  /** The series that have a value, each with its place among all. */
  private record Valued(int place, Series series, double value) {

    static List<Valued> of(Chart chart) {
      return java.util.stream.IntStream.range(0, chart.series().size())
          .filter(i -> chart.series().get(i).value() != null)
          .mapToObj(i ->
              new Valued(
                  i, chart.series().get(i), Objects.requireNonNull(chart.series().get(i).value())))
          .toList();
    }

    /** Unique and as good as its label. */
    String key() {
      return series.label() + "\u200b".repeat(place);
    }
  }

  static Plot bars(Chart chart) {
    Look look = Look.of(chart);
    DefaultCategoryDataset data = new DefaultCategoryDataset();
    BarRenderer renderer = new BarRenderer();
    renderer.setBarPainter(new StandardBarPainter());
    renderer.setShadowVisible(false);
    renderer.setItemMargin(0.1);
    List<Valued> all = Valued.of(chart);
    for (int i = 0; i < all.size(); i++) {
      Valued each = all.get(i);
      data.addValue(each.value(), each.key(), "");
      renderer.setSeriesPaint(i, Look.color(each.series(), each.place()));
    }
    CategoryAxis categories = new CategoryAxis();
    categories.setAxisLinePaint(look.grid());
    CategoryPlot plot =
        new CategoryPlot(data, categories, Image.axis(chart.left(), look), renderer);
    plot.setRangeGridlinePaint(look.grid());
    return plot;
  }

  static Plot pie(Chart chart) {
    DefaultPieDataset<String> data = new DefaultPieDataset<>();
    PiePlot<String> plot = new PiePlot<>(data);
    for (Valued each : Valued.of(chart)) {
      if (each.value() > 0) {
        data.setValue(each.key(), each.value());
        plot.setSectionPaint(each.key(), Look.color(each.series(), each.place()));
      }
    }
    plot.setLabelGenerator(null);
    plot.setShadowPaint(null);
    return plot;
  }

  /** Of the first series. */
  static Plot gauge(Chart chart) {
    Look look = Look.of(chart);
    Axis axis = chart.left();
    List<Valued> all = Valued.of(chart);
    DefaultValueDataset value = new DefaultValueDataset();
    Color color = look.ink();
    if (!all.isEmpty()) {
      value.setValue(all.getFirst().value());
      color = Look.color(all.getFirst().series(), all.getFirst().place());
    }
    MeterPlot plot = new MeterPlot(value);
    Range range =
        new Range(
            Objects.requireNonNullElse(axis.min(), 0.0),
            Objects.requireNonNullElse(axis.max(), 100.0));
    plot.setRange(range);
    plot.addInterval(new MeterInterval("", range, look.grid(), null, null));
    for (Chart.Level level : chart.levels()) {
      double to =
          level.to() != null
              ? level.to()
              : level.fill() == Chart.Fill.BEFORE ? range.getLowerBound() : range.getUpperBound();
      double low = range.constrain(Math.min(level.value(), to));
      double high = range.constrain(Math.max(level.value(), to));
      Color tint = Look.color(level.color(), 0xd13212);
      plot.addInterval(
          new MeterInterval(
              Objects.requireNonNullElse(level.label(), ""),
              new Range(low, high),
              tint,
              null,
              Look.tint(tint)));
    }
    plot.setDialBackgroundPaint(look.paper());
    plot.setDialOutlinePaint(look.grid());
    plot.setNeedlePaint(color);
    plot.setValuePaint(look.ink());
    plot.setValueFont(Look.TITLE);
    plot.setTickLabelPaint(look.ink());
    plot.setTickLabelFont(Look.TEXT);
    plot.setTickSize(range.getLength() / 10);
    plot.setUnits(all.isEmpty() ? "" : all.getFirst().series().label());
    return plot;
  }
}
