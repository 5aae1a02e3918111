package dev.muelle.engine.oci;

import dev.muelle.engine.Engine.Usage;
import dev.muelle.engine.SandboxSpec;
import dev.muelle.linux.LinuxException;
import dev.muelle.linux.MountPoints;
import dev.muelle.linux.Syscalls;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The control groups of this engine: {@code /INSTANCE/SANDBOX/CONTAINER}, in every hierarchy that
 * there is. See cgroups(7); v1 and v2 differ in files and units, and both are here side by side.
 */
final class Cgroups {

  private static final int MOST_PROCESSES = 32_768;
  private static final String PROCESSES = "cgroup.procs";
  private static final String SWAP = "memory.swap.max"; // not there in a kernel without swap

  /** µs; what the kernel gives each new group, so that v1's file of it need not be written. */
  private static final long PERIOD = 100_000;

  /** Of a task, and of each container. */
  static final int MAX_PROCESSES = mostProcesses(Path.of("/proc/sys/kernel/pid_max"));

  private static final int SIGKILL = 9;
  private static final int KILL_ROUNDS = 1000;

  /** How this machine has its control groups mounted. */
  sealed interface Version {

    /** Every controller has its own hierarchy; a v2 mount beside them is another one. */
    record V1(Map<String, Path> hierarchies) implements Version {}

    /** One hierarchy. */
    record V2(Path root) implements Version {}

    /** The v2 hierarchy that is mounted beside v1 ones. */
    default Optional<Path> besideV1() {
      return switch (this) {
        case V1(Map<String, Path> hierarchies) -> Optional.ofNullable(hierarchies.get("unified"));
        case V2(Path root) -> Optional.empty();
      };
    }
  }

  /** A value for a file of the kernel's. */
  record Write(Path file, String value) {}

  private final Version version;
  private final String instance;

  Cgroups(Version version, String instance) {
    this.version = version;
    this.instance = instance;
  }

  /** Reads how they are mounted from the lines of {@code /proc/self/mountinfo}; see proc(5). */
  static Version detect(List<String> mountinfo) {
    Map<String, Path> v1 = new LinkedHashMap<>();
    Path v2 = null; // of several mounts of one hierarchy the first counts
    for (String line : mountinfo) {
      int dash = line.indexOf(" - ");
      if (dash < 0) {
        continue;
      }
      Path target = Path.of(MountPoints.unescape(line.split(" ", -1)[4]));
      String[] right = line.substring(dash + 3).split(" ", -1);
      if (right[0].equals("cgroup2") && v2 == null) {
        v2 = target;
      } else if (right[0].equals("cgroup")) {
        for (String option : right[2].split(",", -1)) {
          if (!option.equals("rw") && !option.equals("ro") && !option.equals("xattr")) {
            v1.putIfAbsent(option, target);
          }
        }
      }
    }
    if (!v1.containsKey("memory") || !v1.containsKey("cpu")) {
      return new Version.V2(v2 == null ? Path.of("/sys/fs/cgroup") : v2);
    }
    if (v2 != null) {
      v1.put("unified", v2);
    }
    return new Version.V1(v1);
  }

  /**
   * How many processes and threads a task may have. A small machine has 32,768 process ids in all
   * (pid_max, proc(5)): a fork bomb must leave the others theirs, so it gets 15 % at most, as a
   * unit of systemd's (DefaultTasksMax, systemd-system.conf(5)).
   */
  static int mostProcesses(Path pidMax) {
    try {
      // Not by Files.readString: it begins with one byte, and such a file says the rest to nobody
      // who does not take it at once.
      long ids = Long.parseLong(Files.readAllLines(pidMax).getFirst().trim());
      return (int) Math.min(MOST_PROCESSES, ids * 15 / 100);
    } catch (IOException e) {
      return MOST_PROCESSES;
    }
  }

  Version version() {
    return version;
  }

  /** The path that the OCI runtime is told. */
  String path(String sandboxId, String containerId) {
    return "/" + instance + "/" + sandboxId + "/" + containerId;
  }

  /** What has to be written first, so that a sandbox's groups have the files for limits at all. */
  List<Write> controllers(String sandboxId) {
    return switch (version) {
      case Version.V1(Map<String, Path> hierarchies) -> List.of();
      case Version.V2(Path root) -> {
        Path mine = root.resolve(instance);
        yield Stream.of(root, mine, mine.resolve(sandboxId))
            .map(group -> new Write(group.resolve("cgroup.subtree_control"), "+cpu +memory +pids"))
            .toList();
      }
    };
  }

