package dev.muelle.services.eventbridge;

import dev.muelle.services.StoredJson;
import dev.muelle.store.Table;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A rule as it is stored.
 *
 * @param pattern null if it only has a schedule
 * @param schedule null if it only has a pattern
 * @param created from when on a rate counts
 * @param ran for which moment its schedule was last due; null if it never was
 */
record Rule(
    String bus,
    String name,
    @Nullable String pattern,
    @Nullable String schedule,
    boolean enabled,
    @Nullable String description,
    Map<String, String> tags,
    Instant created,
    @Nullable Instant ran) {

  /** Under bus and name. */
  static final Table<Rule> TABLE =
      Table.of("events.rules", StoredJson.codec(Rule.class)).remember();

  Rule {
    tags = Map.copyOf(tags);
  }

  static String key(String bus, String name) {
    return bus + "/" + name;
  }

  String key() {
    return key(bus, name);
  }

  /** As its ARN names it: the default bus goes without saying. */
  String resource() {
    return "rule/" + (bus.equals(Bus.DEFAULT) ? "" : bus + "/") + name;
  }

  Rule withTags(Map<String, String> others) {
    return new Rule(bus, name, pattern, schedule, enabled, description, others, created, ran);
  }

  Rule withEnabled(boolean now) {
    return new Rule(bus, name, pattern, schedule, now, description, tags, created, ran);
  }

  Rule ranAt(Instant at) {
    return new Rule(bus, name, pattern, schedule, enabled, description, tags, created, at);
  }
}
