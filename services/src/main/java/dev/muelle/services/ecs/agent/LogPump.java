package dev.muelle.services.ecs.agent;

import dev.muelle.engine.Engine;
import dev.muelle.engine.Engine.LogLine;
import dev.muelle.engine.EngineException;
import dev.muelle.engine.LogLines;
import dev.muelle.loop.Loop;
import dev.muelle.loop.Timers;
import dev.muelle.services.LogBatch;
import dev.muelle.services.LogSink;
import dev.muelle.services.StoredJson;
import dev.muelle.services.ecs.cluster.AccountSettings;
import dev.muelle.services.ecs.definition.LogOptions;
import dev.muelle.services.ecs.definition.TaskDefinitions;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.services.ecs.state.TaskStatus;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatchlogs.CloudWatchLogsClient;
import software.amazon.awssdk.services.cloudwatchlogs.model.GetLogEventsResponse;
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
  private record Progress(Position to, long bytes, long since) {}

  /** The mode of a task whose definition names none, where it is not the usual one. */
  private record Mode(String mode) {}

  private static final Table<Mode> MODES = Table.of("ecs.log_modes", StoredJson.codec(Mode.class));

  private static final Table<Position> POSITIONS =
      Table.of("ecs.log_positions", StoredJson.codec(Position.class));

  /** No more than 1,048,576 bytes may be put at once, 26 of them for each event's sake. */
  private static final int BATCH_LINES = 4_000;

  /** Where an event of many lines has to fit in; and a line, which has 320 KiB at most. */
  private static final int BATCH_BYTES = 400_000;

  /** Where each line is an event: then it makes one pack. */
  private static final int LINES_BYTES = 256_000;

  /** How many batches a task has before others have their turn. */
  private static final int BATCHES = 2;

  /** What may be put before the position is stored, and has to be counted after a crash. */
  private static final int UNSTORED_BYTES = 4 << 20;

  private static final long UNSTORED_MILLIS = 1_000;
  private static final int MOST_EVENTS = 10_000; // that GetLogEvents gives at once
  private static final Duration WHILE_RUNNING = Duration.ofSeconds(15); // output wakes us
  private static final Duration UNTIL_OLD = Duration.ofMillis(LogEvents.AGE);

  /** What is in hand at once has to fit into a small young generation: some 1 MB each. */
  private static final int CONCURRENCY = 4;

  private final Store store;
  private final Engine engine;
  private final CloudWatchLogsClient client;
  private final LogSink sink;
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
    this.sink = LogSink.of(client);
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
    return switch (carryAll(task, definition, false)) {
      case SOME -> {
        pace.behind();
        yield Duration.ZERO;
      }
      case OPEN -> UNTIL_OLD;
      case NONE ->
          anyUnstored(task, definition) ? Duration.ofMillis(UNSTORED_MILLIS) : WHILE_RUNNING;
    };
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

  private Carried carryAll(TaskRecord task, TaskDefinition definition, boolean last) {
    ReentrantLock lock = carrying.computeIfAbsent(task.id(), id -> new ReentrantLock());
    lock.lock();
    try {
      Carried carried = Carried.SOME;
      for (int i = 0; carried == Carried.SOME && (last || i < BATCHES); i++) {
        carried = carryEach(task, definition, last);
      }
      return carried;
    } finally {
      lock.unlock();
    }
  }

  /** A batch of each container: one that prints without end must not keep the others waiting. */
  private Carried carryEach(TaskRecord task, TaskDefinition definition, boolean last) {
    Carried most = Carried.NONE;
    for (ContainerDefinition container : definition.containerDefinitions()) {
      if (LogOptions.delivered(container)) {
        String id = task.containerId(container.name());
        LogOptions options = options(id, container.logConfiguration(), task.id());
        Carried carried =
            carry(task.id(), id, options, options.stream(container.name(), task), last);
        most = carried.compareTo(most) > 0 ? carried : most;
      }
    }
    return most;
  }

  private enum Carried {
    NONE,
    /** Nothing, because what there is belongs to an event that is not complete. */
    OPEN,
    SOME
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
    LogLines lines = lines(containerId, options, from);
    if (!machine.equals(timers)) {
      lines.convertTimes(this::told); // the engine says the machine's
    }
    if (lines.isEmpty()) {
      Progress progress = unstored.get(containerId);
      if (progress != null && (last || machine.millis() - progress.since() >= UNSTORED_MILLIS)) {
        store(containerId, progress.to());
      }
      return Carried.NONE;
    }
    boolean full = lines.count() == BATCH_LINES || lines.size() >= most(options);
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
    long bytes = cut.events().size();
    makeRoom(containerId, bytes);
    put(containerId, options.group(), stream, from, cut.events());
    Position to = after(from, cut.position(), cut.events());
    LogBuffer buffer = buffers.get(containerId);
    if (buffer != null) {
      buffer.delivered(to.position());
    }
    Pace pace = paces.get(taskId);
    if (pace != null) {
      pace.carried(lines.count(), machine.millis());
    }
    if (options.eventStart() == null && !last) {
      note(containerId, to, bytes);
    } else {
      store(containerId, to); // where events begin must not depend on where we begin
    }
    return Carried.SOME;
  }

  /** Stores the position if these were too many more to be counted again. */
  private void makeRoom(String containerId, long bytes) {
    Progress progress = unstored.get(containerId);
    if (progress != null && progress.bytes() + bytes > UNSTORED_BYTES) {
      store(containerId, progress.to());
    }
  }

  private void note(String containerId, Position to, long bytes) {
    unstored.merge(
        containerId,
        new Progress(to, bytes, machine.millis()),
        (before, more) -> new Progress(to, before.bytes() + bytes, before.since()));
  }

  private void store(String containerId, Position to) {
    store.write(tx -> tx.put(POSITIONS, containerId, to));
    unstored.remove(containerId);
    if (!buffers.containsKey(containerId)) {
      engine.releaseOutput(containerId, to.position()); // what a restart asks for begins there
    }
  }

  private LogLines lines(String containerId, LogOptions options, Position from) {
    if (options.bufferBytes() == 0) {
      return engine.output(containerId, from.position(), BATCH_LINES, most(options));
    }
    fill(containerId, options);
    return Objects.requireNonNull(buffers.get(containerId)).first(BATCH_LINES, most(options));
  }

  /** Bytes of a batch. */
  private static int most(LogOptions options) {
    return options.eventStart() == null ? LINES_BYTES : BATCH_BYTES;
  }

  private void put(String containerId, String group, String stream, Position from, LogBatch all) {
    long already =
        compared.contains(containerId)
            ? there.getOrDefault(containerId, 0L)
            : Math.max(0, alreadyThere(group, stream, from));
    LogBatch events = all.part((int) Math.min(already, all.count()), all.count());
    try {
      if (!events.isEmpty()) {
        sink.put(group, stream, events);
      }
    } catch (ResourceNotFoundException e) {
      // Group or stream were deleted under the task: what it prints goes nowhere, as on ECS.
    }
    if (already > all.count()) {
      there.put(containerId, already - all.count());
    } else {
      there.remove(containerId);
    }
    compared.add(containerId);
  }

  private static Position after(Position from, long position, LogBatch events) {
    if (events.isEmpty()) {
      return new Position(position, from.millis(), from.atMillis());
    }
    int first = events.count() - 1;
    long millis = events.time(first);
    while (first > 0 && events.time(first - 1) == millis) {
      first--;
    }
    long count = (long) events.count() - first;
    return new Position(position, millis, count + (millis == from.millis() ? from.atMillis() : 0));
  }

  /** The region's time of one of the machine's. */
  private long told(long epochMillis) {
    return timers.fromMachine(Instant.ofEpochMilli(epochMillis)).toEpochMilli();
  }

  /** How many lines after the position the end of the stream shows already. */
  private long alreadyThere(String group, String stream, Position from) {
    long there = 0;
    String before = null;
    String token = null;
    try {
      do {
        before = token;
        String next = token;
        GetLogEventsResponse page =
            client.getLogEvents(request ->
                request
                    .logGroupName(group)
                    .logStreamName(stream)
                    .startTime(from.millis())
                    .startFromHead(true)
                    .limit(MOST_EVENTS)
                    .nextToken(next));
        there += page.events().stream().filter(event -> event.timestamp() >= from.millis()).count();
        token = page.nextForwardToken();
      } while (token != null && !token.equals(before));
      return there - from.atMillis();
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