  /**
   * What has to be written to give a sandbox, whose groups are there, its limits; in this order.
   */
  List<Write> limits(SandboxSpec spec) {
    List<Write> writes = new ArrayList<>();
    switch (version) {
      case Version.V1(Map<String, Path> hierarchies) -> {
        Path cpu = sandbox(hierarchies, "cpu", spec.id());
        if (spec.cpuLimit() > 0) {
          writes.add(new Write(cpu.resolve("cpu.cfs_quota_us"), "" + quota(spec.cpuLimit())));
          writes.add(new Write(cpu.resolve("cpu.shares"), "" + Math.max(2, spec.cpuLimit())));
        }
        Path memory = sandbox(hierarchies, "memory", spec.id());
        if (spec.memoryLimit() > 0) {
          writes.add(new Write(memory.resolve("memory.limit_in_bytes"), "" + spec.memoryLimit()));
          if (Files.exists(memory.resolve("memory.memsw.limit_in_bytes"))) {
            writes.add(
                new Write(
                    memory.resolve("memory.memsw.limit_in_bytes"),
                    "" + (spec.memoryLimit() + spec.swapLimit())));
          }
        }
        if (hierarchies.containsKey("pids")) {
          writes.add(
              new Write(
                  sandbox(hierarchies, "pids", spec.id()).resolve("pids.max"), "" + MAX_PROCESSES));
        }
      }
      case Version.V2(Path root) -> {
        Path sandbox = root.resolve(instance).resolve(spec.id());
        if (spec.cpuLimit() > 0) {
          writes.add(new Write(sandbox.resolve("cpu.max"), quota(spec.cpuLimit()) + " " + PERIOD));
          writes.add(new Write(sandbox.resolve("cpu.weight"), "" + weight(spec.cpuLimit())));
        }
        if (spec.memoryLimit() > 0) {
          writes.add(new Write(sandbox.resolve("memory.max"), "" + spec.memoryLimit()));
          if (Files.exists(sandbox.resolve(SWAP))) {
            writes.add(new Write(sandbox.resolve(SWAP), "" + spec.swapLimit()));
          }
        }
        writes.add(new Write(sandbox.resolve("pids.max"), "" + MAX_PROCESSES));
      }
    }
    return writes;
  }

  private static long quota(int cpuUnits) {
    return Math.max(1000, cpuUnits * PERIOD / 1024); // less than 1 ms is refused
  }

  /** As the OCI runtimes turn v1's 2…262144 into v2's 1…10000. */
  static long weight(long shares) {
    long bounded = Math.clamp(shares, 2, 262_144);
    return 1 + (bounded - 2) * 9999 / 262_142;
  }

  private Path sandbox(Map<String, Path> hierarchies, String controller, String id) {
    Path root = hierarchies.get(controller);
    if (root == null) {
      throw new IllegalStateException("no cgroup controller " + controller);
    }
    return root.resolve(instance).resolve(id);
  }

  private Set<Path> roots() {
    return switch (version) {
      case Version.V1(Map<String, Path> hierarchies) -> new LinkedHashSet<>(hierarchies.values());
      case Version.V2(Path root) -> Set.of(root);
    };
  }

  /** Makes a sandbox's groups with their limits. */
  void create(SandboxSpec spec) throws IOException {
    switch (version) {
      case Version.V1(Map<String, Path> hierarchies) -> {
        for (String controller : List.of("cpu", "memory", "pids")) {
          if (hierarchies.containsKey(controller)) {
            Files.createDirectories(sandbox(hierarchies, controller, spec.id()));
          }
        }
      }
      case Version.V2(Path root) ->
          Files.createDirectories(root.resolve(instance).resolve(spec.id()));
    }
    apply(controllers(spec.id()));
    apply(limits(spec));
  }

  /** The v1 controllers that limit or count something of a container, or that programs look at. */
  private static final List<String> OF_CONTAINERS =
      List.of("cpu", "cpuacct", "cpuset", "memory", "pids", "devices", "blkio");

  /**
   * A container's groups.
   *
   * @param hierarchies by controller; several may share one
   * @param path of the group in each
   */
  record Groups(Map<String, Path> hierarchies, String path) {

    Path in(Path hierarchy) {
      return hierarchy.resolve(path);
    }

    /** By controller. */
    Map<String, Path> all() {
      Map<String, Path> all = new LinkedHashMap<>();
      hierarchies.forEach((controller, hierarchy) -> all.put(controller, in(hierarchy)));
      return all;
    }
  }

