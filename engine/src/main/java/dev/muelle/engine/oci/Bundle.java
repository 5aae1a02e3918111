package dev.muelle.engine.oci;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.engine.ContainerSpec;
import dev.muelle.engine.ContainerSpec.Console;
import dev.muelle.engine.ContainerSpec.Ulimit;
import dev.muelle.engine.EngineException;
import dev.muelle.engine.SandboxSpec;
import dev.muelle.engine.oci.image.ImageConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What an OCI runtime is told of a container ({@code config.json}), with Docker's defaults. See <a
 * href="https://github.com/opencontainers/runtime-spec/blob/main/config.md">the runtime
 * specification</a>. It only decides; nothing is read or written.
 *
 * @param network path of the network namespace; null for one of its own with loopback only
 * @param shared what it shares with other containers
 * @param rootfs where the root filesystem is mounted
 * @param files the directory of hosts, hostname, resolv.conf
 * @param init program that runs as pid 1; null for none
 * @param swapAccounting whether the kernel counts swap
 * @param openFiles limit on open files where the container names none
 * @param capabilities with their prefix {@code CAP_}
 * @param bound directories of the machine that are mounted into the container
 * @param devices beside those that every container has
 */
record Bundle(
    SandboxSpec sandbox,
    ContainerSpec container,
    ImageConfig image,
    Users user,
    @Nullable Path network,
    Shared shared,
    Path rootfs,
    Path files,
    @Nullable Path init,
    String cgroupPath,
    boolean cgroupNamespace,
    boolean swapAccounting,
    int openFiles,
    Set<String> capabilities,
    ObjectNode seccomp,
    List<Bound> bound,
    List<Devices.Node> devices) {

  static final String OPEN_INPUT = "dev.muelle.input";
  static final long SHARED_MEMORY = 64 << 20;

  /**
   * Paths of what a container shares with others; null each for what it has alone.
   *
   * @param processes a namespace
   * @param ipc a namespace
   * @param memory what is at {@code /dev/shm}
   */
  record Shared(@Nullable Path processes, @Nullable Path ipc, @Nullable Path memory) {

    static final Shared NOTHING = new Shared(null, null, null);
  }

  /** A directory of the machine, and where the container sees it. */
  record Bound(Path source, String target, boolean readonly) {}

  private static final List<String> MASKED =
      List.of(
          "/proc/asound",
          "/proc/acpi",
          "/proc/interrupts",
          "/proc/kcore",
          "/proc/keys",
          "/proc/latency_stats",
          "/proc/timer_list",
          "/proc/timer_stats",
          "/proc/sched_debug",
          "/proc/scsi",
          "/sys/firmware",
          "/sys/devices/virtual/powercap");

  private static final List<String> READONLY =
      List.of("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger");

  private static final Set<String> ULIMITS =
      Set.of(
          "core",
          "cpu",
          "data",
          "fsize",
          "locks",
          "memlock",
          "msgqueue",
          "nice",
          "nofile",
          "nproc",
          "rss",
          "rtprio",
          "rttime",
          "sigpending",
          "stack");

  private static final String PATH =
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  private static final String INIT = "/sbin/docker-init";
  private static final int MIN_SHARES = 2;

  ObjectNode config() {
    ObjectNode config = JsonNodeFactory.instance.objectNode();
    config.put("ociVersion", "1.0.2");
    process(config.putObject("process"));
    config
        .putObject("root")
        .put("path", rootfs.toString())
        .put("readonly", container.readonlyRoot());
    config.put("hostname", hostname());
    if (container.console().open()) {
      config.putObject("annotations").put(OPEN_INPUT, "true"); // nobody else needs to know
    }
    mounts(config.putArray("mounts"));
    linux(config.putObject("linux"));
    return config;
  }

  private String hostname() {
    return container.names() == null ? sandbox.hostname() : container.names().hostname();
  }

  /** What a container that was described like this has as its console. */
  static Console console(JsonNode config) {
    return new Console(
        config.path("process").path("terminal").asBoolean(),
        config.path("annotations").path(OPEN_INPUT).asBoolean());
  }

  String workingDirectory() {
    String override = container.workingDirectory();
    String directory = override == null ? image.workingDirectory() : override;
    if (directory.isEmpty()) {
      return "/";
    }
    return directory.startsWith("/") ? directory : "/" + directory;
  }

  private List<String> arguments() {
    List<String> arguments = new ArrayList<>();
    List<String> entryPoint = container.entryPoint();
    List<String> command = container.command();
    arguments.addAll(entryPoint == null ? image.entryPoint() : entryPoint);
    if (command != null) {
      arguments.addAll(command);
    } else if (entryPoint == null) {
      arguments.addAll(image.command());
    }
    if (arguments.isEmpty()) {
      throw new EngineException(
          "CannotCreateContainerError: Error response from daemon: no command specified");
    }
    if (init != null) {
      arguments.addAll(0, List.of(INIT, "--"));
    }
    return arguments;
  }

  private List<String> environment() {
    Map<String, String> variables = new LinkedHashMap<>();
    List<String> all = new ArrayList<>();
    all.add(PATH);
    all.add("HOSTNAME=" + hostname());
    all.addAll(image.environment());
    for (String variable : all) {
      int equals = variable.indexOf('=');
      if (equals > 0) {
        variables.put(variable.substring(0, equals), variable.substring(equals + 1));
      }
    }
    variables.putAll(container.environment());
    variables.putIfAbsent("HOME", user.home());
    if (container.console().terminal()) {
      variables.putIfAbsent("TERM", "xterm"); // as Docker
    }
    return variables.entrySet().stream().map(one -> one.getKey() + "=" + one.getValue()).toList();
  }

  private void process(ObjectNode process) {
    process.put("terminal", container.console().terminal());
    ObjectNode who = process.putObject("user").put("uid", user.uid()).put("gid", user.gid());
    ArrayNode groups = who.putArray("additionalGids");
    user.groups().forEach(groups::add);
    strings(process.putArray("args"), arguments());
    strings(process.putArray("env"), environment());
    process.put("cwd", workingDirectory());
    ObjectNode sets = process.putObject("capabilities");
    List<String> sorted = capabilities.stream().sorted().toList();
    strings(sets.putArray("bounding"), sorted);
    if (user.uid() == 0) {
      strings(sets.putArray("effective"), sorted);
      strings(sets.putArray("permitted"), sorted);
    }
    ArrayNode limits = process.putArray("rlimits");
    boolean files = false;
    for (Ulimit limit : container.ulimits()) {
      if (!ULIMITS.contains(limit.name())) {
        throw new EngineException(
            "CannotCreateContainerError: invalid ulimit type: " + limit.name());
      }
      files |= limit.name().equals("nofile");
      limit(limits, limit);
    }
    if (!files) {
      limit(limits, new Ulimit("nofile", openFiles, openFiles));
    }
    process.put("noNewPrivileges", container.isolation().noNewPrivileges());
  }

  private static void limit(ArrayNode limits, Ulimit limit) {
    limits
        .addObject()
        .put("type", "RLIMIT_" + limit.name().toUpperCase(Locale.ROOT))
        .put("soft", unlimited(limit.soft()))
        .put("hard", unlimited(limit.hard()));
  }

  private static java.math.BigInteger unlimited(long value) {
    return value < 0
        ? java.math.BigInteger.ONE.shiftLeft(64).subtract(java.math.BigInteger.ONE)
        : java.math.BigInteger.valueOf(value);
  }

  private void mounts(ArrayNode mounts) {
    mount(mounts, "/proc", "proc", "proc", "nosuid", "noexec", "nodev");
    mount(mounts, "/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k");
    mount(
        mounts,
        "/dev/pts",
        "devpts",
        "devpts",
        "nosuid",
        "noexec",
        "newinstance",
        "ptmxmode=0666",
        "mode=0620",
        "gid=5");
    mount(mounts, "/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", writable());
    mount(
        mounts,
        "/sys/fs/cgroup",
        "cgroup",
        "cgroup",
        writable(),
        "nosuid",
        "noexec",
        "nodev",
        "relatime");
    mount(mounts, "/dev/mqueue", "mqueue", "mqueue", "nosuid", "noexec", "nodev");
    sharedMemory(mounts);
    for (String file : List.of("resolv.conf", "hostname", "hosts")) {
      mount(mounts, "/etc/" + file, "bind", files.resolve(file).toString(), "rbind", "rprivate");
    }
    if (init != null) {
      mount(mounts, INIT, "bind", init.toString(), "rbind", "rprivate", "ro");
    }
    for (ContainerSpec.Mount one : container.isolation().mounts()) {
      if (one.source() instanceof ContainerSpec.Source.Memory memory) {
        List<String> options = new ArrayList<>(List.of("nosuid", "nodev"));
        options.addAll(memory.options());
        options.add("size=" + memory.size());
        options.add(one.readonly() ? "ro" : "rw");
        mount(mounts, one.target(), "tmpfs", "tmpfs", options.toArray(String[]::new));
      }
    }
    for (Bound one : bound) {
      mount(
          mounts,
          one.target(),
          "bind",
          one.source().toString(),
          "rbind",
          "rprivate",
          one.readonly() ? "ro" : "rw");
    }
  }

  private void sharedMemory(ArrayNode mounts) {
    long size = container.isolation().sharedMemory();
    Path memory = shared.memory();
    if (memory != null) {
      mount(
          mounts,
          "/dev/shm",
          "bind",
          memory.toString(),
          "bind",
          "rprivate",
          "nosuid",
          "noexec",
          "nodev");
    } else if (size >= 0) {
      mount(
          mounts,
          "/dev/shm",
          "tmpfs",
          "shm",
          "nosuid",
          "noexec",
          "nodev",
          "mode=1777",
          "size=" + (size == 0 ? SHARED_MEMORY : size));
    }
  }

  /** What the kernel shows of itself can be changed by a privileged container only. */
  private String writable() {
    return container.isolation().privileged() ? "rw" : "ro";
  }

  private static void mount(
      ArrayNode mounts, String target, String type, String source, String... options) {
    ObjectNode mount =
        mounts.addObject().put("destination", target).put("type", type).put("source", source);
    strings(mount.putArray("options"), List.of(options));
  }

  private void linux(ObjectNode linux) {
    ArrayNode namespaces = linux.putArray("namespaces");
    for (String type : List.of("mount", "uts")) {
      namespace(namespaces, type, null);
    }
    namespace(namespaces, "ipc", shared.ipc());
    namespace(namespaces, "pid", shared.processes());
    namespace(namespaces, "network", network);
    if (cgroupNamespace) {
      namespaces.addObject().put("type", "cgroup");
    }
    linux.put("cgroupsPath", cgroupPath);
    if (!container.isolation().sysctls().isEmpty()) {
      ObjectNode sysctl = linux.putObject("sysctl");
      container.isolation().sysctls().forEach(sysctl::put);
    }
    ObjectNode resources = linux.putObject("resources");
    ArrayNode allowed = resources.putArray("devices");
    allowed.addObject().put("allow", container.isolation().privileged()).put("access", "rwm");
    devices.forEach(device -> device.describe(linux, allowed));
    resources.putObject("cpu").put("shares", Math.max(MIN_SHARES, container.cpuShares()));
    resources.putObject("pids").put("limit", Cgroups.MAX_PROCESSES);
    ObjectNode memory = resources.putObject("memory");
    if (container.memoryLimit() > 0) {
      memory.put("limit", container.memoryLimit());
      if (swapAccounting) {
        // Together with memory.
        memory.put("swap", container.memoryLimit() + container.isolation().swap());
      }
    }
    if (container.isolation().swappiness() != null) {
      memory.put("swappiness", container.isolation().swappiness());
    }
    if (container.memoryReservation() > 0) {
      memory.put("reservation", container.memoryReservation());
    }
    linux.set("seccomp", seccomp);
    if (!container.isolation().privileged()) {
      strings(linux.putArray("maskedPaths"), MASKED);
      strings(linux.putArray("readonlyPaths"), READONLY);
    }
  }

  private static void namespace(ArrayNode namespaces, String type, @Nullable Path path) {
    ObjectNode namespace = namespaces.addObject().put("type", type);
    if (path != null) {
      namespace.put("path", path.toString());
    }
  }

  private static void strings(ArrayNode array, List<String> values) {
    values.forEach(array::add);
  }
}
