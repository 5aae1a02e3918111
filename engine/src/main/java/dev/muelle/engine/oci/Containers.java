package dev.muelle.engine.oci;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.engine.ContainerSpec;
import dev.muelle.engine.ContainerSpec.Isolation;
import dev.muelle.engine.Engine.Usage;
import dev.muelle.engine.EngineException;
import dev.muelle.engine.SandboxSpec;
import dev.muelle.engine.Statistics;
import dev.muelle.engine.oci.Running.Exit;
import dev.muelle.engine.oci.Running.Note;
import dev.muelle.engine.oci.Starter.First;
import dev.muelle.engine.oci.image.Images;
import dev.muelle.engine.oci.image.StoredImage;
import dev.muelle.engine.oci.image.Trees;
import dev.muelle.linux.LinuxException;
import dev.muelle.loop.Timers;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The containers: started, watched, stopped, removed, and known again after a restart. */
final class Containers {

  private static final Logger LOG = LoggerFactory.getLogger(Containers.class);
  private static final Duration DEATH = Duration.ofSeconds(30);
  private static final long HALTED_LOOK = 100; // ms
  private static final int OPEN_FILES = 65_535;
  private static final int NOT_STARTED = 128; // Docker's, of a container that cannot be started
  private static final int MOST_COMPILED = 64;
  private static final String NO_SANDBOX = "none";
  private static final int LOST = 137; // as if killed: nobody was there to see its exit code
  private static final List<Path> INITS =
      List.of(
          Path.of("/usr/bin/docker-init"),
          Path.of("/usr/bin/tini-static"),
          Path.of("/usr/libexec/podman/catatonit"),
          Path.of("/usr/bin/catatonit"));

  private final Layout layout;
  private final String instance;
  private final Cgroups cgroups;
  private final Images images;
  private final Launcher launcher;
  private final Monitor monitor;
  private final Conmon conmon;
  private final Sandboxes sandboxes;
  private final Volumes volumes;
  private final MachineMounts machineMounts;
  private final JsonFiles jsonFiles;
  private final Leftovers leftovers;
  private final Backlog backlog;
  private final OutputGuard guard;
  private final SeccompFilters filters;
  private final ObjectMapper json;
  private final Timers timers;

  private final Map<String, Running> known = new ConcurrentHashMap<>();
  private final Map<String, ReentrantLock> locks = new ConcurrentHashMap<>();

  /**
   * By profile, whether its filter is still being compiled for the first container with it; also of
   * those from which a runtime leaves nothing that we could load.
   */
  private final Map<ObjectNode, CompletableFuture<Void>> compiling = new ConcurrentHashMap<>();

  private final AtomicLong order = new AtomicLong();

  private volatile Consumer<String> listener = id -> {};

  Containers(
      Layout layout,
      String instance,
      Cgroups cgroups,
      Images images,
      Launcher launcher,
      Monitor monitor,
      Conmon conmon,
      Sandboxes sandboxes,
      Leftovers leftovers,
      Backlog backlog,
      OutputGuard guard,
      SeccompFilters filters,
      ObjectMapper json,
      Timers timers) {
    this.layout = layout;
    this.instance = instance;
    this.cgroups = cgroups;
    this.images = images;
    this.launcher = launcher;
    this.monitor = monitor;
    this.conmon = conmon;
    this.sandboxes = sandboxes;
    this.machineMounts = new MachineMounts(layout, sandboxes, json);
    this.volumes = new Volumes(sandboxes, machineMounts);
    this.jsonFiles = new JsonFiles(layout, new Released(), json);
    this.leftovers = leftovers;
    this.backlog = backlog;
    this.guard = guard;
    this.filters = filters;
    this.json = json;
    this.timers = timers;
  }

  /** How those read the output who write it down. */
  private final class Released implements JsonFiles.Reading {
    @Override
    public boolean complete(String id) {
      Running container = known.get(id);
      return container != null && container.exit.isDone();
    }

    @Override
    public void release(String id, long offset) throws IOException {
      Containers.this.release(id, offset);
    }
  }

  void onExit(Consumer<String> told) {
    listener = told;
  }

  Optional<Running> find(String id) {
    return Optional.ofNullable(known.get(id));
  }

  Set<String> ids() {
    return Set.copyOf(known.keySet());
  }

  List<Running> of(String sandboxId) {
    return known.values().stream().filter(one -> one.note.sandboxId().equals(sandboxId)).toList();
  }

  private ReentrantLock lock(String id) {
    return locks.computeIfAbsent(id, i -> new ReentrantLock());
  }

