package dev.muelle.services.ecs;

import dev.muelle.engine.ContainerSpec;
import dev.muelle.engine.ContainerSpec.Isolation;
import dev.muelle.engine.ContainerStatus;
import dev.muelle.engine.ContainerStatus.State;
import dev.muelle.engine.Engine;
import dev.muelle.engine.EngineException;
import dev.muelle.engine.ImageReference;
import dev.muelle.engine.SandboxSpec;
import dev.muelle.engine.SandboxStatus;
import dev.muelle.loop.Timers;
import dev.muelle.network.Network;
import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ecs.model.AssignPublicIp;
import software.amazon.awssdk.services.ecs.model.Connectivity;
import software.amazon.awssdk.services.ecs.model.Container;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.ContainerImage;
import software.amazon.awssdk.services.ecs.model.ContainerOverride;
import software.amazon.awssdk.services.ecs.model.HealthStatus;
import software.amazon.awssdk.services.ecs.model.KernelCapabilities;
import software.amazon.awssdk.services.ecs.model.KeyValuePair;
import software.amazon.awssdk.services.ecs.model.LinuxParameters;
import software.amazon.awssdk.services.ecs.model.PidMode;
import software.amazon.awssdk.services.ecs.model.Task;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;
import software.amazon.awssdk.services.ecs.model.TaskStopCode;
import software.amazon.awssdk.services.ecs.model.VersionConsistency;

/**
 * Brings one task from PROVISIONING to RUNNING, and from there to STOPPED. Each look does the next
 * step of the task's status, repeatably: whatever was made before a crash is found again by its id
 * (the interface by its client token, sandbox and containers by the task's id).
 */
final class TaskAgent {

  private static final Logger LOG = LoggerFactory.getLogger(TaskAgent.class);

  /** Stopped tasks stay describable for an hour, as on ECS. */
  private static final Duration KEPT = Duration.ofHours(1);

  private static final Duration SOON = Duration.ofMillis(500);
  private static final Duration NOW = Duration.ZERO;
  private static final int DEFAULT_STOP_SECONDS = 30;
  private static final int SHORT_ID = 12; // as Docker names a container's host
  private static final long MIB = 1L << 20;
  private static final long GIB = 1L << 30;
  private static final String RESOLVER = "169.254.169.253";
  private static final String LABEL_SCOPE = "scope";

  private final Scope scope;
  private final Store store;
  private final Timers clock;
  private final Ids ids;
  private final Tasks tasks;
  private final TaskDefinitions definitions;
  private final Engine engine;
  private final Network network;
  private final Ec2Client ec2;
  private final Targets targets;
  private final TaskNetworks networks;
  private final LogPump logs;
  private final TaskEndpoint endpoint;
  private final HealthChecks health;

  /** Containers for which a stop is under way in this process. */
  private final Set<String> stopping = ConcurrentHashMap.newKeySet();

  /** What was pulled for a container in this process, by the container's id. */
  private final Map<String, Engine.Image> images = new ConcurrentHashMap<>();

  /** Tasks whose metadata and logs this process looks after. */
  private final Set<String> adopted = ConcurrentHashMap.newKeySet();

  TaskAgent(
      Scope scope,
      Store store,
      Timers clock,
      Ids ids,
      Tasks tasks,
      TaskDefinitions definitions,
      Engine engine,
      Network network,
      Ec2Client ec2,
      Targets targets,
      TaskNetworks networks,
      LogPump logs,
      TaskEndpoint endpoint,
      HealthChecks health) {
    this.scope = scope;
    this.store = store;
    this.clock = clock;
    this.ids = ids;
    this.tasks = tasks;
    this.definitions = definitions;
    this.engine = engine;
    this.network = network;
    this.ec2 = ec2;
    this.targets = targets;
    this.networks = networks;
    this.logs = logs;
    this.endpoint = endpoint;
    this.health = health;
  }

  /** Sandboxes of ours whose task has ended or is gone: left by a crash in the wrong moment. */
  void removeLeftovers() {
    for (SandboxStatus sandbox : engine.sandboxes()) {
      boolean ours = scope.storeScope().equals(sandbox.labels().get(LABEL_SCOPE));
      if (ours && find(sandbox.id()).filter(t -> t.status() != TaskStatus.STOPPED).isEmpty()) {
        engine.removeSandbox(sandbox.id());
      }
    }
  }

