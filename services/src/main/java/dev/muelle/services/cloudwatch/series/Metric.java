package dev.muelle.services.cloudwatch.series;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import software.amazon.awssdk.services.cloudwatch.model.Dimension;

/**
 * What identifies a metric.
 *
 * @param dimensions by name, in order
 */
public record Metric(String namespace, String name, List<Dimension> dimensions) {

  public Metric {
    dimensions =
        dimensions.stream()
            .sorted(Comparator.comparing(Dimension::name).thenComparing(Dimension::value))
            .toList();
  }

  /** Whether it is one of a single ECS task, which the region has measured. */
  boolean ofTask() {
    return namespace.equals("ECS/ContainerInsights")
        && dimensions.stream().anyMatch(dimension -> dimension.name().equals("TaskId"));
  }

  /** The key of what was measured of it in one unit. */
  String seriesKey(String unit) {
    StringBuilder text = new StringBuilder();
    part(text, namespace);
    part(text, name);
    part(text, unit);
    for (Dimension dimension : dimensions) {
      part(text, dimension.name());
      part(text, dimension.value());
    }
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256")
              .digest(text.toString().getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(hash, 0, 12);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** With its length before it, no part can run into the next. */
  private static void part(StringBuilder text, String part) {
    text.append(part.length()).append(':').append(part);
  }

  public software.amazon.awssdk.services.cloudwatch.model.Metric toModel() {
    return software.amazon.awssdk.services.cloudwatch.model.Metric.builder()
        .namespace(namespace)
        .metricName(name)
        .dimensions(dimensions)
        .build();
  }

  public static Metric of(software.amazon.awssdk.services.cloudwatch.model.Metric model) {
    return new Metric(model.namespace(), model.metricName(), model.dimensions());
  }
}
