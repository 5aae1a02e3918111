package dev.muelle.services.cloudwatchlogs;

import dev.muelle.services.StoredJson;
import dev.muelle.services.cloudwatchlogs.packs.Event;
import dev.muelle.services.cloudwatchlogs.packs.Mark;
import dev.muelle.services.cloudwatchlogs.packs.Packs;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings what earlier releases stored, a row for each event, into packs. Each step is a
 * transaction, so one that dies in between loses nothing, and the next one goes on.
 */
final class Migration {

  private static final Logger LOG = LoggerFactory.getLogger(Migration.class);
  private static final int AT_ONCE = 10_000;
  private static final String END = "g"; // streams' ids are hexadecimal

  /** Keyed {@code stream id/time/sequence}, both in hexadecimal of fixed width. */
  static final Table<Old> EVENTS = Table.of("logs.events", StoredJson.codec(Old.class));

  /** Times in epoch milliseconds. */
  record Old(long time, long ingested, String message) {}

  private Migration() {}

  static void run(Store store) {
    if (store.read(tx -> tx.range(EVENTS, "", END, false, 1)).isEmpty()) {
      return;
    }
    long done = 0;
    int step = step(store);
    while (step > 0) {
      done += step;
      step = step(store);
    }
    LOG.info("{} log events of an earlier release were packed", done);
  }

  /** How many it has packed. */
  private static int step(Store store) {
    return store.write(tx -> {
      List<Row<Old>> some = tx.range(EVENTS, "", END, false, AT_ONCE);
      List<Event> ofOne = new ArrayList<>();
      String stream = "";
      for (Row<Old> row : some) {
        int slash = row.key().indexOf('/');
        String streamId = row.key().substring(0, slash);
        if (!streamId.equals(stream)) {
          Packs.addAll(tx, stream, ofOne);
          ofOne.clear();
          stream = streamId;
        }
        Old old = row.value();
        long sequence = Mark.read(row.key().substring(slash + 1)).sequence();
        ofOne.add(new Event(old.time(), old.ingested(), sequence, old.message()));
        tx.delete(EVENTS, row.key());
      }
      Packs.addAll(tx, stream, ofOne);
      return some.size();
    });
  }
}
