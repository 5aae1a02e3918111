package dev.muelle.network.linux;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Boxes of whole numbers, cut so that none overlaps another: what a set of intervals in the kernel
 * asks for. Boxes that do not touch come out as they went in, so that one more costs one more.
 */
final class Boxes {

  private Boxes() {}

  /** From the first number to the last, both inclusive. */
  record Range(long first, long last) {}

  /**
   * The same points, in boxes that are disjoint. Cuts along the first dimensions, and joins along
   * the last one: where there are many different ranges, they are best put last.
   *
   * @param boxes each a range for each dimension, of which there is at least one
   * @return in order
   */
  static List<List<Range>> disjoint(List<List<Range>> boxes) {
    if (boxes.isEmpty()) {
      return List.of();
    }
    if (boxes.getFirst().size() == 1) {
      return joined(boxes.stream().map(List::getFirst).toList());
    }
    TreeSet<Long> cuts = new TreeSet<>();
    for (List<Range> box : boxes) {
      cuts.add(box.getFirst().first());
      cuts.add(box.getFirst().last() + 1);
    }
    List<List<Range>> all = new ArrayList<>();
    long from = cuts.getFirst();
    List<List<Range>> inner = List.of();
    for (long cut : cuts) {
      List<List<Range>> here = disjoint(behind(boxes, cut));
      if (!here.equals(inner)) {
        put(all, new Range(from, cut - 1), inner);
        from = cut;
        inner = here;
      }
    }
    return all;
  }

  /** What the boxes that are at this number of the first dimension are in the others. */
  private static List<List<Range>> behind(List<List<Range>> boxes, long at) {
    return boxes.stream()
        .filter(box -> box.getFirst().first() <= at && at <= box.getFirst().last())
        .map(box -> box.subList(1, box.size()))
        .toList();
  }

  private static void put(List<List<Range>> all, Range range, List<List<Range>> inner) {
    for (List<Range> one : inner) {
      List<Range> box = new ArrayList<>();
      box.add(range);
      box.addAll(one);
      all.add(List.copyOf(box));
    }
  }

  private static List<List<Range>> joined(List<Range> ranges) {
    List<List<Range>> all = new ArrayList<>();
    @Nullable Range open = null;
    for (Range next : ranges.stream().sorted(Comparator.comparingLong(Range::first)).toList()) {
      if (open == null) {
        open = next;
      } else if (next.first() <= open.last() + 1) {
        open = new Range(open.first(), Math.max(open.last(), next.last()));
      } else {
        all.add(List.of(open));
        open = next;
      }
    }
    if (open != null) {
      all.add(List.of(open));
    }
    return all;
  }
}
