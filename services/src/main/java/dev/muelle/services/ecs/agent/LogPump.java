package dev.muelle.services.ecs.agent;

import dev.muelle.engine.Engine;
import dev.muelle.engine.Engine.LogLine;
import dev.muelle.engine.EngineException;
import dev.muelle.loop.Loop;
import dev.muelle.loop.Timers;
import dev.muelle.services.StoredJson;
import dev.muelle.services.ecs.cluster.AccountSettings;
import dev.muelle.services.ecs.definition.LogOptions;
import dev.muelle.services.ecs.definition.TaskDefinitions;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.services.ecs.state.TaskStatus;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatchlogs.CloudWatchLogsClient;
import software.amazon.awssdk.services.cloudwatchlogs.model.InputLogEvent;
import software.amazon.awssdk.services.cloudwatchlogs.model.ResourceAlreadyExistsException;
import software.amazon.awssdk.services.cloudwatchlogs.model.ResourceNotFoundException;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.LogConfiguration;
import software.amazon.awssdk.services.ecs.model.SettingName;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;

/**
 * Carries what containers print to CloudWatch Logs, in order, each line once. The position is
 * stored after the lines were put, once for several batches; after a crash in between, the stream's
 * end shows more lines than the position knows of, and these are skipped. A task that prints much
 * is looked at ten times a second, not for every line.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html">awslogs</a>
 */
public final class LogPump implements AutoCloseable {

  /**
   * How far a container's output was carried.
   *
   * @param millis the time of the last line that was carried
   * @param atMillis how many carried lines have that very time
   */
  record Position(long position, long millis, long atMillis) {}

  /**
   * How far a container's output was carried since its position was stored.
   *
   * @param bytes how much that is
   * @param since when the position was stored, or might have been: epoch milliseconds
   */
  private record Progress(Position to, long bytes, long lines, long since) {}

  /** The mode of a task whose definition names none, where it is not the usual one. */
  private record Mode(String mode) {}

  private static final Table<Mode> MODES = Table.of("ecs.log_modes", StoredJson.codec(Mode.class));

  private static final Table<Position> POSITIONS =
      Table.of("ecs.log_positions", StoredJson.codec(Position.class));

  private static final int BATCH_LINES = 4_000;
  private static final int MOST_EVENTS = 10_000; // that GetLogEvents gives at once
  private static final int BATCH_BYTES = 450_000; // of the 1,048,576 that PutLogEvents takes

  /**
   * What may be put before the position is stored: GetLogEvents must give all of it at once, and
   * what has the very time of the position besides.
   */
  private static final int UNSTORED_BYTES = 500_000;

  private static final int UNSTORED_LINES = 5_000;
  private static final long UNSTORED_MILLIS = 1_000;
  private static final int EVENT_OVERHEAD = 26;
  private static final Duration WHILE_RUNNING = Duration.ofSeconds(15); // output wakes us
  private static final Duration UNTIL_OLD = Duration.ofMillis(LogEvents.AGE);
  private static final int CONCURRENCY = 64;

  private final Store store;
  private final Engine engine;
  private final CloudWatchLogsClient client;
  private final TaskDefinitions definitions;
  private final AccountSettings settings;
  private final Timers timers;
  private final Timers machine;
  private final Loop<String> loop;
  private final Loop<String> filling;

  /** Tasks with containers whose output must not wait. */
  private final Set<String> buffered = ConcurrentHashMap.newKeySet();

  /** Of such containers, by their ids. */
  private final Map<String, LogBuffer> buffers = new ConcurrentHashMap<>();

  /** Containers whose stream's end was compared with their position since this process began. */
  private final Set<String> compared = ConcurrentHashMap.newKeySet();

  /** How far containers' output was carried, where that is not stored. */
  private final Map<String, Progress> unstored = new ConcurrentHashMap<>();

  /** Of the lines that come next, how many the streams have from before a crash. */
  private final Map<String, Long> there = new ConcurrentHashMap<>();

  /** Of containers that have started to print. */
  private final Map<String, LogOptions> known = new ConcurrentHashMap<>();

  private final Map<String, Pace> paces = new ConcurrentHashMap<>();

  /** One carrier per task at a time: the loop, or the agent at the task's end. */
  private final Map<String, ReentrantLock> carrying = new ConcurrentHashMap<>();

