package dev.muelle.services.ecs;

import dev.muelle.engine.Engine;
import dev.muelle.engine.Engine.LogLine;
import dev.muelle.engine.EngineException;
import dev.muelle.loop.Loop;
import dev.muelle.loop.Timers;
import dev.muelle.services.StoredJson;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatchlogs.CloudWatchLogsClient;
import software.amazon.awssdk.services.cloudwatchlogs.model.InputLogEvent;
import software.amazon.awssdk.services.cloudwatchlogs.model.OutputLogEvent;
import software.amazon.awssdk.services.cloudwatchlogs.model.ResourceAlreadyExistsException;
import software.amazon.awssdk.services.cloudwatchlogs.model.ResourceNotFoundException;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.LogConfiguration;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;

/**
 * Carries what containers print to CloudWatch Logs, in order, each line once. The position is
 * stored after the lines were put; after a crash between the two, the lines that the stream's end
 * already shows are skipped.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html">awslogs</a>
 */
final class LogPump implements AutoCloseable {

  /** How far a container's output was carried. */
  record Position(long position) {}

  private static final Table<Position> POSITIONS =
      Table.of("ecs.log_positions", StoredJson.codec(Position.class));

  private static final int BATCH_LINES = 1_000;
  private static final int BATCH_BYTES = 900_000; // of the 1,048,576 that PutLogEvents takes
  private static final int EVENT_OVERHEAD = 26;
  private static final Duration WHILE_RUNNING = Duration.ofSeconds(1);
  private static final int CONCURRENCY = 64;

  private final Store store;
  private final Engine engine;
  private final CloudWatchLogsClient client;
  private final TaskDefinitions definitions;
  private final Loop<String> loop;

  /** Containers whose stream's end was compared with their position since this process began. */
  private final Set<String> compared = ConcurrentHashMap.newKeySet();

  /** One carrier per task at a time: the loop, or the agent at the task's end. */
  private final Map<String, ReentrantLock> carrying = new ConcurrentHashMap<>();

  LogPump(
      Store store,
      Timers timers,
      RandomGenerator random,
      Engine engine,
      CloudWatchLogsClient client,
      TaskDefinitions definitions) {
    this.store = store;
    this.engine = engine;
    this.client = client;
    this.definitions = definitions;
    this.loop = new Loop<>("ecs-logs", timers, random, CONCURRENCY, this::pump);
  }

  void wake(String taskId) {
    loop.wake(taskId);
  }

