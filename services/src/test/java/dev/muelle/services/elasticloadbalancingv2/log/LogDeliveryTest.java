package dev.muelle.services.elasticloadbalancingv2.log;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.balancer.logs.Checked;
import dev.muelle.balancer.logs.Connected;
import dev.muelle.balancer.logs.Flowed;
import dev.muelle.balancer.logs.Journal;
import dev.muelle.loop.VirtualTimers;
import dev.muelle.services.ObjectFiles;
import dev.muelle.services.Objects;
import dev.muelle.services.Scope;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** When and where logs are brought, and what happens if they cannot be. */
public class LogDeliveryTest {

  private static final Scope HOME = new Scope("123456789012", "us-east-1");
  private static final String ARN =
      "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/web/50dc6c495c0c9188";
  private static final Instant START = Instant.parse("2026-02-03T23:56:40Z");

  @TempDir Path directory;
  private final VirtualTimers timers = new VirtualTimers(START);

  private static Map<String, String> connections(String prefix) {
    return Map.of(
        "connection_logs.s3.enabled", "true",
        "connection_logs.s3.bucket", "logs",
        "connection_logs.s3.prefix", prefix);
  }

  private static Connected client(int port) {
    return new Connected(
        START,
        "10.0.0.9",
        "203.0.113.1",
        port,
        443,
        true,
        "TLSv1.3",
        "X",
        "x25519",
        4_036_000,
        null,
        "",
        "TID_1");
  }

  private static void await(BooleanSupplier condition) {
    while (!condition.getAsBoolean()) {
      LockSupport.parkNanos(1_000_000);
    }
  }

