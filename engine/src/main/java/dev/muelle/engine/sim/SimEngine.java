package dev.muelle.engine.sim;

import dev.muelle.engine.ContainerSpec;
import dev.muelle.engine.ContainerStatus;
import dev.muelle.engine.ContainerStatus.State;
import dev.muelle.engine.Engine;
import dev.muelle.engine.EngineException;
import dev.muelle.engine.ImageReference;
import dev.muelle.engine.LogLines;
import dev.muelle.engine.Machine;
import dev.muelle.engine.SandboxSpec;
import dev.muelle.engine.SandboxStatus;
import dev.muelle.engine.Statistics;
import dev.muelle.engine.Statistics.Traffic;
import dev.muelle.engine.Terminal;
import dev.muelle.loop.Timers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/**
 * An engine in memory whose containers do what a script says. Its operations take time (a pull, a
 * start, a stop with its grace) by sleeping on its timers, so that callers wait for them as they
 * wait for the real ones.
 */
public final class SimEngine implements Engine {

  static final int SIGKILL = 128 + 9;

  private static final Duration LOOK = Duration.ofMillis(10);
  private static final Duration LOOK_FOR_EXIT = Duration.ofMillis(100);
  private static final long MEMORY = 8L << 20;
  private static final long MACHINE = 4L << 30;

  private final Timers timers;
  private final Function<ImageReference, Behaviour> script;
  private volatile @Nullable String impairment;
  private final List<Consumer<String>> listeners = new CopyOnWriteArrayList<>();

  private final Map<String, Sandbox> sandboxes = new LinkedHashMap<>();
  private final Map<String, SimContainer> containers = new HashMap<>(); // of all sandboxes
  private final Map<String, Machine> machines = new LinkedHashMap<>();
  private final Map<String, Integer> starts = new HashMap<>();
  private final Set<String> pulled = new HashSet<>();
  private int lastPid = 1000;

  private static final class Sandbox {
    final SandboxSpec spec;
    final Map<String, SimContainer> containers = new LinkedHashMap<>();
    final Set<String> starting = new HashSet<>();

    Sandbox(SandboxSpec spec) {
      this.spec = spec;
    }
  }

  /**
   * An engine without containers.
   *
   * @param script asked at each pull and each start what the image does
   */
  public SimEngine(Timers timers, Function<ImageReference, Behaviour> script) {
    this.timers = timers;
    this.script = script;
  }

  @Override
  public Image pull(ImageReference reference, @Nullable RegistryLogin login) {
    Behaviour behaviour = script.apply(reference);
    take(behaviour.pullTime());
    if (behaviour.pullError() != null) {
      throw new EngineException(behaviour.pullError());
    }
    String id = reference.toString();
    synchronized (this) {
      pulled.add(id);
    }
    return new Image(id, reference.digest() == null ? digest(id) : reference.digest());
  }

  private static String digest(String text) {
    CRC32 sum = new CRC32();
    sum.update(text.getBytes(StandardCharsets.UTF_8));
    return "sha256:" + "%08x".formatted(sum.getValue()).repeat(8);
  }

  @Override
  public synchronized void createSandbox(SandboxSpec spec) {
    requireId(spec.id());
    sandboxes.putIfAbsent(spec.id(), new Sandbox(spec));
    if (spec.machine() != null) {
      machines.putIfAbsent(spec.machine().id(), spec.machine());
    }
  }

  @Override
  public void startContainer(ContainerSpec spec) {
    requireId(spec.id());
    while (!reserve(spec)) {
      timers.sleep(LOOK); // somebody else is starting it
    }
    Sandbox sandbox = sandbox(spec);
    if (exists(sandbox, spec)) {
      return;
    }
    Behaviour behaviour = script.apply(ImageReference.parse(spec.imageId()));
    take(behaviour.startTime());
    act(begin(sandbox, spec, behaviour));
  }

  /** What it does by itself from its start on. */
  private void act(SimContainer container) {
    int life = container.restarts();
    for (Behaviour.Line line : container.behaviour.lines()) {
      timers.after(line.after(), () -> print(container, life, line));
    }
    if (container.behaviour.end() != null) {
      endLater(container, container.behaviour.end());
    }
  }

  @Override
  public void restartContainer(String containerId) {
    SimContainer container = find(containerId);
    if (container == null || running(container)) {
      return;
    }
    take(container.behaviour.startTime());
    if (again(container)) {
      act(container);
    }
  }

  private synchronized boolean again(SimContainer container) {
    boolean did = container.restart(++lastPid, timers.instant());
    if (did) {
      starts.merge(container.spec.id(), 1, Integer::sum);
    }
    return did;
  }

  /** Returns false while another caller starts the same container. */
  private synchronized boolean reserve(ContainerSpec spec) {
    Sandbox sandbox = sandbox(spec);
    if (sandbox.containers.containsKey(spec.id())) {
      return true;
    }
    if (!pulled.contains(spec.imageId())) {
      throw new EngineException(
          "CannotStartContainerError: no image " + spec.imageId() + " was pulled");
    }
    return sandbox.starting.add(spec.id());
  }

