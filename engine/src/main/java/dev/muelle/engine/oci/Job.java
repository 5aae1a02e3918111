package dev.muelle.engine.oci;

import com.fasterxml.jackson.databind.JsonNode;
import dev.muelle.engine.EngineException;
import dev.muelle.engine.oci.Cgroups.Version;
import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What our own monitor is told to do for a container: {@link Bundle}'s description, as steps. The
 * program is in {@code src/main/native}; each verb is described where it is carried out there. It
 * only decides; nothing is read or written.
 */
final class Job {

  private static final List<String> LIMITS = // by their numbers; see getrlimit(2)
      List.of(
          "CPU",
          "FSIZE",
          "DATA",
          "STACK",
          "CORE",
          "RSS",
          "NPROC",
          "NOFILE",
          "MEMLOCK",
          "AS",
          "LOCKS",
          "SIGPENDING",
          "MSGQUEUE",
          "NICE",
          "RTPRIO",
          "RTTIME");

  /** The parameters that belong to a namespace of a container's; others are the machine's. */
  private static final Set<String> OWN_PARAMETERS =
      Set.of(
          "kernel.msgmax",
          "kernel.msgmnb",
          "kernel.msgmni",
          "kernel.sem",
          "kernel.shmall",
          "kernel.shmmax",
          "kernel.shmmni",
          "kernel.shm_rmid_forced",
          "kernel.domainname");

  /** A character device of every container. */
  private record Device(String name, int major, int minor) {}

  private static final List<Device> DEVICES =
      List.of(
          new Device("null", 1, 3),
          new Device("zero", 1, 5),
          new Device("full", 1, 7),
          new Device("random", 1, 8),
          new Device("urandom", 1, 9),
          new Device("tty", 5, 0));

  /** What every container may do with devices, for the kernel: all nodes made, but few opened. */
  private static final List<String> ALLOWED =
      List.of(
          "c *:* m",
          "b *:* m",
          "c 1:3 rwm",
          "c 1:5 rwm",
          "c 1:7 rwm",
          "c 1:8 rwm",
          "c 1:9 rwm",
          "c 5:0 rwm",
          "c 5:1 rwm",
          "c 5:2 rwm",
          "c 136:* rwm");

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  private Job() {}

  /**
   * What lies outside of the container.
   *
   * @param log where its output is written; null for nowhere
   * @param exit where its exit code is written
   * @param monitor where the monitor's own number is written
   * @param filter the compiled filter of system calls; null for none
   */
  record Outside(@Nullable Path log, Path exit, Path monitor, @Nullable Path filter) {}

  /** Whether our own monitor can start what is described. */
  static boolean fits(JsonNode config, Version version) {
    if (!(version instanceof Version.V1)) {
      return false;
    }
    for (JsonNode mount : config.path("mounts")) {
      if (!MountOptions.plain(texts(mount.path("options")))) {
        return false;
      }
    }
    return true;
  }

  /**
   * Writes it down.
   *
   * @param config what an OCI runtime would be told
   * @param groups of the container
   * @throws EngineException if it asks for what it must not have
   */
  static byte[] of(JsonNode config, Cgroups.Groups groups, Outside outside) {
    Job job = new Job();
    job.outside(outside);
    job.process(config.path("process"));
    job.step("hostname", config.path("hostname").asText());
    job.namespaces(config.path("linux").path("namespaces"));
    job.groups(config.path("linux").path("resources"), groups);
    job.parameters(config.path("linux").path("sysctl"));
    job.files(config, groups);
    return job.bytes.toByteArray();
  }

  private void step(String verb, List<String> arguments) {
    text(verb);
    text(Integer.toString(arguments.size()));
    arguments.forEach(this::text);
  }

  private void step(String verb, String... arguments) {
    step(verb, List.of(arguments));
  }

  private void text(String text) {
    if (text.indexOf('\0') >= 0) {
      throw new EngineException("CannotCreateContainerError: a text has a NUL character");
    }
    bytes.writeBytes(text.getBytes(StandardCharsets.UTF_8));
    bytes.write(0);
  }

  private static List<String> texts(JsonNode array) {
    List<String> texts = new ArrayList<>();
    array.forEach(one -> texts.add(one.asText()));
    return texts;
  }

  private void outside(Outside outside) {
    step("monitor", outside.monitor().toString());
    step("exit", outside.exit().toString());
    if (outside.log() != null) {
      step("log", outside.log().toString());
    }
    if (outside.filter() != null) {
      step("filter", outside.filter().toString());
    }
  }

  private void process(JsonNode process) {
    if (process.path("terminal").asBoolean()) {
      step("terminal");
    }
    List<String> who = new ArrayList<>();
    who.add(process.path("user").path("uid").asText());
    who.add(process.path("user").path("gid").asText());
    who.addAll(texts(process.path("user").path("additionalGids")));
    step("user", who);
    step("command", texts(process.path("args")));
    step("environment", texts(process.path("env")));
    step("directory", process.path("cwd").asText());
    JsonNode sets = process.path("capabilities");
    step("capabilities", bits(sets.path("bounding")), bits(sets.path("effective")));
    for (JsonNode limit : process.path("rlimits")) {
      String name = limit.path("type").asText().substring("RLIMIT_".length());
      step(
          "limit",
          Integer.toString(LIMITS.indexOf(name)),
          limit.path("soft").asText(),
          limit.path("hard").asText());
    }
    if (process.path("noNewPrivileges").asBoolean()) {
      step("nonewprivileges");
    }
  }

