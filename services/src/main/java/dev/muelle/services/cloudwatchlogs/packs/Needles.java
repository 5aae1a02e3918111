package dev.muelle.services.cloudwatchlogs.packs;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Texts that every wanted event has, all of them, unless it has a certain other one; none if
 * nothing of the kind is known.
 */
public final class Needles {

  public static final Needles NONE = new Needles(List.of(), "");

  private final List<byte[]> bytes = new ArrayList<>();

  /** The same bytes, each as a character: Java looks for such texts with wide instructions. */
  private final List<String> views = new ArrayList<>();

  private final byte[] disguise;
  private final String disguiseView;

  private Needles(List<String> texts, String disguise) {
    this.disguise = disguise.getBytes(StandardCharsets.UTF_8);
    disguiseView = new String(this.disguise, StandardCharsets.ISO_8859_1);
    for (String text : texts) {
      byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
      bytes.add(utf8);
      views.add(new String(utf8, StandardCharsets.ISO_8859_1));
    }
  }

  /**
   * Some needles.
   *
   * @param disguise what an event without them has that is wanted all the same; may be empty
   */
  public static Needles of(List<String> texts, String disguise) {
    List<String> longestFirst =
        texts.stream()
            .filter(text -> !text.isEmpty())
            .sorted(Comparator.comparingInt(String::length).reversed())
            .toList();
    return longestFirst.isEmpty() ? NONE : new Needles(longestFirst, disguise);
  }

  boolean none() {
    return views.isEmpty();
  }

  /** False if a pack certainly has no wanted event. */
  boolean mayBeIn(Sketch sketch) {
    return bytes.stream().allMatch(sketch::mayHold)
        || disguise.length > 0 && sketch.mayHold(disguise);
  }

  /** The longest one. */
  String first() {
    return views.getFirst();
  }

  /** Whether events of such a text may be wanted that have none of them. */
  boolean areDisguisedIn(String view) {
    return !disguiseView.isEmpty() && view.contains(disguiseView);
  }

  /** Whether each of them is somewhere in a text, of which each character is a byte. */
  boolean allIn(String view) {
    return views.stream().allMatch(view::contains);
  }
}
