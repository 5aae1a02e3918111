package dev.muelle.services.cloudwatchlogs.packs;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Texts that every wanted event has, all of them; none if nothing of the kind is known. */
public final class Needles {

  public static final Needles NONE = new Needles(List.of());

  private final List<byte[]> bytes = new ArrayList<>();

  /** The same bytes, each as a character: Java looks for such texts with wide instructions. */
  private final List<String> views = new ArrayList<>();

  private Needles(List<String> texts) {
    for (String text : texts) {
      byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
      bytes.add(utf8);
      views.add(new String(utf8, StandardCharsets.ISO_8859_1));
    }
  }

  public static Needles of(List<String> texts) {
    List<String> longestFirst =
        texts.stream()
            .filter(text -> !text.isEmpty())
            .sorted(Comparator.comparingInt(String::length).reversed())
            .toList();
    return longestFirst.isEmpty() ? NONE : new Needles(longestFirst);
  }

  boolean none() {
    return views.isEmpty();
  }

  /** False if a pack certainly has no wanted event. */
  boolean mayBeIn(Sketch sketch) {
    return bytes.stream().allMatch(sketch::mayHold);
  }

  /** The longest one. */
  String first() {
    return views.getFirst();
  }

  /** Whether each of them is somewhere in a text, of which each character is a byte. */
  boolean allIn(String view) {
    return views.stream().allMatch(view::contains);
  }
}
