package dev.muelle.services.eventbridge;

import com.fasterxml.jackson.databind.JsonNode;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import software.amazon.event.ruler.GenericMachine;

/** The enabled rules of all buses, ready to match: in memory, written anew when one changes. */
final class Rulebook {

  private static final int MAX_REMEMBERED = 1000;

  private final Store store;
  private volatile Book book = new Book(Map.of(), Pattern.machine(), false);

  /**
   * One edition.
   *
   * @param buses whose rules a whole event may match
   * @param origins what the default bus's rules ask of source and detail type
   * @param anything whether a rule asks nothing of these
   * @param asked which origins were asked for, and whether they may match
   */
  private record Book(
      Map<String, GenericMachine<String>> buses,
      GenericMachine<String> origins,
      boolean anything,
      Map<String, Boolean> asked) {

    Book(
        Map<String, GenericMachine<String>> buses,
        GenericMachine<String> origins,
        boolean anything) {
      this(buses, origins, anything, new ConcurrentHashMap<>());
    }
  }

  Rulebook(Store store) {
    this.store = store;
  }

  /** Reads the rules as they are now. */
  synchronized void refresh() {
    Map<String, GenericMachine<String>> buses = new HashMap<>();
    GenericMachine<String> origins = Pattern.machine();
    boolean anything = false;
    for (Row<Rule> row : store.read(tx -> tx.list(Rule.TABLE))) {
      Rule rule = row.value();
      if (!rule.enabled() || rule.pattern() == null) {
        continue;
      }
      Pattern.add(
          buses.computeIfAbsent(rule.bus(), any -> Pattern.machine()), rule.key(), rule.pattern());
      if (rule.bus().equals(Bus.DEFAULT)) {
        String origin = Pattern.origin(rule.pattern());
        if (origin == null) {
          anything = true;
        } else {
          Pattern.add(origins, rule.key(), origin);
        }
      }
    }
    book = new Book(buses, origins, anything);
  }

  /** The keys of the rules that match. */
  List<String> matching(String bus, JsonNode event) {
    GenericMachine<String> machine = book.buses().get(bus);
    return machine == null ? List.of() : machine.rulesForJSONEvent(event);
  }

  /** Whether an event of this kind may match a rule of the default bus. */
  boolean wants(String source, String detailType) {
    Book now = book;
    if (now.anything()) {
      return true;
    }
    if (now.asked().size() > MAX_REMEMBERED) {
      now.asked().clear();
    }
    return now.asked()
        .computeIfAbsent(
            source + '\n' + detailType,
            any ->
                !now.origins()
                    .rulesForJSONEvent(
                        Json.object().put("source", source).put("detail-type", detailType))
                    .isEmpty());
  }
}