  /** One look; gives when to look again, or null for "when something changes". */
  @Nullable Duration look(String id) {
    Optional<TaskRecord> found = find(id);
    if (found.isEmpty()) {
      return null;
    }
    TaskRecord task = found.get();
    TaskStatus status = task.status();
    if (status == TaskStatus.STOPPED) {
      return forget(task);
    }
    if (!task.wanted() && status.compareTo(TaskStatus.DEACTIVATING) < 0) {
      advance(id, TaskStatus.DEACTIVATING, builder -> builder);
      return NOW;
    }
    try {
      return switch (status) {
        case PROVISIONING -> provision(task);
        case PENDING -> start(task);
        case ACTIVATING -> activate(task);
        case RUNNING -> watch(task);
        case DEACTIVATING -> deactivate(task);
        case STOPPING -> stop(task);
        case DEPROVISIONING -> deprovision(task);
        case STOPPED -> null;
      };
    } catch (EngineException e) {
      if (!task.wanted()) {
        throw e; // it is on its way out already: try again, ever later
      }
      return fail(task, Objects.requireNonNullElse(e.getMessage(), "CannotStartContainerError"));
    }
  }

  private Duration provision(TaskRecord task) {
    NetworkInterface eni;
    try {
      eni =
          ec2.createNetworkInterface(request ->
                  request
                      .clientToken(task.id())
                      .subnetId(task.subnet())
                      .groups(task.network().securityGroups())
                      .description(attachmentArn(task)))
              .networkInterface();
      if (task.network().assignPublicIp() == AssignPublicIp.ENABLED) {
        String id = eni.networkInterfaceId();
        ec2.modifyNetworkInterfaceAttribute(
            request -> request.networkInterfaceId(id).associatePublicIpAddress(true));
      }
    } catch (Ec2Exception e) {
      return fail(
          task,
          "Unexpected EC2 error while attempting to Create Network Interface in subnet '"
              + task.subnet()
              + "': "
              + e.awsErrorDetails().errorCode());
    }
    NetworkInterface made = eni;
    advance(
        task.id(),
        TaskStatus.PENDING,
        builder ->
            Eni.attach(
                    builder,
                    task.task(),
                    "ATTACHED",
                    pair(Eni.ID, made.networkInterfaceId()),
                    pair(Eni.MAC, made.macAddress()),
                    pair(Eni.NAME, Objects.requireNonNullElse(made.privateDnsName(), "")),
                    pair(Eni.ADDRESS, made.privateIpAddress()))
                .connectivity(Connectivity.CONNECTED)
                .connectivityAt(clock.instant())
                .containers(
                    task.task().containers().stream()
                        .map(container -> withInterface(container, task, made))
                        .toList()));
    return NOW;
  }

  private static Container withInterface(
      Container container, TaskRecord task, NetworkInterface eni) {
    return container.toBuilder()
        .networkInterfaces(
            software.amazon.awssdk.services.ecs.model.NetworkInterface.builder()
                .attachmentId(task.task().attachments().getFirst().id())
                .privateIpv4Address(eni.privateIpAddress())
                .build())
        .build();
  }

  private @Nullable Duration start(TaskRecord task) {
    TaskDefinition definition = definition(task);
    TaskNetworks.Opened places = networks.open(task, definition);
    if (places.vpc() != null) {
      endpoint.serve(places.vpc());
    }
    engine.createSandbox(sandbox(task, definition, places));
    TaskRecord pulled = pull(task, definition);
    restart(pulled, definition);
    Map<String, ContainerStatus> started = started(pulled, definition);
    Startup.Step step =
        Startup.next(definition.containerDefinitions(), started, healthy(pulled), clock.instant());
    if (step.failure() != null) {
      return fail(pulled, step.failure());
    }
    for (ContainerDefinition container : step.start()) {
      try {
        logs.prepare(container.logConfiguration(), container.name(), task.id());
        engine.startContainer(container(pulled, container, places));
      } catch (EngineException e) {
        stopped(task.id(), container.name(), Objects.requireNonNullElse(e.getMessage(), ""));
        throw e;
      }
    }
    observe(task.id());
    health.watch(task, definition);
    if (essentialExited(task, definition)) {
      return NOW;
    }
    if (!step.start().isEmpty()) {
      return NOW; // what depends on them may start now
    }
    if (step.complete()) {
      advance(task.id(), TaskStatus.ACTIVATING, builder -> builder);
      return NOW;
    }
    return SOON; // some wait for others to complete
  }

