package dev.muelle.services.cloudwatchlogs;

import dev.muelle.services.cloudwatchlogs.Tables.Event;
import dev.muelle.store.Row;
import dev.muelle.store.Tx;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Queue;

/** Events between two keys, fetched a few at a time: one may be a megabyte. */
final class EventRange implements Iterator<Row<Event>> {

  private final Tx tx;
  private final boolean reverse;
  private final int atOnce;
  private final Queue<Row<Event>> fetched = new ArrayDeque<>();
  private String low;
  private String high;
  private boolean done;

  /**
   * A range.
   *
   * @param low inclusive
   * @param high exclusive
   * @param reverse whether to begin at the end
   * @param atOnce how many events to fetch at once
   */
  EventRange(Tx tx, String low, String high, boolean reverse, int atOnce) {
    this.tx = tx;
    this.low = low;
    this.high = high;
    this.reverse = reverse;
    this.atOnce = atOnce;
    this.done = low.compareTo(high) >= 0;
  }

  @Override
  public boolean hasNext() {
    if (fetched.isEmpty() && !done) {
      fetched.addAll(tx.range(Tables.EVENTS, low, high, reverse, atOnce));
      done = fetched.size() < atOnce;
    }
    return !fetched.isEmpty();
  }

  @Override
  public Row<Event> next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    Row<Event> row = fetched.remove();
    if (reverse) {
      high = row.key();
    } else {
      low = row.key() + "!"; // keys have one length: nothing lies between
    }
    return row;
  }
}