  /** Starts a container unless it was started before. */
  void start(ContainerSpec spec) {
    Lock shared = sandboxes.lock(spec.sandboxId()).readLock();
    shared.lock();
    try {
      ReentrantLock lock = lock(spec.id());
      lock.lock();
      try {
        if (!known.containsKey(spec.id())) {
          SandboxSpec sandbox =
              sandboxes
                  .find(spec.sandboxId())
                  .orElseThrow(() ->
                      new EngineException(
                          "CannotStartContainerError: no sandbox " + spec.sandboxId()));
          known.put(spec.id(), startNow(spec, sandbox));
        }
      } finally {
        lock.unlock();
      }
    } finally {
      shared.unlock();
    }
    look(spec.id()); // it may have exited before anybody knew it
  }

  private Running startNow(ContainerSpec spec, SandboxSpec sandbox) {
    boolean done = false;
    try {
      Files.createDirectories(layout.container(spec.id()));
      StoredImage image =
          images
              .use(spec.id(), spec.imageId())
              .orElseThrow(() ->
                  new EngineException(
                      "CannotCreateContainerError: Error response from daemon: No such image: "
                          + spec.imageId()));
      guard.ensure();
      Bundle.Shared shared = sandboxes.shared(sandbox); // may start a process: not over there
      Created created =
          launcher.launch(
              sandboxes.mounts(sandbox),
              () -> {
                ObjectNode config = prepare(spec, sandbox, shared, image);
                boolean kept = spec.keepsOutput() || spec.jsonFile() != null;
                return create(spec.id(), sandbox, config, kept);
              });
      Note note =
          new Note(
              spec.id(),
              sandbox,
              spec.name(),
              spec.imageId(),
              created.first().pid(),
              created.first().startTime(),
              Signals.stop(image.config().stopSignal()),
              order.incrementAndGet(),
              timers.millis(),
              0);
      created.starter().start(spec.id());
      Layout.write(layout.containerNote(spec.id()), json.writeValueAsBytes(note));
      done = true;
      return new Running(note);
    } catch (IOException | LinuxException e) {
      throw new EngineException("CannotStartContainerError: " + e.getMessage(), e);
    } finally {
      try {
        if (!done) {
          jsonFiles.remove(spec.id());
          leftovers.removeContainer(spec.sandboxId(), spec.id(), true);
          images.leave(spec.id());
        }
      } catch (IOException e) {
        LOG.warn("container {} was not started, and left something behind", spec.id(), e);
      }
    }
  }

  /** A container, and who starts it. */
  private record Created(Starter starter, First first) {}

  /** Creates one by our own monitor, or by conmon and an OCI runtime what that does not know. */
  private Created create(String id, SandboxSpec sandbox, JsonNode config, boolean kept)
      throws IOException {
    if (monitor.fits(config)) {
      return created(monitor, id, sandbox, config, kept);
    }
    ObjectNode profile = config.path("linux").path("seccomp") instanceof ObjectNode o ? o : null;
    CompletableFuture<Void> done = new CompletableFuture<>();
    CompletableFuture<Void> first = profile == null ? null : compiling.putIfAbsent(profile, done);
    if (first != null) {
      first.join(); // long done, unless many begin at once
      return created(monitor.fits(config) ? monitor : conmon, id, sandbox, config, kept);
    }
    try {
      return created(conmon, id, sandbox, config, kept);
    } finally {
      done.complete(null);
      if (profile != null && (monitor.fits(config) || compiling.size() > MOST_COMPILED)) {
        compiling.remove(profile, done);
      }
    }
  }

  private static Created created(
      Starter starter, String id, SandboxSpec sandbox, JsonNode config, boolean kept)
      throws IOException {
    return new Created(starter, starter.create(id, sandbox.id(), config, kept));
  }

  /** Starts one that has exited once more. */
  void restart(String id) {
    Running before = known.get(id);
    if (before == null) {
      return;
    }
    Lock shared = sandboxes.lock(before.note.sandboxId()).readLock();
    shared.lock();
    try {
      ReentrantLock lock = lock(id);
      lock.lock();
      try {
        Running container = known.get(id);
        if (container != null && container.exit.isDone()) {
          restartNow(container.note);
        }
      } finally {
        lock.unlock();
      }
    } finally {
      shared.unlock();
    }
    look(id);
  }