  private static Set<String> healthy(TaskRecord task) {
    return task.task().containers().stream()
        .filter(container -> container.healthStatus() == HealthStatus.HEALTHY)
        .map(Container::name)
        .collect(Collectors.toSet());
  }

  /** Pulls every image once, before the first container starts, and remembers what was pulled. */
  private TaskRecord pull(TaskRecord task, TaskDefinition definition) {
    if (task.task().pullStoppedAt() != null) {
      return task;
    }
    if (task.task().pullStartedAt() == null) {
      change(task.id(), now -> now.toBuilder().pullStartedAt(clock.instant()));
    }
    Map<String, String> digests = new HashMap<>();
    for (ContainerDefinition container : definition.containerDefinitions()) {
      try {
        Engine.Image image = engine.pull(version(task, container), null);
        images.put(containerId(task, container.name()), image);
        digests.put(container.name(), image.digest());
      } catch (EngineException e) {
        stopped(task.id(), container.name(), Objects.requireNonNullElse(e.getMessage(), ""));
        throw e;
      }
    }
    return change(
        task.id(),
        now ->
            now.toBuilder()
                .pullStoppedAt(clock.instant())
                .containers(
                    now.containers().stream()
                        .map(c -> c.toBuilder().imageDigest(digests.get(c.name())).build())
                        .toList()));
  }

  /**
   * What to pull: a service's tasks run what the first one of their deployment resolved the image's
   * tag to.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-container-image-stability.html">Container
   *     image resolution</a>
   */
  private ImageReference version(TaskRecord task, ContainerDefinition container) {
    ImageReference named = reference(container.image());
    String key = task.serviceKey();
    String deployment = task.task().startedBy();
    if (key == null
        || deployment == null
        || container.versionConsistency() == VersionConsistency.DISABLED) {
      return named;
    }
    return store
        .read(tx ->
            tx.get(ServiceRecord.TABLE, key)
                .flatMap(row -> Revisions.of(tx, row.value().service().serviceArn(), deployment)))
        .stream()
        .flatMap(revision -> revision.containerImages().stream())
        .filter(image -> image.containerName().equals(container.name()))
        .map(ContainerImage::imageDigest)
        .filter(Objects::nonNull)
        .findFirst()
        .map(digest -> new ImageReference(named.registry(), named.repository(), null, digest))
        .orElse(named);
  }

  private static ImageReference reference(String image) {
    try {
      return ImageReference.parse(image);
    } catch (IllegalArgumentException e) {
      throw new EngineException("CannotPullContainerError: " + e.getMessage(), e);
    }
  }

  /** The image that was pulled for a container; after a restart, the same one by its digest. */
  private Engine.Image image(TaskRecord task, ContainerDefinition definition) {
    String id = containerId(task, definition.name());
    Engine.Image image = images.get(id);
    if (image == null) {
      ImageReference named = reference(definition.image());
      String digest =
          task.task().containers().stream()
              .filter(container -> container.name().equals(definition.name()))
              .map(Container::imageDigest)
              .findFirst()
              .orElseThrow();
      image =
          engine.pull(new ImageReference(named.registry(), named.repository(), null, digest), null);
      images.put(id, image);
    }
    return image;
  }

  private SandboxSpec sandbox(
      TaskRecord task, TaskDefinition definition, TaskNetworks.Opened places) {
    String address = places.address();
    String cpu = task.task().cpu();
    String memory = task.task().memory();
    boolean onInstance = task.booking() != null;
    return new SandboxSpec(
        task.id(),
        places.shared(),
        address == null
            ? task.id().substring(0, SHORT_ID)
            : "ip-" + address.replace('.', '-') + "." + domain(),
        address,
        places.vpc() == null ? List.of() : List.of(RESOLVER),
        places.vpc() == null ? List.of() : List.of(domain()),
        cpu == null ? networks.total(task, InstanceRecord.CPU) : TaskDefinitionRules.cpu(cpu),
        (memory == null
                ? networks.total(task, InstanceRecord.MEMORY)
                : TaskDefinitionRules.memory(memory))
            * MIB,
        onInstance
            ? 0
            : task.task().ephemeralStorage().sizeInGiB() * GIB, // an instance's disk has no quota
        definition.pidMode() == PidMode.TASK,
        Map.of(LABEL_SCOPE, scope.storeScope(), "task", task.task().taskArn()));
  }

