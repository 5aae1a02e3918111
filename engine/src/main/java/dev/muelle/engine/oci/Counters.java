package dev.muelle.engine.oci;

import dev.muelle.engine.Statistics;
import dev.muelle.engine.Statistics.Cpu;
import dev.muelle.engine.Statistics.Device;
import dev.muelle.engine.Statistics.Memory;
import dev.muelle.engine.Statistics.Traffic;
import dev.muelle.engine.oci.Cgroups.Version;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Reads what a container used from its control groups and its network namespace: cgroups(7), and
 * the kernel's {@code Documentation/admin-guide/cgroup-v1} and {@code cgroup-v2.rst}.
 *
 * @param group of the container, relative to a hierarchy
 * @param proc where the process file system is mounted
 */
record Counters(Version version, Path group, Path proc) {

  private static final long TICK =
      10_000_000; // ns; USER_HZ is 100 on every Linux that Java runs on
  private static final long MICRO = 1000; // ns
  private static final int CPU_FIELDS = 8; // user to steal; guest is part of user

  /** Of a container whose first process this is. */
  Statistics read(int pid, Instant now) throws IOException {
    return switch (version) {
      case Version.V1(Map<String, Path> hierarchies) -> v1(hierarchies, pid, now);
      case Version.V2(Path root) -> v2(root.resolve(group), pid, now);
    };
  }

  private Statistics v1(Map<String, Path> hierarchies, int pid, Instant now) throws IOException {
    Path memory = at(hierarchies, "memory");
    Path account = at(hierarchies, "cpuacct");
    Map<String, Long> times = values(account.resolve("cpuacct.stat"));
    Map<String, Long> throttling = values(at(hierarchies, "cpu").resolve("cpu.stat"));
    Map<String, Long> details = values(memory.resolve("memory.stat"));
    List<Long> perCpu =
        Stream.of(Files.readString(account.resolve("cpuacct.usage_percpu")).trim().split(" ", -1))
            .map(Long::valueOf)
            .toList();
    Cpu cpu =
        new Cpu(
            number(account.resolve("cpuacct.usage")),
            times.getOrDefault("user", 0L) * TICK,
            times.getOrDefault("system", 0L) * TICK,
            perCpu,
            system(),
            Runtime.getRuntime().availableProcessors(),
            throttling.getOrDefault("nr_periods", 0L),
            throttling.getOrDefault("nr_throttled", 0L),
            throttling.getOrDefault("throttled_time", 0L));
    long limit =
        Math.min(
            machineMemory(), details.getOrDefault("hierarchical_memory_limit", Long.MAX_VALUE));
    Map<String, Device> devices = new TreeMap<>();
    Path io = hierarchies.get("blkio");
    if (io != null) {
      Path own = io.resolve(group);
      operations(own.resolve("blkio.throttle.io_service_bytes_recursive"), devices, true);
      operations(own.resolve("blkio.throttle.io_serviced_recursive"), devices, false);
    }
    Path processes = hierarchies.get("pids");
    return new Statistics(
        now,
        cpu,
        new Memory(
            number(memory.resolve("memory.usage_in_bytes")),
            number(memory.resolve("memory.max_usage_in_bytes")),
            limit,
            details),
        processes == null
            ? Files.readAllLines(memory.resolve("cgroup.procs")).size()
            : (int) number(processes.resolve(group).resolve("pids.current")),
        List.copyOf(devices.values()),
        networks(pid));
  }

  private Path at(Map<String, Path> hierarchies, String controller) throws IOException {
    Path root = hierarchies.get(controller);
    if (root == null) {
      throw new NoSuchFileException("the cgroup controller " + controller);
    }
    return root.resolve(group);
  }

  private Statistics v2(Path own, int pid, Instant now) throws IOException {
    Map<String, Long> times = values(own.resolve("cpu.stat"));
    Cpu cpu =
        new Cpu(
            times.getOrDefault("usage_usec", 0L) * MICRO,
            times.getOrDefault("user_usec", 0L) * MICRO,
            times.getOrDefault("system_usec", 0L) * MICRO,
            List.of(),
            system(),
            Runtime.getRuntime().availableProcessors(),
            times.getOrDefault("nr_periods", 0L),
            times.getOrDefault("nr_throttled", 0L),
            times.getOrDefault("throttled_usec", 0L) * MICRO);
    long used = number(own.resolve("memory.current"));
    Path peak = own.resolve("memory.peak"); // since Linux 5.19
    long limit =
        Stream.of(own, own.resolve(".."))
            .map(one -> maximum(one.resolve("memory.max")))
            .reduce(machineMemory(), Math::min);
    return new Statistics(
        now,
        cpu,
        new Memory(
            used,
            Files.exists(peak) ? number(peak) : used,
            limit,
            values(own.resolve("memory.stat"))),
        (int) number(own.resolve("pids.current")),
        devices(own.resolve("io.stat")),
        networks(pid));
  }