  private synchronized Sandbox sandbox(ContainerSpec spec) {
    Sandbox sandbox = sandboxes.get(spec.sandboxId());
    if (sandbox == null) {
      throw new EngineException("CannotStartContainerError: no sandbox " + spec.sandboxId());
    }
    return sandbox;
  }

  private synchronized boolean exists(Sandbox sandbox, ContainerSpec spec) {
    return sandbox.containers.containsKey(spec.id());
  }

  private synchronized SimContainer begin(
      Sandbox sandbox, ContainerSpec spec, Behaviour behaviour) {
    sandbox.starting.remove(spec.id());
    if (sandboxes.get(spec.sandboxId()) != sandbox) {
      throw new EngineException("CannotStartContainerError: the sandbox was removed meanwhile");
    }
    if (behaviour.startError() != null) {
      throw new EngineException(behaviour.startError());
    }
    SimContainer container = new SimContainer(spec, behaviour, ++lastPid, timers.instant());
    sandbox.containers.put(spec.id(), container);
    containers.put(spec.id(), container);
    starts.merge(spec.id(), 1, Integer::sum);
    return container;
  }

  @Override
  public Executed execute(String containerId, List<String> command, Duration limit) {
    SimContainer container = find(containerId);
    if (container == null || !(status(container).state() instanceof State.Running running)) {
      throw new EngineException("container " + containerId + " is not running");
    }
    Duration age = Duration.between(running.startedAt(), timers.instant());
    return new Executed(container.behaviour.commands().apply(age), "");
  }

  /** A shell that knows {@code echo} and {@code exit}. */
  @Override
  public Terminal open(String containerId, List<String> command) {
    SimContainer container = find(containerId);
    if (container == null || !running(container)) {
      throw new EngineException("container " + containerId + " is not running");
    }
    return new SimTerminal(command);
  }

  private synchronized ContainerStatus status(SimContainer container) {
    return container.status();
  }

  @Override
  public void stopContainer(String containerId, Duration grace) {
    SimContainer container = find(containerId);
    if (container == null || !running(container)) {
      return;
    }
    if (container.behaviour.onTerm() != null) {
      endLater(container, container.behaviour.onTerm());
    }
    Instant kill = timers.instant().plus(grace);
    while (running(container)) {
      Duration left = Duration.between(timers.instant(), kill);
      if (!left.isPositive()) {
        exit(container, SIGKILL, false);
        return;
      }
      timers.sleep(left.compareTo(LOOK_FOR_EXIT) < 0 ? left : LOOK_FOR_EXIT);
    }
  }

  @Override
  public void removeSandbox(String sandboxId) {
    Sandbox sandbox;
    synchronized (this) {
      sandbox = sandboxes.remove(sandboxId);
      if (sandbox != null) {
        containers.keySet().removeAll(sandbox.containers.keySet());
      }
    }
    if (sandbox != null) {
      sandbox.containers.values().forEach(container -> exit(container, SIGKILL, false));
    }
  }

  @Override
  public synchronized Optional<ContainerStatus> container(String containerId) {
    return Optional.ofNullable(find(containerId)).map(SimContainer::status);
  }

  @Override
  public synchronized List<SandboxStatus> sandboxes() {
    List<SandboxStatus> all = new ArrayList<>();
    for (Sandbox sandbox : sandboxes.values()) {
      List<ContainerStatus> containers =
          sandbox.containers.values().stream().map(SimContainer::status).toList();
      all.add(new SandboxStatus(sandbox.spec.id(), sandbox.spec.labels(), containers));
    }
    return all;
  }

  @Override
  public synchronized LogLines output(String containerId, long position, int limit, int bytes) {
    SimContainer container = find(containerId);
    return container == null ? new LogLines(0) : container.output(position, limit, bytes);
  }

  @Override
  public synchronized void releaseOutput(String containerId, long position) {
    SimContainer container = find(containerId);
    if (container != null) {
      container.release(position);
    }
  }

  /** From now on something is wrong with it; null: nothing is. */
  public void impair(@Nullable String why) {
    impairment = why;
  }

  @Override
  public Optional<String> impairment() {
    return Optional.ofNullable(impairment);
  }

  /** Half a millisecond from UTC. */
  @Override
  public ClockState clock() {
    return new ClockState(500, true);
  }

  @Override
  public Watch watch(Consumer<String> listener) {
    listeners.add(listener);
    return () -> listeners.remove(listener);
  }

  /** A tenth of a CPU since the start, and 8 MiB. */
  @Override
  public synchronized Optional<Usage> usage(String containerId) {
    SimContainer container = find(containerId);
    if (container == null || !(container.state() instanceof State.Running running)) {
      return Optional.empty();
    }
    Duration age = Duration.between(running.startedAt(), timers.instant());
    return Optional.of(
        new Usage(age.toNanos() / 10, MEMORY, MEMORY, container.spec.init() ? 2 : 1));
  }

