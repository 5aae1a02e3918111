package dev.muelle.engine.oci.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.engine.oci.image.Tidying.Candidate;
import dev.muelle.engine.oci.image.Tidying.Plan;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class TidyingTest {

  private static final Map<String, Long> SIZES = Map.of("base", 50L, "a", 10L, "b", 10L, "c", 10L);
  private static final List<Candidate> IMAGES =
      List.of(
          new Candidate("A", List.of("base", "a"), 1),
          new Candidate("B", List.of("base", "b"), 2),
          new Candidate("C", List.of("base", "c"), 3));

  private static Plan plan(long bound, Set<String> inUse, long notAfter) {
    return Tidying.plan(IMAGES, SIZES, inUse, bound, notAfter);
  }

  private static Plan goes(List<String> images, List<String> layers) {
    return new Plan(images, layers);
  }

  @Test
  void theLeastRecentlyUsedGoUntilTheRestFits() {
    assertEquals(goes(List.of(), List.of()), plan(80, Set.of(), 99));
    assertEquals(goes(List.of("A"), List.of("a")), plan(79, Set.of(), 99));
    assertEquals(goes(List.of("A", "B"), List.of("a", "b")), plan(69, Set.of(), 99));
    assertEquals(
        goes(List.of("A", "B", "C"), List.of("a", "b", "base", "c")), plan(0, Set.of(), 99));
  }

  @Test
  void whatIsUsedNeverGoes() {
    assertEquals(goes(List.of("B"), List.of("b")), plan(70, Set.of("base", "a"), 99));
    assertEquals(goes(List.of(), List.of()), plan(0, Set.of("base", "a", "b", "c"), 99));
  }

  @Test
  void whatWasUsedJustNowStays() {
    assertEquals(goes(List.of("A"), List.of("a")), plan(0, Set.of(), 1));
    assertEquals(goes(List.of(), List.of()), plan(0, Set.of(), 0));
  }

  @Test
  void whatNoImageHasGoesFirst() {
    Map<String, Long> sizes = new HashMap<>(SIZES);
    sizes.put("left", 5L);
    assertEquals(goes(List.of(), List.of("left")), Tidying.plan(IMAGES, sizes, Set.of(), 80, 99));
    assertEquals(
        goes(List.of("A"), List.of("a")), Tidying.plan(IMAGES, sizes, Set.of("left"), 80, 99));
  }

  /** Whatever there is: no layer that is used or promised goes, and what can go is enough. */
  @Test
  void holdsForAnyImages() {
    Random random = new Random(7);
    for (int round = 0; round < 2000; round++) {
      Map<String, Long> sizes = new HashMap<>();
      for (int i = 0; i < 8; i++) {
        sizes.put("l" + i, (long) random.nextInt(20));
      }
      List<Candidate> images = new ArrayList<>();
      for (int i = 0; i < 6; i++) {
        List<String> layers = random.ints(3, 0, 8).mapToObj(l -> "l" + l).toList();
        images.add(new Candidate("i" + i, layers, random.nextInt(5)));
      }
      Set<String> inUse = new HashSet<>(random.ints(2, 0, 8).mapToObj(l -> "l" + l).toList());
      long bound = random.nextInt(100);
      Plan plan = Tidying.plan(images, sizes, inUse, bound, 3);
      Set<String> gone = new HashSet<>(plan.layers());
      assertTrue(inUse.stream().noneMatch(gone::contains));
      for (Candidate image : images) {
        boolean stays = !plan.images().contains(image.id());
        assertTrue(!stays || image.layers().stream().noneMatch(gone::contains), plan::toString);
        assertTrue(stays || image.usedMillis() <= 3);
      }
      long left =
          sizes.entrySet().stream()
              .filter(layer -> !gone.contains(layer.getKey()))
              .mapToLong(Map.Entry::getValue)
              .sum();
      boolean canGoOn =
          images.stream()
              .anyMatch(image ->
                  !plan.images().contains(image.id())
                      && image.usedMillis() <= 3
                      && !inUse.containsAll(image.layers()));
      assertTrue(left <= bound || !canGoOn, plan::toString);
    }
  }
}
