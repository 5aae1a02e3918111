package dev.muelle.engine.oci;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.muelle.engine.ContainerSpec;
import dev.muelle.engine.ContainerStatus;
import dev.muelle.engine.Engine;
import dev.muelle.engine.EngineException;
import dev.muelle.engine.ImageReference;
import dev.muelle.engine.LocalRegistry;
import dev.muelle.engine.LogLines;
import dev.muelle.engine.Machine;
import dev.muelle.engine.SandboxSpec;
import dev.muelle.engine.SandboxStatus;
import dev.muelle.engine.Statistics;
import dev.muelle.engine.Terminal;
import dev.muelle.engine.blob.BlobStore;
import dev.muelle.engine.oci.image.Images;
import dev.muelle.engine.oci.image.Limits;
import dev.muelle.linux.KernelClock;
import dev.muelle.linux.MountPoints;
import dev.muelle.loop.Timers;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Runs tasks as real containers of this machine, each under a monitor that outlives the server.
 *
 * <p>Everything the kernel keeps for it carries the instance's name: control groups {@code
 * /INSTANCE/…}, mounts with the source {@code muelle-INSTANCE}, monitors named {@code
 * muelle/INSTANCE/…}; that is how {@link #removeAll} finds it even without the directory.
 */
public final class OciEngine implements Engine {

  private static final Pattern ID = Pattern.compile("[A-Za-z0-9-]{1,64}");

  private final Images images;
  private final Machines machines;
  private final Sandboxes sandboxes;
  private final Containers containers;
  private final Launcher launcher;
  private final Execution execution;
  private final Watching watching;
  private final Leftovers leftovers;
  private final Layout layout;
  private final Backlog backlog;
  private final OutputGuard guard;

  /**
   * Opens an engine; what an earlier one over the same directory left running is known again.
   *
   * @param instance letters, digits and dashes; no other engine on this machine may have it
   * @param dir a directory on a local disk, used by this engine only
   * @throws UncheckedIOException if the directory cannot be used, or no runtime is installed
   */
  public OciEngine(String instance, Path dir, BlobStore blobs, LocalRegistry local, Timers timers) {
    this(instance, dir, blobs, local, timers, Limits.usual(), Room.usual(dir));
  }

  /** As the other one, with other limits on images, and another bound on what is kept. */
  public OciEngine(
      String instance,
      Path dir,
      BlobStore blobs,
      LocalRegistry local,
      Timers timers,
      Limits limits,
      Room room) {
    if (!ID.matcher(instance).matches()) {
      throw new IllegalArgumentException("not an instance's name: " + instance);
    }
    try {
      Path root = Files.createDirectories(dir).toRealPath();
      ObjectMapper json = new ObjectMapper();
      layout = Layout.create(root);
      Cgroups cgroups = new Cgroups(Cgroups.detect(MountPoints.table()), instance);
      images = new Images(root, blobs, local, timers, limits, room.shelf(), "engine-" + instance);
      Keeper keeper = new Keeper(cgroups);
      machines = new Machines(layout, cgroups, keeper, json);
      sandboxes = new Sandboxes(layout, instance, cgroups, keeper, machines, json);
      leftovers = new Leftovers(layout, instance, cgroups);
      RuntimeChoice runtime = RuntimeChoice.choose(cgroups.version(), root);
      SeccompFilters filters = new SeccompFilters(layout);
      RuntimeState states = new RuntimeState(layout, cgroups, filters, json);
      execution = new Execution(layout, runtime.anywhere(), states, json);
      Monitor.install(layout);
      launcher =
          new Launcher(instance, layout, cgroups, List.of(runtime.program(), layout.program()));
      Conmon conmon = new Conmon(layout, instance, runtime, launcher, filters, json);
      Monitor monitor = new Monitor(layout, instance, cgroups, launcher, filters);
      backlog = new Backlog(layout, instance, room.outputBytes());
      guard = new OutputGuard(layout, instance, cgroups.monitors(), room.outputBytes());
      containers =
          new Containers(
              layout, instance, cgroups, images, launcher, monitor, conmon, sandboxes, leftovers,
              backlog, guard, filters, json, timers);
      OutputGuard.endOthers(instance);
      leftovers.removeOlder();
      if (Layout.names(layout.containers()).isEmpty() && leftovers.monitors()) {
        throw new IOException(
            "the containers of the server before still run, and their files are mounted in another"
                + " mount namespace: start the server there, or end them");
      }
      machines.recover();
      List<Running.Note> notes = containers.notes();
      sandboxes.recover(notes.stream().map(Running.Note::sandbox).toList());
      containers.recover(notes);
      watching = new Watching(layout, containers, timers);
      images.tidySoon();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public Image pull(ImageReference reference, @Nullable RegistryLogin login) {
    return images.pull(reference, login);
  }

  @Override
  public void createSandbox(SandboxSpec spec) {
    valid(spec.id());
    if (spec.machine() != null) {
      valid(spec.machine().id());
    }
    sandboxes.create(spec);
  }

  @Override
  public void startContainer(ContainerSpec spec) {
    valid(spec.id());
    containers.start(spec);
  }

  @Override
  public void restartContainer(String containerId) {
    containers.restart(containerId);
  }

  private static void valid(String id) {
    if (!ID.matcher(id).matches() || id.equals("monitors")) {
      throw new EngineException("CannotCreateContainerError: invalid id: " + id);
    }
  }

  @Override
  public Executed execute(String containerId, List<String> command, Duration limit) {
    return execution.run(running(containerId), command, limit);
  }

  @Override
  public Terminal open(String containerId, List<String> command) {
    return execution.open(running(containerId), command);
  }

  private Running.Note running(String containerId) {
    return containers
        .find(containerId)
        .filter(one -> one.status().state() instanceof ContainerStatus.State.Running)
        .map(one -> one.note)
        .orElseThrow(() -> new EngineException("container " + containerId + " is not running"));
  }

  @Override
  public void stopContainer(String containerId, Duration grace) {
    containers.stop(containerId, grace);
  }

  @Override
  public void removeSandbox(String sandboxId) {
    sandboxes.remove(sandboxId, () -> containers.removeOf(sandboxId));
    images.tidySoon();
  }

  @Override
  public Optional<ContainerStatus> container(String containerId) {
    return containers.find(containerId).map(Running::status);
  }

  @Override
  public List<SandboxStatus> sandboxes() {
    return sandboxes.all().stream()
        .map(spec ->
            new SandboxStatus(
                spec.id(),
                spec.labels(),
                containers.of(spec.id()).stream()
                    .sorted(Comparator.comparingLong(one -> one.note.order()))
                    .map(Running::status)
                    .toList()))
        .toList();
  }

  @Override
  public LogLines output(String containerId, long position, int limit, int bytes) {
    Optional<Running> container = containers.find(containerId);
    if (container.isEmpty()) {
      return new LogLines(0);
    }
    // Asked before reading: a monitor writes all output before it says that the container exited.
    boolean complete = container.get().exit.isDone();
    try {
      long kept = backlog.kept(containerId);
      long from = Output.offset(position) < kept ? Output.position(kept) : position;
      containers.reached(containerId, Output.offset(from));
      return Output.read(layout.log(containerId), from, limit, bytes, complete);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void releaseOutput(String containerId, long position) {
    try {
      containers.release(containerId, Output.offset(position));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public Optional<String> impairment() {
    return layout.impairment();
  }

  @Override
  public ClockState clock() {
    KernelClock now = KernelClock.read();
    return new ClockState(now.errorMicros(), now.synchronised());
  }

  @Override
  public Watch watch(Consumer<String> listener) {
    return watching.add(listener);
  }

  @Override
  public Optional<Usage> usage(String containerId) {
    return containers.usage(containerId);
  }

  @Override
  public Optional<Statistics> statistics(String containerId) {
    return containers.statistics(containerId);
  }

  @Override
  public long storageUsed(String sandboxId) {
    return sandboxes.find(sandboxId).map(sandboxes::storageUsed).orElse(0L);
  }

  @Override
  public List<Machine> machines() {
    return machines.all();
  }

  @Override
  public boolean removeMachine(String machineId) {
    try {
      return machines.remove(machineId, sandboxes::on);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void removeAll() {
    for (SandboxSpec sandbox : sandboxes.all()) {
      removeSandbox(sandbox.id());
    }
    for (Machine machine : machines.all()) {
      removeMachine(machine.id());
    }
    launcher.close(); // its threads are in groups that go
    try {
      leftovers.removeAll();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    watching.close();
    launcher.close();
    sandboxes.close();
    guard.close();
    images.close();
    try {
      layout.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