  private String domain() {
    return Networks.domain(scope);
  }

  private ContainerSpec container(
      TaskRecord task, ContainerDefinition definition, TaskNetworks.Opened places) {
    Optional<ContainerOverride> override =
        TaskFactory.override(task.task().overrides(), definition.name());
    Map<String, String> environment = new LinkedHashMap<>();
    environment.put("AWS_REGION", scope.region());
    environment.put("AWS_DEFAULT_REGION", scope.region());
    environment.put("AWS_EXECUTION_ENV", "AWS_ECS_" + task.task().launchTypeAsString());
    environment.putAll(TaskEndpoint.variables(task, definition.name()));
    definition.environment().forEach(pair -> environment.put(pair.name(), pair.value()));
    override
        .map(ContainerOverride::environment)
        .orElse(List.of())
        .forEach(pair -> environment.put(pair.name(), pair.value()));
    List<String> command =
        override
            .filter(ContainerOverride::hasCommand)
            .map(ContainerOverride::command)
            .orElse(definition.hasCommand() ? definition.command() : null);
    Integer memory = override.map(ContainerOverride::memory).orElse(definition.memory());
    Integer soft =
        override.map(ContainerOverride::memoryReservation).orElse(definition.memoryReservation());
    Integer cpu = override.map(ContainerOverride::cpu).orElse(definition.cpu());
    boolean init =
        definition.linuxParameters() != null
            && Boolean.TRUE.equals(definition.linuxParameters().initProcessEnabled());
    return new ContainerSpec(
        containerId(task, definition.name()),
        task.id(),
        definition.name(),
        image(task, definition).id(),
        definition.hasEntryPoint() && !definition.entryPoint().isEmpty()
            ? definition.entryPoint()
            : null,
        command == null || command.isEmpty() ? null : command,
        environment,
        definition.workingDirectory(),
        definition.user(),
        cpu == null ? 0 : cpu,
        memory == null ? 0 : memory * MIB,
        soft == null ? 0 : soft * MIB,
        Boolean.TRUE.equals(definition.readonlyRootFilesystem()),
        init,
        definition.ulimits().stream()
            .map(u -> new ContainerSpec.Ulimit(u.nameAsString(), u.softLimit(), u.hardLimit()))
            .toList(),
        definition.logConfiguration() != null,
        isolation(definition, definition(task), places.own().get(definition.name())),
        new ContainerSpec.Console(
            Boolean.TRUE.equals(definition.pseudoTerminal()),
            Boolean.TRUE.equals(definition.interactive())));
  }

  private static Isolation isolation(
      ContainerDefinition container, TaskDefinition definition, @Nullable Path network) {
    LinuxParameters linux = container.linuxParameters();
    KernelCapabilities capabilities = linux == null ? null : linux.capabilities();
    Map<String, String> parameters = new LinkedHashMap<>();
    container.systemControls().forEach(one -> parameters.put(one.namespace(), one.value()));
    return new Isolation(
        capabilities == null ? Set.of() : Set.copyOf(capabilities.add()),
        capabilities == null ? Set.of() : Set.copyOf(capabilities.drop()),
        linux == null || linux.sharedMemorySize() == null ? 0 : linux.sharedMemorySize() * MIB,
        parameters,
        TaskVolumes.mounts(container, definition.containerDefinitions()),
        Boolean.TRUE.equals(container.privileged()),
        network);
  }

  /** The engine's id of a container: the task's, and the container's place in the definition. */
  static String containerId(TaskRecord task, String name) {
    List<Container> containers = task.task().containers();
    for (int i = 0; i < containers.size(); i++) {
      if (containers.get(i).name().equals(name)) {
        return task.id() + "-" + i;
      }
    }
    throw new IllegalArgumentException("no container " + name + " in " + task.id());
  }