  private static String bits(JsonNode capabilities) {
    BigInteger bits = BigInteger.ZERO;
    for (String name : texts(capabilities)) {
      bits = bits.setBit(Capabilities.number(name));
    }
    return bits.toString();
  }

  private void namespaces(JsonNode namespaces) {
    for (JsonNode namespace : namespaces) {
      String type = namespace.path("type").asText();
      if (namespace.has("path")) {
        step("join", type, namespace.path("path").asText());
      } else {
        step("new", type);
      }
    }
  }

  private void groups(JsonNode resources, Cgroups.Groups groups) {
    groups.all().values().forEach(group -> step("group", group.toString()));
    JsonNode memory = resources.path("memory");
    set(groups, "cpu", "cpu.shares", resources.path("cpu").path("shares"));
    set(groups, "pids", "pids.max", resources.path("pids").path("limit"));
    set(groups, "memory", "memory.limit_in_bytes", memory.path("limit"));
    set(groups, "memory", "memory.memsw.limit_in_bytes", memory.path("swap"));
    set(groups, "memory", "memory.swappiness", memory.path("swappiness"));
    set(groups, "memory", "memory.soft_limit_in_bytes", memory.path("reservation"));
    Path devices = groups.all().get("devices");
    JsonNode rules = resources.path("devices");
    if (devices == null || rules.path(0).path("allow").asBoolean()) {
      return; // all are allowed
    }
    step("set", devices.resolve("devices.deny").toString(), "a");
    String allow = devices.resolve("devices.allow").toString();
    ALLOWED.forEach(rule -> step("set", allow, rule));
    for (JsonNode rule : rules) {
      if (rule.path("allow").asBoolean()) {
        step(
            "set",
            allow,
            "%s %d:%d %s"
                .formatted(
                    rule.path("type").asText(),
                    rule.path("major").asInt(),
                    rule.path("minor").asInt(),
                    rule.path("access").asText()));
      }
    }
  }

  private void set(Cgroups.Groups groups, String controller, String file, JsonNode value) {
    Path group = groups.all().get(controller);
    if (group != null && !value.isMissingNode()) {
      step("set", group.resolve(file).toString(), value.asText());
    }
  }

  private void parameters(JsonNode parameters) {
    parameters
        .properties()
        .forEach(parameter -> {
          String name = parameter.getKey();
          boolean own =
              OWN_PARAMETERS.contains(name)
                  || name.startsWith("fs.mqueue.")
                  || name.startsWith("net.");
          if (!own || name.contains("/") || name.contains("..")) {
            throw new EngineException(
                "CannotStartContainerError: Error response from daemon: failed to create task"
                    + " for container: OCI runtime create failed: sysctl \""
                    + name
                    + "\" is not in a separate kernel namespace");
          }
          step("sysctl", name, parameter.getValue().asText());
        });
  }

  private void files(JsonNode config, Cgroups.Groups groups) {
    JsonNode root = config.path("root");
    step("root", root.path("path").asText());
    for (JsonNode mount : config.path("mounts")) {
      mount(mount, groups);
    }
    for (Device device : DEVICES) {
      device("/dev/" + device.name(), 0666, device.major(), device.minor());
    }
    for (JsonNode device : config.path("linux").path("devices")) {
      device(
          device.path("path").asText(),
          device.path("fileMode").asInt(),
          device.path("major").asInt(),
          device.path("minor").asInt());
    }
    step("link", "/proc/self/fd", "/dev/fd");
    step("link", "/proc/self/fd/0", "/dev/stdin");
    step("link", "/proc/self/fd/1", "/dev/stdout");
    step("link", "/proc/self/fd/2", "/dev/stderr");
    step("link", "/proc/kcore", "/dev/core");
    step("link", "pts/ptmx", "/dev/ptmx");
    texts(config.path("linux").path("maskedPaths")).forEach(path -> step("mask", path));
    texts(config.path("linux").path("readonlyPaths")).forEach(path -> step("readonly", path));
    if (root.path("readonly").asBoolean()) {
      step("readonlyroot");
    }
    if (config.path("annotations").path(Bundle.OPEN_INPUT).asBoolean()) {
      step("open");
    }
  }

  private void device(String path, int mode, int major, int minor) {
    step("device", path, Integer.toString(mode), Integer.toString(major), Integer.toString(minor));
  }

  private void mount(JsonNode mount, Cgroups.Groups groups) {
    String target = mount.path("destination").asText();
    String source = mount.path("source").asText();
    MountOptions options = MountOptions.of(texts(mount.path("options")));
    String flags = Long.toString(options.flags());
    switch (mount.path("type").asText()) {
      case "bind" -> step("bind", source, target, flags);
      case "cgroup" -> groupsSeen(target, options.flags(), groups);
      case String type -> step("mount", type, source, target, flags, options.data());
    }
  }

  /** A container sees its own groups, where programs look for them. */
  private void groupsSeen(String target, long flags, Cgroups.Groups groups) {
    long filling = flags & ~MountOptions.READONLY;
    step("mount", "tmpfs", "cgroup", target, Long.toString(filling), "mode=755,size=1024k");
    Map<String, Path> directories = new TreeMap<>();
    groups
        .hierarchies()
        .forEach((controller, hierarchy) -> {
          String name = hierarchy.getFileName().toString();
          if (directories.put(name, groups.in(hierarchy)) == null) {
            step("bind", groups.in(hierarchy).toString(), target + "/" + name, "" + flags);
          }
          if (!name.equals(controller)) { // cpu,cpuacct
            step("link", name, target + "/" + controller);
          }
        });
    step("restrict", target, Long.toString(flags));
  }
}