  private List<Path> files() {
    try (Stream<Path> all = Files.walk(directory)) {
      return all.filter(Files::isRegularFile).filter(f -> f.toString().endsWith(".gz")).toList();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  public static String read(Path file) throws IOException {
    try (InputStream in = new GZIPInputStream(Files.newInputStream(file))) {
      return new String(in.readAllBytes(), StandardCharsets.US_ASCII);
    }
  }

  @Test
  void everyFiveMinutesAFileOfEachNode() throws Exception {
    Files.createDirectory(directory.resolve("logs"));
    try (LogDelivery logs =
        new LogDelivery(
            HOME, timers, new Random(1), new ObjectFiles(directory, timers, new Random(), "x"))) {
      logs.start();
      Journal journal = logs.journal(ARN, connections("a/b"));
      assertEquals(null, journal.requests());
      journal.connections().accept(client(1));
      journal.connections().accept(client(2));
      timers.advance(Duration.ofSeconds(199));
      assertEquals(List.of(), files());
      timers.advance(Duration.ofSeconds(1));
      await(() -> files().size() == 1);
      String path = directory.relativize(files().getFirst()).toString();
      assertTrue(
          path.matches(
              "logs/a/b/AWSLogs/123456789012/elasticloadbalancing/us-east-1/2026/02/04/conn_log[.]"
                  + "123456789012_elasticloadbalancing_us-east-1_app[.]web[.]50dc6c495c0c9188_"
                  + "20260204T0000Z_10[.]0[.]0[.]9_[0-9a-z]{8}[.]log[.]gz"),
          path);
      assertEquals(
          "2026-02-03T23:56:40.000000Z 203.0.113.1 1 443 TLSv1.3 X 0.004 \"-\" - - - TID_1 x25519\n"
              + "2026-02-03T23:56:40.000000Z 203.0.113.1 2 443 TLSv1.3 X 0.004 \"-\" - - - TID_1"
              + " x25519\n",
          read(files().getFirst()));
      timers.advance(Duration.ofMinutes(10)); // nothing noted, nothing brought
      journal.connections().accept(client(3));
    }
    assertEquals(2, files().size(), "what was noted at the end is brought too");
  }

  @Test
  void tlsConnectionsOfNetworkLoadBalancersHaveLinesOfTheirOwn() throws Exception {
    Files.createDirectory(directory.resolve("logs"));
    String arn = ARN.replace("app/web", "net/flows");
    Instant ended = START.plusMillis(5_004);
    Flowed whole =
        new Flowed(
            ended,
            START,
            arn.replace("loadbalancer", "listener") + "/g3d4b5e8bb8464cd",
            "72.21.218.154",
            51341,
            "172.100.100.185",
            443,
            5004,
            2,
            98,
            246,
            -1,
            "arn:aws:acm:us-east-1:123456789012:certificate/2a108f19",
            "ECDHE-RSA-AES128-SHA",
            "TLSv1.2",
            "a b.test",
            "h2",
            "",
            List.of("h2", "http/1.1", "\"\n"));
    Flowed refused =
        new Flowed(
            ended, START, "x/l", "::1", 1, "::2", 443, 1, -1, 0, 0, 46, "", "", "", "", "", "",
            List.of());
    try (LogDelivery logs =
        new LogDelivery(
            HOME, timers, new Random(1), new ObjectFiles(directory, timers, new Random(), "x"))) {
      logs.start();
      Map<String, String> access =
          Map.of("access_logs.s3.enabled", "true", "access_logs.s3.bucket", "logs");
      Journal journal = logs.journal(arn, access);
      assertEquals(null, journal.requests());
      assertEquals(null, logs.journal(ARN, access).flows());
      journal.flows().accept(whole);
      timers.advance(Duration.ofSeconds(200));
      await(() -> files().size() == 1);
      String path = directory.relativize(files().getFirst()).toString();
      assertTrue(
          path.matches(
              "logs/AWSLogs/123456789012/elasticloadbalancing/us-east-1/2026/02/04/"
                  + "123456789012_elasticloadbalancing_us-east-1_net[.]flows[.]50dc6c495c0c9188_"
                  + "20260204T0000Z_[0-9a-z]{8}[.]log[.]gz"),
          path);
      assertEquals(
          "tls 2.0 2026-02-03T23:56:45 net/flows/50dc6c495c0c9188 g3d4b5e8bb8464cd"
              + " 72.21.218.154:51341 172.100.100.185:443 5004 2 98 246 -"
              + " arn:aws:acm:us-east-1:123456789012:certificate/2a108f19 - ECDHE-RSA-AES128-SHA"
              + " tlsv12 - a%20b.test h2 - \"h2\",\"http/1.1\",\"%22%0A\" 2026-02-03T23:56:40\n",
          read(files().getFirst()));
      assertEquals(
          "tls 2.0 2026-02-03T23:56:45 net/flows/1 l ::1:1 ::2:443 1 - 0 0 46 - - - - - - - - -"
              + " 2026-02-03T23:56:40",
          LogEntries.flow("net/flows/1", refused));
    }
  }

  private static Checked check(int status, String failure) {
    return new Checked(
        START,
        "10.0.0.9",
        "http",
        "10.0.1.7",
        80,
        "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/0123456789abcdef",
        19_584_011,
        status,
        failure);
  }

  @Test
  void healthChecksHaveFilesOfTheirOwn() throws Exception {
    Files.createDirectory(directory.resolve("logs"));
    try (LogDelivery logs =
        new LogDelivery(
            HOME, timers, new Random(1), new ObjectFiles(directory, timers, new Random(), "x"))) {
      logs.start();
      Journal journal =
          logs.journal(
              ARN,
              Map.of(
                  "health_check_logs.s3.enabled", "true", "health_check_logs.s3.bucket", "logs"));
      assertEquals(null, journal.requests());
      assertEquals(null, journal.connections());
      journal.checks().accept(check(200, ""));
      journal.checks().accept(check(502, "TargetError"));
      journal.checks().accept(check(0, "TimedOut"));
    }
    String path = directory.relativize(files().getFirst()).toString();
    assertTrue(
        path.startsWith(
            "logs/AWSLogs/123456789012/elasticloadbalancing/us-east-1/2026/02/04/health_check_log_"
                + "123456789012_elasticloadbalancing_us-east-1_app.web.50dc6c495c0c9188_"),
        path);
    String begin = "http 2026-02-03T23:56:40.000000Z 0.019584011 10.0.1.7:80 web ";
    String end = " app/web/50dc6c495c0c9188 10.0.0.9";
    assertEquals(
        List.of(
            begin + "PASS 200 -" + end,
            begin + "FAIL 502 TargetError" + end,
            begin + "FAIL - TimedOut" + end),
        read(files().getFirst()).lines().toList());
  }

  @Test
  void aFullDiskLosesEntriesAndNothingElse() throws Exception {
    AtomicInteger tries = new AtomicInteger();
    Objects full =
        failing(() -> {
          tries.incrementAndGet();
          throw new IOException("No space left on device");
        });
    try (LogDelivery logs = new LogDelivery(HOME, timers, new Random(1), full)) {
      logs.start();
      Journal journal = logs.journal(ARN, connections(""));
      for (int i = 1; i <= 3; i++) {
        int round = i;
        journal.connections().accept(client(i));
        journal.connections().accept(client(i));
        timers.advance(Duration.ofMinutes(5));
        await(() -> tries.get() == round);
      }
      await(() -> logs.lost() == 6);
    }
  }

  @Test
  void aFloodTakesBoundedMemoryWhileTheDiskHangs() throws Exception {
    CountDownLatch hanging = new CountDownLatch(1);
    CountDownLatch freed = new CountDownLatch(1);
    Objects stuck =
        failing(() -> {
          hanging.countDown();
          try {
            freed.await();
          } catch (InterruptedException e) {
            throw new IOException(e);
          }
        });
    try (LogDelivery logs = new LogDelivery(HOME, timers, new Random(1), stuck)) {
      logs.start();
      Journal journal = logs.journal(ARN, connections(""));
      journal.connections().accept(client(0));
      timers.advance(Duration.ofMinutes(5));
      hanging.await();
      for (int i = 0; i < 200_000; i++) {
        journal.connections().accept(client(1));
      }
      assertEquals(200_000 - (16 << 20) / 4096, logs.lost());
      freed.countDown();
    }
  }

  private interface Step {
    void run() throws IOException;
  }

  private static Objects failing(Step step) {
    return new Objects() {
      @Override
      public Optional<byte[]> read(String bucket, String key, int most) {
        return Optional.empty();
      }

      @Override
      public void write(String bucket, String key, byte[] content) throws IOException {
        step.run();
      }

      @Override
      public String link(byte[] content) {
        return "";
      }
    };
  }
}
