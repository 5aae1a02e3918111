package dev.muelle.engine.oci;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.muelle.engine.ContainerSpec;
import dev.muelle.engine.EngineException;
import dev.muelle.engine.Machine;
import dev.muelle.engine.SandboxSpec;
import dev.muelle.engine.SandboxSpec.Sharing;
import dev.muelle.engine.oci.image.Trees;
import dev.muelle.linux.Command;
import dev.muelle.linux.MountPoints;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The sandboxes: their groups, host files, and disks of limited size. */
final class Sandboxes {

  private static final String SANDBOX = "-sandbox-";

  private final Layout layout;
  private final String instance;
  private final Cgroups cgroups;
  private final Disks disks;
  private final Keeper keeper;
  private final Machines machines;
  private final ObjectMapper json;
  private final Map<String, SandboxSpec> known = new ConcurrentHashMap<>();
  private final Map<String, ReentrantReadWriteLock> locks = new ConcurrentHashMap<>();

  Sandboxes(
      Layout layout,
      String instance,
      Cgroups cgroups,
      Keeper keeper,
      Machines machines,
      ObjectMapper json) {
    this.layout = layout;
    this.instance = instance;
    this.cgroups = cgroups;
    this.disks = new Disks(layout);
    this.keeper = keeper;
    this.machines = machines;
    this.json = json;
  }

  /** Lets go of its threads; disks stay mounted. */
  void close() {
    disks.close();
  }

  /** Containers start under the read lock; a sandbox comes and goes under the write lock. */
  ReentrantReadWriteLock lock(String id) {
    return locks.computeIfAbsent(id, i -> new ReentrantReadWriteLock());
  }

  Optional<SandboxSpec> find(String id) {
    return Optional.ofNullable(known.get(id));
  }

  List<SandboxSpec> all() {
    return known.values().stream().sorted(Comparator.comparing(SandboxSpec::id)).toList();
  }

  /** Where the network namespace is. */
  Path network(SandboxSpec spec) {
    return spec.network() == null ? Path.of("/run/netns", ownNetwork(spec.id())) : spec.network();
  }

  /** What its containers share with each other, and with others. */
  Bundle.Shared shared(SandboxSpec spec) throws IOException {
    Keeper.Kept processes = kept(spec, spec.processes());
    Keeper.Kept ipc = kept(spec, spec.ipc());
    return new Bundle.Shared(
        processes == null ? null : processes.processes(),
        ipc == null ? null : ipc.ipc(),
        memory(spec));
  }

  private Keeper.@Nullable Kept kept(SandboxSpec spec, Sharing sharing) throws IOException {
    return switch (sharing) {
      case CONTAINER -> null;
      case SANDBOX ->
          keeper
              .find(layout.sandbox(spec.id()))
              .orElseThrow(() -> new IOException("the sandbox's first process has ended"));
      case MACHINE -> machines.namespaces(machine(spec));
    };
  }

  /** The mount that is its containers' {@code /dev/shm}; null if each has its own. */
  private @Nullable Path memory(SandboxSpec spec) throws IOException {
    return switch (spec.ipc()) {
      case CONTAINER -> null;
      case SANDBOX -> SharedMemory.mounted(layout.sandbox(spec.id()));
      case MACHINE -> machines.memory(machine(spec));
    };
  }

  /** The one that it is on. */
  static Machine machine(SandboxSpec spec) {
    Machine machine = spec.machine();
    if (machine == null) {
      throw new EngineException("ResourceInitializationError: the sandbox is on no machine");
    }
    return machine;
  }

  /** The root of the files of the machine that it is on. */
  Path machineRoot(SandboxSpec spec) {
    return layout.machineRoot(machine(spec).id());
  }

  /** Whether a machine has any. */
  boolean on(String machineId) {
    return known.values().stream()
        .anyMatch(spec -> spec.machine() != null && spec.machine().id().equals(machineId));
  }

  private String ownNetwork(String id) {
    return instance + SANDBOX + id;
  }

  /** Removes the namespaces of all sandboxes that got none from a network, known or not. */
  static void removeNetworks(String instance) throws IOException {
    Path directory = Path.of("/run/netns");
    if (!Files.isDirectory(directory)) {
      return;
    }
    try (Stream<Path> names = Files.list(directory)) {
      for (Path name : names.toList()) {
        if (name.getFileName().toString().startsWith(instance + SANDBOX)) {
          Command.run("ip", "netns", "del", name.getFileName().toString());
        }
      }
    }
  }