  /** The task's id of an engine's container id. */
  static String taskOf(String containerId) {
    int dash = containerId.lastIndexOf('-');
    return dash < 0 ? containerId : containerId.substring(0, dash);
  }

  private Map<String, ContainerStatus> started(TaskRecord task, TaskDefinition definition) {
    Map<String, ContainerStatus> started = new HashMap<>();
    for (ContainerDefinition container : definition.containerDefinitions()) {
      engine
          .container(containerId(task, container.name()))
          .ifPresent(status -> started.put(container.name(), status));
    }
    return started;
  }

  private Duration activate(TaskRecord task) {
    String problem = targets.register(task);
    if (problem != null) {
      return fail(task, problem);
    }
    store.write(tx -> {
      countSuccess(tx, task);
      return change(
          tx,
          task.id(),
          now -> now.toBuilder().lastStatus(TaskStatus.RUNNING.name()).startedAt(clock.instant()));
    });
    return NOW;
  }

  private @Nullable Duration watch(TaskRecord task) {
    TaskDefinition definition = definition(task);
    adopt(task);
    restart(task, definition);
    observe(task.id());
    return essentialExited(task, definition) ? NOW : null; // an exit wakes us
  }

  /** Starts those again that are to be, before anything is made of their exit. */
  private void restart(TaskRecord task, TaskDefinition definition) {
    for (ContainerDefinition container : definition.containerDefinitions()) {
      String id = containerId(task, container.name());
      if (Restarts.wanted(container, engine.container(id).orElse(null))) {
        try {
          engine.restartContainer(id);
          health.restarted(task, container, definition);
        } catch (EngineException e) {
          // It has exited for good: the policy does not want one again that did not run.
          stopped(task.id(), container.name(), Objects.requireNonNullElse(e.getMessage(), ""));
        }
      }
    }
  }

  /** After a restart of the server: what belongs to the task in this process, too. */
  private void adopt(TaskRecord task) {
    if (!adopted.contains(task.id())) {
      networks.vpc(task, definition(task)).ifPresent(endpoint::serve);
      logs.wake(task.id());
      health.watch(task, definition(task));
      adopted.add(task.id());
    }
  }

  private boolean essentialExited(TaskRecord task, TaskDefinition definition) {
    Map<String, ContainerStatus> started = started(task, definition);
    for (ContainerDefinition container : definition.containerDefinitions()) {
      ContainerStatus status = started.get(container.name());
      boolean gone =
          status == null
              ? task.status() == TaskStatus.RUNNING // the engine knows no such container any more
              : status.state() instanceof State.Exited && !Restarts.wanted(container, status);
      if (gone && Boolean.TRUE.equals(container.essential())) {
        stopFaulty(
            task.id(),
            TaskStopCode.ESSENTIAL_CONTAINER_EXITED,
            "Essential container in task exited");
        return true;
      }
    }
    return false;
  }

  private Duration deactivate(TaskRecord task) {
    boolean interrupted = task.task().stopCode() == TaskStopCode.SPOT_INTERRUPTION;
    if (targets.drained(task) || interrupted) { // an interruption waits for nobody
      advance(task.id(), TaskStatus.STOPPING, builder -> builder);
      return NOW;
    }
    return SOON;
  }

  private Duration stop(TaskRecord task) {
    TaskDefinition definition = definition(task);
    Map<String, ContainerStatus> started = started(task, definition);
    // What others depend on is stopped after them; the rest at the same time.
    List<ContainerDefinition> running =
        definition.containerDefinitions().stream()
            .filter(container -> runs(started.get(container.name())))
            .toList();
    observe(task.id());
    if (running.isEmpty()) {
      advance(
          task.id(),
          TaskStatus.DEPROVISIONING,
          builder -> builder.executionStoppedAt(clock.instant()));
      return NOW;
    }
    running.stream()
        .filter(container -> !neededBy(container, running))
        .forEach(container -> beginToStop(task, container));
    return SOON; // the exits wake us
  }

  private static boolean runs(@Nullable ContainerStatus status) {
    return status != null && status.state() instanceof State.Running;
  }

