package dev.muelle.region.simulate;

import dev.muelle.chart.Chart;
import dev.muelle.region.simulate.Simulation.Minute;
import dev.muelle.region.simulate.Simulation.Outcome;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import javax.imageio.ImageIO;

/** Shows what came of a simulation: a table, an image, and a summary. */
public record Report(Plan plan, Outcome outcome) {

  private static final int WIDTH = 1_400;
  private static final int HEIGHT = 360;

  /** A row for each minute. */
  public String csv() {
    StringBuilder text =
        new StringBuilder(
            "time,requests_per_second,desired,running,cpu_percent,latency_ms,waiting,dollars");
    if (plan.hosts() != null) {
      text.append(",instances_desired,instances,reserved_percent,instance_cpu_percent");
    }
    text.append("\n");
    for (Minute minute : outcome.minutes()) {
      text.append(
          String.format(
              Locale.ROOT,
              "%s,%.2f,%d,%d,%.1f,%.1f,%.0f,%.4f",
              minute.at(),
              minute.rate(),
              minute.desired(),
              minute.running(),
              100 * minute.busy(),
              minute.latencyMillis(),
              minute.waiting(),
              minute.dollars()));
      if (minute.hosts() != null) {
        text.append(
            String.format(
                Locale.ROOT,
                ",%d,%d,%.1f,%.1f",
                minute.hosts().desired(),
                minute.hosts().running(),
                100 * minute.hosts().reserved(),
                100 * minute.hostsBusy(plan.vcpu())));
      }
      text.append("\n");
    }
    return text.toString();
  }

  /**
   * Charts above each other, as PNG: traffic, tasks, CPU, instances if there are any and how full
   * they are, latency and price.
   */
  public byte[] png() throws IOException {
    double perTask = plan.model().perTask();
    List<Chart> charts = new ArrayList<>();
    charts.addAll(
        List.of(
            chart(
                "Requests per second, and what the running tasks can answer",
                List.of(),
                series("requests/s", "#1f77b4", false, Minute::rate),
                series("capacity", "#7f7f7f", false, minute -> minute.running() * perTask)),
            chart(
                "Tasks",
                List.of(),
                series("desired", "#ff7f0e", false, Minute::desired),
                series("running", "#2ca02c", false, Minute::running)),
            chart(
                "CPU utilization, %",
                targets(), series("CPU", "#9467bd", false, minute -> 100 * minute.busy()))));
    if (plan.hosts() != null) {
      charts.addAll(hosts(plan.hosts()));
    }
    charts.add(
        chart(
            "Latency, ms (estimate), and price, $ (right)",
            List.of(),
            series("latency", "#d62728", false, minute -> finite(minute.latencyMillis())),
            series("price", "#8c564b", true, Minute::dollars)));
    BufferedImage all =
        new BufferedImage(WIDTH, HEIGHT * charts.size(), BufferedImage.TYPE_INT_RGB);
    Graphics2D canvas = all.createGraphics();
    for (int i = 0; i < charts.size(); i++) {
      canvas.drawImage(
          ImageIO.read(new ByteArrayInputStream(charts.get(i).png())), 0, i * HEIGHT, null);
    }
    canvas.dispose();
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    ImageIO.write(all, "png", png);
    return png.toByteArray();
  }

  private List<Chart> hosts(Hosts hosts) {
    return List.of(
        chart(
            "Instances (" + hosts.type() + ")",
            List.of(),
            series("desired", "#ff7f0e", false, of(Fleet.State::desired)),
            series("running", "#2ca02c", false, of(Fleet.State::running))),
        chart(
            "Instances: what tasks have reserved, and use, %",
            List.of(level(hosts.target())),
            series("reserved", "#17becf", false, of(state -> 100 * state.reserved())),
            series("CPU used", "#9467bd", false, minute -> 100 * minute.hostsBusy(plan.vcpu()))));
  }

  private static ToDoubleFunction<Minute> of(ToDoubleFunction<Fleet.State> value) {
    return minute -> minute.hosts() == null ? 0 : value.applyAsDouble(minute.hosts());
  }

  private static Chart.Level level(double target) {
    return new Chart.Level("target", null, target, null, Chart.Fill.NONE, false);
  }

