package dev.muelle.services.eventbridge;

import dev.muelle.loop.Loop;
import dev.muelle.loop.Timers;
import dev.muelle.services.EventOutbox;
import dev.muelle.services.EventOutbox.Event;
import dev.muelle.services.eventbridge.Matching.Matched;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** Takes what the region's services have put down, and matches it with the default bus's rules. */
final class Intake implements AutoCloseable {

  private static final int PAGE = 100;

  private final Store store;
  private final Timers timers;
  private final Matching matching;
  private final EventMetrics metrics;
  private final Consumer<String> wakeTarget;
  private final Loop<String> loop;
  private Store.@Nullable Subscription feed;

  Intake(
      Store store,
      Timers timers,
      RandomGenerator random,
      Matching matching,
      EventMetrics metrics,
      Consumer<String> wakeTarget) {
    this.store = store;
    this.timers = timers;
    this.matching = matching;
    this.metrics = metrics;
    this.wakeTarget = wakeTarget;
    loop = new Loop<>("events", timers, random, 1, this::take);
  }

  void start() {
    feed =
        store.onChange(change -> {
          if (change.table().equals(EventOutbox.TABLE.name()) && !change.deleted()) {
            loop.wake("");
          }
        });
    loop.wake("");
  }

  private @Nullable Duration take(String key) {
    Instant now = timers.instant();
    List<Row<Event>> page = store.read(tx -> tx.range(EventOutbox.TABLE, "", "~", false, PAGE));
    if (page.isEmpty()) {
      return null;
    }
    List<Matched> matched =
        store.write(tx -> {
          List<Matched> found = new ArrayList<>();
          for (Row<Event> row : page) {
            found.add(matching.match(tx, Bus.DEFAULT, row.value(), now));
            tx.delete(EventOutbox.TABLE, row.key());
          }
          return found;
        });
    matched.forEach(one -> tell(one, metrics, wakeTarget));
    return page.size() < PAGE ? null : Duration.ZERO;
  }

  static void tell(Matched matched, EventMetrics metrics, Consumer<String> wakeTarget) {
    if (!matched.rules().isEmpty()) {
      metrics.matched();
    }
    matched.rules().forEach(metrics::triggered);
    matched.targets().forEach(wakeTarget);
  }

  @Override
  public void close() {
    if (feed != null) {
      feed.close();
    }
    loop.close();
  }
}
