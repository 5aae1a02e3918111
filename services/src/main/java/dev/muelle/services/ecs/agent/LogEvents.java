package dev.muelle.services.ecs.agent;

import dev.muelle.engine.Engine.LogLine;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatchlogs.model.InputLogEvent;

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
public record LogEvents(List<InputLogEvent> events, long position, boolean open) {

  /** How long an event may grow. */
  static final long AGE = 5_000; // ms

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
      List<LogLine> lines,
      @Nullable Pattern start,
      long position,
      long notBefore,
      long old,
      boolean full,
      boolean last) {
    List<InputLogEvent> events = new ArrayList<>();
    StringBuilder text = new StringBuilder();
    long at = position;
    long began = notBefore;
    long millis = notBefore;
    long before = position;
    for (LogLine line : lines) {
      millis = Math.max(millis, line.epochMillis());
      if (start == null) {
        add(events, line.text(), millis);
        at = line.position();
        continue;
      }
      boolean grown = text.length() + line.text().length() > MAX_EVENT;
      if (!text.isEmpty() && (grown || start.matcher(line.text()).find())) {
        add(events, text.toString(), began);
        text.setLength(0);
        at = before;
      }
      if (text.isEmpty()) {
        began = millis;
      }
      text.append(line.text()).append('\n');
      before = line.position();
    }
    boolean open = !text.isEmpty();
    if (open && (last || began <= old || (full && events.isEmpty()))) {
      add(events, text.toString(), began);
      return new LogEvents(events, before, false);
    }
    return new LogEvents(events, at, open);
  }

  private static void add(List<InputLogEvent> events, String text, long millis) {
    if (!text.isEmpty() && !text.equals("\n")) {
      events.add(InputLogEvent.builder().timestamp(millis).message(text).build());
    }
  }
}