  /** Stopping may take as long as the grace lasts: not on the time of this look. */
  private void beginToStop(TaskRecord task, ContainerDefinition container) {
    Duration grace =
        Duration.ofSeconds(
            Objects.requireNonNullElse(container.stopTimeout(), DEFAULT_STOP_SECONDS));
    String id = containerId(task, container.name());
    if (stopping.add(id)) {
      clock.after(
          NOW,
          () -> {
            try {
              engine.stopContainer(id, grace);
            } catch (EngineException e) {
              LOG.warn("container {} could not be stopped, will be tried again", id, e);
            } finally {
              stopping.remove(id);
            }
          });
    }
  }

  private static boolean neededBy(ContainerDefinition container, List<ContainerDefinition> others) {
    return others.stream()
        .flatMap(other -> other.dependsOn().stream())
        .anyMatch(dependency -> dependency.containerName().equals(container.name()));
  }

  private @Nullable Duration deprovision(TaskRecord task) {
    TaskDefinition definition = definition(task);
    logs.drain(task, definition);
    engine.removeSandbox(task.id());
    networks.close(task);
    Optional<String> eni = Eni.id(task).or(() -> unattached(task));
    if (eni.isPresent()) {
      network.unplug(eni.get());
      try {
        ec2.deleteNetworkInterface(request -> request.networkInterfaceId(eni.get()));
      } catch (Ec2Exception e) {
        if (!e.awsErrorDetails().errorCode().equals("InvalidNetworkInterfaceID.NotFound")) {
          throw e;
        }
      }
    }
    logs.forget(task, definition);
    endpoint.forget(task);
    adopted.remove(task.id());
    task.task().containers().forEach(c -> images.remove(containerId(task, c.name())));
    store.write(tx -> {
      Protections.forget(tx, task.id());
      return change(
          tx,
          task.id(),
          now ->
              Eni.attach(now.toBuilder().lastStatus(TaskStatus.STOPPED.name()), now, "DELETED")
                  .stoppedAt(clock.instant())
                  .connectivity(Connectivity.DISCONNECTED)
                  .containers(
                      now.containers().stream()
                          .map(container -> container.toBuilder().lastStatus("STOPPED").build())
                          .toList()));
    });
    return KEPT;
  }

  /** An interface that was made, but not noted in the task before the server died. */
  private Optional<String> unattached(TaskRecord task) {
    if (task.task().attachments().isEmpty()) {
      return Optional.empty(); // it has none in its network mode
    }
    return ec2
        .describeNetworkInterfaces(request ->
            request.filters(
                Filter.builder().name("description").values(attachmentArn(task)).build()))
        .networkInterfaces()
        .stream()
        .map(NetworkInterface::networkInterfaceId)
        .findFirst();
  }

  private String attachmentArn(TaskRecord task) {
    return scope.arn("ecs", "attachment/" + task.task().attachments().getFirst().id());
  }

  private @Nullable Duration forget(TaskRecord task) {
    Instant end = Objects.requireNonNull(task.task().stoppedAt()).plus(KEPT);
    Duration left = Duration.between(clock.instant(), end);
    if (left.isPositive()) {
      return left;
    }
    store.write(tx -> tx.delete(TaskRecord.TABLE, task.id()));
    return null;
  }

  /** The task cannot run: it stops with this reason. */
  private Duration fail(TaskRecord task, String reason) {
    LOG.info("task {} cannot run: {}", task.id(), reason);
    stopFaulty(task.id(), TaskStopCode.TASK_FAILED_TO_START, reason);
    return NOW;
  }

  /** The task is to stop by its own fault, which counts against its deployment at once. */
  private void stopFaulty(String id, TaskStopCode code, String reason) {
    store.write(tx -> {
      TaskRecord now = tx.get(TaskRecord.TABLE, id).orElseThrow().value();
      if (now.wanted()) {
        tx.put(TaskRecord.TABLE, id, tasks.stopping(now, code, reason));
        updateService(tx, now, record -> failed(record, now));
      }
      return now.wanted();
    });
  }

  /** Notes that a container never ran, and why. */
  private void stopped(String id, String container, String reason) {
    change(
        id,
        now ->
            now.toBuilder()
                .containers(
                    now.containers().stream()
                        .map(c ->
                            c.name().equals(container)
                                ? c.toBuilder().reason(reason).lastStatus("STOPPED").build()
                                : c)
                        .toList()));
  }