  /** Nobody waits for ever; what is beyond a minute is drawn as one. */
  private static double finite(double millis) {
    return Math.min(millis, 60_000);
  }

  private List<Chart.Level> targets() {
    return plan.policies().stream()
        .map(policy -> policy.targetTrackingScalingPolicyConfiguration())
        .filter(tracking -> tracking != null && tracking.targetValue() <= 100)
        .map(tracking -> level(tracking.targetValue()))
        .toList();
  }

  private Chart.Series series(
      String label, String color, boolean right, ToDoubleFunction<Minute> value) {
    Map<Instant, Double> points =
        outcome.minutes().stream().collect(Collectors.toMap(Minute::at, value::applyAsDouble));
    return new Chart.Series(label, color, right, new TreeMap<>(points), null);
  }

  private Chart chart(String title, List<Chart.Level> levels, Chart.Series... series) {
    return new Chart(
        Chart.View.LINES,
        title,
        WIDTH,
        HEIGHT,
        outcome.minutes().getFirst().at(),
        outcome.minutes().getLast().at().plus(Duration.ofMinutes(1)),
        ZoneOffset.UTC,
        new Chart.Axis(null, 0.0, null),
        new Chart.Axis(null, 0.0, null),
        Chart.Legend.BOTTOM,
        false,
        List.of(series),
        levels,
        List.of());
  }

  /** What one wants to know first, a line each. */
  public String summary() {
    List<Minute> minutes = outcome.minutes();
    double hours = minutes.size() / 60.0;
    double dollars = minutes.getLast().dollars();
    Hosts hosts = plan.hosts();
    double fixed = hours * (hosts == null ? plan.max() : hosts.max()) * plan.hourly();
    double requests = minutes.stream().mapToDouble(minute -> 60 * minute.rate()).sum();
    long late = minutes.stream().filter(minute -> minute.waiting() > 0).count();
    long scaled = outcome.activities().size();
    double[] latencies =
        minutes.stream()
            .filter(minute -> minute.rate() > 0)
            .mapToDouble(Minute::latencyMillis)
            .sorted()
            .toArray();
    return String.format(
            Locale.ROOT,
            """
            requests          %,.0f in %.1f hours, at most %.1f a second
            tasks             %d to %d, %.2f on average
            scaling           %d activities
            CPU               %.1f%% on average
            latency (est.)    %.0f ms in the median minute, %.0f ms in 95%% of them
            overloaded        %d minutes with requests waiting
            price             $%.2f; $%.2f with %d %s all the time
            """,
            requests,
            hours,
            minutes.stream().mapToDouble(Minute::rate).max().orElse(0),
            minutes.stream().mapToInt(Minute::running).min().orElse(0),
            minutes.stream().mapToInt(Minute::running).max().orElse(0),
            minutes.stream().mapToInt(Minute::running).average().orElse(0),
            scaled,
            100 * minutes.stream().mapToDouble(Minute::busy).average().orElse(0),
            part(latencies, 0.5),
            part(latencies, 0.95),
            late,
            dollars,
            fixed,
            hosts == null ? plan.max() : hosts.max(),
            hosts == null ? "tasks" : "instances")
        + (hosts == null ? "" : hosts(minutes));
  }

  private String hosts(List<Minute> minutes) {
    return String.format(
        Locale.ROOT,
        """
        instances         %d to %d, %.2f on average
        reserved          %.1f%% of their CPU or memory on average, %.1f%% of their CPU used
        """,
        minutes.stream().mapToInt(Report::running).min().orElse(0),
        minutes.stream().mapToInt(Report::running).max().orElse(0),
        minutes.stream().mapToInt(Report::running).average().orElse(0),
        100 * minutes.stream().mapToDouble(of(Fleet.State::reserved)).average().orElse(0),
        100
            * minutes.stream()
                .mapToDouble(minute -> minute.hostsBusy(plan.vcpu()))
                .average()
                .orElse(0));
  }

  private static int running(Minute minute) {
    return minute.hosts() == null ? 0 : minute.hosts().running();
  }

  private static double part(double[] sorted, double part) {
    return sorted.length == 0 ? 0 : sorted[(int) Math.ceil(part * sorted.length) - 1];
  }
}
