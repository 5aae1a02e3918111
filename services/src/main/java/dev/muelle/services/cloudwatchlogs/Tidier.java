package dev.muelle.services.cloudwatchlogs;

import dev.muelle.loop.Loop;
import dev.muelle.loop.Timers;
import dev.muelle.services.cloudwatchlogs.Tables.Untidy;
import dev.muelle.services.cloudwatchlogs.packs.Merge;
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
  private static final long MINUTE = 60_000;

  /** For each part of the time that it works it leaves the processor to others for so many. */
  private static final int REST = 3;

  private final Store store;
  private final Timers timers;
  private final Loop<String> loop;

  /** What is being worked on, and where to go on with it: one thread at a time has them. */
  private volatile String at = "";

  private volatile String reached = "";

  Tidier(Store store, Timers timers, RandomGenerator random) {
    this.store = store;
    this.timers = timers;
    loop = new Loop<>("logs-tidier", timers, random, 1, REST, key -> tidy());
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

  /** One step, so that there is a rest after each. */
  private @Nullable Duration tidy() {
    List<Row<Untidy>> first = store.read(tx -> tx.range(Tables.UNTIDY, "0", "8", false, 1));
    if (first.isEmpty()) {
      return null;
    }
    Row<Untidy> row = first.getFirst();
    long left = Long.parseLong(row.key().substring(0, 16), 16) - timers.millis();
    if (left > 0) {
      return Duration.ofMillis(left);
    }
    Untidy minute = row.value();
    String from = row.key().equals(at) ? reached : "";
    Merge merge = Merge.of(store, minute.streamId(), minute.time(), from);
    boolean last = merge.next().isEmpty();
    if (merge.any() || last) {
      store.write(tx -> {
        merge.write(tx);
        return last && tx.delete(Tables.UNTIDY, row.key());
      });
    }
    at = row.key();
    reached = merge.next();
    return Duration.ZERO;
  }

  @Override
  public void close() {
    loop.close();
  }
}
