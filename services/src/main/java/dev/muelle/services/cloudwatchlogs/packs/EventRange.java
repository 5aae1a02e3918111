package dev.muelle.services.cloudwatchlogs.packs;

import dev.muelle.store.Row;
import dev.muelle.store.Tx;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.PriorityQueue;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * The events between two places of a stream, in their order or from the last one on. Packs may
 * overlap, so several can be open at once; none is opened before one of its events may be the next.
 * Who merges several streams goes step by step: while {@link #peek} gives none, {@link #open}.
 */
public final class EventRange implements Iterator<Event> {

  private static final int ENTRIES_AT_ONCE = 64;

  private final Tx tx;
  private final String streamId;
  private final Mark low;
  private final Mark high;
  private final boolean reverse;
  private final Needles needles;
  private final PriorityQueue<Source> sources;
  private final Queue<Entry> ahead = new ArrayDeque<>();
  private String nextLow;
  private String nextHigh;
  private boolean fetchedAll;

  /** A pack, and which of its events is the next. */
  private final class Source {
    private final Entry entry;
    private @Nullable Opened opened;
    private int at;

    Source(Entry entry) {
      this.entry = entry;
    }

    Mark mark() {
      return opened == null ? (reverse ? entry.last() : entry.first()) : opened.mark(at);
    }

    /** Whether there is one more between the places. */
    boolean advance() {
      Opened events = opened;
      if (events == null) {
        throw new IllegalStateException("not opened");
      }
      at += reverse ? -1 : 1;
      return within(events);
    }

    private boolean within(Opened events) {
      return at >= 0
          && at < events.count()
          && (reverse ? events.mark(at).compareTo(low) >= 0 : events.mark(at).compareTo(high) < 0);
    }

    /** Whether there is any between the places. */
    boolean open() {
      Opened events = Packs.open(tx, streamId, entry, needles);
      opened = events;
      at = reverse ? events.count() - 1 : 0;
      while (at >= 0
          && at < events.count()
          && (reverse
              ? events.mark(at).compareTo(high) >= 0
              : events.mark(at).compareTo(low) < 0)) {
        at += reverse ? -1 : 1;
      }
      return within(events);
    }
  }

  /**
   * A range.
   *
   * @param low inclusive
   * @param high exclusive
   * @param reverse whether to begin at the end
   * @param needles events without them may be left out, and packs without them are
   */
  public EventRange(Tx tx, String streamId, Mark low, Mark high, boolean reverse, Needles needles) {
    this.tx = tx;
    this.streamId = streamId;
    this.low = low;
    this.high = high;
    this.reverse = reverse;
    this.needles = needles;
    Comparator<Source> order = Comparator.comparing(Source::mark);
    sources = new PriorityQueue<>(reverse ? order.reversed() : order);
    nextLow = Packs.from(streamId, Pack.minute(low.time()));
    nextHigh = high.equals(Mark.END) ? Packs.end(streamId) : Packs.key(streamId, high);
    fetchedAll = low.compareTo(high) >= 0;
    settle();
  }

  /** Fetches entries until what comes next is among the sources. */
  private void settle() {
    while (comesFirst(entryAhead())) {
      Entry entry = ahead.remove();
      if (entry.last().compareTo(low) >= 0) {
        sources.add(new Source(entry));
      }
    }
  }

  /** Whether a pack that is not among the sources yet may have an event before all of theirs. */
  private boolean comesFirst(@Nullable Entry entry) {
    if (entry == null) {
      return false;
    }
    Source first = sources.peek();
    if (first == null) {
      return true;
    }
    return reverse
        ? Pack.minute(entry.firstTime()) >= Pack.minute(first.mark().time())
        : entry.first().compareTo(first.mark()) <= 0;
  }

  private @Nullable Entry entryAhead() {
    if (ahead.isEmpty() && !fetchedAll) {
      List<Row<Entry>> rows = tx.range(Packs.ENTRIES, nextLow, nextHigh, reverse, ENTRIES_AT_ONCE);
      rows.forEach(row -> ahead.add(row.value()));
      fetchedAll = rows.size() < ENTRIES_AT_ONCE;
      if (!fetchedAll && reverse) {
        nextHigh = rows.getLast().key();
      } else if (!fetchedAll) {
        nextLow = rows.getLast().key() + "!"; // keys have one length: nothing lies between
      }
    }
    return ahead.peek();
  }

  /** Whether there is nothing left, opened or not. */
  public boolean atEnd() {
    return sources.isEmpty();
  }

  private Source first() {
    Source first = sources.peek();
    if (first == null) {
      throw new NoSuchElementException();
    }
    return first;
  }

  /** Nothing that is left comes before this. */
  public Mark nextMark() {
    return first().mark();
  }

  /** When the event at {@link #nextMark}, or the first one of its pack, had arrived. */
  public long nextIngested() {
    Source first = first();
    return first.opened == null ? first.entry.firstIngested() : first.opened.ingested(first.at);
  }

  /** Whether what comes next is known, so that there is an event at {@link #nextMark}. */
  public boolean isOpened() {
    return first().opened != null;
  }

  /** The next event; null if it is not known before {@link #open} was called. */
  public @Nullable Event peek() {
    Source first = first();
    return first.opened == null ? null : first.opened.event(first.at);
  }

  /** Opens the pack that comes next; gives how many bytes that took to read. */
  public long open() {
    Source first = sources.remove();
    long read = first.entry.sketch().bytes().length;
    if (needles.mayBeIn(first.entry.sketch())) {
      read += first.entry.raw();
      if (first.open()) {
        sources.add(first);
      }
    }
    settle();
    return read;
  }

  /** Goes on behind the event that {@link #peek} gives. */
  public void skip() {
    Source first = sources.remove();
    if (first.advance()) {
      sources.add(first);
    }
    settle();
  }

  @Override
  public boolean hasNext() {
    while (!atEnd() && first().opened == null) {
      open();
    }
    return !atEnd();
  }

  @Override
  public Event next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    Source first = first();
    Opened opened = first.opened;
    if (opened == null) {
      throw new IllegalStateException("not opened");
    }
    Event event = opened.event(first.at);
    skip();
    return event;
  }
}
