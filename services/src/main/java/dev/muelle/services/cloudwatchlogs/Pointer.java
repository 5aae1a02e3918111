package dev.muelle.services.cloudwatchlogs;

import dev.muelle.services.Scope;
import dev.muelle.services.cloudwatchlogs.Tables.Event;
import dev.muelle.services.cloudwatchlogs.Tables.Group;
import dev.muelle.services.cloudwatchlogs.Tables.Stream;
import dev.muelle.services.cloudwatchlogs.insights.Row;
import dev.muelle.store.Tx;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/** The {@code @ptr} of an event: its group, its stream, and its key. */
record Pointer(String group, String stream, String key) {

  private static final Base64.Encoder ENCODER = Base64.getUrlEncoder().withoutPadding();

  static Pointer of(Scan.Found found) {
    return new Pointer(found.group().name(), found.stream().name(), found.row().key());
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
    Event event =
        tx.get(Tables.EVENTS, key)
            .filter(row -> key.startsWith(in.id() + "/"))
            .map(row -> row.value())
            .filter(value -> value.time() >= found.expiry(now))
            .orElseThrow(() -> Refuse.missing("log record"));
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
