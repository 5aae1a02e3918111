package dev.muelle.services.elasticloadbalancingv2.log;

import dev.muelle.balancer.logs.Checked;
import dev.muelle.balancer.logs.Connected;
import dev.muelle.balancer.logs.Flowed;
import dev.muelle.balancer.logs.Journal;
import dev.muelle.balancer.logs.Served;
import dev.muelle.loop.Timers;
import dev.muelle.services.Objects;
import dev.muelle.services.Scope;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings access, connection and health check logs to their buckets: a file for each node every five
 * minutes, or sooner when one has grown large. What is noted is handed over on event loops without
 * waiting, and written down by one thread of its own; if that cannot follow, or cannot write,
 * entries are lost and traffic goes on (AWS records them on a best-effort basis, too).
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html#access-log-file-format">Access
 *     log files</a>
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-access-logs.html#access-log-file-format">Access
 *     log files of network load balancers</a>
 */
public final class LogDelivery implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(LogDelivery.class);
  private static final long PERIOD = Duration.ofMinutes(5).toMillis();

  /** Bytes, about, of entries that wait for the thread. */
  private static final long MAX_WAITING = 16L << 20;

  /** Compressed bytes of a file; larger ones are brought at once. */
  private static final int MAX_FILE = 1 << 20;

  private static final int LAST_SECONDS = 10;

  /** Begins the names of network load balancers. */
  private static final String NETWORK = "net/";

  private static final DateTimeFormatter DAY =
      DateTimeFormatter.ofPattern("yyyy/MM/dd", Locale.ROOT).withZone(ZoneOffset.UTC);
  private static final DateTimeFormatter MINUTE =
      DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmm'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);

  /** What is logged: the attributes' names begin so, and so do files and their tests. */
  public enum Kind {
    ACCESS("access_logs.s3.", "", "ELBAccessLogTestFile"),
    CONNECTION("connection_logs.s3.", "conn_log.", "ELBConnectionLogTestFile"),
    HEALTH("health_check_logs.s3.", "health_check_log_", "ELBHealthCheckLogTestFile");

    public final String attributes;
    private final String file;
    private final String test;

    Kind(String attributes, String file, String test) {
      this.attributes = attributes;
      this.file = file;
      this.test = test;
    }
  }

  private record Place(String bucket, String prefix) {}

  private record Key(String balancer, Kind kind, String node, Place place) {}

  private sealed interface Task {
    record Entry(Key key, Supplier<String> line, int weight) implements Task {}

    /** Everything noted so far is brought. */
    record Deliver(Instant end, CountDownLatch done) implements Task {}
  }

  private static final class LogFile {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(8 * 1024);
    private final GZIPOutputStream gzip;
    private int entries;

    LogFile() throws IOException {
      gzip = new GZIPOutputStream(bytes, 8 * 1024);
    }
  }

  private final Scope scope;
  private final Timers timers;
  private final RandomGenerator random;
  private final Objects objects;
  private final BlockingQueue<Task> tasks = new LinkedBlockingQueue<>();
  private final AtomicLong waiting = new AtomicLong();
  private final AtomicLong lost = new AtomicLong();
  private final Map<Key, LogFile> files = new HashMap<>(); // the thread's alone
  private boolean failing;
  private @Nullable Thread writer;
  private Timers.Cancellable timer = () -> {};
  private volatile boolean closed;

  public LogDelivery(Scope scope, Timers timers, RandomGenerator random, Objects objects) {
    this.scope = scope;
    this.timers = timers;
    this.random = random;
    this.objects = objects;
  }

  public void start() {
    writer = Thread.ofPlatform().daemon().name("elb-logs").start(this::write);
    later();
  }

  private void later() {
    if (!closed) {
      Instant end = periodEnd();
      timer =
          timers.after(
              Duration.between(timers.instant(), end),
              () -> {
                tasks.add(new Task.Deliver(end, new CountDownLatch(1)));
                later();
              });
    }
  }

  private Instant periodEnd() {
    return Instant.ofEpochMilli((timers.millis() / PERIOD + 1) * PERIOD);
  }

  /** Who a load balancer with these attributes tells. */
  public Journal journal(String arn, Map<String, String> attributes) {
    Place access = place(attributes, Kind.ACCESS);
    Place connections = place(attributes, Kind.CONNECTION);
    Place health = place(attributes, Kind.HEALTH);
    if (access == null && connections == null && health == null) {
      return Journal.NONE;
    }
    String name = name(arn);
    boolean network = name.startsWith(NETWORK);
    Consumer<Served> requests =
        access == null || network
            ? null
            : served ->
                note(
                    new Key(name, Kind.ACCESS, served.node(), access),
                    () -> LogEntries.request(name, served),
                    served.weight());
    Consumer<Connected> connected =
        connections == null
            ? null
            : one ->
                note(
                    new Key(name, Kind.CONNECTION, one.node(), connections),
                    () -> LogEntries.connection(one),
                    4096); // with a certificate
    Consumer<Checked> checked =
        health == null
            ? null
            : one ->
                note(
                    new Key(name, Kind.HEALTH, one.node(), health),
                    () -> LogEntries.check(name, one),
                    512);
    Consumer<Flowed> flows =
        access == null || !network
            ? null
            : one ->
                note(
                    new Key(name, Kind.ACCESS, one.address(), access),
                    () -> LogEntries.flow(name, one),
                    1024);
    return new Journal(requests, connected, checked, flows);
  }

  private static String name(String arn) {
    return arn.substring(arn.indexOf(":loadbalancer/") + ":loadbalancer/".length());
  }

  private static @Nullable Place place(Map<String, String> attributes, Kind kind) {
    return "true".equals(attributes.get(kind.attributes + "enabled"))
        ? new Place(
            attributes.getOrDefault(kind.attributes + "bucket", ""),
            attributes.getOrDefault(kind.attributes + "prefix", ""))
        : null;
  }

  private void note(Key key, Supplier<String> line, int weight) {
    if (waiting.addAndGet(weight) > MAX_WAITING || closed) {
      waiting.addAndGet(-weight);
      lost.incrementAndGet();
    } else {
      tasks.add(new Task.Entry(key, line, weight));
    }
  }

  /** Entries that were not written down. */
  public long lost() {
    return lost.get();
  }

  /**
   * Sees whether the logs that these attributes ask for can be written, as AWS does with a test
   * file.
   *
   * @throws IOException if not
   */
  public void probe(Map<String, String> attributes, Kind kind) throws IOException {
    Place place = place(attributes, kind);
    if (place != null) {
      objects.write(
          place.bucket(),
          prefixed(place) + "AWSLogs/" + scope.account() + "/" + kind.test,
          new byte[0]);
    }
  }

  private void write() {
    try {
      while (true) {
        switch (tasks.take()) {
          case Task.Entry entry -> {
            waiting.addAndGet(-entry.weight());
            append(entry);
          }
          case Task.Deliver deliver -> {
            for (Key key : new ArrayList<>(files.keySet())) {
              deliver(key, deliver.end());
            }
            deliver.done().countDown();
          }
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void append(Task.Entry entry) {
    try {
      LogFile file = files.get(entry.key());
      if (file == null) {
        file = new LogFile();
        files.put(entry.key(), file);
      }
      file.gzip.write((entry.line().get() + "\n").getBytes(StandardCharsets.US_ASCII));
      file.entries++;
      if (file.bytes.size() > MAX_FILE) {
        deliver(entry.key(), periodEnd());
      }
    } catch (IOException | RuntimeException e) {
      lost.incrementAndGet();
      LOG.warn("an entry of the logs of {} cannot be written", entry.key().balancer(), e);
    }
  }

  private void deliver(Key key, Instant end) {
    LogFile file = files.remove(key);
    if (file == null) {
      return;
    }
    try {
      file.gzip.close();
      objects.write(key.place().bucket(), path(key, end), file.bytes.toByteArray());
      failing = false;
    } catch (IOException | RuntimeException e) {
      lost.addAndGet(file.entries);
      if (!failing) {
        LOG.warn("logs of {} are lost: {}", key.balancer(), e.toString());
      }
      failing = true; // said once, until it works again
    }
  }

  private String path(Key key, Instant end) {
    StringBuilder chance = new StringBuilder();
    for (int i = 0; i < 8; i++) {
      chance.append(Character.forDigit(random.nextInt(36), 36));
    }
    List<String> name =
        new ArrayList<>(
            List.of(
                scope.account(),
                "elasticloadbalancing",
                scope.region(),
                key.balancer().replace('/', '.'),
                MINUTE.format(end)));
    if (!key.balancer().startsWith(NETWORK)) { // whose nodes AWS does not name
      name.add(key.node());
    }
    name.add(chance.toString());
    return prefixed(key.place())
        + String.join(
            "/",
            List.of(
                "AWSLogs",
                scope.account(),
                "elasticloadbalancing",
                scope.region(),
                DAY.format(end),
                key.kind().file + String.join("_", name) + ".log.gz"));
  }

  private static String prefixed(Place place) {
    return place.prefix().isEmpty() ? "" : place.prefix() + "/";
  }

  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    timer.cancel();
    Thread thread = writer;
    if (thread != null) {
      Task.Deliver last = new Task.Deliver(periodEnd(), new CountDownLatch(1));
      tasks.add(last);
      try {
        if (!last.done().await(LAST_SECONDS, TimeUnit.SECONDS)) {
          LOG.warn("logs of load balancers are lost: they could not be written in time");
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      thread.interrupt();
    }
  }
}
