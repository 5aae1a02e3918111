package dev.muelle.bench;

import dev.muelle.region.demo.Clients;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongFunction;
import software.amazon.awssdk.services.cloudwatchlogs.model.FilterLogEventsResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.GetLogEventsResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.InputLogEvent;
import software.amazon.awssdk.services.cloudwatchlogs.model.OutputLogEvent;
import software.amazon.awssdk.services.cloudwatchlogs.model.ResourceNotFoundException;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.ecs.model.LaunchType;
import software.amazon.awssdk.services.ecs.model.LogDriver;
import software.amazon.awssdk.services.ecs.model.NetworkMode;
import software.amazon.awssdk.services.ecs.model.Task;

/**
 * The way from what containers print to who reads it in CloudWatch Logs, through the public APIs
 * alone. Real tasks print numbered lines at a rate ({@code writer.c}) while somebody follows one of
 * them; then every line is read back and has to be there, once, in order. After that a group is
 * filled, and filters look for what few of its events have. Prints rows of a Markdown table.
 * Arguments: endpoint, access key id, secret, image, the server's process, tasks, bytes a second of
 * all of them, bytes a line, seconds, events of the filled group, seconds of the same before it is
 * measured.
 */
public final class LogsBench {

  private static final String CLUSTER = "logs";
  private static final String ROLE = "arn:aws:iam::000000000000:role/bench"; // made by bench/logs
  private static final String FILLED = "/bench/filled";
  private static final int PER_CALL = 10; // the most that RunTask takes
  private static final int PER_DESCRIBE = 100;
  private static final long UNTIL_WRITING = 450; // ms for each task, until all must have started
  private static final long LIMIT_MILLIS = 900_000;
  private static final long POLL_NANOS = 500_000_000;
  private static final long FOLLOW_NANOS = 50_000_000;
  private static final int READERS = 2;
  private static final int STREAMS = 20;
  private static final int PUT = 7_000; // events of some 120 bytes, of a million that are allowed
  private static final int NEEDLES = 5;

  private final Clients clients;
  private final Clock clock;
  private final String group;
  private final Path server;
  private final LogsCost cost;
  private final int tasks;
  private final int width;
  private final long each;

  /** Lines a second of one task. */
  private final long rate;

  private volatile boolean written;

  private LogsBench(
      Clients clients, String group, long server, int tasks, long bytes, int width, long seconds) {
    this.clients = clients;
    this.clock = Clock.systemUTC();
    this.group = group;
    this.server = Path.of("/proc", Long.toString(server), "status");
    this.cost = new LogsCost(server);
    this.tasks = tasks;
    this.width = width;
    this.rate = bytes / tasks / width;
    this.each = rate * seconds;
  }

  /** See the class. */
  public static void main(String[] arguments) throws Exception {
    URI endpoint = URI.create(arguments[0]);
    System.out.println("| what | figure |");
    System.out.println("|---|---|");
    try (Clients clients = new Clients(endpoint, "us-east-1", arguments[1], arguments[2])) {
      LongFunction<LogsBench> lasting =
          seconds ->
              new LogsBench(
                  clients,
                  "/bench/written/" + seconds,
                  Long.parseLong(arguments[4]),
                  Integer.parseInt(arguments[5]),
                  Long.parseLong(arguments[6]),
                  Integer.parseInt(arguments[7]),
                  seconds);
      LogsBench bench = lasting.apply(Long.parseLong(arguments[8]));
      long warm = Long.parseLong(arguments[10]);
      if (warm > 0) {
        lasting.apply(warm).print(arguments[3]);
      }
      if (bench.each > 0) {
        bench.tell(bench.print(arguments[3]));
      }
      long events = Long.parseLong(arguments[9]);
      if (events > 0) {
        bench.fill(events);
        bench.search(events);
      }
    }
  }

  private static void row(String what, String figure) {
    System.out.println("| " + what + " | " + figure + " |");
  }

  // What containers print
  // --------------------------------------------------------------------------

  /**
   * What has been printed.
   *
   * @param begin when the first line was to be, in ms
   * @param done when all tasks were STOPPED
   * @param before MiB of the server
   */
  private record Printed(
      List<String> tasks,
      long begin,
      long done,
      LogsDelays followed,
      long before,
      List<Long> memory) {}