  /**
   * Makes the stream (and the group, if it is to be made) before the container starts.
   *
   * @throws EngineException with the agent's words if there is no such group
   */
  void prepare(@Nullable LogConfiguration logs, String container, String taskId) {
    if (logs == null) {
      return;
    }
    String group = group(logs);
    if (Boolean.parseBoolean(logs.options().getOrDefault("awslogs-create-group", "false"))) {
      try {
        client.createLogGroup(request -> request.logGroupName(group));
      } catch (ResourceAlreadyExistsException e) {
        // It is there, which is what was wanted.
      }
    }
    try {
      client.createLogStream(
          request -> request.logGroupName(group).logStreamName(stream(logs, container, taskId)));
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

  private @Nullable Duration pump(String taskId) {
    TaskRecord task =
        store.read(tx -> tx.get(TaskRecord.TABLE, taskId)).map(Row::value).orElse(null);
    if (task == null || task.status() == TaskStatus.STOPPED) {
      return null;
    }
    TaskDefinition definition = definitions.byArn(task.task().taskDefinitionArn()).orElseThrow();
    carryAll(task, definition);
    return WHILE_RUNNING;
  }

  /** Carries what is left; true when nothing is. To be called when every container has exited. */
  boolean drained(TaskRecord task, TaskDefinition definition) {
    return carryAll(task, definition);
  }

  private boolean carryAll(TaskRecord task, TaskDefinition definition) {
    ReentrantLock lock = carrying.computeIfAbsent(task.id(), id -> new ReentrantLock());
    lock.lock();
    try {
      carryEach(task, definition);
      return true;
    } finally {
      lock.unlock();
    }
  }

  private void carryEach(TaskRecord task, TaskDefinition definition) {
    for (ContainerDefinition container : definition.containerDefinitions()) {
      if (container.logConfiguration() != null) {
        String id = TaskAgent.containerId(task, container.name());
        while (carry(id, container.logConfiguration(), container.name(), task.id())) {
          // until nothing more is there at the moment
        }
      }
    }
  }

  /** One batch; whether there was anything. */
  private boolean carry(String containerId, LogConfiguration logs, String name, String taskId) {
    long from =
        store
            .read(tx -> tx.get(POSITIONS, containerId))
            .map(row -> row.value().position())
            .orElse(0L);
    List<LogLine> lines = batch(engine.output(containerId, from, BATCH_LINES));
    if (lines.isEmpty()) {
      return false;
    }
    String group = group(logs);
    String stream = stream(logs, name, taskId);
    int already = compared.contains(containerId) ? 0 : alreadyThere(group, stream, lines);
    List<InputLogEvent> events =
        lines.stream()
            .skip(already)
            .filter(line -> !line.text().isEmpty())
            .map(line ->
                InputLogEvent.builder().timestamp(line.epochMillis()).message(line.text()).build())
            .sorted(java.util.Comparator.comparing(InputLogEvent::timestamp))
            .toList();
    try {
      if (!events.isEmpty()) {
        client.putLogEvents(
            request -> request.logGroupName(group).logStreamName(stream).logEvents(events));
      }
    } catch (ResourceNotFoundException e) {
      // Group or stream were deleted under the task: what it prints goes nowhere, as on ECS.
    }
    compared.add(containerId);
    store.write(tx -> tx.put(POSITIONS, containerId, new Position(lines.getLast().position())));
    return true;
  }

  private static List<LogLine> batch(List<LogLine> lines) {
    List<LogLine> batch = new ArrayList<>();
    long bytes = 0;
    for (LogLine line : lines) {
      bytes += line.text().length() * 3L + EVENT_OVERHEAD; // at most 3 bytes a char in UTF-8
      if (bytes > BATCH_BYTES && !batch.isEmpty()) {
        break;
      }
      batch.add(line);
    }
    return batch;
  }

  /** How many of these lines the end of the stream shows already. */
  private int alreadyThere(String group, String stream, List<LogLine> lines) {
    List<OutputLogEvent> tail;
    try {
      tail =
          client
              .getLogEvents(request ->
                  request
                      .logGroupName(group)
                      .logStreamName(stream)
                      .startFromHead(false)
                      .limit(BATCH_LINES))
              .events();
    } catch (ResourceNotFoundException e) {
      return 0;
    }
    for (int count = Math.min(tail.size(), lines.size()); count > 0; count--) {
      if (same(tail.subList(tail.size() - count, tail.size()), lines.subList(0, count))) {
        return count;
      }
    }
    return 0;
  }

  private static boolean same(List<OutputLogEvent> events, List<LogLine> lines) {
    for (int i = 0; i < events.size(); i++) {
      if (events.get(i).timestamp() != lines.get(i).epochMillis()
          || !events.get(i).message().equals(lines.get(i).text())) {
        return false;
      }
    }
    return true;
  }

  /** Drops the positions of a task that has ended. */
  void forget(TaskRecord task, TaskDefinition definition) {
    store.write(tx -> {
      for (ContainerDefinition container : definition.containerDefinitions()) {
        tx.delete(POSITIONS, TaskAgent.containerId(task, container.name()));
      }
      return true;
    });
    carrying.remove(task.id());
    definition
        .containerDefinitions()
        .forEach(container -> compared.remove(TaskAgent.containerId(task, container.name())));
  }

  private static String group(LogConfiguration logs) {
    return option(logs.options(), "awslogs-group");
  }

  private static String stream(LogConfiguration logs, String container, String taskId) {
    return option(logs.options(), "awslogs-stream-prefix") + "/" + container + "/" + taskId;
  }

  private static String option(Map<String, String> options, String name) {
    return options.getOrDefault(name, "");
  }

  @Override
  public void close() {
    loop.close();
  }
}
