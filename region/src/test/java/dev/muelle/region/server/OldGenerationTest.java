package dev.muelle.region.server;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class OldGenerationTest {

  private static final int MEGABYTE = 1 << 20;

  @Test
  void whatDiedInItIsCollectedBeforeItIsLarge() throws Exception {
    CountDownLatch collected = new CountDownLatch(2);
    Runnable collect =
        () -> {
          System.gc();
          collected.countDown();
        };
    // As much room as is taken already, and some: what comes now decides.
    System.gc();
    long room = oldGeneration().getUsage().getUsed() + 8L * MEGABYTE;
    try (OldGeneration _ = OldGeneration.watch(room, collect).orElseThrow()) {
      List<byte[]> some = new ArrayList<>();
      while (!collected.await(1, TimeUnit.MILLISECONDS)) {
        some.add(new byte[MEGABYTE]);
        if (some.size() == 64) {
          some.clear(); // dead, after it has outlived young collections
        }
      }
      assertTrue(oldGeneration().getUsageThreshold() >= room);
    }
  }

  private static MemoryPoolMXBean oldGeneration() {
    return ManagementFactory.getMemoryPoolMXBeans().stream()
        .filter(pool -> pool.getName().matches(".*(?:Tenured|Old) Gen"))
        .findFirst()
        .orElseThrow();
  }
}