  @SuppressWarnings("unchecked") // the SDK's builders take generic varargs
  private Printed print(String image) throws Exception {
    clients.ecs.createCluster(r -> r.clusterName(CLUSTER));
    clients.logs.createLogGroup(r -> r.logGroupName(group));
    long begin = clock.millis() + tasks * UNTIL_WRITING;
    clients.ecs.registerTaskDefinition(r ->
        r.family("writer")
            .networkMode(NetworkMode.AWSVPC)
            .requiresCompatibilitiesWithStrings("FARGATE")
            .cpu("256")
            .memory("512")
            .executionRoleArn(ROLE)
            .containerDefinitions(c ->
                c.name("writer")
                    .image(image)
                    .entryPoint(
                        "/writer",
                        Long.toString(begin),
                        Long.toString(rate),
                        Long.toString(each),
                        Integer.toString(width))
                    .logConfiguration(l ->
                        l.logDriver(LogDriver.AWSLOGS)
                            .options(
                                Map.of(
                                    "awslogs-group", group,
                                    "awslogs-region", "us-east-1",
                                    "awslogs-stream-prefix", "b",
                                    "mode", "blocking")))));
    List<String> arns = run();
    await(arns, "RUNNING", false);
    if (clock.millis() > begin) {
      throw new IllegalStateException("the tasks took longer to start than they were given");
    }
    sleepUntil(begin);
    long before = resident();
    cost.begin();
    LogsDelays followed = new LogsDelays(begin, seconds());
    List<Long> memory = new ArrayList<>();
    long done;
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<?> follower = threads.submit(() -> follow(stream(arns.getFirst()), followed));
      Future<?> sampler = threads.submit(() -> sample(memory));
      await(arns, "STOPPED", true);
      done = clock.millis();
      written = true;
      sampler.get();
      follower.get();
    }
    return new Printed(arns, begin, done, followed, before, memory);
  }

  private void tell(Printed printed) throws Exception {
    long begin = printed.begin();
    long start = clock.millis();
    LogsDelays stored = new LogsDelays(begin, seconds());
    long lost = check(printed.tasks(), stored);
    double took = (printed.done() - begin) / 1e3;
    double megabytes = tasks * each * width / 1e6;
    row(
        tasks + " tasks print together",
        "%.0f MB/s asked for, %.1f MB/s taken in until the last line was stored (%.0f MB, lines of %d bytes, %.1f s), %.1f MB/s until all tasks were STOPPED (%.1f s)"
            .formatted(
                tasks * rate * width / 1e6,
                megabytes * 1e3 / (stored.last() - begin),
                megabytes,
                width,
                (stored.last() - begin) / 1e3,
                megabytes / took,
                took));
    row("processor time, ms for each MB", cost.perMegabyte(megabytes));
    row("until a line was stored, from its writing, all lines", stored.toString());
    row(
        "a follower's delay, from the line's writing",
        printed.followed() + " (GetLogEvents every %d ms)".formatted(FOLLOW_NANOS / 1_000_000));
    row(
        "the server's resident memory, MiB",
        "%d before; by tenths of the load %s"
            .formatted(printed.before(), tenths(printed.memory())));
    row(
        "lines lost, doubled or out of order",
        "%d of %d (read back in %.1f s)"
            .formatted(lost, tasks * each, (clock.millis() - start) / 1e3));
  }

  private long seconds() {
    return each / rate;
  }

  private static String stream(String arn) {
    return "b/writer/" + arn.substring(arn.lastIndexOf('/') + 1);
  }

  private static List<Long> tenths(List<Long> all) {
    List<Long> some = new ArrayList<>();
    for (int i = 0; i < 10 && !all.isEmpty(); i++) {
      some.add(all.get(i * (all.size() - 1) / 9));
    }
    return some;
  }

  private List<String> run() throws Exception {
    List<String> subnets =
        clients.ec2.describeSubnets(r -> {}).subnets().stream().map(Subnet::subnetId).toList();
    List<Callable<List<String>>> calls = new ArrayList<>();
    for (int left = tasks; left > 0; left -= PER_CALL) {
      int count = Math.min(left, PER_CALL);
      calls.add(() ->
          clients
              .ecs
              .runTask(r ->
                  r.cluster(CLUSTER)
                      .taskDefinition("writer")
                      .count(count)
                      .launchType(LaunchType.FARGATE)
                      .networkConfiguration(n -> n.awsvpcConfiguration(v -> v.subnets(subnets))))
              .tasks()
              .stream()
              .map(Task::taskArn)
              .toList());
    }
    List<String> arns = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (Future<List<String>> call : threads.invokeAll(calls)) {
        arns.addAll(call.get());
      }
    }
    return arns;
  }

  private void await(List<String> arns, String status, boolean end) {
    long begin = clock.millis();
    List<String> waiting = new ArrayList<>(arns);
    while (!waiting.isEmpty()) {
      if (clock.millis() - begin > LIMIT_MILLIS) {
        throw new IllegalStateException(waiting.size() + " tasks are not " + status + " yet");
      }
      List<String> some = List.copyOf(waiting.subList(0, Math.min(PER_DESCRIBE, waiting.size())));
      for (Task task : clients.ecs.describeTasks(r -> r.cluster(CLUSTER).tasks(some)).tasks()) {
        if (task.lastStatus().equals(status)) {
          waiting.remove(task.taskArn());
        } else if (!end && task.lastStatus().equals("STOPPED")) {
          throw new IllegalStateException("a task stopped: " + task.stoppedReason());
        }
      }
      LockSupport.parkNanos(POLL_NANOS);
    }
  }

  private void sleepUntil(long millis) {
    while (clock.millis() < millis) {
      LockSupport.parkNanos((millis - clock.millis()) * 1_000_000);
    }
  }

  /** Reads a stream's new events as they come. */
  private void follow(String stream, LogsDelays delays) {
    String token = null;
    while (true) {
      boolean last = written; // asked before reading
      String from = token;
      GetLogEventsResponse page;
      try {
        page =
            clients.logs.getLogEvents(r ->
                r.logGroupName(group).logStreamName(stream).startFromHead(true).nextToken(from));
      } catch (ResourceNotFoundException e) {
        LockSupport.parkNanos(FOLLOW_NANOS);
        continue;
      }
      long now = clock.millis();
      for (OutputLogEvent event : page.events()) {
        delays.add(written(event), now);
      }
      token = page.nextForwardToken();
      if (page.events().isEmpty()) {
        if (last) {
          return;
        }
        LockSupport.parkNanos(FOLLOW_NANOS);
      }
    }
  }

  /** When a line was written, as it says itself. */
  private static long written(OutputLogEvent event) {
    return Long.parseLong(event.message().split(" ", 3)[1]);
  }

  private void sample(List<Long> memory) {
    while (!written) {
      memory.add(resident());
      cost.look();
      LockSupport.parkNanos(POLL_NANOS);
    }
  }

  /** MiB. */
  private long resident() {
    try {
      return Files.readAllLines(server).stream()
          .filter(line -> line.startsWith("VmRSS:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) / 1024)
          .findFirst()
          .orElseThrow();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** How many lines are not where they ought to be. */
  private long check(List<String> arns, LogsDelays stored) throws Exception {
    long wrong = 0;
    try (ExecutorService threads = Executors.newFixedThreadPool(READERS)) {
      List<Callable<Long>> reads = new ArrayList<>();
      arns.forEach(arn -> reads.add(() -> check(stream(arn), stored)));
      for (Future<Long> read : threads.invokeAll(reads)) {
        wrong += read.get();
      }
    }
    return wrong;
  }

  private long check(String stream, LogsDelays stored) {
    long wrong = 0;
    long expected = 0;
    String token = null;
    while (true) {
      String from = token;
      GetLogEventsResponse page =
          clients.logs.getLogEvents(
              r -> r.logGroupName(group).logStreamName(stream).startFromHead(true).nextToken(from));
      for (OutputLogEvent event : page.events()) {
        long number = Long.parseLong(event.message().substring(0, 10));
        boolean whole = event.message().length() == width - 1;
        wrong += number == expected && whole ? 0 : Math.max(1, Math.abs(number - expected));
        expected = number + 1;
        stored.add(written(event), event.ingestionTime());
      }
      if (page.nextForwardToken().equals(token)) {
        return wrong + each - expected;
      }
      token = page.nextForwardToken();
    }
  }

  // A large group
  // ----------------------------------------------------------------------------------

  private void fill(long events) throws Exception {
    clients.logs.createLogGroup(r -> r.logGroupName(FILLED));
    for (int i = 0; i < STREAMS; i++) {
      String stream = "s" + i;
      clients.logs.createLogStream(r -> r.logGroupName(FILLED).logStreamName(stream));
    }
    long begin = clock.millis();
    long first = begin - events / 1_000; // a thousand events a millisecond of what they tell
    long calls = Math.ceilDiv(events, PUT);
    try (ExecutorService threads = Executors.newFixedThreadPool(READERS)) {
      List<Callable<Boolean>> puts = new ArrayList<>();
      for (long call = 0; call < calls; call++) {
        long number = call;
        puts.add(() -> put(number, first, events));
      }
      for (Future<Boolean> put : threads.invokeAll(puts)) {
        put.get();
      }
    }
    row(
        "PutLogEvents of %,d events of some 100 bytes, half of them in JSON".formatted(events),
        "%.1f s by two clients".formatted((clock.millis() - begin) / 1e3));
  }

  private boolean put(long call, long first, long events) {
    SplittableRandom random = new SplittableRandom(call);
    List<InputLogEvent> some = new ArrayList<>();
    for (long i = call * PUT; i < Math.min(events, (call + 1) * PUT); i++) {
      boolean needle = i % (events / NEEDLES) == events / NEEDLES / 2;
      some.add(
          InputLogEvent.builder()
              .timestamp(first + i / 1_000)
              .message(message(isJson(i), needle, random))
              .build());
    }
    clients.logs.putLogEvents(
        r -> r.logGroupName(FILLED).logStreamName("s" + call % STREAMS).logEvents(some));
    return true;
  }

  /** The same in JSON or as text. */
  private static String message(boolean json, boolean needle, SplittableRandom random) {
    String form =
        json
            ? "{\"level\":\"%s\",\"thread\":\"http-%d\",\"request\":\"%016x\","
                + "\"path\":\"/api/v1/orders/%d\",\"status\":%d,\"us\":%d}"
            : "%s [http-%d] request %016x GET /api/v1/orders/%d answered %d in %d us";
    return form.formatted(
        needle ? "FATAL" : "INFO",
        random.nextInt(16),
        needle ? 0xfeedfacecafebeefL : random.nextLong(),
        random.nextInt(1_000_000),
        random.nextInt(50) == 0 ? 404 : 200,
        random.nextInt(90_000));
  }

  private static boolean isJson(long event) {
    return event / PUT % 2 == 1;
  }

  private void search(long events) {
    int inJson = 0;
    for (int needle = 0; needle < NEEDLES; needle++) {
      inJson += isJson(events / NEEDLES / 2 + needle * (events / NEEDLES)) ? 1 : 0;
    }
    search("a word that %d of %,d events have".formatted(NEEDLES, events), "FATAL", NEEDLES);
    search("a number in hexadecimal that they have", "feedfacecafebeef", NEEDLES);
    search("a number in hexadecimal that none has", "feedfacecafebeee", 0);
    search("a property of JSON, in half of all events", "{ $.level = \"FATAL\" }", inJson);
    search("a regular expression", "%F[AB]TAL.*feedface%", NEEDLES);
    search("a property that none has", "{ $.zone = * }", 0);
  }

  private void search(String what, String pattern, int expected) {
    long begin = clock.millis();
    int found = 0;
    int pages = 0;
    String token = null;
    do {
      String from = token;
      FilterLogEventsResponse page =
          clients.logs.filterLogEvents(
              r -> r.logGroupName(FILLED).filterPattern(pattern).nextToken(from));
      found += page.events().size();
      pages++;
      token = page.nextToken();
    } while (token != null);
    if (found != expected) {
      throw new IllegalStateException(found + " events instead of " + expected);
    }
    row(
        "FilterLogEvents `" + pattern + "`, " + what,
        "%d ms (%d pages; resident %,d MiB)".formatted(clock.millis() - begin, pages, resident()));
  }
}
