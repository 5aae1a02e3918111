package dev.muelle.services.cloudwatchlogs.packs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.store.SqliteStore;
import dev.muelle.store.Tx;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PacksTest {

  private static final String STREAM = "00112233445566aa";
  private static final String OTHER = "00112233445566ab";
  private static final long START = 1_795_000_000_000L;

  @TempDir Path directory;
  private SqliteStore store;
  private final SplittableRandom random = new SplittableRandom(11);

  /** What the stream ought to hold. */
  private final List<Event> model = new ArrayList<>();

  private long sequence;

  @BeforeEach
  void open() {
    store = SqliteStore.open(directory.resolve("store.db"));
  }

  @AfterEach
  void close() {
    store.close();
  }

  private void put(List<Event> events) {
    store.write(tx -> {
      Packs.addAll(tx, STREAM, events);
      return true;
    });
    model.addAll(events);
    model.sort(Comparator.comparing(Event::mark));
  }

  /** A batch as PutLogEvents takes it: in order of time, numbered by arrival. */
  private List<Event> batch(int count, long around, long spread, Function<Long, String> text) {
    long[] times =
        IntStream.range(0, count)
            .mapToLong(i -> around + random.nextLong(spread))
            .sorted()
            .toArray();
    List<Event> events = new ArrayList<>();
    for (long time : times) {
      events.add(new Event(time, START + sequence, sequence, text.apply(sequence)));
      sequence++;
    }
    return events;
  }

  private void some() {
    for (int i = 0; i < 60; i++) {
      // Over three minutes, so that packs overlap, and many begin before the range that is read.
      put(
          batch(
              1 + random.nextInt(80), START + random.nextLong(180_000), 70_000, n -> "line " + n));
    }
  }

  private List<Event> read(Mark low, Mark high, boolean reverse, Needles needles) {
    return store.read(tx -> {
      List<Event> found = new ArrayList<>();
      new EventRange(tx, STREAM, low, high, reverse, needles).forEachRemaining(found::add);
      return found;
    });
  }

  private List<Event> expected(Mark low, Mark high) {
    return model.stream()
        .filter(e -> e.mark().compareTo(low) >= 0 && e.mark().compareTo(high) < 0)
        .toList();
  }

  @Test
  void everyRangeIsAsItWouldBeOfAList() {
    some();
    store.write(tx -> {
      Packs.addAll(tx, OTHER, List.of(new Event(START, START, 0, "another stream's")));
      return true;
    });
    for (int i = 0; i < 300; i++) {
      if (i == 150) {
        merge();
      }
      Event one = model.get(random.nextInt(model.size()));
      Event two = model.get(random.nextInt(model.size()));
      Mark low = random.nextBoolean() ? one.mark() : Mark.from(one.time());
      Mark high = random.nextInt(5) == 0 ? Mark.END : two.mark();
      assertEquals(expected(low, high), read(low, high, false, Needles.NONE));
      assertEquals(expected(low, high).reversed(), read(low, high, true, Needles.NONE));
    }
    assertEquals(model, read(Mark.from(0), Mark.END, false, Needles.NONE));
  }

  private void merge() {
    for (long minute = 0; minute < 6; minute++) {
      long time = START + minute * Pack.MINUTE;
      String from = "";
      do {
        Merge merge = Merge.of(store, STREAM, time, from);
        store.write(merge::write);
        from = merge.next();
      } while (!from.isEmpty());
    }
  }

  /** As much work as it is, none of it is done while it holds the store's one writer. */
  @Test
  void othersWriteWhileAMergeIsMade() {
    put(batch(100, START, 1_000, n -> "line " + n));
    put(batch(100, START, 1_000, n -> "line " + n));
    Merge merge = Merge.of(store, STREAM, START, "");
    put(batch(100, START, 1_000, n -> "meanwhile " + n));
    assertTrue(store.write(merge::write));
    assertEquals(2, packs());
    assertEquals(model, read(Mark.from(0), Mark.END, false, Needles.NONE));
  }

  @Test
  void whatIsDeletedMeanwhileDoesNotComeBack() {
    put(batch(100, START, 1_000, n -> "line " + n));
    put(batch(100, START, 1_000, n -> "line " + n));
    Merge merge = Merge.of(store, STREAM, START, "");
    store.write(tx -> Packs.delete(tx, STREAM, START + Pack.MINUTE));
    assertFalse(store.write(merge::write));
    assertEquals(0, packs());
  }

  @Test
  void mergingKeepsEverythingInFewPacks() {
    some();
    long before = packs();
    merge();
    assertTrue(packs() <= 6, before + " packs became " + packs());
    assertEquals(model, read(Mark.from(0), Mark.END, false, Needles.NONE));
    assertEquals((long) model.size(), (long) store.read(Packs::count));
    merge(); // again: nothing changes
    assertEquals(model, read(Mark.from(0), Mark.END, false, Needles.NONE));
  }

  @Test
  void mergingGoesOnWhereItWas() {
    for (int i = 0; i < 1_201; i++) {
      put(batch(1, START, 10_000, n -> "line " + n));
    }
    merge();
    assertTrue(packs() <= 3, packs() + " packs");
    assertEquals(model, read(Mark.from(0), Mark.END, false, Needles.NONE));
  }

  private long packs() {
    return store.read(tx -> tx.count(Packs.ENTRIES));
  }

  private String filler(long number) {
    return "%d %016x GET /api/v1/orders €".formatted(number, random.nextLong());
  }

  @Test
  void whatHasANeedleIsFoundAndFewPacksAreOpened() {
    for (int i = 0; i < 40; i++) {
      put(batch(2_500, START + i * 1_000, 1_000, this::filler));
    }
    List<Event> wanted = new ArrayList<>();
    for (String text : List.of("FATAL at the start", "at the end FATAL", "FATAL", "xFATALFATALx")) {
      put(batch(2_500, START, 40_000, this::filler));
      List<Event> one = batch(1, START + random.nextLong(40_000), 1, n -> text);
      put(one);
      wanted.addAll(one);
    }
    wanted.sort(Comparator.comparing(Event::mark));
    Needles needles = Needles.of(List.of("FATAL"), "");
    assertEquals(wanted, read(Mark.from(0), Mark.END, false, needles));
    assertEquals(wanted.reversed(), read(Mark.from(0), Mark.END, true, needles));
    assertEquals(List.of(), read(Mark.from(0), Mark.END, false, Needles.of(List.of("FATALE"), "")));
    assertEquals(
        List.of(
            wanted.stream().filter(e -> e.message().contains("start")).findFirst().orElseThrow()),
        read(Mark.from(0), Mark.END, false, Needles.of(List.of("FATAL", "start"), "")).stream()
            .filter(e -> e.message().contains("start"))
            .toList());
    long all = model.stream().mapToLong(e -> e.message().length()).sum();
    long opened = store.read(tx -> opened(tx, needles));
    assertTrue(opened < all / 4, opened + " bytes of " + all + " were read");
  }

  private static long opened(Tx tx, Needles needles) {
    EventRange range = new EventRange(tx, STREAM, Mark.from(0), Mark.END, false, needles);
    long read = 0;
    while (!range.atEnd()) {
      if (range.isOpened()) {
        range.skip();
      } else {
        read += range.open();
      }
    }
    return read;
  }

  /** A needle may be anything: between two events there is none. */
  @Test
  void needlesAreNotFoundAcrossEvents() {
    put(batch(3_000, START, 1_000, n -> "ab"));
    assertEquals(List.of(), read(Mark.from(0), Mark.END, false, Needles.of(List.of("ba"), "")));
    assertEquals(3_000, read(Mark.from(0), Mark.END, false, Needles.of(List.of("ab"), "")).size());
    assertEquals(3_000, read(Mark.from(0), Mark.END, false, Needles.of(List.of("b"), "")).size());
  }

  @Test
  void strangeTextsComeBack() {
    List<String> texts =
        List.of("ä€😀", "\u0000", "x".repeat(1 << 20), " ", "\n\n", "\uffff", "é".repeat(90_000));
    List<Event> events = new ArrayList<>();
    for (String text : texts) {
      events.addAll(batch(1, START + sequence, 1, n -> text));
    }
    put(events);
    assertEquals(model, read(Mark.from(0), Mark.END, false, Needles.NONE));
    assertEquals(
        List.of("ä€😀"),
        read(Mark.from(0), Mark.END, false, Needles.of(List.of("😀"), "")).stream()
            .map(Event::message)
            .toList());
  }

  /** Seeded: a sketch may say yes in vain, but never no. */
  @Test
  void aSketchNeverHidesWhatIsThere() {
    for (int size : List.of(100, 40_000, 200_000)) {
      byte[] text = new byte[size];
      random.nextBytes(text);
      Sketch sketch = Sketch.of(text, 0, size);
      Sketch stored = Sketch.stored(sketch.bytes(), 0);
      for (int i = 0; i < 500; i++) {
        int from = random.nextInt(size - 20);
        byte[] part = Arrays.copyOfRange(text, from, from + 1 + random.nextInt(20));
        assertTrue(stored.mayHold(part));
      }
    }
    byte[] plain = "the quick brown fox ".repeat(5_000).getBytes(StandardCharsets.UTF_8);
    assertFalse(
        Sketch.of(plain, 0, plain.length).mayHold("FATAL".getBytes(StandardCharsets.UTF_8)));
  }

  @Test
  void whatLiesBeforeATimeIsDeletedInWholePacks() {
    some();
    long time = START + 2 * Pack.MINUTE;
    boolean more = true;
    while (more) {
      more = store.write(tx -> Packs.delete(tx, STREAM, time)).more();
    }
    List<Event> left = read(Mark.from(0), Mark.END, false, Needles.NONE);
    assertTrue(left.containsAll(expected(Mark.from(time), Mark.END)), "nothing newer is gone");
    assertTrue(
        left.stream().allMatch(e -> e.time() >= Pack.minute(time)),
        "of the rest, a minute at most");
    assertEquals(
        Optional.of(left.getFirst().time()), store.read(tx -> Packs.firstTime(tx, STREAM)));
    more = true;
    while (more) {
      more = store.write(tx -> Packs.delete(tx, STREAM, Long.MAX_VALUE)).more();
    }
    assertEquals(0, packs());
    assertEquals(0L, (long) store.read(tx -> tx.count(Packs.TEXTS)));
  }

  @Test
  void aDamagedPackIsNotTakenForAnEmptyOne() {
    put(batch(100, START, 10, n -> "line " + n));
    store.write(tx -> {
      var row = tx.list(Packs.TEXTS).getFirst();
      byte[] damaged = row.value().clone();
      damaged[damaged.length / 2] ^= 0x55;
      damaged[4] ^= 0x55;
      return tx.put(Packs.TEXTS, row.key(), damaged);
    });
    assertThrows(RuntimeException.class, () -> read(Mark.from(0), Mark.END, false, Needles.NONE));
  }
}
