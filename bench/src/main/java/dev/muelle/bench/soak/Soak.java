package dev.muelle.bench.soak;

import io.netty.util.concurrent.Ticker;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;

/**
 * Finds out how many requests a load balancer answers, and then asks it 70% of that for so many
 * minutes (the argument), while every second a target is added, is taken away, or is killed. A
 * request that comes to nothing is a fault: all of them may be repeated, and two targets never die
 * at once. Nor may memory grow.
 */
public final class Soak {

  private static final Ticker TICKER = Ticker.systemTicker();
  private static final int CLIENTS = 64;
  private static final double LOAD = 0.7;
  private static final Duration WARM_UP = Duration.ofSeconds(10);
  private static final Duration STEP = Duration.ofSeconds(1);

  /** So long a target that was taken away still serves who was sent there before. */
  private static final int GRACE_STEPS = 3;

  private static final int FEWEST = 3;
  private static final int MOST = 8;
  private static final int STEPS_PER_LOOK = 10;

  /** What memory may differ by from one look to another. */
  private static final double FLAT = 1.2;

  private static final long SLACK_KB = 8 * 1024;

  private final RandomGenerator random = new SplittableRandom(1);
  private final List<SoakTarget> all = new ArrayList<>();
  private final List<SoakTarget> registered = new ArrayList<>();
  private final List<Leaving> leaving = new ArrayList<>();
  private final Queue<String> failed = new ConcurrentLinkedQueue<>();
  private final LongAdder answered = new LongAdder();
  private final List<Memory> looks = new ArrayList<>();
  private final Process balancer;
  private final PrintStream commands;
  private final BufferedReader answers;
  private final int port;
  private int step;
  private int added;
  private int removed;
  private int killed;

  /** A target that is registered no more, or is dead, and what is still to be done with it. */
  private record Leaving(SoakTarget target, int when) {}

  private record Memory(long heap, long direct, long resident) {}

