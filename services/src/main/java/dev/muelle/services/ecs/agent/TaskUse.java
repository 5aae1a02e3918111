package dev.muelle.services.ecs.agent;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a task uses.
 *
 * @param parts its running containers', by name
 */
record TaskUse(Map<String, Part> parts) {

  /**
   * What a container uses.
   *
   * @param cpu in CPU units; null as long as there is nothing to compare with
   * @param memory in MiB
   */
  record Part(@Nullable Double cpu, double memory) {}

  /** In CPU units; null as long as one of its containers has nothing to compare with. */
  @Nullable Double cpu() {
    double sum = 0;
    for (Part part : parts.values()) {
      Double one = part.cpu();
      if (one == null) {
        return null;
      }
      sum += one;
    }
    return sum;
  }

  /** In MiB. */
  double memory() {
    return parts.values().stream().mapToDouble(Part::memory).sum();
  }
}