  private void restartNow(Note before) {
    String id = before.id();
    Note failed = before.again(before.pid(), before.startTime(), timers.millis(), 0);
    try {
      SandboxSpec sandbox = sandboxes.find(before.sandboxId()).orElseThrow();
      List<Path> mounts = sandboxes.mounts(sandbox);
      StoredImage image =
          images
              .use(id, before.imageId())
              .orElseThrow(() ->
                  new EngineException("CannotStartContainerError: the image is not here any more"));
      JsonNode config = json.readTree(layout.container(id).resolve("config.json").toFile());
      Layout.write(layout.restarting(id), new byte[0]);
      leftovers.clear(before.sandboxId(), id);
      guard.ensure();
      Created created =
          launcher.launch(
              mounts,
              () -> {
                mountRoot(id, sandbox, image);
                machineMounts.mountAgain(id, sandbox);
                return create(id, sandbox, config, Files.exists(layout.log(id)));
              });
      First first = created.first();
      Note note = before.again(first.pid(), first.startTime(), timers.millis(), 1);
      created.starter().start(id);
      Layout.write(layout.containerNote(id), json.writeValueAsBytes(note));
      Files.deleteIfExists(layout.exitNote(id));
      Files.delete(layout.restarting(id));
      known.put(id, new Running(note));
    } catch (IOException | LinuxException | EngineException e) {
      notRestarted(failed);
      throw e instanceof EngineException known
          ? known
          : new EngineException("CannotStartContainerError: " + e.getMessage(), e);
    }
  }

  private void notRestarted(Note note) {
    try {
      leftovers.clear(note.sandboxId(), note.id());
      Exit exit = new Exit(NOT_STARTED, false, note.startedMillis());
      Layout.write(layout.containerNote(note.id()), json.writeValueAsBytes(note));
      Layout.write(layout.exitNote(note.id()), json.writeValueAsBytes(exit));
      Files.deleteIfExists(layout.restarting(note.id()));
      Running container = new Running(note);
      container.exit.complete(exit);
      known.put(note.id(), container);
    } catch (IOException e) {
      LOG.warn("container {} was not restarted, and left something behind", note.id(), e);
    }
  }

  /** Mounts and writes what the runtime needs; gives what it is told. */
  private ObjectNode prepare(
      ContainerSpec spec, SandboxSpec sandbox, Bundle.Shared shared, StoredImage image)
      throws IOException {
    Files.writeString(layout.containersSandbox(spec.id()), spec.sandboxId());
    Path rootfs = mountRoot(spec.id(), sandbox, image);
    jsonFiles.begin(spec, sandbox);
    checkSwap(spec.isolation());
    String user = spec.user() == null ? image.config().user() : spec.user();
    Set<String> capabilities = Capabilities.of(spec.isolation());
    ObjectNode seccomp =
        spec.isolation().privileged()
            ? Seccomp.unconfined()
            : filters.profile(capabilities, architecture());
    Bundle bundle =
        new Bundle(
            sandbox,
            spec,
            image.config(),
            Users.resolve(rootfs, user),
            network(spec.isolation(), sandbox),
            shared,
            rootfs,
            hostFiles(spec, sandbox),
            spec.init() ? init() : null,
            cgroups.path(sandbox.id(), spec.id()),
            cgroups.version() instanceof Cgroups.Version.V2,
            cgroups.countsSwap(),
            openFiles(),
            capabilities,
            seccomp,
            volumes.prepare(spec, sandbox, image.config(), rootfs),
            Devices.find(spec.isolation().devices()));
    Rootfs.makeDirectory(rootfs, bundle.workingDirectory());
    ObjectNode config = bundle.config();
    Files.write(layout.container(spec.id()).resolve("config.json"), json.writeValueAsBytes(config));
    return config;
  }

  private @Nullable Path network(Isolation isolation, SandboxSpec sandbox) {
    if (isolation.offline()) {
      return null;
    }
    return isolation.network() == null ? sandboxes.network(sandbox) : isolation.network();
  }

  private Path hostFiles(ContainerSpec spec, SandboxSpec sandbox) throws IOException {
    if (spec.names() == null) {
      return layout.sandbox(sandbox.id());
    }
    Path own = Files.createDirectories(layout.sandbox(sandbox.id()).resolve(spec.id()));
    HostFiles.write(own, spec.names());
    return own;
  }

  private void checkSwap(Isolation isolation) {
    if (isolation.swap() > 0 && !cgroups.countsSwap()) {
      throw new EngineException(
          "CannotCreateContainerError: maxSwap: this machine's kernel does not count swap");
    }
    if (isolation.swappiness() != null && cgroups.version() instanceof Cgroups.Version.V2) {
      throw new EngineException(
          "CannotCreateContainerError: swappiness: this machine's cgroups (v2) have none");
    }
  }

