package dev.muelle.services.eventbridge;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.services.EventOutbox.Event;
import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.store.Row;
import dev.muelle.store.Tx;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Puts down what a rule's targets get: which rules match is decided in memory. */
final class Matching {

  private final Scope scope;
  private final Ids ids;
  private final Rulebook rulebook;

  Matching(Scope scope, Ids ids, Rulebook rulebook) {
    this.scope = scope;
    this.ids = ids;
    this.rulebook = rulebook;
  }

  /**
   * Who is to be told of what matched.
   *
   * @param rules whose names count
   * @param targets whose loops wake
   */
  record Matched(List<String> rules, Set<String> targets) {}

  /** An event as rules and targets see it. */
  JsonNode json(Event event) {
    ObjectNode json =
        Json.object()
            .put("version", "0")
            .put("id", event.id())
            .put("detail-type", event.detailType())
            .put("source", event.source())
            .put("account", scope.account())
            .put("time", event.time().truncatedTo(ChronoUnit.SECONDS).toString())
            .put("region", scope.region());
    ArrayNode resources = json.putArray("resources");
    event.resources().forEach(resources::add);
    json.set("detail", Json.read(event.detail()).orElseGet(Json::object));
    return json;
  }

  Matched match(Tx tx, String bus, Event event, Instant now) {
    JsonNode json = json(event);
    List<String> matching = rulebook.matching(bus, json);
    Set<String> targets = new HashSet<>();
    for (String key : matching) {
      Optional<Rule> rule = tx.get(Rule.TABLE, key).map(Row::value).filter(Rule::enabled);
      rule.ifPresent(found -> targets.addAll(invoke(tx, found, json, now)));
    }
    return new Matched(matching, targets);
  }

  /** Puts down what each target of a rule gets. */
  Set<String> invoke(Tx tx, Rule rule, JsonNode event, Instant now) {
    Set<String> targets = new HashSet<>();
    for (Row<Aim> row : Aim.of(tx, rule.key())) {
      new Invocation(row.key(), ids.uuid(), event.toString(), 0, now, now).put(tx);
      targets.add(row.key());
    }
    return targets;
  }
}
