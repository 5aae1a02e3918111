package dev.muelle.services.cloudwatchlogs;

import dev.muelle.services.Scope;
import dev.muelle.services.cloudwatchlogs.Tables.Group;
import dev.muelle.services.cloudwatchlogs.Tables.Stream;
import dev.muelle.services.cloudwatchlogs.insights.Row;
import dev.muelle.services.cloudwatchlogs.packs.Event;
import dev.muelle.services.cloudwatchlogs.packs.EventRange;
import dev.muelle.services.cloudwatchlogs.packs.Mark;
import dev.muelle.services.cloudwatchlogs.packs.Needles;
import dev.muelle.store.Tx;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.regex.Pattern;

/** The {@code @ptr} of an event: its group, its stream, and its key. */
record Pointer(String group, String stream, String key) {

  private static final Pattern MARK = Pattern.compile("[0-7][0-9a-f]{15}/[0-9a-f]{12}");
  private static final Base64.Encoder ENCODER = Base64.getUrlEncoder().withoutPadding();

  static Pointer of(Scan.Found found) {
    return new Pointer(
        found.group().name(),
        found.stream().name(),
        found.stream().id() + "/" + found.event().mark().text());
  }

  String text() {
    // Neither names of groups nor of streams have a colon.
    String all = group + ":" + stream + ":" + key;
    return ENCODER.encodeToString(all.getBytes(StandardCharsets.UTF_8));
  }

  static Pointer read(String text) {
    try {
      String[] parts =
          new String(Base64.getUrlDecoder().decode(text), StandardCharsets.UTF_8).split(":", -1);
      if (parts.length == 3) {
        return new Pointer(parts[0], parts[1], parts[2]);
      }
    } catch (IllegalArgumentException e) {
      // Neither ours nor anybody's.
    }
    throw Refuse.invalid("The specified log record pointer is invalid.");
  }

  /** The event, as queries see it. */
  Row row(Tx tx, Scope scope, long now) {
    Group found = Names.require(tx, group);
    Stream in = Names.requireStream(tx, found, stream);
    String prefix = in.id() + "/";
    if (!key.startsWith(prefix) || !MARK.matcher(key.substring(prefix.length())).matches()) {
      throw Refuse.missing("log record");
    }
    Mark mark = Mark.read(key.substring(prefix.length()));
    EventRange there = new EventRange(tx, in.id(), mark, mark.next(), false, Needles.NONE);
    if (mark.time() < found.expiry(now) || !there.hasNext()) {
      throw Refuse.missing("log record");
    }
    Event event = there.next();
    return row(scope, event);
  }

  Row row(Scope scope, Event event) {
    return Row.event(
        event.time(),
        event.ingested(),
        event.message(),
        stream,
        scope.account() + ":" + group,
        text());
  }
}
