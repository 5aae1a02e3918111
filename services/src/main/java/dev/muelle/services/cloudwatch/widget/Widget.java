package dev.muelle.services.cloudwatch.widget;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.muelle.chart.Chart;
import dev.muelle.chart.Chart.Axis;
import dev.muelle.chart.Chart.Fill;
import dev.muelle.chart.Chart.Legend;
import dev.muelle.chart.Chart.Level;
import dev.muelle.chart.Chart.Moment;
import dev.muelle.services.cloudwatch.series.Refuse;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.Period;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A widget's JSON, read. Pure.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Metric-Widget-Structure.html">Metric
 *     widget structure and syntax</a>
 */
record Widget(
    List<Line> lines,
    List<String> alarms,
    List<Level> levels,
    List<Moment> moments,
    View view,
    boolean stacked,
    @Nullable String title,
    int width,
    int height,
    Instant from,
    Instant to,
    ZoneOffset zone,
    int period,
    String stat,
    boolean periodIsRange,
    Legend legend,
    boolean dark,
    Axis left,
    Axis right) {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int MOST_LINES = 500;
  private static final Set<String> PROPERTIES =
      Set.of(
          "annotations",
          "end",
          "height",
          "legend",
          "liveData",
          "metrics",
          "period",
          "region",
          "setPeriodToTimeRange",
          "stacked",
          "start",
          "stat",
          "theme",
          "timezone",
          "title",
          "view",
          "width",
          "yAxis");
  private static final Pattern ZONE = Pattern.compile("[+-]\\d{4}");

  /** As AWS calls them. */
  enum View {
    TIMESERIES,
    SINGLEVALUE,
    GAUGE,
    BAR,
    PIE
  }

  private enum Theme {
    LIGHT,
    DARK
  }

  private enum Side {
    NONE,
    ABOVE,
    BELOW,
    BETWEEN,
    BEFORE,
    AFTER
  }

  static Widget read(String text, Instant now, String region) {
    JsonNode root;
    try {
      root = JSON.readTree(text);
    } catch (JsonProcessingException e) {
      throw Refuse.badFormat("MetricWidget is not valid JSON: " + e.getOriginalMessage());
    }
    Fields fields = Fields.of(root, "", PROPERTIES);
    if (!fields.text("region", region).equals(region)) {
      throw fields.wrong("region", "Only " + region + " is supported");
    }
    if (fields.flag("liveData", false)) {
      throw fields.wrong("liveData", "Is not supported by this region yet");
    }
    List<Line> lines = lines(fields, region);
    Fields annotations =
        fields.has("annotations")
            ? fields.object("annotations", Set.of("alarms", "horizontal", "vertical"))
            : Fields.of(JSON.createObjectNode(), "/annotations", Set.of());
    List<String> alarms = new ArrayList<>();
    for (JsonNode alarm : annotations.list("alarms")) {
      if (!alarm.isTextual()) {
        throw annotations.wrong("alarms", "Should be ARNs of alarms");
      }
      alarms.add(alarm.textValue());
    }
    if (lines.isEmpty() == alarms.isEmpty()) {
      throw fields.wrong("", "Should have either metrics or the annotation of one alarm");
    }
    if (alarms.size() > 1) {
      throw annotations.wrong("alarms", "Should NOT have more than 1 items");
    }
    Instant to = time(fields, "end", now, now);
    Instant from = time(fields, "start", now, to.minus(Duration.ofHours(3)));
    if (!from.isBefore(to)) {
      throw fields.wrong("start", "Should be before end");
    }
    View view = fields.oneOf("view", View.TIMESERIES, View.class);
    Fields axes =
        fields.has("yAxis")
            ? fields.object("yAxis", Set.of("left", "right"))
            : Fields.of(JSON.createObjectNode(), "/yAxis", Set.of());
    Axis left = axis(axes, "left");
    if (view == View.GAUGE && (left.min() == null || left.max() == null)) {
      throw axes.wrong("left", "Should have min and max for a gauge");
    }
    Legend legend = Legend.BOTTOM;
    if (fields.has("legend")) {
      legend = fields.object("legend", Set.of("position")).oneOf("position", legend, Legend.class);
    }
    return new Widget(
        lines,
        alarms,
        levels(annotations),
        moments(annotations),
        view,
        fields.flag("stacked", false),
        fields.text("title"),
        fields.integer("width", 600, 1, Chart.LARGEST),
        fields.integer("height", 400, 1, Chart.LARGEST),
        from,
        to,
        zone(fields),
        fields.integer("period", 300, 1, 86_400 * 30),
        fields.text("stat", "Average"),
        fields.flag("setPeriodToTimeRange", false),
        legend,
        fields.oneOf("theme", Theme.LIGHT, Theme.class) == Theme.DARK,
        left,
        axis(axes, "right"));
  }

  private static List<Line> lines(Fields fields, String region) {
    List<JsonNode> entries = fields.list("metrics");
    if (entries.size() > MOST_LINES) {
      throw fields.wrong("metrics", "Should NOT have more than " + MOST_LINES + " items");
    }
    List<Line> lines = new ArrayList<>();
    List<String> before = List.of();
    for (int i = 0; i < entries.size(); i++) {
      Line line = Line.read(entries.get(i), "/metrics/" + i, before, region);
      lines.add(line);
      before = line.words().isEmpty() ? before : line.words();
    }
    return lines;
  }

  private static Axis axis(Fields axes, String side) {
    if (!axes.has(side)) {
      return Axis.FITTING;
    }
    Fields axis = axes.object(side, Set.of("label", "min", "max", "showUnits"));
    // Units are not drawn: there is nothing that showUnits could leave out.
    axis.flag("showUnits", false);
    Double min = axis.number("min");
    Double max = axis.number("max");
    if (min != null && max != null && min >= max) {
      throw axis.wrong("max", "Should be > min");
    }
    return new Axis(axis.text("label"), min, max);
  }

  /** A time, or how long before now. */
  private static Instant time(Fields fields, String name, Instant now, Instant otherwise) {
    String text = fields.text(name);
    if (text == null) {
      return otherwise;
    }
    try {
      if (text.equals("P0D")) { // as the console writes it
        return now;
      }
      if (!text.startsWith("-P")) {
        return OffsetDateTime.parse(text).toInstant();
      }
      return text.contains("T")
          ? now.plus(Duration.parse(text))
          : OffsetDateTime.ofInstant(now, ZoneOffset.UTC).plus(Period.parse(text)).toInstant();
    } catch (DateTimeException e) {
      throw fields.wrong(name, "Should be a time of ISO 8601, or a duration like -PT3H");
    }
  }

  private static ZoneOffset zone(Fields fields) {
    String zone = fields.text("timezone", "+0000");
    try {
      if (ZONE.matcher(zone).matches()) {
        return ZoneOffset.of(zone);
      }
    } catch (DateTimeException e) {
      // Said below.
    }
    throw fields.wrong("timezone", "Should be like +0130");
  }

  private static List<Level> levels(Fields annotations) {
    List<Level> levels = new ArrayList<>();
    List<JsonNode> all = annotations.list("horizontal");
    for (int i = 0; i < all.size(); i++) {
      String path = annotations.path() + "/horizontal/" + i;
      boolean band = all.get(i).isArray();
      Fields one = level(band ? all.get(i).path(0) : all.get(i), path);
      Double to = null;
      if (band) {
        if (all.get(i).size() != 2) {
          throw one.wrong("", "Should have two values");
        }
        to = value(level(all.get(i).get(1), path));
      }
      if (!one.flag("visible", true)) {
        continue;
      }
      Fill fill =
          switch (one.oneOf("fill", Side.NONE, Side.class)) {
            case NONE, BETWEEN -> Fill.NONE;
            case ABOVE -> Fill.AFTER;
            case BELOW -> Fill.BEFORE;
            case BEFORE, AFTER -> throw one.wrong("fill", "Should be above, below or none");
          };
      levels.add(
          new Level(
              one.text("label"),
              one.color(),
              value(one),
              to,
              fill,
              one.oneOf("yAxis", Line.Side.LEFT, Line.Side.class) == Line.Side.RIGHT));
    }
    return levels;
  }

  private static Fields level(JsonNode node, String path) {
    return Fields.of(node, path, Set.of("value", "label", "color", "fill", "visible", "yAxis"));
  }

  private static double value(Fields level) {
    Double value = level.number("value");
    if (value == null) {
      throw level.wrong("", "Should have required property 'value'");
    }
    return value;
  }

  private static List<Moment> moments(Fields annotations) {
    List<Moment> moments = new ArrayList<>();
    List<JsonNode> all = annotations.list("vertical");
    for (int i = 0; i < all.size(); i++) {
      String path = annotations.path() + "/vertical/" + i;
      boolean band = all.get(i).isArray();
      Fields one = moment(band ? all.get(i).path(0) : all.get(i), path);
      Instant to = null;
      if (band) {
        if (all.get(i).size() != 2) {
          throw one.wrong("", "Should have two values");
        }
        to = at(moment(all.get(i).get(1), path));
      }
      if (!one.flag("visible", true)) {
        continue;
      }
      Fill fill =
          switch (one.oneOf("fill", Side.NONE, Side.class)) {
            case NONE, BETWEEN -> Fill.NONE;
            case BEFORE -> Fill.BEFORE;
            case AFTER -> Fill.AFTER;
            case ABOVE, BELOW -> throw one.wrong("fill", "Should be before, after or none");
          };
      moments.add(new Moment(one.text("label"), one.color(), at(one), to, fill));
    }
    return moments;
  }

  private static Fields moment(JsonNode node, String path) {
    return Fields.of(node, path, Set.of("value", "label", "color", "fill", "visible"));
  }

  private static Instant at(Fields moment) {
    String value = moment.text("value");
    try {
      if (value != null) {
        return OffsetDateTime.parse(value).toInstant();
      }
    } catch (DateTimeException e) {
      // Said below.
    }
    throw moment.wrong("value", "Should be a time of ISO 8601");
  }
}
