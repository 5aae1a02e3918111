package dev.muelle.services.eventbridge;

import dev.muelle.services.StoredJson;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.time.Instant;

/**
 * An event on its way to one target.
 *
 * @param target the key of the target
 * @param event as JSON
 * @param attempts made so far
 */
record Invocation(
    String target, String id, String event, int attempts, Instant begun, Instant due) {

  /** Of each target in the order in which they are due. */
  static final Table<Invocation> TABLE =
      Table.of("events.invocations", StoredJson.codec(Invocation.class));

  static String prefix(String target) {
    return target + "/";
  }

  static String key(String target, Instant due, String id) {
    return "%s%019d/%s".formatted(prefix(target), due.toEpochMilli(), id);
  }

  void put(Tx tx) {
    tx.put(TABLE, key(target, due, id), this);
  }

  Invocation again(Instant at) {
    return new Invocation(target, id, event, attempts + 1, begun, at);
  }
}
