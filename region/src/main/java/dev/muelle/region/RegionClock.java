package dev.muelle.region;

import dev.muelle.loop.PacedTimers;
import dev.muelle.loop.SystemTimers;
import dev.muelle.loop.Timers;
import dev.muelle.loop.Timers.Cancellable;
import dev.muelle.services.StoredJson;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.StoreException;
import dev.muelle.store.Table;
import java.time.Duration;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The region's time, which goes as many times as fast as the machine's as it was asked to. What it
 * has gained it keeps, also when the next server asks for nothing: times in the store are never in
 * the future. While no server runs it goes as the machine's.
 *
 * <p>What is stored is how far it may be ahead, always a little more than it is: a server that is
 * killed is followed by one that begins there, at most {@link #MARGIN} by the machine's clock,
 * times the speed, later than the first one had come.
 */
final class RegionClock implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(RegionClock.class);
  private static final Duration EVERY = Duration.ofSeconds(1);
  private static final Duration MARGIN = Duration.ofSeconds(3);
  private static final String KEY = "ahead";

  private static final Table<Ahead> TABLE = Table.of("region.clock", StoredJson.codec(Ahead.class));

  /** Of the machine's clock. */
  private record Ahead(long millis) {}

  private final Store store;
  private final Timers machine;
  private final PacedTimers timers;
  private final int speed;
  private boolean closed;
  private Cancellable next = () -> {};

  private RegionClock(Store store, Timers machine, LongSupplier ticks, int speed, Duration ahead) {
    this.store = store;
    this.machine = machine;
    this.speed = speed;
    timers = new PacedTimers(machine, ticks, speed, ahead);
  }

  static RegionClock open(Store store, SystemTimers machine, int speed) {
    return open(store, machine, machine::ticks, speed);
  }

  static RegionClock open(Store store, Timers machine, LongSupplier ticks, int speed) {
    Duration ahead =
        store
            .read(tx -> tx.get(TABLE, KEY))
            .map(Row::value)
            .map(kept -> Duration.ofMillis(kept.millis()))
            .orElse(Duration.ZERO);
    RegionClock clock = new RegionClock(store, machine, ticks, speed, ahead);
    clock.keep();
    return clock;
  }

  /** The machine's own, unless the region's time ever was another. */
  Timers timers() {
    return speed == 1 && ahead().isZero() ? machine : timers;
  }

  /** How far the region's time is ahead of the machine's. */
  Duration ahead() {
    return timers.ahead();
  }

  private synchronized void keep() {
    if (closed || speed == 1) {
      return;
    }
    try {
      put(ahead().plus(MARGIN.multipliedBy(speed)));
    } catch (StoreException e) {
      LOG.warn("the region's time is not kept, will be tried again", e);
    }
    next = machine.after(EVERY, this::keep);
  }

  private void put(Duration ahead) {
    store.write(tx -> tx.put(TABLE, KEY, new Ahead(ahead.plusMillis(1).toMillis())));
  }

  /** The next server goes on from here. */
  @Override
  public synchronized void close() {
    if (!closed && speed > 1) {
      put(ahead());
    }
    closed = true;
    next.cancel();
  }
}
