package dev.muelle.services.ecs.agent;

import dev.muelle.engine.LogLines;
import dev.muelle.services.LogBatch;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Makes events of lines, as Docker's awslogs driver does: pure. Where a pattern tells with what an
 * event begins, the lines that follow and do not match it belong to it, each with its line feed;
 * such an event is complete when the next one begins, when five seconds have passed, or when
 * nothing more will come.
 *
 * @param events what is complete
 * @param position up to where they reach; the first one's if there is none
 * @param open whether lines are left that belong to an event that is not complete
 */
public record LogEvents(LogBatch events, long position, boolean open) {

  /** How long an event may grow. */
  static final long AGE = 5_000; // ms

  private static final VarHandle EIGHT =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());
  private static final long HIGHEST = 0x8080808080808080L;

  private static final int MAX_EVENT = 256 * 1024; // characters

  /**
   * Cuts.
   *
   * @param lines not empty
   * @param start null where every line is an event; empty lines are none
   * @param position before the lines
   * @param notBefore time never runs backwards in a stream
   * @param old what began until then has grown long enough
   * @param full whether there are more lines than these
   * @param last whether nothing more will come
   */
  public static LogEvents cut(
      LogLines lines,
      @Nullable Pattern start,
      long position,
      long notBefore,
      long old,
      boolean full,
      boolean last) {
    return start == null
        ? each(lines, notBefore)
        : gathered(lines, start, position, notBefore, old, full, last);
  }

  private static LogEvents each(LogLines lines, long notBefore) {
    LogBatch events = new LogBatch(lines.count(), lines.size());
    boolean plain = isPlain(lines);
    long millis = notBefore;
    for (int i = 0; i < lines.count(); i++) {
      millis = Math.max(millis, lines.epochMillis(i));
      if (lines.end(i) == lines.begin(i)) {
        continue;
      }
      if (plain) {
        events.add(millis, lines.bytes(), lines.begin(i), lines.end(i));
      } else {
        events.add(millis, lines.text(i)); // which is UTF-8 then, whatever was printed
      }
    }
    return new LogEvents(events, lines.position(lines.count() - 1), false);
  }

  /** Whether there is nothing but ASCII. */
  private static boolean isPlain(LogLines lines) {
    byte[] bytes = lines.bytes();
    int size = lines.size();
    long signs = 0;
    int i = 0;
    for (; i <= size - Long.BYTES; i += Long.BYTES) {
      signs |= (long) EIGHT.get(bytes, i);
    }
    for (; i < size; i++) {
      signs |= bytes[i]; // sign and all
    }
    return (signs & HIGHEST) == 0;
  }

  private static LogEvents gathered(
      LogLines lines,
      Pattern start,
      long position,
      long notBefore,
      long old,
      boolean full,
      boolean last) {
    LogBatch events = new LogBatch(lines.count(), lines.size());
    StringBuilder text = new StringBuilder();
    long at = position;
    long began = notBefore;
    long millis = notBefore;
    long before = position;
    for (int i = 0; i < lines.count(); i++) {
      millis = Math.max(millis, lines.epochMillis(i));
      String line = lines.text(i);
      boolean grown = text.length() + line.length() > MAX_EVENT;
      if (!text.isEmpty() && (grown || start.matcher(line).find())) {
        add(events, text.toString(), began);
        text.setLength(0);
        at = before;
      }
      if (text.isEmpty()) {
        began = millis;
      }
      text.append(line).append('\n');
      before = lines.position(i);
    }
    boolean open = !text.isEmpty();
    if (open && (last || began <= old || (full && events.isEmpty()))) {
      add(events, text.toString(), began);
      return new LogEvents(events, before, false);
    }
    return new LogEvents(events, at, open);
  }

  private static void add(LogBatch events, String text, long millis) {
    if (!text.equals("\n")) {
      events.add(millis, text);
    }
  }
}