  void create(SandboxSpec spec) {
    ReentrantReadWriteLock.WriteLock lock = lock(spec.id()).writeLock();
    lock.lock();
    try {
      if (known.containsKey(spec.id())) {
        return;
      }
      known.put(spec.id(), spec); // so that nobody removes its machine meanwhile
      boolean done = false;
      try {
        make(spec);
        done = true;
      } finally {
        if (!done) {
          known.remove(spec.id());
          destroy(spec.id());
        }
      }
    } catch (IOException e) {
      throw new EngineException("ResourceInitializationError: " + e.getMessage(), e);
    } finally {
      lock.unlock();
    }
  }

  private void make(SandboxSpec spec) throws IOException {
    if (spec.machine() != null) {
      machines.create(spec.machine());
    }
    Path directory = Files.createDirectories(layout.sandbox(spec.id()));
    cgroups.create(spec);
    HostFiles.write(
        directory,
        new ContainerSpec.Names(
            spec.hostname(), spec.address(), List.of(), spec.nameservers(), spec.searchDomains()));
    if (spec.network() == null) {
      Command.run("ip", "netns", "add", ownNetwork(spec.id()));
      Command.run("ip", "-n", ownNetwork(spec.id()), "link", "set", "lo", "up");
    }
    if (spec.storageLimit() > 0) {
      disks.create(spec.id(), spec.storageLimit());
    }
    if (spec.processes() == Sharing.SANDBOX || spec.ipc() == Sharing.SANDBOX) {
      keeper.start(directory, spec.id());
    }
    Layout.write(layout.sandboxNote(spec.id()), json.writeValueAsBytes(spec));
  }

  /** Where a container of this sandbox keeps what it writes. */
  Path writable(SandboxSpec spec, String containerId) {
    return spec.storageLimit() > 0
        ? layout.disk(spec.id()).resolve(containerId)
        : layout.writable(containerId);
  }

  /**
   * The mounts of this sandbox that starting one of its containers needs.
   *
   * @throws EngineException if they went with the machine's last run
   */
  List<Path> mounts(SandboxSpec spec) throws IOException {
    if (!Files.exists(layout.sandbox(spec.id()))) {
      throw new EngineException(
          "ResourceInitializationError: the machine was started anew since the sandbox was made");
    }
    List<Path> mounts = new ArrayList<>(List.of(network(spec)));
    if (spec.storageLimit() > 0) {
      mounts.add(layout.disk(spec.id()));
    }
    Path memory = memory(spec);
    if (memory != null) {
      mounts.add(memory);
    }
    return mounts;
  }

  /** Where a volume lies that the sandbox's containers share. */
  Path volume(SandboxSpec spec, String name) {
    Path parent =
        spec.storageLimit() > 0
            ? layout.disk(spec.id()).resolve("volumes")
            : layout.volumes(spec.id());
    return parent.resolve(name);
  }

  long storageUsed(SandboxSpec spec) {
    if (spec.storageLimit() == 0) {
      return 0;
    }
    File disk = layout.disk(spec.id()).toFile();
    return disk.getTotalSpace() - disk.getFreeSpace();
  }

  void remove(String id, Runnable containers) {
    ReentrantReadWriteLock.WriteLock lock = lock(id).writeLock();
    lock.lock();
    try {
      containers.run();
      destroy(id);
      known.remove(id);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      lock.unlock();
    }
  }

  private void destroy(String id) throws IOException {
    cgroups.remove(id);
    disks.remove(id);
    Files.deleteIfExists(layout.disk(id));
    MountPoints.unmount(SharedMemory.of(layout.sandbox(id)));
    if (Files.exists(Path.of("/run/netns", ownNetwork(id)))) {
      Command.run("ip", "netns", "del", ownNetwork(id));
    }
    Trees.delete(layout.volumes(id));
    Files.deleteIfExists(layout.diskImage(id));
    Trees.delete(layout.sandbox(id)); // last: what has one is removed anew after a crash
  }

  /**
   * Reads what there is; what was not finished is removed.
   *
   * @param noted those of the containers that are known
   */
  void recover(List<SandboxSpec> noted) throws IOException {
    for (SandboxSpec spec : noted) {
      adopt(spec);
    }
    for (String id : Layout.names(layout.sandboxes())) {
      Optional<SandboxSpec> spec = Layout.read(json, layout.sandboxNote(id), SandboxSpec.class);
      if (spec.isPresent()) {
        adopt(spec.get());
      }
    }
    for (Path begun : List.of(layout.sandboxes(), layout.disks(), layout.volumes())) {
      for (String id : Layout.names(begun)) {
        if (!known.containsKey(id)) { // now that it is known whose disks stay
          destroy(id);
        }
      }
    }
  }

  private void adopt(SandboxSpec spec) throws IOException {
    if (known.putIfAbsent(spec.id(), spec) == null && spec.storageLimit() > 0) {
      disks.adopt(spec.id());
    }
  }
}
