package dev.muelle.engine.oci;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.muelle.engine.EngineException;
import dev.muelle.engine.SandboxSpec;
import dev.muelle.linux.Command;
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
  private final ObjectMapper json;
  private final Map<String, SandboxSpec> known = new ConcurrentHashMap<>();
  private final Map<String, ReentrantReadWriteLock> locks = new ConcurrentHashMap<>();

  Sandboxes(Layout layout, String instance, Cgroups cgroups, ObjectMapper json) {
    this.layout = layout;
    this.instance = instance;
    this.cgroups = cgroups;
    this.disks = new Disks(layout);
    this.keeper = new Keeper(layout, cgroups);
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

  /** Where the namespace of processes is that its containers share; null if they do not. */
  @Nullable Path processes(SandboxSpec spec) throws IOException {
    return keeper.processes(spec);
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
      boolean done = false;
      try {
        make(spec);
        done = true;
      } finally {
        if (!done) {
          destroy(spec.id());
        }
      }
      known.put(spec.id(), spec);
    } catch (IOException e) {
      throw new EngineException("ResourceInitializationError: " + e.getMessage(), e);
    } finally {
      lock.unlock();
    }
  }

  private void make(SandboxSpec spec) throws IOException {
    Path directory = Files.createDirectories(layout.sandbox(spec.id()));
    cgroups.create(spec);
    Files.writeString(directory.resolve("hostname"), spec.hostname() + "\n");
    StringBuilder hosts =
        new StringBuilder("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n");
    if (spec.address() != null) {
      hosts.append(spec.address()).append('\t').append(spec.hostname()).append('\n');
    }
    Files.writeString(directory.resolve("hosts"), hosts);
    StringBuilder resolv = new StringBuilder();
    if (!spec.searchDomains().isEmpty()) {
      resolv.append("search ").append(String.join(" ", spec.searchDomains())).append('\n');
    }
    spec.nameservers().forEach(server -> resolv.append("nameserver ").append(server).append('\n'));
    Files.writeString(directory.resolve("resolv.conf"), resolv);
    if (spec.network() == null) {
      Command.run("ip", "netns", "add", ownNetwork(spec.id()));
      Command.run("ip", "-n", ownNetwork(spec.id()), "link", "set", "lo", "up");
    }
    if (spec.storageLimit() > 0) {
      disks.create(spec.id(), spec.storageLimit());
    }
    keeper.start(spec);
    Layout.write(layout.sandboxNote(spec.id()), json.writeValueAsBytes(spec));
  }

  /** Where a container of this sandbox keeps what it writes. */
  Path writable(SandboxSpec spec, String containerId) {
    return spec.storageLimit() > 0
        ? layout.disk(spec.id()).resolve(containerId)
        : layout.container(containerId).resolve("rw");
  }

  /** The mounts of this sandbox that starting one of its containers needs. */
  List<Path> mounts(SandboxSpec spec) {
    return spec.storageLimit() > 0
        ? List.of(network(spec), layout.disk(spec.id()))
        : List.of(network(spec));
  }

  /** Where a volume lies that the sandbox's containers share. */
  Path volume(SandboxSpec spec, String name) {
    Path parent = spec.storageLimit() > 0 ? layout.disk(spec.id()) : layout.sandbox(spec.id());
    return parent.resolve("volumes").resolve(name);
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
    if (Files.exists(Path.of("/run/netns", ownNetwork(id)))) {
      Command.run("ip", "netns", "del", ownNetwork(id));
    }
    dev.muelle.engine.oci.image.Trees.delete(layout.sandbox(id));
  }

  /** Reads what there is; what was not finished is removed. */
  void recover() throws IOException {
    List<String> unfinished = new ArrayList<>();
    try (Stream<Path> directories = Files.list(layout.sandboxes())) {
      for (Path directory : directories.toList()) {
        String id = directory.getFileName().toString();
        Path note = layout.sandboxNote(id);
        if (Files.exists(note)) {
          SandboxSpec spec = json.readValue(Files.readAllBytes(note), SandboxSpec.class);
          if (spec.storageLimit() > 0) {
            disks.adopt(id);
          }
          known.put(id, spec);
        } else {
          unfinished.add(id);
        }
      }
    }
    for (String id : unfinished) { // now that it is known whose disks stay
      destroy(id);
    }
  }
}