  private static long maximum(Path file) {
    try {
      String text = Files.readString(file).trim();
      return text.equals("max") ? Long.MAX_VALUE : Long.parseLong(text);
    } catch (IOException e) {
      return Long.MAX_VALUE; // not limited here
    }
  }

  /** Lines of v2: {@code 8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6}. */
  private static List<Device> devices(Path file) throws IOException {
    if (!Files.exists(file)) {
      return List.of(); // the controller is not switched on
    }
    return Files.readAllLines(file).stream()
        .map(line -> line.split("[ :]", -1))
        .filter(words -> words.length > 2)
        .map(words -> {
          Map<String, Long> counts = new LinkedHashMap<>();
          for (int i = 2; i < words.length; i++) {
            int equals = words[i].indexOf('=');
            if (equals > 0) {
              counts.put(
                  words[i].substring(0, equals), Long.valueOf(words[i].substring(equals + 1)));
            }
          }
          return new Device(
              Integer.parseInt(words[0]),
              Integer.parseInt(words[1]),
              counts.getOrDefault("rbytes", 0L),
              counts.getOrDefault("wbytes", 0L),
              counts.getOrDefault("rios", 0L),
              counts.getOrDefault("wios", 0L));
        })
        .toList();
  }

  /** Lines of v1: {@code 8:0 Read 4096}; the totals at the end have no device. */
  private static void operations(Path file, Map<String, Device> devices, boolean bytes)
      throws IOException {
    if (!Files.exists(file)) {
      return;
    }
    for (String line : Files.readAllLines(file)) {
      String[] words = line.split("[ :]", -1);
      if (words.length != 4) {
        continue;
      }
      String key = words[0] + ":" + words[1];
      Device before =
          devices.getOrDefault(
              key, new Device(Integer.parseInt(words[0]), Integer.parseInt(words[1]), 0, 0, 0, 0));
      long value = Long.parseLong(words[3]);
      boolean read = words[2].equals("Read");
      if (read || words[2].equals("Write")) {
        devices.put(
            key,
            new Device(
                before.major(),
                before.minor(),
                bytes && read ? value : before.readBytes(),
                bytes && !read ? value : before.writtenBytes(),
                !bytes && read ? value : before.reads(),
                !bytes && !read ? value : before.writes()));
      }
    }
  }

  /** See proc_pid_net(5). */
  private Map<String, Traffic> networks(int pid) throws IOException {
    Map<String, Traffic> found = new TreeMap<>();
    for (String line : Files.readAllLines(proc.resolve(pid + "/net/dev"))) {
      int colon = line.indexOf(':');
      if (colon < 0 || line.substring(0, colon).trim().equals("lo")) {
        continue;
      }
      long[] n =
          Stream.of(line.substring(colon + 1).trim().split("\\s+", -1))
              .mapToLong(Long::parseLong)
              .toArray();
      found.put(
          line.substring(0, colon).trim(),
          new Traffic(n[0], n[1], n[2], n[3], n[8], n[9], n[10], n[11]));
    }
    return found;
  }

  /** The first line of proc_stat(5). */
  private long system() throws IOException {
    try (Stream<String> lines = Files.lines(proc.resolve("stat"))) {
      String[] words = lines.findFirst().orElse("").trim().split("\\s+", -1);
      return Stream.of(words).skip(1).limit(CPU_FIELDS).mapToLong(Long::parseLong).sum() * TICK;
    }
  }

  private long machineMemory() {
    try {
      for (String line : Files.readAllLines(proc.resolve("meminfo"))) {
        if (line.startsWith("MemTotal:")) {
          return Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024;
        }
      }
    } catch (IOException e) {
      return Long.MAX_VALUE; // unknown
    }
    return Long.MAX_VALUE;
  }

  private static long number(Path file) throws IOException {
    return Long.parseLong(Files.readString(file).trim());
  }

  private static Map<String, Long> values(Path file) throws IOException {
    Map<String, Long> values = new LinkedHashMap<>();
    for (String line : Files.readAllLines(file)) {
      int space = line.indexOf(' ');
      if (space > 0) {
        values.put(
            line.substring(0, space), Long.parseUnsignedLong(line.substring(space + 1).trim()));
      }
    }
    return values;
  }
}
