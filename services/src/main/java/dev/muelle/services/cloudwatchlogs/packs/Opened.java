package dev.muelle.services.cloudwatchlogs.packs;

import com.github.luben.zstd.Zstd;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** A pack that was opened: those of its events that may be wanted, in their order. */
final class Opened {

  private static final int[] NOTHING = {};

  private final byte[] all;
  private final int[] ends;
  private final long[] times;
  private final long[] sequences;
  private final long[] arrivals;
  private final int texts;

  private final int[] which;

  private Opened(Entry entry, byte[] all, int texts, Needles needles) {
    this.all = all;
    this.texts = texts;
    int count = entry.count();
    ends = new int[count];
    times = new long[count];
    sequences = new long[count];
    arrivals = new long[count];
    String view = needles.none() ? "" : view(all, texts);
    boolean anyone = needles.none() || needles.areDisguisedIn(view);
    if (!anyone && !needles.allIn(view)) {
      which = NOTHING; // and where they begin and end does not matter
      return;
    }
    Bytes.Reader in = new Bytes.Reader(all, 0);
    long time = entry.firstTime();
    long sequence = entry.firstSequence();
    long arrival = entry.firstIngested();
    int end = texts;
    for (int i = 0; i < count; i++) {
      time += in.signed();
      sequence += in.signed();
      arrival += in.signed();
      end += Math.toIntExact(in.number());
      times[i] = time;
      sequences[i] = sequence;
      arrivals[i] = arrival;
      ends[i] = end;
    }
    which = anyone ? everyone(count) : with(needles.first(), view);
  }

  static Opened open(Entry entry, byte[] packed, Needles needles) {
    Bytes.Reader head = new Bytes.Reader(packed, 0);
    int columns = Math.toIntExact(head.number());
    int size = Math.addExact(columns, Math.toIntExact(head.number()));
    byte[] all = new byte[size];
    long done =
        Zstd.decompressByteArray(
            all, 0, size, packed, head.position(), packed.length - head.position());
    if (done != size) {
      throw new IllegalStateException(
          "a pack of logs is damaged: "
              + (Zstd.isError(done) ? Zstd.getErrorName(done) : done + " instead of " + size));
    }
    return new Opened(entry, all, columns, needles);
  }

  private static String view(byte[] all, int texts) {
    return new String(all, texts, all.length - texts, StandardCharsets.ISO_8859_1);
  }

  private static int[] everyone(int count) {
    int[] everyone = new int[count];
    Arrays.setAll(everyone, i -> i);
    return everyone;
  }

  private int[] with(String needle, String view) {
    int[] found = new int[ends.length];
    int count = 0;
    int at = view.indexOf(needle);
    while (at >= 0) {
      int before = Arrays.binarySearch(ends, texts + at); // ends before it, or right there
      int event = before < 0 ? -before - 1 : lastOf(before) + 1;
      boolean inside = texts + at + needle.length() <= ends[event];
      if (inside) {
        found[count++] = event;
      }
      at = view.indexOf(needle, inside ? ends[event] - texts : at + 1);
    }
    return Arrays.copyOf(found, count);
  }

  /** Empty texts end where the one before them does. */
  private int lastOf(int end) {
    int last = end;
    while (last + 1 < ends.length && ends[last + 1] == ends[end]) {
      last++;
    }
    return last;
  }

  int count() {
    return which.length;
  }

  Mark mark(int index) {
    return new Mark(times[which[index]], sequences[which[index]]);
  }

  long ingested(int index) {
    return arrivals[which[index]];
  }

  Event event(int index) {
    int event = which[index];
    int begin = event == 0 ? texts : ends[event - 1];
    return new Event(
        times[event],
        arrivals[event],
        sequences[event],
        new String(all, begin, ends[event] - begin, StandardCharsets.UTF_8));
  }
}