  /** Copies what the engine says of the containers into the task. */
  private void observe(String id) {
    TaskRecord task = find(id).orElseThrow();
    List<Container> containers = new ArrayList<>();
    for (Container container : task.task().containers()) {
      Optional<ContainerStatus> status = engine.container(containerId(task, container.name()));
      containers.add(status.map(s -> bound(task, observed(container, s))).orElse(container));
    }
    if (!containers.equals(task.task().containers())) {
      change(id, now -> now.toBuilder().containers(containers));
    }
  }

  private static Container observed(Container container, ContainerStatus status) {
    return switch (status.state()) {
      case State.Running running ->
          container.toBuilder()
              .runtimeId(status.id())
              .lastStatus("RUNNING")
              .exitCode(null) // of an earlier run
              .managedAgents(ExecSessions.agents(container, "RUNNING", running.startedAt()))
              .build();
      case State.Exited exited ->
          container.toBuilder()
              .runtimeId(status.id())
              .lastStatus("STOPPED")
              .exitCode(exited.exitCode())
              .managedAgents(ExecSessions.agents(container, "STOPPED", exited.startedAt()))
              .reason(
                  exited.outOfMemory()
                      ? "OutOfMemoryError: Container killed due to memory usage"
                      : container.reason())
              .build();
    };
  }

  /** With the ports of its instance that lead to it, as long as it runs. */
  private static Container bound(TaskRecord task, Container container) {
    HostNetwork host = task.host();
    if (host == null || !container.lastStatus().equals("RUNNING")) {
      return container;
    }
    return host.of(container.name())
        .map(place -> container.toBuilder().networkBindings(place.bindings()).build())
        .orElse(container);
  }

  /** A service's task that runs proves that its tasks can start. */
  private void countSuccess(Tx tx, TaskRecord task) {
    updateService(
        tx, task, record -> record.failedStarts() == 0 ? record : record.withFailures(0, null));
  }

  private ServiceRecord failed(ServiceRecord record, TaskRecord task) {
    ServiceRecord counted = record.withFailedTask(task.task().startedBy());
    if (task.task().startedAt() != null) {
      return counted; // it ran: no reason to throttle
    }
    int failures = record.failedStarts() + 1;
    Instant next = Rollout.notBefore(failures, clock.instant());
    ServiceRecord throttled = counted.withFailures(failures, next);
    return next == null
        ? throttled
        : throttled.withEvent(
            ids.uuid(),
            clock.instant(),
            "is unable to consistently start tasks successfully. For more information, see"
                + " the Troubleshooting section of the Amazon ECS Developer Guide.");
  }

  private static void updateService(Tx tx, TaskRecord task, UnaryOperator<ServiceRecord> change) {
    String key = task.serviceKey();
    if (key == null) {
      return;
    }
    Optional<ServiceRecord> before = tx.get(ServiceRecord.TABLE, key).map(Row::value);
    if (before.isPresent()) {
      ServiceRecord after = change.apply(before.get());
      if (!after.equals(before.get())) {
        tx.put(ServiceRecord.TABLE, key, after);
      }
    }
  }

  private TaskDefinition definition(TaskRecord task) {
    return definitions.byArn(task.task().taskDefinitionArn()).orElseThrow();
  }

  private Optional<TaskRecord> find(String id) {
    return store.read(tx -> tx.get(TaskRecord.TABLE, id)).map(Row::value);
  }

  private void advance(String id, TaskStatus status, UnaryOperator<Task.Builder> change) {
    change(id, now -> change.apply(now.toBuilder().lastStatus(status.name())));
  }

  /** Changes what is stored now, which others (StopTask) may have changed meanwhile. */
  private TaskRecord change(String id, Function<Task, Task.Builder> change) {
    return store.write(tx -> change(tx, id, change));
  }

  private static TaskRecord change(Tx tx, String id, Function<Task, Task.Builder> change) {
    TaskRecord now = tx.get(TaskRecord.TABLE, id).orElseThrow().value();
    TaskRecord after =
        now.with(builder -> change.apply(now.task()).version(now.task().version() + 1));
    return tx.put(TaskRecord.TABLE, id, after).value();
  }

  private static KeyValuePair pair(String name, String value) {
    return KeyValuePair.builder().name(name).value(value).build();
  }
}
