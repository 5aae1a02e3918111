package dev.muelle.services.ecs.task;

import dev.muelle.engine.Engine;
import dev.muelle.loop.Timers;
import dev.muelle.services.Ids;
import dev.muelle.services.ecs.definition.TaskDefinitions;
import dev.muelle.services.ecs.exec.DataChannel;
import dev.muelle.services.ecs.exec.Words;
import dev.muelle.services.ecs.state.ClusterNames;
import dev.muelle.services.ecs.state.Refuse;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.store.Store;
import dev.muelle.wire.http.WebSocket;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.Cluster;
import software.amazon.awssdk.services.ecs.model.Container;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.ExecuteCommandRequest;
import software.amazon.awssdk.services.ecs.model.ExecuteCommandResponse;
import software.amazon.awssdk.services.ecs.model.ManagedAgent;
import software.amazon.awssdk.services.ecs.model.ManagedAgentName;
import software.amazon.awssdk.services.ecs.model.Session;
import software.amazon.awssdk.services.ecs.model.TargetNotConnectedException;
import software.amazon.awssdk.services.ecs.model.Task;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;

/**
 * ECS Exec: commands that somebody runs in containers, at a web socket of the region's own port. A
 * session is taken up once, within five minutes; it lives in this process only.
 *
 * @see <a href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html">Monitor
 *     Amazon ECS containers with ECS Exec</a>
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ExecuteCommand.html">ExecuteCommand</a>
 */
public final class ExecSessions {

  private static final String PATH = "/v1/data-channel/";
  private static final Duration WAITING = Duration.ofMinutes(5);
  private static final int MAX_WAITING = 1000;
  private static final String NOT_ENABLED =
      "The execute command failed because execute command was not enabled when the task was run or"
          + " the execute command agent isn’t running. Wait and try again or run a new task with"
          + " execute command enabled and try again.";

  private final Store store;
  private final Timers timers;
  private final Ids ids;
  private final ClusterNames clusters;
  private final TaskDefinitions definitions;
  private final Engine engine;
  private final String host;

  /** Sessions that nobody has taken up yet, by id. */
  private final Map<String, DataChannel> waiting = new ConcurrentHashMap<>();

  /**
   * Without any session.
   *
   * @param host and port at which {@link #open} is asked
   */
  public ExecSessions(
      Store store,
      Timers timers,
      Ids ids,
      ClusterNames clusters,
      TaskDefinitions definitions,
      Engine engine,
      String host) {
    this.store = store;
    this.timers = timers;
    this.ids = ids;
    this.clusters = clusters;
    this.definitions = definitions;
    this.engine = engine;
    this.host = host;
  }

  /** Refuses tasks that shall be entered and have no role in whose name their agent could speak. */
  public static void check(@Nullable Boolean enabled, TaskDefinition definition, String refusal) {
    if (Boolean.TRUE.equals(enabled) && definition.taskRoleArn() == null) {
      throw Refuse.invalid(refusal);
    }
  }

  /** What DescribeTasks shows of the agent in a container. */
  static ManagedAgent agent(String status) {
    return ManagedAgent.builder()
        .name(ManagedAgentName.EXECUTE_COMMAND_AGENT)
        .lastStatus(status)
        .build();
  }

  /** The same container, its agents as they are while it runs or when it has ended. */
  public static List<ManagedAgent> agents(Container container, String status, Instant since) {
    return container.managedAgents().stream()
        .map(agent -> agent.toBuilder().lastStatus(status).lastStartedAt(since).build())
        .toList();
  }

  public ExecuteCommandResponse execute(ExecuteCommandRequest request) {
    if (!Boolean.TRUE.equals(request.interactive())) {
      throw Refuse.invalid("Interactive is the only mode supported currently.");
    }
    String line = Objects.requireNonNullElse(request.command(), "");
    Optional<List<String>> command = Words.split(line).filter(words -> !words.isEmpty());
    if (command.isEmpty()) {
      throw Refuse.invalid(
          line.isBlank() ? "Command can not be blank." : "Command is not quoted well: " + line);
    }
    TaskRecord task =
        store.read(tx -> {
          Cluster cluster = clusters.active(tx, request.cluster());
          return TaskRecord.find(tx, cluster, request.task())
              .orElseThrow(() -> Refuse.invalid("The referenced task was not found."));
        });
    Container container = container(task.task(), request.container());
    boolean connected =
        Boolean.TRUE.equals(task.task().enableExecuteCommand())
            && task.wanted()
            && "RUNNING".equals(container.lastStatus());
    if (!connected) {
      throw Refuse.invalid(NOT_ENABLED);
    }
    if (Boolean.TRUE.equals(definition(task, container).readonlyRootFilesystem())) {
      // The agent has to write there.
      throw TargetNotConnectedException.builder()
          .message("The execute command failed due to an internal error. Try again later.")
          .build();
    }
    String engineId = task.containerId(container.name());
    Session session = begin(engineId, command.get());
    return ExecuteCommandResponse.builder()
        .clusterArn(task.task().clusterArn())
        .taskArn(task.task().taskArn())
        .containerArn(container.containerArn())
        .containerName(container.name())
        .interactive(true)
        .session(session)
        .build();
  }

  private static Container container(Task task, @Nullable String name) {
    List<Container> all = task.containers();
    if (name == null && all.size() > 1) {
      throw Refuse.invalid(
          "A container name must be specified: the task has more than one container.");
    }
    return all.stream()
        .filter(one -> name == null || one.name().equals(name))
        .findFirst()
        .orElseThrow(
            () -> Refuse.invalid("The container " + name + " is not a container of the task."));
  }

  private ContainerDefinition definition(TaskRecord task, Container container) {
    return definitions
        .byArn(task.task().taskDefinitionArn())
        .orElseThrow()
        .containerDefinitions()
        .stream()
        .filter(one -> one.name().equals(container.name()))
        .findFirst()
        .orElseThrow();
  }

  private Session begin(String engineId, List<String> command) {
    if (waiting.size() >= MAX_WAITING) {
      throw Refuse.invalid(
          "Too many sessions that nobody has taken up: " + MAX_WAITING + ". Try again later.");
    }
    String id = "ecs-execute-command-0" + ids.hex(16);
    String token = ids.hex(128);
    waiting.put(
        id, new DataChannel(id, token, timers, ids::uuid, () -> engine.open(engineId, command)));
    timers.after(WAITING, () -> waiting.remove(id));
    return Session.builder()
        .sessionId(id)
        .tokenValue(token)
        .streamUrl("ws://" + host + PATH + id + "?role=publish_subscribe")
        .build();
  }

  /** The session at a path, for whoever asks first. */
  public Optional<WebSocket> open(String path) {
    return path.startsWith(PATH)
        ? Optional.ofNullable(waiting.remove(path.substring(PATH.length())))
        : Optional.empty();
  }
}