  public LogPump(
      Store store,
      Timers timers,
      RandomGenerator random,
      Engine engine,
      CloudWatchLogsClient client,
      TaskDefinitions definitions,
      AccountSettings settings) {
    this.store = store;
    this.engine = engine;
    this.client = client;
    this.definitions = definitions;
    this.settings = settings;
    this.timers = timers;
    this.machine = timers.machine(); // what waits here waits for programs
    this.loop = new Loop<>("ecs-logs", machine, random, CONCURRENCY, this::pump);
    this.filling = new Loop<>("ecs-log-buffers", machine, random, CONCURRENCY, this::fill);
  }

  public void wake(String taskId) {
    if (buffered.contains(taskId)) {
      filling.wake(taskId);
    }
    Pace pace = paces.get(taskId);
    if (pace == null || !pace.resting()) {
      loop.wake(taskId);
    }
  }

  /**
   * Makes the stream (and the group, if it is to be made) before the container starts.
   *
   * @throws EngineException with the agent's words if there is no such group
   */
  void prepare(ContainerDefinition definition, TaskRecord task) {
    if (!LogOptions.delivered(definition)) {
      return;
    }
    LogConfiguration logs = definition.logConfiguration();
    String container = definition.name();
    choose(logs, task.id());
    LogOptions options = options(logs, task.id());
    String group = options.group();
    if (options.createGroup()) {
      try {
        client.createLogGroup(request -> request.logGroupName(group));
      } catch (ResourceAlreadyExistsException e) {
        // It is there, which is what was wanted.
      }
    }
    try {
      client.createLogStream(
          request -> request.logGroupName(group).logStreamName(options.stream(container, task)));
    } catch (ResourceAlreadyExistsException e) {
      // From before a restart.
    } catch (ResourceNotFoundException e) {
      throw new EngineException(
          "ResourceInitializationError: failed to validate logger args: create stream has been"
              + " retried 1 times: failed to create Cloudwatch log stream:"
              + " ResourceNotFoundException: The specified log group does not exist. : exit"
              + " status 1",
          e);
    }
  }

  /** A task keeps the mode that was the account's default when it started. */
  private void choose(LogConfiguration logs, String taskId) {
    String mode = settings.byDefault(SettingName.DEFAULT_LOG_DRIVER_MODE);
    boolean chosen =
        mode.equals(LogOptions.NON_BLOCKING)
            && !logs.options().containsKey("mode")
            && store.read(tx -> tx.get(MODES, taskId)).isEmpty();
    if (chosen) {
      store.write(tx -> tx.put(MODES, taskId, new Mode(mode)));
    }
  }

  private LogOptions options(LogConfiguration logs, String taskId) {
    return LogOptions.of(
        logs,
        store
            .read(tx -> tx.get(MODES, taskId))
            .map(row -> row.value().mode())
            .orElse(LogOptions.BLOCKING));
  }

  private LogOptions options(String containerId, LogConfiguration logs, String taskId) {
    LogOptions before = known.get(containerId);
    if (before != null) {
      return before;
    }
    LogOptions options = options(logs, taskId);
    if (compared.contains(containerId)) { // it runs, so they were chosen
      known.put(containerId, options);
    }
    return options;
  }

  private @Nullable Duration pump(String taskId) {
    Pace pace = paces.computeIfAbsent(taskId, id -> new Pace());
    Duration rest = pace.rest(machine.millis());
    if (rest.isPositive()) {
      return rest;
    }
    TaskRecord task = find(taskId);
    if (task == null) {
      paces.remove(taskId);
      return null;
    }
    TaskDefinition definition = definitions.byArn(task.task().taskDefinitionArn()).orElseThrow();
    boolean mustNotWait =
        definition.containerDefinitions().stream()
            .filter(LogOptions::delivered)
            .anyMatch(container ->
                options(task.containerId(container.name()), container.logConfiguration(), taskId)
                        .bufferBytes()
                    > 0);
    if (mustNotWait && buffered.add(taskId)) {
      filling.wake(taskId);
    }
    if (carryAll(task, definition, false)) {
      return UNTIL_OLD;
    }
    return anyUnstored(task, definition) ? Duration.ofMillis(UNSTORED_MILLIS) : WHILE_RUNNING;
  }

  private boolean anyUnstored(TaskRecord task, TaskDefinition definition) {
    return definition.containerDefinitions().stream()
        .anyMatch(container -> unstored.containsKey(task.containerId(container.name())));
  }

  private @Nullable TaskRecord find(String taskId) {
    return store
        .read(tx -> tx.get(TaskRecord.TABLE, taskId))
        .map(Row::value)
        .filter(task -> task.status() != TaskStatus.STOPPED)
        .orElse(null);
  }

