package dev.muelle.engine.oci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.engine.Engine.Usage;
import dev.muelle.engine.SandboxSpec;
import dev.muelle.engine.oci.Cgroups.Version;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Both versions of control groups, whichever this machine has, over directories like the kernel's.
 */
class CgroupsTest {

  private static final long MIB = 1L << 20;

  @TempDir Path dir;

  private static SandboxSpec sandbox(int cpu, long memory) {
    return new SandboxSpec("s", null, "h", null, List.of(), List.of(), cpu, memory, 0, Map.of());
  }

  private Version.V1 v1() throws IOException {
    Map<String, Path> hierarchies = new LinkedHashMap<>();
    for (String controller : List.of("cpu", "cpuacct", "memory", "pids")) {
      hierarchies.put(controller, Files.createDirectories(dir.resolve(controller)));
    }
    return new Version.V1(hierarchies);
  }

  private Path file(String name, String... lines) throws IOException {
    Path file = dir.resolve(name);
    Files.createDirectories(file.getParent());
    return Files.write(file, List.of(lines));
  }

  private Map<String, String> written() throws IOException {
    Map<String, String> written = new LinkedHashMap<>();
    try (var files = Files.walk(dir)) {
      for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
        written.put(dir.relativize(file).toString(), Files.readString(file).trim());
      }
    }
    return written;
  }

  // --- which version

  private static Version detect(String lines) {
    return Cgroups.detect(lines.lines().toList());
  }

  @Test
  void pureV2() {
    assertEquals(
        new Version.V2(Path.of("/sys/fs/cgroup")),
        detect(
            """
            22 28 0:20 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
            28 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
            30 22 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot
            """));
  }

  @Test
  void pureV1() {
    assertEquals(
        new Version.V1(
            Map.of(
                "name=systemd", Path.of("/sys/fs/cgroup/systemd"),
                "cpu", Path.of("/sys/fs/cgroup/cpu,cpuacct"),
                "cpuacct", Path.of("/sys/fs/cgroup/cpu,cpuacct"),
                "memory", Path.of("/sys/fs/cgroup/memory"),
                "pids", Path.of("/sys/fs/cgroup/pids"))),
        detect(
            """
            25 18 0:21 / /sys/fs/cgroup ro,nosuid,nodev,noexec shared:9 - tmpfs tmpfs ro,mode=755
            26 25 0:22 / /sys/fs/cgroup/systemd rw,nosuid shared:10 - cgroup cgroup rw,xattr,name=systemd
            30 25 0:26 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:14 - cgroup cgroup rw,cpu,cpuacct
            31 25 0:27 / /sys/fs/cgroup/memory rw,nosuid shared:15 - cgroup cgroup rw,memory
            32 25 0:28 / /sys/fs/cgroup/pids rw,nosuid shared:16 - cgroup cgroup rw,pids
            """));
  }

  /** systemd mounts the v2 hierarchy first. */
  @Test
  void hybridWhateverStandsFirst() {
    String v2 =
        "26 25 0:22 / /sys/fs/cgroup/unified rw,nosuid shared:10 - cgroup2 cgroup2 rw,nsdelegate\n";
    String v1 =
        """
        30 25 0:26 / /sys/fs/cgroup/cpu rw,nosuid shared:14 - cgroup cgroup rw,cpu
        31 25 0:27 / /sys/fs/cgroup/memory rw,nosuid shared:15 - cgroup cgroup rw,memory
        """;
    Version both =
        new Version.V1(
            Map.of(
                "cpu", Path.of("/sys/fs/cgroup/cpu"),
                "memory", Path.of("/sys/fs/cgroup/memory"),
                "unified", Path.of("/sys/fs/cgroup/unified")));
    assertEquals(both, detect(v2 + v1));
    assertEquals(both, detect(v1 + v2));
  }

  /** A v1 hierarchy without controllers beside v2 does not make a v1 machine. */
  @Test
  void aNamedHierarchyAloneIsNotV1() {
    assertEquals(
        new Version.V2(Path.of("/sys/fs/cgroup")),
        detect(
            """
            30 22 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw
            31 30 0:27 / /sys/fs/cgroup/systemd rw,nosuid shared:10 - cgroup cgroup rw,name=systemd
            """));
  }

  @Test
  void insideAContainer() {
    assertEquals(
        new Version.V2(Path.of("/sys/fs/cgroup")),
        detect(
            """
            1043 1030 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime - cgroup2 cgroup rw
            1099 1030 0:26 /../.. /mnt/all\\040of\\040it rw,relatime - cgroup2 cgroup rw
            """));
    assertEquals(
        new Version.V1(
            Map.of(
                "cpu", Path.of("/sys/fs/cgroup/cpu"), "memory", Path.of("/sys/fs/cgroup/memory"))),
        detect(
            """
            640 639 0:70 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime - tmpfs tmpfs rw,mode=755
            642 640 0:26 /docker/2b1f /sys/fs/cgroup/cpu ro,nosuid master:14 - cgroup cgroup rw,cpu
            643 640 0:27 /docker/2b1f /sys/fs/cgroup/memory ro,nosuid master:15 - cgroup cgroup rw,memory
            700 640 0:27 / /host/memory rw,nosuid - cgroup cgroup rw,memory
            """));
  }

  // --- what is written

  @Test
  void sharesBecomeWeightsAsTheRuntimesDoIt() {
    Map<Long, Long> table =
        Map.of(
            0L, 1L, 2L, 1L, 128L, 5L, 256L, 10L, 512L, 20L, 1024L, 39L, 262_144L, 10_000L, 999_999L,
            10_000L);
    table.forEach((shares, weight) -> assertEquals(weight, Cgroups.weight(shares), "" + shares));
  }

  @Test
  void v1GetsQuotaSharesMemoryAndPids() throws IOException {
    Cgroups cgroups = new Cgroups(v1(), "i");
    cgroups.create(sandbox(512, 256 * MIB));
    assertEquals(
        Map.of(
            "cpu/i/s/cpu.cfs_quota_us",
            "50000",
            "cpu/i/s/cpu.shares",
            "512",
            "memory/i/s/memory.limit_in_bytes",
            "" + 256 * MIB,
            "pids/i/s/pids.max",
            "" + Cgroups.MAX_PROCESSES),
        written());
    assertFalse(cgroups.countsSwap());
  }

  @Test
  void v1ForbidsSwapWhereItIsCounted() throws IOException {
    file("memory/memory.memsw.limit_in_bytes", "9223372036854771712");
    file("memory/i/s/memory.memsw.limit_in_bytes", "9223372036854771712");
    Cgroups cgroups = new Cgroups(v1(), "i");
    assertTrue(cgroups.countsSwap());
    List<String> order =
        cgroups.limits(sandbox(0, 256 * MIB)).stream()
            .map(write -> write.file().getFileName().toString() + "=" + write.value())
            .toList();
    // Memory first: together with swap it may never be less than alone.
    assertEquals(
        List.of(
            "memory.limit_in_bytes=" + 256 * MIB,
            "memory.memsw.limit_in_bytes=" + 256 * MIB,
            "pids.max=" + Cgroups.MAX_PROCESSES),
        order);
  }

  @Test
  void v2GetsQuotaWeightMemoryAndPids() throws IOException {
    Cgroups cgroups = new Cgroups(new Version.V2(dir), "i");
    cgroups.create(sandbox(1024, 512 * MIB));
    assertEquals(
        Map.of(
            "cgroup.subtree_control", "+cpu +memory +pids",
            "i/cgroup.subtree_control", "+cpu +memory +pids",
            "i/s/cgroup.subtree_control", "+cpu +memory +pids",
            "i/s/cpu.max", "100000 100000",
            "i/s/cpu.weight", "39",
            "i/s/memory.max", "" + 512 * MIB,
            "i/s/pids.max", "" + Cgroups.MAX_PROCESSES),
        written());
    assertFalse(cgroups.countsSwap());
  }

  @Test
  void v2ForbidsSwapWhereItIsCounted() throws IOException {
    file("i/memory.swap.max", "max");
    file("i/s/memory.swap.max", "max");
    Cgroups cgroups = new Cgroups(new Version.V2(dir), "i");
    cgroups.create(sandbox(0, 512 * MIB));
    assertEquals("0", written().get("i/s/memory.swap.max"));
    assertTrue(cgroups.countsSwap());
  }

  @Test
  void aTaskLeavesTheMachineMostOfItsProcessIds() throws IOException {
    assertEquals(4_915, Cgroups.mostProcesses(file("small", "32768")));
    assertEquals(32_768, Cgroups.mostProcesses(file("large", "4194304")));
    assertEquals(32_768, Cgroups.mostProcesses(dir.resolve("none")));
    assertTrue(Cgroups.MAX_PROCESSES > 1_000, "this machine's");
  }

  @Test
  void whatIsUnlimitedIsNotWritten() throws IOException {
    new Cgroups(new Version.V2(dir.resolve("2")), "i").create(sandbox(0, 0));
    new Cgroups(v1(), "i").create(sandbox(0, 0));
    List<String> limits =
        written().keySet().stream().filter(name -> !name.endsWith("subtree_control")).toList();
    assertEquals(List.of("2/i/s/pids.max", "pids/i/s/pids.max"), limits);
  }

  @Test
  void aQuotaIsNeverLessThanTheKernelTakes() {
    assertEquals(
        "1000 100000",
        new Cgroups(new Version.V2(dir), "i").limits(sandbox(2, 0)).getFirst().value());
  }

  // --- what is read

  @Test
  void v1TellsWhatWasKilledForMemory() throws IOException {
    Cgroups cgroups = new Cgroups(v1(), "i");
    assertFalse(cgroups.killedForMemory("s", "c"));
    file("memory/i/s/c/memory.oom_control", "oom_kill_disable 0", "under_oom 0", "oom_kill 0");
    assertFalse(cgroups.killedForMemory("s", "c"));
    file("memory/i/s/c/memory.oom_control", "oom_kill_disable 0", "under_oom 0", "oom_kill 2");
    assertTrue(cgroups.killedForMemory("s", "c"));
  }

  @Test
  void v2TellsWhatWasKilledForMemory() throws IOException {
    Cgroups cgroups = new Cgroups(new Version.V2(dir), "i");
    assertFalse(cgroups.killedForMemory("s", "c"));
    file("i/s/c/memory.events", "low 0", "high 0", "max 9", "oom 3", "oom_kill 0");
    assertFalse(cgroups.killedForMemory("s", "c"), "at its limit, but nobody was killed");
    file("i/s/c/memory.events", "max 9", "oom 3", "oom_kill 0", "oom_group_kill 1");
    assertFalse(cgroups.killedForMemory("s", "c"));
    file("i/s/c/memory.events", "low 0", "high 0", "max 9", "oom 1", "oom_kill 1");
    assertTrue(cgroups.killedForMemory("s", "c"));
  }

  @Test
  void v1TellsWhatIsUsed() throws IOException {
    Cgroups cgroups = new Cgroups(v1(), "i");
    assertEquals(Optional.empty(), cgroups.usage("s", "c"));
    file("cpuacct/i/s/c/cpuacct.usage", "1234567890");
    file("memory/i/s/c/memory.usage_in_bytes", "9000");
    file("memory/i/s/c/memory.max_usage_in_bytes", "12000");
    file("memory/i/s/c/memory.stat", "inactive_file 1", "total_inactive_file 4000");
    file("pids/i/s/c/pids.current", "7");
    assertEquals(Optional.of(new Usage(1234567890, 5000, 12000, 7)), cgroups.usage("s", "c"));
  }

  @Test
  void v2TellsWhatIsUsed() throws IOException {
    Cgroups cgroups = new Cgroups(new Version.V2(dir), "i");
    assertEquals(Optional.empty(), cgroups.usage("s", "c"));
    file("i/s/c/cpu.stat", "usage_usec 1234", "user_usec 1000", "system_usec 234");
    file("i/s/c/memory.current", "9000");
    file("i/s/c/memory.stat", "anon 3000", "inactive_file 4000");
    file("i/s/c/pids.current", "7");
    assertEquals(Optional.of(new Usage(1_234_000, 5000, 9000, 7)), cgroups.usage("s", "c"));
    file("i/s/c/memory.peak", "12000");
    assertEquals(Optional.of(new Usage(1_234_000, 5000, 12000, 7)), cgroups.usage("s", "c"));
  }

  @Test
  void monitorsHaveGroupsOfTheirOwnInEachHierarchy() throws IOException {
    assertEquals(
        List.of(dir.resolve("i/monitors/cgroup.procs")),
        new Cgroups(new Version.V2(dir), "i").monitors());
    file("cpuset/i/monitors/cpuset.cpus", "");
    cpus("0-1", "");
    Map<String, Path> hierarchies = new LinkedHashMap<>(v1().hierarchies());
    hierarchies.put("cpuset", dir.resolve("cpuset"));
    assertEquals(
        List.of("cpu", "cpuacct", "memory", "pids"),
        new Cgroups(new Version.V1(hierarchies), "i")
            .monitors().stream().map(file -> dir.relativize(file).getName(0).toString()).toList());
  }

  private void cpus(String ofAll, String ours) throws IOException {
    file("cpuset/cpuset.cpus", ofAll);
    file("cpuset/cpuset.mems", "0");
    file("cpuset/i/cpuset.cpus", ours);
    file("cpuset/i/cpuset.mems", "");
  }

  @Test
  void containersInheritTheirCpus() throws IOException {
    Map<String, Path> hierarchies = new LinkedHashMap<>(v1().hierarchies());
    hierarchies.put("cpuset", dir.resolve("cpuset"));
    Cgroups cgroups = new Cgroups(new Version.V1(hierarchies), "i");
    Path ours = dir.resolve("cpuset/i");
    cpus("0-1", "");
    cgroups.monitors();
    assertEquals("0-1", Files.readString(ours.resolve("cpuset.cpus")).trim());
    assertEquals("0", Files.readString(ours.resolve("cpuset.mems")).trim());
    assertEquals("1", Files.readString(ours.resolve("cgroup.clone_children")));
    cpus("0-1", "1");
    cgroups.monitors();
    assertEquals("1", Files.readString(ours.resolve("cpuset.cpus")).trim(), "somebody's choice");
  }
}
