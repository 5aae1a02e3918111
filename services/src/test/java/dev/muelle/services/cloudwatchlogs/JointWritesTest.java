package dev.muelle.services.cloudwatchlogs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.store.Codec;
import dev.muelle.store.SqliteStore;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JointWritesTest {

  private static final Table<byte[]> TABLE =
      Table.of(
          "test.joint",
          new Codec<>() {
            @Override
            public byte[] encode(byte[] value) {
              return value;
            }

            @Override
            public byte[] decode(byte[] bytes) {
              return bytes;
            }
          });

  @TempDir Path directory;

  @Test
  void whoWaitsTogetherIsWrittenTogetherAndWhoFailsFailsAlone() throws Exception {
    int callers = 50;
    try (Store store = SqliteStore.open(directory.resolve("db"));
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      JointWrites writes = new JointWrites(store);
      CountDownLatch held = new CountDownLatch(1);
      CountDownLatch waiting = new CountDownLatch(callers);
      AtomicInteger runs = new AtomicInteger();
      Future<Integer> first =
          threads.submit(() ->
              writes.write(tx -> {
                awaitQuietly(waiting);
                held.countDown();
                return runs.incrementAndGet();
              }));
      List<Future<String>> all = new ArrayList<>();
      for (int i = 0; i < callers; i++) {
        String key = "k%02d".formatted(i);
        all.add(
            threads.submit(() -> {
              waiting.countDown();
              held.await();
              return writes.write(tx -> {
                tx.put(TABLE, key, new byte[] {1});
                if (key.equals("k07")) {
                  throw new IllegalArgumentException(key);
                }
                return key;
              });
            }));
      }
      assertEquals(1, first.get());
      for (int i = 0; i < callers; i++) {
        Future<String> one = all.get(i);
        if (i == 7) {
          ExecutionException failure = assertThrows(ExecutionException.class, one::get);
          assertInstanceOf(IllegalArgumentException.class, failure.getCause());
        } else {
          assertEquals("k%02d".formatted(i), one.get());
        }
      }
      assertEquals(callers - 1, store.read(tx -> tx.list(TABLE)).size());
      assertTrue(store.read(tx -> tx.get(TABLE, "k07")).isEmpty(), "nothing of it is left");
    }
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