  /** The groups that a container is to be started in. */
  Groups groups(String sandboxId, String containerId) {
    String path = instance + "/" + sandboxId + "/" + containerId;
    return switch (version) {
      case Version.V1(Map<String, Path> hierarchies) -> {
        Map<String, Path> found = new LinkedHashMap<>();
        for (String controller : OF_CONTAINERS) {
          Path hierarchy = hierarchies.get(controller);
          if (hierarchy != null) {
            found.put(controller, hierarchy);
          }
        }
        yield new Groups(found, path);
      }
      case Version.V2(Path root) -> new Groups(Map.of("", root), path);
    };
  }

  /** A container's groups in every hierarchy, there or not. */
  List<Path> allOf(String sandboxId, String containerId) {
    return roots().stream()
        .map(root -> root.resolve(instance).resolve(sandboxId).resolve(containerId))
        .toList();
  }

  /** Makes groups beside those of a sandbox's containers, and gives them. */
  List<Path> make(String sandboxId, String name) throws IOException {
    List<Path> groups = new ArrayList<>();
    for (Path root : version instanceof Version.V1 v1 ? limited(v1) : roots()) {
      groups.add(Files.createDirectories(root.resolve(instance).resolve(sandboxId).resolve(name)));
    }
    return groups;
  }

  private static Set<Path> limited(Version.V1 v1) {
    Set<Path> roots = new LinkedHashSet<>();
    for (String controller : List.of("cpu", "memory", "pids")) {
      if (v1.hierarchies().containsKey(controller)) {
        roots.add(v1.hierarchies().get(controller));
      }
    }
    return roots;
  }

  /** Kills everything in a container's groups. */
  void kill(String sandboxId, String containerId) {
    for (Path root : roots()) {
      processes(root.resolve(instance).resolve(sandboxId).resolve(containerId))
          .forEach(Cgroups::kill);
    }
  }

  private static void apply(List<Write> writes) throws IOException {
    for (Write write : writes) {
      Files.writeString(write.file(), write.value());
    }
  }

  /** The groups that keep conmon processes, so that a service manager does not stop them. */
  List<Path> monitors() throws IOException {
    inheritCpus();
    List<Path> files = new ArrayList<>();
    for (Path root : roots()) {
      Path group = Files.createDirectories(root.resolve(instance).resolve("monitors"));
      if (Files.exists(group.resolve("cpuset.cpus"))) {
        continue; // takes nobody before its cpus are set, and does not tell services apart
      }
      files.add(group.resolve("cgroup.procs"));
    }
    return files;
  }

  /**
   * In v1 a group has no cpus until somebody writes them; the kernel then looks at every process of
   * the machine, for each container. So all groups of ours begin with those of their parents (see
   * <a href="https://docs.kernel.org/admin-guide/cgroup-v1/cpusets.html">cpusets</a>, {@code
   * clone_children}).
   */
  private void inheritCpus() throws IOException {
    if (!(version instanceof Version.V1(Map<String, Path> hierarchies))) {
      return;
    }
    Path root = hierarchies.get("cpuset");
    if (root == null) {
      return;
    }
    Path mine = Files.createDirectories(root.resolve(instance));
    for (String file : List.of("cpuset.cpus", "cpuset.mems")) {
      if (Files.readString(mine.resolve(file)).isBlank()) {
        Files.writeString(mine.resolve(file), Files.readString(root.resolve(file)));
      }
    }
    Files.writeString(mine.resolve("cgroup.clone_children"), "1");
  }

  /** Whether the kernel killed a process of this container at a memory limit. */
  boolean killedForMemory(String sandboxId, String containerId) {
    Path relative = Path.of(instance, sandboxId, containerId);
    return switch (version) {
      case Version.V1(Map<String, Path> hierarchies) -> {
        Path root = hierarchies.get("memory");
        yield root != null
            && value(root.resolve(relative).resolve("memory.oom_control"), "oom_kill") > 0;
      }
      case Version.V2(Path root) ->
          value(root.resolve(relative).resolve("memory.events"), "oom_kill") > 0;
    };
  }

