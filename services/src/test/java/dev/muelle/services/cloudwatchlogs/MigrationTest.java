package dev.muelle.services.cloudwatchlogs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.muelle.services.cloudwatchlogs.packs.Mark;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What earlier releases stored, a row for each event. */
final class MigrationTest {

  @TempDir Path directory;

  @Test
  void whatAnEarlierReleaseStoredIsThere() {
    try (World world = new World(directory)) {
      world.group(World.GROUP, "s", "t");
      world.put("s", World.event(world.now(), "new"));
      List<String> expected = new ArrayList<>();
      String id =
          world.store().read(tx -> tx.list(Tables.STREAMS)).stream()
              .filter(row -> row.value().name().equals("s"))
              .findFirst()
              .orElseThrow()
              .value()
              .id();
      int count = 25_000; // more than one step, over an hour
      world
          .store()
          .write(tx -> {
            for (int i = 0; i < count; i++) {
              long time = world.now() - 3_600_000 + i * 100L;
              tx.insert(
                  Migration.EVENTS,
                  id + "/" + new Mark(time, 7 + i).text(),
                  new Migration.Old(time, time + 5, "old €" + i));
              expected.add("old €" + i);
            }
            var row =
                tx.list(Tables.STREAMS).stream()
                    .filter(r -> r.value().id().equals(id))
                    .findFirst()
                    .orElseThrow();
            Tables.Stream s = row.value();
            return tx.put(
                Tables.STREAMS,
                row.key(),
                new Tables.Stream(
                    s.id(),
                    s.group(),
                    s.name(),
                    s.created(),
                    s.sequence() + count,
                    world.now() - 3_600_000,
                    s.lastEvent(),
                    s.lastIngestion(),
                    s.storedBytes()));
          });
      expected.add("new");
      world.restart();
      assertEquals(expected, world.all("s"));
      assertEquals(0L, (long) world.store().read(tx -> tx.count(Migration.EVENTS)));
      assertEquals(count + 1, world.stored());
      var last =
          world.logs.getLogEvents(r -> r.logGroupName(World.GROUP).logStreamName("s").limit(2));
      assertEquals(
          Long.valueOf(last.events().getFirst().timestamp() + 5),
          last.events().getFirst().ingestionTime());
      // Nothing is done twice.
      world.restart();
      assertEquals(expected, world.all("s"));
    }
  }
}