  private Soak() throws IOException {
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
      port = free.getLocalPort();
    }
    balancer =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-Xmx128m",
                "-cp",
                System.getProperty("java.class.path"),
                SoakedBalancer.class.getName(),
                String.valueOf(port))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    commands = new PrintStream(balancer.getOutputStream(), true, StandardCharsets.US_ASCII);
    answers =
        new BufferedReader(
            new InputStreamReader(balancer.getInputStream(), StandardCharsets.US_ASCII));
  }

  /** See the class. */
  public static void main(String[] arguments) throws Exception {
    Soak soak = new Soak();
    boolean fine;
    try {
      fine = soak.run(Duration.ofMinutes(Long.parseLong(arguments[0])));
    } finally {
      soak.balancer.destroyForcibly().waitFor();
    }
    System.exit(fine ? 0 : 1);
  }

  private String command(String line) throws IOException {
    commands.println(line);
    String answer = answers.readLine();
    if (answer == null) {
      throw new IOException("the load balancer is gone");
    }
    return answer;
  }

  /** Tells the load balancer which targets it has. */
  private void tell() throws IOException {
    String problems =
        command(
            registered.stream()
                .map(target -> " " + target.port())
                .collect(Collectors.joining("", "targets", "")));
    if (!problems.equals("{}")) {
      throw new IOException(problems);
    }
  }

  private void add() throws IOException {
    SoakTarget fresh = new SoakTarget();
    all.add(fresh);
    registered.add(fresh);
  }

  private boolean run(Duration length) throws Exception {
    for (int i = 0; i < (FEWEST + MOST) / 2; i++) {
      add();
    }
    tell();
    List<SoakClient> clients = new ArrayList<>();
    for (int i = 0; i < CLIENTS; i++) {
      SoakClient client = new SoakClient(port, answered, failed::add);
      clients.add(client);
      Thread.ofVirtual().start(client);
    }
    pause(WARM_UP);
    long before = answered.sum();
    long from = TICKER.nanoTime();
    pause(WARM_UP);
    double most = (answered.sum() - before) * 1e9 / (TICKER.nanoTime() - from);
    long interval = (long) (CLIENTS * 1e9 / (most * LOAD));
    clients.forEach(client -> client.pause = interval);
    System.out.printf("%.0f requests/s at most; %.0f from now on%n", most, most * LOAD);

    before = answered.sum();
    from = TICKER.nanoTime();
    int steps = (int) (length.toMillis() / STEP.toMillis());
    for (step = 1; step <= steps; step++) {
      pause(STEP);
      change();
      if (step % STEPS_PER_LOOK == 0) {
        look();
      }
    }
    double rate = (answered.sum() - before) * 1e9 / (TICKER.nanoTime() - from);
    clients.forEach(client -> client.over = true);
    return judge(rate);
  }

  private static void pause(Duration length) {
    long end = TICKER.nanoTime() + length.toNanos();
    for (long left = length.toNanos(); left > 0; left = end - TICKER.nanoTime()) {
      LockSupport.parkNanos(left);
    }
  }

  /** One target comes, goes or dies. */
  private void change() throws IOException {
    for (Leaving one : List.copyOf(leaving)) {
      if (one.when() <= step) {
        leaving.remove(one);
        if (registered.remove(one.target())) {
          add(); // for a dead one that nobody had taken away
          added++;
        } else {
          one.target().kill(); // by now nobody is sent there
        }
      }
    }
    boolean dead = registered.stream().anyMatch(this::isLeaving);
    int kind = random.nextInt(3);
    SoakTarget one = registered.get(random.nextInt(registered.size()));
    if (registered.size() <= FEWEST || kind == 0 && registered.size() < MOST) {
      add();
      added++;
    } else if (kind == 1 && !isLeaving(one)) {
      registered.remove(one);
      leaving.add(new Leaving(one, step + GRACE_STEPS));
      removed++;
    } else if (!dead && !isLeaving(one)) {
      one.kill(); // and only later somebody looks after it
      leaving.add(new Leaving(one, step + 2 * GRACE_STEPS));
      killed++;
    }
    tell();
  }

  private boolean isLeaving(SoakTarget target) {
    return leaving.stream().anyMatch(one -> one.target().equals(target));
  }

  private void look() throws IOException {
    String[] used = command("memory").split(" ", -1);
    long resident =
        Files.readAllLines(Path.of("/proc/" + balancer.pid() + "/status")).stream()
            .filter(line -> line.startsWith("VmRSS:"))
            .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
            .findFirst()
            .orElseThrow();
    Memory now = new Memory(Long.parseLong(used[0]), Long.parseLong(used[1]), resident);
    looks.add(now);
    System.out.printf(
        "%4d s: %,d requests, %d failed; %d KB on the heap, %d outside, %d resident%n",
        step, answered.sum(), failed.size(), now.heap(), now.direct(), now.resident());
  }

  private boolean judge(double rate) {
    System.out.printf(
        "%.0f requests/s; %d targets added, %d taken away, %d killed%n",
        rate, added, removed, killed);
    System.out.printf("%,d requests answered, %d lost %s%n", answered.sum(), failed.size(), failed);
    Memory early = highest(looks.subList(looks.size() / 4, Math.ceilDiv(looks.size(), 2)));
    Memory late = highest(looks.subList(looks.size() * 3 / 4, looks.size()));
    boolean flat =
        flat(early.heap(), late.heap())
            && flat(early.direct(), late.direct())
            && flat(early.resident(), late.resident());
    System.out.printf("memory: %s in the second quarter, %s in the last%n", early, late);
    System.out.println(failed.isEmpty() && flat ? "fine" : "NOT fine");
    return failed.isEmpty() && flat;
  }

  private static Memory highest(List<Memory> some) {
    return new Memory(
        some.stream().mapToLong(Memory::heap).max().orElse(0),
        some.stream().mapToLong(Memory::direct).max().orElse(0),
        some.stream().mapToLong(Memory::resident).max().orElse(0));
  }

  private static boolean flat(long early, long late) {
    return late <= early * FLAT + SLACK_KB;
  }
}