  private Path mountRoot(String id, SandboxSpec sandbox, StoredImage image) throws IOException {
    Path rootfs = layout.rootfs(id);
    Path writable = Files.createDirectories(sandboxes.writable(sandbox, id));
    Rootfs.mount(rootfs, images.directories(image), writable, Leftovers.mountSource(instance));
    return rootfs;
  }

  /** As on Fargate, if this process is allowed as many. */
  private static int openFiles() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/limits"))) {
      if (line.startsWith("Max open files")) {
        String hard = line.trim().split("\\s+", -1)[4];
        return hard.equals("unlimited")
            ? OPEN_FILES
            : (int) Math.min(OPEN_FILES, Long.parseLong(hard));
      }
    }
    return OPEN_FILES;
  }

  private static String architecture() {
    return System.getProperty("os.arch", "").equals("aarch64") ? "arm64" : "amd64";
  }

  private static Path init() throws IOException {
    for (Path program : INITS) {
      if (Files.isExecutable(program)) {
        return program.toRealPath();
      }
    }
    throw new EngineException(
        "CannotCreateContainerError: initProcessEnabled needs docker-init, tini-static or catatonit"
            + " on this machine");
  }

  /** Looks whether a container has exited. */
  void look(String id) {
    Running container = known.get(id);
    if (container == null || container.exit.isDone()) {
      return;
    }
    ReentrantLock lock = lock(id);
    lock.lock();
    try {
      if (known.get(id) != container || container.exit.isDone()) {
        return; // removed or started again meanwhile
      }
      Exit exit = exit(container.note);
      if (exit == null) {
        return;
      }
      boolean others =
          sandboxes
              .find(container.note.sandboxId())
              .filter(SandboxSpec::sharesProcesses)
              .isPresent();
      if (others) { // whom the end of the container's first process does not end
        cgroups.kill(container.note.sandboxId(), id);
      }
      Layout.write(layout.exitNote(id), json.writeValueAsBytes(exit));
      container.exit.complete(exit);
      jsonFiles.wake(id);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      lock.unlock();
    }
    listener.accept(id);
  }

  private @Nullable Exit exit(Note note) throws IOException {
    Path file = layout.exit(note.id());
    boolean alive = Processes.startTime(note.pid()) == note.startTime();
    // Asked before the file: conmon writes it and ends. Without conmon nobody writes the code down.
    boolean monitored = alive || monitorLives(note.id());
    if (!Files.exists(file)) {
      backlog.look(note.id(), () -> alive); // a conmon that is halted writes nothing down
      return monitored ? null : new Exit(LOST, killedForMemory(note), timers.millis());
    }
    int code = Integer.parseInt(Files.readString(file).trim());
    boolean memory = code != 0 && killedForMemory(note);
    return new Exit(code, memory, Files.getLastModifiedTime(file).toMillis());
  }

  private boolean killedForMemory(Note note) {
    return cgroups.killedForMemory(note.sandboxId(), note.id());
  }

  private boolean monitorLives(String id) {
    return Conmon.living(layout, instance, id).isPresent();
  }

  /** A container has written. */
  void written(String id) {
    Running container = known.get(id);
    if (container != null) {
      backlog.look(id, () -> runs(container));
      jsonFiles.wake(id);
    }
  }

  /** Its output before an offset was taken care of, unless this server is killed. */
  void reached(String id, long offset) {
    Running container = known.get(id);
    if (container != null) {
      backlog.reached(id, offset, () -> runs(container));
    }
  }

  /** Its output before an offset was read for good. */
  void release(String id, long offset) throws IOException {
    Running container = known.get(id);
    if (container != null) {
      backlog.release(id, offset, () -> runs(container));
    }
  }

  private static boolean runs(Running container) {
    Note note = container.note;
    return !container.exit.isDone() && Processes.startTime(note.pid()) == note.startTime();
  }

  void lookAtAll() {
    jsonFiles.wakeAll(); // also those that could not be written the last time
    for (String id : known.keySet()) {
      try {
        look(id);
      } catch (RuntimeException e) {
        LOG.warn("looking at container {}", id, e);
      }
    }
  }

  @SuppressWarnings("LockNotBeforeTry") // taken only to wait for whoever holds it
  private void awaitStart(String id) {
    ReentrantLock start = lock(id); // whoever removes it gives its place to another
    start.lock();
    start.unlock();
  }

  void stop(String id, Duration grace) {
    awaitStart(id); // one that is just starting is stopped when it has started
    Running container = known.get(id);
    if (container == null) {
      return;
    }
    Note note = container.note;
    if (!container.exit.isDone()) {
      Processes.signal(note.pid(), note.startTime(), note.stopSignal());
    }
    if (exits(container, grace)) {
      return;
    }
    Processes.signal(note.pid(), note.startTime(), Signals.SIGKILL);
    if (!exits(container, DEATH)) {
      throw new EngineException("container " + id + " does not die of SIGKILL");
    }
  }

  private boolean exits(Running container, Duration within) {
    try {
      long end = timers.millis() + within.toMillis();
      for (long left = within.toMillis(); left > 0; left = end - timers.millis()) {
        if (exitsWithin(container, Math.min(left, HALTED_LOOK))) {
          return true;
        }
        if (backlog.held(container.note.id())) {
          look(container.note.id()); // a conmon that is halted tells nobody
        }
      }
      return container.exit.isDone();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new EngineException("interrupted", e);
    } catch (ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }

  private static boolean exitsWithin(Running container, long millis)
      throws InterruptedException, ExecutionException {
    try {
      container.exit.get(millis, TimeUnit.MILLISECONDS);
      return true;
    } catch (TimeoutException e) {
      return false;
    }
  }

  Optional<Usage> usage(String id) {
    Running container = known.get(id);
    return container == null || container.exit.isDone()
        ? Optional.empty()
        : cgroups.usage(container.note.sandboxId(), id);
  }

  Optional<Statistics> statistics(String id) {
    Running container = known.get(id);
    if (container == null || container.exit.isDone()) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          cgroups
              .counters(container.note.sandboxId(), id)
              .read(container.note.pid(), timers.instant()));
    } catch (IOException e) {
      return Optional.empty(); // it has ended meanwhile
    }
  }

  /** Removes all containers of a sandbox; nobody starts one meanwhile. */
  void removeOf(String sandboxId) {
    for (Running container : of(sandboxId)) {
      String id = container.note.id();
      ReentrantLock lock = lock(id);
      lock.lock();
      try {
        boolean monitored = !container.exit.isDone() || monitorLives(id);
        jsonFiles.remove(id);
        leftovers.removeWithSandbox(sandboxId, id, monitored);
        known.remove(id);
        backlog.remove(id);
        images.leave(id);
        container.exit.complete(new Exit(LOST, false, timers.millis()));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      } finally {
        lock.unlock();
      }
      locks.remove(id);
    }
  }

  /** What was not started, or removed, to its end is removed. */
  private void removeBegun() throws IOException {
    for (Path begun :
        List.of(
            layout.containers(),
            layout.containerNotes(),
            layout.writables(),
            layout.logs(),
            layout.exits(),
            layout.runtime(),
            layout.sockets())) {
      for (String name : Layout.names(begun)) {
        String id = Layout.owner(name);
        if (!Files.exists(layout.containerNote(id))) {
          Path sandbox = layout.containersSandbox(id);
          jsonFiles.remove(id);
          leftovers.removeContainer(
              Files.exists(sandbox) ? Files.readString(sandbox) : NO_SANDBOX, id, true);
          Trees.delete(begun.resolve(name));
        }
      }
    }
  }

  /** What is written down of those that are known. */
  List<Note> notes() throws IOException {
    List<Note> notes = new ArrayList<>();
    for (String name : Layout.names(layout.containerNotes())) {
      Path file = layout.containerNote(Layout.owner(name));
      if (file.endsWith(name)) {
        Layout.read(json, file, Note.class).ifPresent(notes::add);
      }
    }
    return notes;
  }

  /** Takes over those that are known; what was not started to its end is removed. */
  void recover(List<Note> notes) throws IOException {
    removeBegun();
    for (Note note : notes) {
      String id = note.id();
      Running container = new Running(note);
      Path end = layout.exitNote(id);
      if (Files.exists(layout.restarting(id))) { // nobody knows how far that came
        leftovers.clear(note.sandboxId(), id);
        if (!Files.exists(end)) {
          Layout.write(end, json.writeValueAsBytes(new Exit(LOST, false, timers.millis())));
        }
        Files.delete(layout.restarting(id));
      }
      Layout.read(json, end, Exit.class).ifPresent(container.exit::complete);
      known.put(id, container);
      images.use(id, note.imageId());
      if (!container.exit.isDone()) {
        guard.ensure();
        backlog.lookAnew(id, runs(container)); // it may have been halted while nobody read
      }
      jsonFiles.adopt(id);
      order.accumulateAndGet(note.order(), Math::max);
    }
  }
}
