package dev.muelle.services.eventbridge;

import dev.muelle.services.StoredJson;
import dev.muelle.store.Table;
import java.time.Instant;
import java.util.Map;

/** A bus that somebody made; the default one is always there. */
record Bus(
    String name, String description, Map<String, String> tags, Instant created, Instant changed) {

  /** Under the name. */
  static final Table<Bus> TABLE = Table.of("events.buses", StoredJson.codec(Bus.class)).remember();

  static final String DEFAULT = "default";

  Bus {
    tags = Map.copyOf(tags);
  }

  Bus withTags(Map<String, String> others) {
    return new Bus(name, description, others, created, changed);
  }
}
