package dev.muelle.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.store.Store.Change;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sqlite.ProgressHandler;

class SqliteStoreTest {

  static final Codec<String> TEXT =
      new Codec<>() {
        @Override
        public byte[] encode(String value) {
          return value.getBytes(StandardCharsets.UTF_8);
        }

        @Override
        public String decode(byte[] bytes) {
          return new String(bytes, StandardCharsets.UTF_8);
        }
      };

  private final Table<String> things = table();

  @TempDir Path directory;
  SqliteStore store;

  /** The table that everything is tried with. */
  Table<String> table() {
    return Table.of("test.things", TEXT).index("first", text -> text.substring(0, 1));
  }

  @BeforeEach
  void open() {
    store = SqliteStore.open(directory.resolve("db"));
  }

  @AfterEach
  void close() {
    store.close();
  }

  /** SQLite takes such a change back by itself, without a word to its driver. */
  @Test
  void afterAFullDiskChangesAreWholeAgain() throws Exception {
    store.write(tx -> tx.insert(things, "before", "kept"));
    for (int i = 0; i < 3; i++) {
      room(1);
      assertThrows(
          StoreException.class,
          () ->
              store.write(tx -> {
                tx.insert(things, "a", "first");
                return tx.insert(things, "b", "x".repeat(1 << 20));
              }));
      assertTrue(store.read(tx -> tx.get(things, "a")).isEmpty(), "half of it counted");
    }
    room(1 << 30);
    store.write(tx -> tx.insert(things, "after", "room"));
    assertThrows(
        IllegalStateException.class,
        () ->
            store.write(tx -> {
              tx.insert(things, "c", "taken back");
              throw new IllegalStateException("on purpose");
            }));
    store.close();
    open();
    assertEquals("room", store.read(tx -> tx.get(things, "after")).orElseThrow().value());
    assertEquals("kept", store.read(tx -> tx.get(things, "before")).orElseThrow().value());
    assertTrue(store.read(tx -> tx.get(things, "c")).isEmpty());
  }

  /** A refused change is not there in part, though it would not let itself be taken back. */
  @Test
  void whatCannotBeTakenBackEndsWithItsConnection() {
    assertThrows(
        IllegalStateException.class,
        () ->
            store.write(tx -> {
              tx.insert(things, "a", "refused");
              interruptNext(store.shared.writer());
              throw new IllegalStateException("on purpose");
            }));
    store.write(tx -> tx.insert(things, "b", "next"));
    store.close();
    open();
    assertTrue(store.read(tx -> tx.get(things, "a")).isEmpty());
    assertEquals("next", store.read(tx -> tx.get(things, "b")).orElseThrow().value());
  }

  /** Or it would go on without transactions, and see what others commit while it reads. */
  @Test
  void aReaderWhoseTransactionWasTakenBackIsReplaced() throws Exception {
    for (int i = 0; i < 8; i++) { // more than there are readers
      Statements reader = store.shared.takeReader();
      reader.run("ROLLBACK", PreparedStatement::execute);
      reader.rollBack();
      store.shared.giveBack(reader);
    }
    aReaderSeesOneState();
  }

