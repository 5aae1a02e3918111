package dev.muelle.services.cloudwatchlogs;

import dev.muelle.loop.Loop;
import dev.muelle.loop.Timers;
import dev.muelle.services.cloudwatchlogs.Tables.Untidy;
import dev.muelle.services.cloudwatchlogs.packs.Packs;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.Duration;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Makes large packs of small ones, when the minute in which these arrived is over. Which streams'
 * minutes have small packs is stored with them, so that a later server knows.
 */
final class Tidier implements AutoCloseable {

  private static final String ALL = "all";
  private static final int AT_ONCE = 100;
  private static final long MINUTE = 60_000;

  private final Store store;
  private final Timers timers;
  private final Loop<String> loop;

  Tidier(Store store, Timers timers, RandomGenerator random) {
    this.store = store;
    this.timers = timers;
    loop = new Loop<>("logs-tidier", timers, random, 1, key -> tidy());
  }

  /** Takes up what an earlier server left. */
  void start() {
    loop.wake(ALL);
  }

  /**
   * Notes that a small pack was added.
   *
   * @param time of one of its events
   * @return whether {@link #noted} is to be called when the transaction is over
   */
  static boolean note(Tx tx, String streamId, long time, long arrival) {
    String key =
        "%016x/%016x/%s"
            .formatted(arrival - arrival % MINUTE + MINUTE, time - time % MINUTE, streamId);
    if (tx.get(Tables.UNTIDY, key).isPresent()) {
      return false;
    }
    tx.put(Tables.UNTIDY, key, new Untidy(streamId, time));
    return true;
  }

  void noted() {
    loop.wake(ALL);
  }

  private @Nullable Duration tidy() {
    while (true) {
      List<Row<Untidy>> some = store.read(tx -> tx.range(Tables.UNTIDY, "0", "8", false, AT_ONCE));
      for (Row<Untidy> row : some) {
        long due = Long.parseLong(row.key().substring(0, 16), 16);
        long left = due - timers.millis();
        if (left > 0) {
          return Duration.ofMillis(left);
        }
        tidy(row);
      }
      if (some.size() < AT_ONCE) {
        return null;
      }
    }
  }

  private void tidy(Row<Untidy> row) {
    Untidy minute = row.value();
    String from = "";
    do {
      String next = from;
      from = store.write(tx -> Packs.merge(tx, minute.streamId(), minute.time(), next));
    } while (!from.isEmpty());
    store.write(tx -> tx.delete(Tables.UNTIDY, row.key()));
  }

  @Override
  public void close() {
    loop.close();
  }
}