  /** Takes in what containers print that must not wait for its delivery. */
  private @Nullable Duration fill(String taskId) {
    TaskRecord task = find(taskId);
    if (task == null) {
      return null;
    }
    TaskDefinition definition = definitions.byArn(task.task().taskDefinitionArn()).orElseThrow();
    boolean any = false;
    for (ContainerDefinition container : definition.containerDefinitions()) {
      LogConfiguration logs = container.logConfiguration();
      if (LogOptions.delivered(container) && options(logs, taskId).bufferBytes() > 0) {
        any = true;
        fill(task.containerId(container.name()), options(logs, taskId));
      }
    }
    return any ? WHILE_RUNNING : null;
  }

  private void fill(String containerId, LogOptions options) {
    LogBuffer buffer =
        buffers.computeIfAbsent(
            containerId, id -> new LogBuffer(options.bufferBytes(), reached(id).position()));
    synchronized (buffer) {
      List<LogLine> lines = engine.output(containerId, buffer.position(), BATCH_LINES);
      while (!lines.isEmpty()) {
        lines.forEach(buffer::offer);
        engine.releaseOutput(containerId, buffer.position());
        lines = engine.output(containerId, buffer.position(), BATCH_LINES);
      }
    }
  }

  /** Carries what is left; to be called when every container has exited. */
  void drain(TaskRecord task, TaskDefinition definition) {
    carryAll(task, definition, true);
  }

  private boolean carryAll(TaskRecord task, TaskDefinition definition, boolean last) {
    ReentrantLock lock = carrying.computeIfAbsent(task.id(), id -> new ReentrantLock());
    lock.lock();
    try {
      return carryEach(task, definition, last);
    } finally {
      lock.unlock();
    }
  }

  /** Whether lines are left that belong to an event that is not complete. */
  private boolean carryEach(TaskRecord task, TaskDefinition definition, boolean last) {
    boolean open = false;
    boolean more = true;
    while (more) { // in turns: one that prints without end must not keep the others waiting
      more = false;
      open = false;
      for (ContainerDefinition container : definition.containerDefinitions()) {
        if (LogOptions.delivered(container)) {
          String id = task.containerId(container.name());
          LogOptions options = options(id, container.logConfiguration(), task.id());
          switch (carry(task.id(), id, options, options.stream(container.name(), task), last)) {
            case SOME -> more = true;
            case OPEN -> open = true;
            case NONE -> {}
          }
        }
      }
    }
    return open;
  }

  private enum Carried {
    NONE,
    SOME,
    /** Nothing, because what there is belongs to an event that is not complete. */
    OPEN
  }

  private Position stored(String containerId) {
    return store
        .read(tx -> tx.get(POSITIONS, containerId))
        .map(Row::value)
        .orElse(new Position(0, 0, 0));
  }

  private Position reached(String containerId) {
    Progress progress = unstored.get(containerId);
    return progress == null ? stored(containerId) : progress.to();
  }

  /** One batch. */
  private Carried carry(
      String taskId, String containerId, LogOptions options, String stream, boolean last) {
    Position from = reached(containerId);
    List<LogLine> all = lines(containerId, options, from);
    List<LogLine> lines = told(batch(all));
    if (lines.isEmpty()) {
      Progress progress = unstored.get(containerId);
      if (progress != null && (last || machine.millis() - progress.since() >= UNSTORED_MILLIS)) {
        store(containerId, progress.to());
      }
      return Carried.NONE;
    }
    boolean full = lines.size() == BATCH_LINES || lines.size() < all.size();
    LogEvents cut =
        LogEvents.cut(
            lines,
            options.eventStart(),
            from.position(),
            from.millis(),
            told(machine.millis() - LogEvents.AGE),
            full,
            last && !full);
    if (cut.position() == from.position()) {
      return Carried.OPEN;
    }
    long bytes = cut.events().stream().mapToLong(event -> size(event.message())).sum();
    makeRoom(containerId, bytes, cut.events().size());
    put(containerId, options.group(), stream, from, cut.events());
    Position to = after(from, cut.position(), cut.events());
    LogBuffer buffer = buffers.get(containerId);
    if (buffer != null) {
      buffer.delivered(to.position());
    }
    Pace pace = paces.get(taskId);
    if (pace != null) {
      pace.carried(lines.size(), machine.millis());
    }
    if (options.eventStart() == null && !last) {
      note(containerId, to, bytes, cut.events().size());
    } else {
      store(containerId, to); // where events begin must not depend on where we begin
    }
    return Carried.SOME;
  }