  /** The next statement does nothing; those after it do what they always do. */
  private static void interruptNext(Statements of) {
    AtomicInteger asked = new AtomicInteger();
    ProgressHandler once =
        new ProgressHandler() {
          @Override
          protected int progress() {
            return asked.getAndIncrement() == 0 ? 1 : 0;
          }
        };
    try {
      ProgressHandler.setHandler(of.connection(), 1, once);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  /** As if the disk had this many pages, or as many as are used already. */
  private void room(int pages) throws Exception {
    try (Statement limit = store.shared.writer().connection().createStatement()) {
      limit.execute("PRAGMA max_page_count = " + pages);
    }
  }

  @Test
  void remembersAfterReopening() {
    store.write(tx -> tx.insert(things, "k", "value"));
    store.close();
    open();
    assertEquals("value", store.read(tx -> tx.get(things, "k")).orElseThrow().value());
  }

  @Test
  void whatThrowsNeverHappened() {
    assertThrows(
        IllegalStateException.class,
        () ->
            store.write(tx -> {
              tx.put(things, "k", "value");
              throw new IllegalStateException("no");
            }));
    assertTrue(store.read(tx -> tx.get(things, "k")).isEmpty());
  }

  @Test
  void versionsGuardUpdates() {
    Row<String> first = store.write(tx -> tx.insert(things, "k", "one"));
    store.write(tx -> tx.update(things, "k", first.version(), "two"));
    assertThrows(
        Tx.VersionConflict.class,
        () -> store.write(tx -> tx.update(things, "k", first.version(), "three")));
    assertThrows(Tx.KeyExists.class, () -> store.write(tx -> tx.insert(things, "k", "four")));
    assertEquals("two", store.read(tx -> tx.get(things, "k")).orElseThrow().value());
  }

  @Test
  void scopesShareNothing() {
    store.in("a").write(tx -> tx.put(things, "k", "in a"));
    assertTrue(store.in("b").read(tx -> tx.get(things, "k")).isEmpty());
    assertEquals(1, (long) store.in("a").read(tx -> tx.count(things)));
  }

  @Test
  void aReaderSeesOneState() throws Exception {
    store.write(tx -> tx.put(things, "k", "before"));
    CountDownLatch read = new CountDownLatch(1);
    CountDownLatch written = new CountDownLatch(1);
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<List<String>> seen =
          threads.submit(() ->
              store.read(tx -> {
                List<String> values = new ArrayList<>();
                values.add(tx.get(things, "k").orElseThrow().value());
                read.countDown();
                await(written);
                values.add(tx.get(things, "k").orElseThrow().value());
                return values;
              }));
      read.await();
      store.write(tx -> tx.put(things, "k", "after"));
      written.countDown();
      assertEquals(List.of("before", "before"), seen.get());
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void tellsOfCommitsInTheirOrder() throws Exception {
    LinkedBlockingQueue<Change> told = new LinkedBlockingQueue<>();
    store.in("s").onChange(told::add);
    store.in("other").write(tx -> tx.put(things, "x", "not told"));
    for (int i = 0; i < 100; i++) {
      String key = "k" + i;
      store.in("s").write(tx -> tx.put(things, key, "v"));
    }
    store.in("s").write(tx -> tx.delete(things, "k0"));
    for (int i = 0; i < 100; i++) {
      assertEquals("k" + i, told.poll(60, TimeUnit.SECONDS).key());
    }
    assertTrue(told.poll(60, TimeUnit.SECONDS).deleted());
  }

  @Test
  void whoFailsWhenToldIsToldAgainAndSoAreOthers() throws Exception {
    LinkedBlockingQueue<Change> told = new LinkedBlockingQueue<>();
    store.onChange(change -> assertEquals("none of them", change.key()));
    store.onChange(change -> {
      throw new IllegalStateException("test");
    });
    store.onChange(told::add);
    for (String key : List.of("k0", "k1")) {
      store.write(tx -> tx.put(things, key, "v"));
      assertEquals(key, told.poll(60, TimeUnit.SECONDS).key());
    }
  }

  @Test
  void behavesAsAMapDoes() {
    Random random = new Random(42);
    TreeMap<String, String> model = new TreeMap<>();
    for (int step = 0; step < 2_000; step++) {
      String key = Character.toString("abé€z".charAt(random.nextInt(5))) + random.nextInt(20);
      String value = Character.toString("xyz".charAt(random.nextInt(3))) + step;
      switch (random.nextInt(4)) {
        case 0, 1 -> {
          store.write(tx -> tx.put(things, key, value));
          model.put(key, value);
        }
        case 2 ->
            assertEquals(model.remove(key) != null, store.write(tx -> tx.delete(things, key)));
        default -> {
          assertEquals(List.copyOf(model.values()), values(store.read(tx -> tx.list(things))));
          assertEquals(
              model.entrySet().stream()
                  .filter(entry -> entry.getKey().startsWith("é"))
                  .map(entry -> entry.getValue())
                  .toList(),
              values(store.read(tx -> tx.list(things, "é"))));
          assertEquals(
              List.copyOf(model.subMap("b1", true, "z2", false).descendingMap().values()),
              values(store.read(tx -> tx.range(things, "b1", "z2", true, 1_000))));
          assertEquals(
              model.values().stream().filter(v -> v.startsWith("y")).toList(),
              values(store.read(tx -> tx.find(things, "first", "y"))));
        }
      }
    }
  }

  private static List<String> values(List<Row<String>> rows) {
    return rows.stream().map(Row::value).toList();
  }

  @Test
  void anIndexThatARreleaseAddsFindsOldRows() {
    Table<String> before = new Table<>("test.things", TEXT, Map.of(), things.remembered());
    store.write(tx -> tx.put(before, "k", "xylophone"));
    assertEquals(1, store.read(tx -> tx.find(things, "first", "x")).size());
    store.write(tx -> tx.put(things, "l", "xenon"));
    assertEquals(2, store.read(tx -> tx.find(things, "first", "x")).size());
  }

  @Test
  void concurrentWritersWithVersionsLoseNoUpdate() throws Exception {
    store.write(tx -> tx.put(things, "n", "0"));
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> all = new ArrayList<>();
      for (int writer = 0; writer < 8; writer++) {
        all.add(threads.submit(() -> increment(50)));
      }
      for (Future<?> one : all) {
        one.get();
      }
    }
    assertEquals("400", store.read(tx -> tx.get(things, "n")).orElseThrow().value());
  }

  private void increment(int times) {
    int done = 0;
    while (done < times) {
      Row<String> row = store.read(tx -> tx.get(things, "n")).orElseThrow();
      String next = String.valueOf(Integer.parseInt(row.value()) + 1);
      try {
        store.write(tx -> tx.update(things, "n", row.version(), next));
        done++;
      } catch (Tx.VersionConflict e) {
        Thread.onSpinWait(); // somebody else was quicker: read again
      }
    }
  }

  /** A server that is killed could not delete it. */
  @Test
  void theFileThatSqliteWasLoadedFromIsGone() throws IOException {
    List<String> loaded =
        Files.readAllLines(Path.of("/proc/self/maps")).stream()
            .filter(line -> line.contains("sqlitejdbc"))
            .toList();
    assertFalse(loaded.isEmpty());
    assertTrue(loaded.stream().allMatch(line -> line.endsWith("(deleted)")), loaded::toString);
  }

  @Test
  void onlyOneServerAtATime() {
    StoreException refused =
        assertThrows(StoreException.class, () -> SqliteStore.open(directory.resolve("db")));
    assertTrue(refused.getMessage().contains("in use"), refused.getMessage());
  }

  @Test
  void migratesAnOlderFormAndRefusesANewerOne() {
    Path file = directory.resolve("old");
    SqliteStore old = SqliteStore.open(file);
    old.write(tx -> tx.put(things, "k", "v"));
    old.close();
    List<List<String>> next = new ArrayList<>(Schema.STEPS);
    next.add(List.of("CREATE TABLE more (x TEXT)"));
    SqliteStore migrated = SqliteStore.open(file, next);
    assertEquals("v", migrated.read(tx -> tx.get(things, "k")).orElseThrow().value());
    migrated.close();
    StoreException refused = assertThrows(StoreException.class, () -> SqliteStore.open(file));
    assertTrue(refused.getMessage().contains("newer"), refused.getMessage());
  }

  @Test
  void aDamagedFileIsRefusedAndLeftAlone() throws IOException {
    Path file = directory.resolve("damaged");
    Files.writeString(file, "this is not a database, and it is long enough to look at".repeat(50));
    assertThrows(StoreException.class, () -> SqliteStore.open(file));
    assertTrue(Files.readString(file).startsWith("this is not"));
    assertFalse(Files.exists(directory.resolve("damaged-wal")));
  }
}
