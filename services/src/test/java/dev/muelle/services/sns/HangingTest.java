package dev.muelle.services.sns;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.muelle.loop.SystemTimers;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** An endpoint that takes a message and never answers. */
@Timeout(60)
class HangingTest {

  @TempDir private Path directory;

  @Test
  void itHoldsUpNobodyElse() throws Exception {
    CountDownLatch over = new CountDownLatch(1);
    try (SystemTimers timers = new SystemTimers();
        Endpoint hanging = new Endpoint();
        Endpoint other = new Endpoint();
        World world = new World(directory, timers, null)) {
      String topic = world.sns.createTopic(create -> create.name("news")).topicArn();
      for (Endpoint one : new Endpoint[] {hanging, other}) {
        world.sns.subscribe(to -> to.topicArn(topic).protocol("http").endpoint(one.url()));
        world.visit(one.next().text("SubscribeURL"));
      }
      hanging.answers(exchange -> {
        try {
          over.await();
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
        }
      });
      for (int i = 0; i < 30; i++) {
        String message = "m" + i;
        world.sns.publish(publish -> publish.topicArn(topic).message(message));
        assertEquals(message, other.next().text("Message"));
        if (i == 0) {
          hanging.next(); // it has the first one, and will keep it
        }
      }
      over.countDown(); // or closing would wait for it
    } finally {
      over.countDown();
    }
  }
}
