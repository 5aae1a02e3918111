package dev.muelle.services.elasticloadbalancingv2.measure;

import dev.muelle.services.elasticloadbalancingv2.state.State.Balancing;
import java.util.HashMap;
import java.util.Map;

/** Whose metrics they are. */
public record Subject(String namespace, Map<String, String> dimensions) {

  static Subject of(Balancing balancing, Map<String, String> dimensions) {
    return new Subject(
        balancing.network() ? "AWS/NetworkELB" : "AWS/ApplicationELB", Map.copyOf(dimensions));
  }

  /** Its part in a zone. */
  Subject in(String zone) {
    Map<String, String> all = new HashMap<>(dimensions);
    all.put("AvailabilityZone", zone);
    return new Subject(namespace, Map.copyOf(all));
  }

  /** Only the one of its dimensions that has this name. */
  Subject only(String dimension) {
    String value = dimensions.get(dimension);
    return new Subject(namespace, value == null ? Map.of() : Map.of(dimension, value));
  }
}