  /** As {@link #usage}, and a kilobyte a second received and sent. */
  @Override
  public synchronized Optional<Statistics> statistics(String containerId) {
    SimContainer container = find(containerId);
    if (container == null || !(container.state() instanceof State.Running running)) {
      return Optional.empty();
    }
    Duration age = Duration.between(running.startedAt(), timers.instant());
    long nanos = age.toNanos();
    long packets = age.toSeconds();
    long bytes = packets * 1000;
    long limit = container.spec.memoryLimit();
    return Optional.of(
        new Statistics(
            timers.instant(),
            new Statistics.Cpu(
                nanos / 10, nanos / 20, nanos / 20, List.of(nanos / 10, 0L), nanos * 2, 2, 0, 0, 0),
            new Statistics.Memory(
                MEMORY, MEMORY, limit == 0 ? MACHINE : limit, Map.of("cache", 0L)),
            container.spec.init() ? 2 : 1,
            List.of(),
            Map.of("eth0", new Traffic(bytes, packets, 0, 0, bytes, packets, 0, 0))));
  }

  /** 1 MiB a container. */
  @Override
  public synchronized long storageUsed(String sandboxId) {
    Sandbox sandbox = sandboxes.get(sandboxId);
    return sandbox == null ? 0 : (long) sandbox.containers.size() << 20;
  }

  @Override
  public synchronized List<Machine> machines() {
    return List.copyOf(machines.values());
  }

  @Override
  public synchronized boolean removeMachine(String machineId) {
    for (Sandbox sandbox : sandboxes.values()) {
      Machine machine = sandbox.spec.machine();
      if (machine != null && machine.id().equals(machineId)) {
        return false;
      }
    }
    machines.remove(machineId);
    return true;
  }

  @Override
  public void removeAll() {
    sandboxes().forEach(sandbox -> removeSandbox(sandbox.id()));
    machines().forEach(machine -> removeMachine(machine.id()));
  }

  @Override
  public void close() {
    listeners.clear();
  }

  // What a test does to the containers, and sees of them.

  /** Somebody kills the container's process; nothing happens if it does not run. */
  public void kill(String containerId) {
    SimContainer container = find(containerId);
    if (container != null) {
      exit(container, SIGKILL, false);
    }
  }

  /** The container prints a line now. */
  public void print(String containerId, String text) {
    SimContainer container = find(containerId);
    if (container != null) {
      print(container, container.restarts(), new Behaviour.Line(Duration.ZERO, false, text));
    }
  }

  /** As what a container was started; empty if it is unknown. */
  public synchronized Optional<ContainerSpec> containerSpec(String containerId) {
    return Optional.ofNullable(find(containerId)).map(container -> container.spec);
  }

  /** As what a sandbox was created; empty if it is unknown. */
  public synchronized Optional<SandboxSpec> sandboxSpec(String sandboxId) {
    return Optional.ofNullable(sandboxes.get(sandboxId)).map(sandbox -> sandbox.spec);
  }

  /** How often each container was ever really started, by id; also those that are gone. */
  public synchronized Map<String, Integer> starts() {
    return Map.copyOf(starts);
  }

  private synchronized @Nullable SimContainer find(String containerId) {
    return containers.get(containerId);
  }

  private synchronized boolean running(SimContainer container) {
    return container.running();
  }

  private void endLater(SimContainer container, Behaviour.End end) {
    int life = container.restarts();
    if (end.after().isZero()) {
      exit(container, life, end.exitCode(), end.outOfMemory());
    } else {
      timers.after(end.after(), () -> exit(container, life, end.exitCode(), end.outOfMemory()));
    }
  }

  private void exit(SimContainer container, int exitCode, boolean outOfMemory) {
    exit(container, container.restarts(), exitCode, outOfMemory);
  }

  private void exit(SimContainer container, int life, int exitCode, boolean outOfMemory) {
    boolean ran;
    synchronized (this) {
      ran = container.restarts() == life && container.exit(exitCode, outOfMemory, timers.instant());
    }
    if (ran) {
      tell(container);
    }
  }

  private void print(SimContainer container, int life, Behaviour.Line line) {
    synchronized (this) {
      if (!container.running() || container.restarts() != life) {
        return;
      }
      container.print(line.text(), line.stderr(), timers.instant());
    }
    tell(container);
  }

  private void tell(SimContainer container) {
    listeners.forEach(listener -> listener.accept(container.spec.id()));
  }

  private void take(Duration time) {
    if (time.isPositive()) {
      timers.sleep(time);
    }
  }

  private static void requireId(String id) {
    if (!id.matches("[A-Za-z0-9-]{1,64}")) {
      throw new IllegalArgumentException(
          "id " + id + ": expected at most 64 letters, digits and dashes");
    }
  }
}