  /** Stores the position if these lines were too many more to be found again. */
  private void makeRoom(String containerId, long bytes, int lines) {
    Progress progress = unstored.get(containerId);
    if (progress != null
        && (progress.bytes() + bytes > UNSTORED_BYTES
            || progress.lines() + lines > UNSTORED_LINES)) {
      store(containerId, progress.to());
    }
  }

  private void note(String containerId, Position to, long bytes, int lines) {
    unstored.merge(
        containerId,
        new Progress(to, bytes, lines, machine.millis()),
        (before, more) ->
            new Progress(to, before.bytes() + bytes, before.lines() + lines, before.since()));
  }

  private void store(String containerId, Position to) {
    store.write(tx -> tx.put(POSITIONS, containerId, to));
    unstored.remove(containerId);
    if (!buffers.containsKey(containerId)) {
      engine.releaseOutput(containerId, to.position()); // what a restart asks for begins there
    }
  }

  private static long size(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length + (long) EVENT_OVERHEAD;
  }

  private List<LogLine> lines(String containerId, LogOptions options, Position from) {
    if (options.bufferBytes() == 0) {
      return engine.output(containerId, from.position(), BATCH_LINES);
    }
    fill(containerId, options);
    return Objects.requireNonNull(buffers.get(containerId)).first(BATCH_LINES);
  }

  private void put(
      String containerId, String group, String stream, Position from, List<InputLogEvent> all) {
    long already =
        compared.contains(containerId)
            ? there.getOrDefault(containerId, 0L)
            : Math.max(0, alreadyThere(group, stream, from));
    List<InputLogEvent> events =
        already == 0 ? all : all.subList((int) Math.min(already, all.size()), all.size());
    try {
      if (!events.isEmpty()) {
        client.putLogEvents(
            request -> request.logGroupName(group).logStreamName(stream).logEvents(events));
      }
    } catch (ResourceNotFoundException e) {
      // Group or stream were deleted under the task: what it prints goes nowhere, as on ECS.
    }
    if (already > all.size()) {
      there.put(containerId, already - all.size());
    } else {
      there.remove(containerId);
    }
    compared.add(containerId);
  }

  private static Position after(Position from, long position, List<InputLogEvent> events) {
    if (events.isEmpty()) {
      return new Position(position, from.millis(), from.atMillis());
    }
    long millis = events.getLast().timestamp();
    long count = events.stream().filter(event -> event.timestamp() == millis).count();
    return new Position(position, millis, count + (millis == from.millis() ? from.atMillis() : 0));
  }

  private static List<LogLine> batch(List<LogLine> lines) {
    List<LogLine> batch = new ArrayList<>();
    long bytes = 0;
    for (LogLine line : lines) {
      bytes += size(line.text());
      if (bytes > BATCH_BYTES && !batch.isEmpty()) {
        break;
      }
      batch.add(line);
    }
    return batch;
  }

  /** With the region's times: the engine says the machine's. */
  private List<LogLine> told(List<LogLine> lines) {
    return machine.equals(timers)
        ? lines
        : lines.stream()
            .map(line ->
                new LogLine(line.position(), told(line.epochMillis()), line.stderr(), line.text()))
            .toList();
  }

  private long told(long epochMillis) {
    return timers.fromMachine(Instant.ofEpochMilli(epochMillis)).toEpochMilli();
  }

  /** How many lines after the position the end of the stream shows already. */
  private long alreadyThere(String group, String stream, Position from) {
    try {
      return client
              .getLogEvents(request ->
                  request
                      .logGroupName(group)
                      .logStreamName(stream)
                      .startTime(from.millis())
                      .startFromHead(false)
                      .limit(MOST_EVENTS))
              .events()
              .stream()
              .filter(event -> event.timestamp() >= from.millis())
              .count()
          - from.atMillis();
    } catch (ResourceNotFoundException e) {
      return 0;
    }
  }

  /** Drops the positions of a task that has ended. */
  void forget(TaskRecord task, TaskDefinition definition) {
    store.write(tx -> {
      for (ContainerDefinition container : definition.containerDefinitions()) {
        tx.delete(POSITIONS, task.containerId(container.name()));
      }
      tx.delete(MODES, task.id());
      return true;
    });
    carrying.remove(task.id());
    buffered.remove(task.id());
    paces.remove(task.id());
    definition
        .containerDefinitions()
        .forEach(container -> {
          compared.remove(task.containerId(container.name()));
          unstored.remove(task.containerId(container.name()));
          there.remove(task.containerId(container.name()));
          known.remove(task.containerId(container.name()));
          buffers.remove(task.containerId(container.name()));
        });
  }

  @Override
  public void close() {
    loop.close();
    filling.close();
  }
}
