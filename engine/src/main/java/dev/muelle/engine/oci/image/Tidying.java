package dev.muelle.engine.oci.image;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Decides which images and layers go when the unpacked layers exceed their bound. */
final class Tidying {

  private Tidying() {}

  /**
   * An image that could go.
   *
   * @param usedMillis when it was last pulled or started
   */
  record Candidate(String id, List<String> layers, long usedMillis) {}

  /** What goes: the images first, because an image promises its layers. */
  record Plan(List<String> images, List<String> layers) {}

  /**
   * The images that were not used for the longest time go, with the layers that no other image has,
   * until the rest is within the bound; before them the layers that no image has.
   *
   * @param sizes of all layers that are there, by diff id
   * @param inUse layers of containers, and of images that are being made ready
   * @param notAfter images used later than that stay
   */
  static Plan plan(
      Collection<Candidate> images,
      Map<String, Long> sizes,
      Set<String> inUse,
      long bound,
      long notAfter) {
    Map<String, Integer> references = new HashMap<>();
    for (Candidate image : images) {
      image.layers().stream().distinct().forEach(layer -> references.merge(layer, 1, Integer::sum));
    }
    Set<String> gone = new HashSet<>();
    long left = sizes.values().stream().mapToLong(Long::longValue).sum();
    for (Map.Entry<String, Long> layer : sizes.entrySet()) {
      if (left > bound
          && !references.containsKey(layer.getKey())
          && !inUse.contains(layer.getKey())) {
        gone.add(layer.getKey());
        left -= layer.getValue();
      }
    }
    List<String> plan = new ArrayList<>();
    for (Candidate image :
        images.stream()
            .sorted(Comparator.comparingLong(Candidate::usedMillis).thenComparing(Candidate::id))
            .toList()) {
      if (left <= bound || image.usedMillis() > notAfter) {
        break;
      }
      if (inUse.containsAll(image.layers())) {
        continue; // nothing would be won
      }
      plan.add(image.id());
      for (String layer : new HashSet<>(image.layers())) {
        if (references.merge(layer, -1, Integer::sum) == 0 && !inUse.contains(layer)) {
          gone.add(layer);
          left -= sizes.getOrDefault(layer, 0L);
        }
      }
    }
    return new Plan(plan, gone.stream().sorted().toList());
  }
}