  /** What a container uses; empty if its groups are gone. */
  Optional<Usage> usage(String sandboxId, String containerId) {
    Path relative = Path.of(instance, sandboxId, containerId);
    try {
      return switch (version) {
        case Version.V1(Map<String, Path> hierarchies) -> {
          Path memory = hierarchies.get("memory");
          Path cpu = hierarchies.get("cpuacct");
          Path pids = hierarchies.get("pids");
          if (memory == null || cpu == null) {
            yield Optional.empty();
          }
          Path group = memory.resolve(relative);
          long used = number(group.resolve("memory.usage_in_bytes"));
          long cache = value(group.resolve("memory.stat"), "total_inactive_file");
          yield Optional.of(
              new Usage(
                  number(cpu.resolve(relative).resolve("cpuacct.usage")),
                  Math.max(0, used - cache),
                  number(group.resolve("memory.max_usage_in_bytes")),
                  pids == null
                      ? processes(group).size()
                      : (int) number(pids.resolve(relative).resolve("pids.current"))));
        }
        case Version.V2(Path root) -> {
          Path group = root.resolve(relative);
          long used = number(group.resolve("memory.current"));
          long cache = value(group.resolve("memory.stat"), "inactive_file");
          Path peak = group.resolve("memory.peak"); // since Linux 5.19
          yield Optional.of(
              new Usage(
                  value(group.resolve("cpu.stat"), "usage_usec") * 1000,
                  Math.max(0, used - cache),
                  Files.exists(peak) ? number(peak) : used,
                  (int) number(group.resolve("pids.current"))));
        }
      };
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  private static long number(Path file) throws IOException {
    return Long.parseLong(Files.readString(file).trim());
  }

  private static long value(Path file, String key) {
    try {
      for (String line : Files.readAllLines(file)) {
        if (line.startsWith(key + " ")) {
          return Long.parseLong(line.substring(key.length() + 1).trim());
        }
      }
    } catch (IOException e) {
      return 0; // the group is gone
    }
    return 0;
  }

  /** What a container used, to be read. */
  Counters counters(String sandboxId, String containerId) {
    return new Counters(version, Path.of(instance, sandboxId, containerId), Path.of("/proc"));
  }

  /** Whether the kernel counts swap, so that it can be forbidden. */
  boolean countsSwap() {
    return switch (version) {
      case Version.V1(Map<String, Path> hierarchies) -> {
        Path memory = hierarchies.get("memory");
        yield memory != null && Files.exists(memory.resolve("memory.memsw.limit_in_bytes"));
      }
      case Version.V2(Path root) -> Files.exists(root.resolve(instance).resolve(SWAP));
    };
  }

  /** Kills everything in a container's groups and removes them. */
  void remove(String sandboxId, String containerId) throws IOException {
    remove(Path.of(instance, sandboxId, containerId));
  }

  /** Kills everything in a sandbox's groups and removes them. */
  void remove(String sandboxId) throws IOException {
    remove(Path.of(instance, sandboxId));
  }

  /** Kills everything in all groups of this instance, and removes them. */
  void removeAll() throws IOException {
    remove(Path.of(instance));
  }

  private void remove(Path relative) throws IOException {
    List<Path> tops = roots().stream().map(root -> root.resolve(relative)).toList();
    if (removeEmpty(tops)) {
      return; // as usual: whoever was in them has ended
    }
    List<Path> groups = new ArrayList<>();
    for (Path top : tops) {
      groups.addAll(below(top));
    }
    for (int round = 0; round < KILL_ROUNDS; round++) {
      boolean empty = true;
      for (Path group : groups) {
        for (int pid : processes(group)) {
          empty = false;
          kill(pid);
        }
      }
      if (empty && removeEmpty(groups)) {
        return;
      }
      Waits.briefly();
    }
    throw new IOException("processes in " + relative + " do not die");
  }

  private static boolean removeEmpty(Collection<Path> groups) throws IOException {
    boolean all = true;
    for (Path group : groups) {
      try {
        Files.deleteIfExists(group);
      } catch (FileSystemException e) {
        all = false; // busy: the last process is not quite gone
      }
    }
    return all;
  }

  /**
   * A group and all below it, the deepest first. A group has dozens of files, so they are looked at
   * only if its links, two and one for each group below, say that there is one.
   */
  private static List<Path> below(Path group) throws IOException {
    List<Path> found = new ArrayList<>();
    try {
      if (Files.getAttribute(group, "unix:nlink").equals(2)) {
        return List.of(group);
      }
    } catch (NoSuchFileException e) {
      return found;
    }
    try (Stream<Path> children = Files.list(group)) {
      for (Path child : children.filter(Files::isDirectory).toList()) {
        found.addAll(below(child));
      }
      found.add(group);
    } catch (NoSuchFileException e) {
      // nothing to remove
    }
    return found;
  }

  private static List<Integer> processes(Path group) {
    try {
      return Files.readAllLines(group.resolve(PROCESSES)).stream().map(Integer::valueOf).toList();
    } catch (IOException e) {
      return List.of(); // removed, perhaps while we read
    }
  }

  private static void kill(int pid) {
    if (pid <= 1 || pid == ProcessHandle.current().pid()) {
      return;
    }
    try {
      Syscalls.kill(pid, SIGKILL);
    } catch (LinuxException e) {
      // It is gone already.
    }
  }
}
