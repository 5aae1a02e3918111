package dev.muelle.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Everything that holds for tables on disk alone holds for those in memory, and more. */
class RememberedTablesTest extends SqliteStoreTest {

  private static final Table<String> ON_DISK = Table.of("test.on_disk", TEXT);
  private static final Table<String> FORGETFUL =
      Table.of("test.remembered", TEXT).index("first", text -> text.substring(0, 1));
  private static final Table<String> REMEMBERED = FORGETFUL.remember();

  @Override
  Table<String> table() {
    return super.table().remember();
  }

  @Test
  void aValueIsDecodedOnce() {
    AtomicInteger decoded = new AtomicInteger();
    Codec<String> counting =
        new Codec<>() {
          @Override
          public byte[] encode(String value) {
            return value.getBytes(StandardCharsets.UTF_8);
          }

          @Override
          public String decode(byte[] bytes) {
            decoded.incrementAndGet();
            return new String(bytes, StandardCharsets.UTF_8);
          }
        };
    Table<String> table = Table.of("test.counted", counting).remember();
    for (int i = 0; i < 10; i++) {
      String key = "k" + i;
      store.write(tx -> tx.put(table, key, "v"));
    }
    store.close();
    open();
    for (int i = 0; i < 10; i++) {
      assertEquals(10, store.read(tx -> tx.list(table)).size());
      store.write(tx -> tx.put(table, "k3", "new"));
    }
    assertEquals(10, decoded.get());
  }

  @Test
  void aTransactionSeesItsOwnChangesAndNobodyElseDoesBeforeItsEnd() {
    store.write(tx -> tx.put(REMEMBERED, "k", "before"));
    List<String> seen = new ArrayList<>();
    assertThrows(
        IllegalStateException.class,
        () ->
            store.write(tx -> {
              tx.put(REMEMBERED, "k", "after");
              tx.put(REMEMBERED, "l", "another");
              seen.add(tx.get(REMEMBERED, "k").orElseThrow().value());
              seen.add(String.valueOf(tx.find(REMEMBERED, "first", "a").size()));
              seen.add(String.valueOf(tx.count(REMEMBERED)));
              seen.add(store.read(other -> other.get(REMEMBERED, "k")).orElseThrow().value());
              throw new IllegalStateException("no");
            }));
    assertEquals(List.of("after", "2", "2", "before"), seen);
    assertEquals(1L, (long) store.read(tx -> tx.count(REMEMBERED)));
    assertEquals(0, store.read(tx -> tx.find(REMEMBERED, "first", "a")).size());
  }

  /** A reader that goes on to the disk after a commit sees all of that commit, or nothing. */
  @Test
  void memoryAndDiskAreOfOneMoment() {
    store.write(tx -> both(tx, "1"));
    AtomicInteger calls = new AtomicInteger();
    String seen =
        store.read(tx -> {
          String remembered = tx.get(REMEMBERED, "k").orElseThrow().value();
          if (calls.incrementAndGet() == 1) {
            store.write(writing -> both(writing, "2"));
          }
          return remembered + tx.get(ON_DISK, "k").orElseThrow().value();
        });
    assertEquals("22", seen);
    assertEquals(2, calls.get());
  }

  @Test
  void aChangeOfOtherTablesDoesNotDisturbAReader() {
    store.write(tx -> both(tx, "1"));
    AtomicInteger calls = new AtomicInteger();
    String seen =
        store.read(tx -> {
          String remembered = tx.get(REMEMBERED, "k").orElseThrow().value();
          if (calls.incrementAndGet() == 1) {
            store.write(writing -> writing.put(ON_DISK, "k", "2"));
          }
          return remembered + tx.get(ON_DISK, "k").orElseThrow().value();
        });
    assertEquals("12", seen);
    assertEquals(1, calls.get());
  }

  private static Row<String> both(Tx tx, String value) {
    tx.put(ON_DISK, "k", value);
    return tx.put(REMEMBERED, "k", value);
  }

  /** A release may remember a table that an earlier one did not, and the reverse. */
  @Test
  void whatIsRememberedMayChangeFromReleaseToRelease() {
    store.write(tx -> tx.put(FORGETFUL, "k", "xylophone"));
    store.close();
    open();
    assertEquals(1, store.read(tx -> tx.find(REMEMBERED, "first", "x")).size());
    store.write(tx -> tx.put(REMEMBERED, "k", "yak"));
    store.write(tx -> tx.put(REMEMBERED, "l", "xenon"));
    store.close();
    open();
    assertEquals(
        List.of("l"),
        store.read(tx -> tx.find(FORGETFUL, "first", "x")).stream().map(Row::key).toList());
    store.write(tx -> tx.put(FORGETFUL, "m", "x-ray"));
    assertEquals(2, store.read(tx -> tx.find(FORGETFUL, "first", "x")).size());
    assertEquals(1, store.read(tx -> tx.find(FORGETFUL, "first", "y")).size());
  }

  @Test
  void theValueIsTheOneThatWasWrittenUntilItIsWrittenAgain() {
    String value = "value";
    store.write(tx -> tx.put(REMEMBERED, "k", value));
    assertSame(value, store.read(tx -> tx.get(REMEMBERED, "k")).orElseThrow().value());
    store.close();
    open();
    String reread = store.read(tx -> tx.get(REMEMBERED, "k")).orElseThrow().value();
    assertNotSame(value, reread);
    assertSame(reread, store.read(tx -> tx.get(REMEMBERED, "k")).orElseThrow().value());
  }

  @Test
  void keysAreInTheOrderOfTheirBytes() {
    List<String> keys = List.of("", "a", "a\u0000", "ab", "b", "\uD7FF", "\uE000", "\uFFFD", "😀");
    Table<String> disk = Table.of("test.order", TEXT);
    Table<String> memory = Table.of("test.order_in_memory", TEXT).remember();
    for (String key : keys.reversed()) {
      store.write(tx -> tx.put(disk, key, "v"));
      store.write(tx -> tx.put(memory, key, "v"));
    }
    for (Table<String> table : List.of(disk, memory)) {
      assertEquals(keys, store.read(tx -> tx.list(table)).stream().map(Row::key).toList());
    }
  }
}
