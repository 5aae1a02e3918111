package dev.muelle.region.story;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * As many visitors as are wanted: each asks, waits for the answer, thinks and asks again, so that
 * slow answers make for fewer questions and not for a crowd.
 */
final class Load implements AutoCloseable {

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final long THINKS_MILLIS = 400;

  private final HttpClient http;
  private final String host;
  private final URI door;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final AtomicLong answered = new AtomicLong();
  private final AtomicLong failed = new AtomicLong();
  private final AtomicReference<@Nullable String> problem = new AtomicReference<>();
  private volatile int wanted;
  private int come;

  /**
   * Visitors of a load balancer.
   *
   * @param host its name, which not every machine resolves: all of these names are the loopback's
   */
  Load(String host, int port) {
    System.setProperty("jdk.httpclient.allowRestrictedHeaders", "host");
    this.host = host;
    door = URI.create("http://127.0.0.1:" + port);
    http = HttpClient.newBuilder().connectTimeout(PATIENCE).build();
  }

  /** From now on there are so many. */
  synchronized void visitors(int number) {
    wanted = number;
    come = Math.min(come, number); // the others go after their next answer
    while (come < number) {
      int place = come++;
      threads.execute(() -> visit(place));
    }
  }

  int visitors() {
    return wanted;
  }

  long answered() {
    return answered.get();
  }

  long failed() {
    return failed.get();
  }

  /** What came of the first request that failed. */
  Optional<String> problem() {
    return Optional.ofNullable(problem.get());
  }

  private void visit(int place) {
    try {
      while (place < wanted) {
        String answer = answer("GET", "/trabajo");
        if (answer.isEmpty()) {
          answered.incrementAndGet();
        } else {
          failed.incrementAndGet();
          problem.compareAndSet(null, answer);
        }
        TimeUnit.MILLISECONDS.sleep(THINKS_MILLIS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** One request; empty if it was answered with 200. */
  String answer(String method, String path) throws InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(door.resolve(path))
            .header("Host", host)
            .timeout(PATIENCE)
            .method(method, BodyPublishers.noBody())
            .build();
    try {
      HttpResponse<String> response = http.send(request, BodyHandlers.ofString());
      return response.statusCode() == 200
          ? ""
          : response.statusCode() + " " + response.body().lines().findFirst().orElse("");
    } catch (IOException e) {
      return e.toString();
    }
  }

  /** Nobody comes any more; waits for the last answers. */
  void end() {
    visitors(0);
    threads.close();
  }

  @Override
  public void close() {
    end();
    http.close();
  }
}
