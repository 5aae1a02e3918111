package dev.muelle.network.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class TogetherTest {

  private final List<List<String>> done = Collections.synchronizedList(new ArrayList<>());
  private final CountDownLatch begun = new CountDownLatch(1);
  private final CountDownLatch go = new CountDownLatch(1);
  private final ConcurrentLinkedQueue<Thread> threads = new ConcurrentLinkedQueue<>();

  private final Together<String> together =
      new Together<>(all -> {
        done.add(all);
        begun.countDown();
        await(go);
        if (all.contains("bad")) {
          throw new IllegalStateException("bad");
        }
      });

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private Future<?> serve(String what) {
    CompletableFuture<Void> served = new CompletableFuture<>();
    threads.add(
        Thread.ofVirtual()
            .start(() -> {
              try {
                together.serve(what);
                served.complete(null);
              } catch (RuntimeException e) {
                served.completeExceptionally(e);
              }
            }));
    return served;
  }

  /** The first is at work, and these wait. */
  private List<Future<?>> behindTheFirst(String... others) throws Exception {
    Future<?> first = serve("first");
    begun.await();
    List<Future<?>> waiting = new ArrayList<>(List.of(first));
    for (String other : others) {
      waiting.add(serve(other));
    }
    for (Thread thread : threads) {
      while (thread.getState() != Thread.State.WAITING) {
        Thread.onSpinWait();
      }
    }
    return waiting;
  }

  @Test
  void whoComesMeanwhileIsServedTogether() throws Exception {
    List<Future<?>> all = behindTheFirst("a", "b", "c");
    go.countDown();
    for (Future<?> one : all) {
      one.get();
    }
    assertEquals(2, done.size());
    assertEquals(List.of("first"), done.get(0));
    assertEquals(List.of("a", "b", "c"), done.get(1).stream().sorted().toList());
  }

  @Test
  void whatIsWrongWithOneIsNoHarmToTheOthers() throws Exception {
    List<Future<?>> all = behindTheFirst("a", "bad", "c");
    go.countDown();
    all.get(1).get();
    all.get(3).get();
    ExecutionException refused = assertThrows(ExecutionException.class, () -> all.get(2).get());
    assertTrue(refused.getCause() instanceof IllegalStateException);
    assertEquals(5, done.size(), () -> "the first, all at once, and each alone: " + done);
  }
}
