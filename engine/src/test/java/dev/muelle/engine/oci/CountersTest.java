package dev.muelle.engine.oci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.engine.Statistics;
import dev.muelle.engine.oci.Cgroups.Version;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a container used, read from files as kernels write them, and of a real container. */
class CountersTest {

  private static final Path GROUP = Path.of("i", "s", "c");
  private static final int PID = 42;

  @TempDir Path root;

  private void file(String path, String text) throws IOException {
    Path file = root.resolve(path);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  @BeforeEach
  void process() throws IOException {
    file("proc/stat", "cpu  1 2 3 4 5 6 7 8 100 100\ncpu0 1 2 3 4 5 6 7 8 100 100\n");
    file("proc/meminfo", "MemTotal:        1000 kB\nMemFree: 1 kB\n");
    file(
        "proc/42/net/dev",
        "Inter-|   Receive  |  Transmit\n face |bytes packets\n"
            + "    lo: 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1\n"
            + "  eth0: 10 11 12 13 0 0 0 0 20 21 22 23 0 0 0 0\n");
  }

  private Statistics read(Version version) throws IOException {
    return new Counters(version, GROUP, root.resolve("proc")).read(PID, Instant.EPOCH);
  }

  private static void assertCommon(Statistics read) {
    assertEquals(360_000_000, read.cpu().system(), "user to steal, in ticks of 10 ms");
    assertEquals(
        Map.of("eth0", new Statistics.Traffic(10, 11, 12, 13, 20, 21, 22, 23)), read.networks());
    assertEquals(3, read.processes());
    assertEquals(List.of(new Statistics.Device(8, 0, 100, 200, 1, 2)), read.devices());
  }

  @Test
  void ofTheFirstVersion() throws IOException {
    file("memory/i/s/c/memory.stat", "cache 5\nhierarchical_memory_limit 9000\n");
    file("memory/i/s/c/memory.usage_in_bytes", "7000\n");
    file("memory/i/s/c/memory.max_usage_in_bytes", "8000\n");
    file("cpuacct/i/s/c/cpuacct.stat", "user 3\nsystem 4\n");
    file("cpuacct/i/s/c/cpuacct.usage", "71000000\n");
    file("cpuacct/i/s/c/cpuacct.usage_percpu", "70000000 1000000 \n");
    file("cpu/i/s/c/cpu.stat", "nr_periods 5\nnr_throttled 6\nthrottled_time 7\n");
    file("pids/i/s/c/pids.current", "3\n");
    file(
        "blkio/i/s/c/blkio.throttle.io_service_bytes_recursive",
        "8:0 Read 100\n8:0 Write 200\n8:0 Sync 300\n8:0 Total 300\nTotal 300\n");
    file("blkio/i/s/c/blkio.throttle.io_serviced_recursive", "8:0 Read 1\n8:0 Write 2\nTotal 3\n");
    Statistics read =
        read(
            new Version.V1(
                Map.of(
                    "memory", root.resolve("memory"),
                    "cpuacct", root.resolve("cpuacct"),
                    "cpu", root.resolve("cpu"),
                    "pids", root.resolve("pids"),
                    "blkio", root.resolve("blkio"))));
    assertCommon(read);
    assertEquals(71_000_000, read.cpu().total());
    assertEquals(List.of(70_000_000L, 1_000_000L), read.cpu().perCpu());
    assertEquals(30_000_000, read.cpu().user());
    assertEquals(40_000_000, read.cpu().kernel());
    assertEquals(7, read.cpu().throttled());
    assertEquals(
        new Statistics.Memory(
            7000, 8000, 9000, Map.of("cache", 5L, "hierarchical_memory_limit", 9000L)),
        read.memory());
  }

  @Test
  void ofTheSecondVersion() throws IOException {
    file("v2/i/s/memory.max", "500000\n");
    file("v2/i/s/c/memory.max", "max\n");
    file("v2/i/s/c/memory.stat", "anon 5\n");
    file("v2/i/s/c/memory.current", "7000\n");
    file("v2/i/s/c/pids.current", "3\n");
    file(
        "v2/i/s/c/cpu.stat",
        "usage_usec 71\nuser_usec 30\nsystem_usec 41\nnr_periods 5\nnr_throttled 6\n"
            + "throttled_usec 7\n");
    file("v2/i/s/c/io.stat", "8:0 rbytes=100 wbytes=200 rios=1 wios=2 dbytes=0 dios=0\n");
    Statistics read = read(new Version.V2(root.resolve("v2")));
    assertCommon(read);
    assertEquals(71_000, read.cpu().total());
    assertEquals(7_000, read.cpu().throttled());
    assertEquals(new Statistics.Memory(7000, 7000, 500_000, Map.of("anon", 5L)), read.memory());
    Files.delete(root.resolve("v2/i/s/memory.max"));
    assertEquals(1000 * 1024, read(new Version.V2(root.resolve("v2"))).memory().limit());
  }

  @Test
  void ofARealContainer() throws Exception {
    try (Lab lab = new Lab()) {
      String image = lab.busyboxImage();
      lab.engine.createSandbox(Lab.sandbox("s1"));
      lab.engine.startContainer(Lab.container("c1", "s1", image, "sleep 1000"));
      Lab.await(() -> lab.engine.statistics("c1").orElseThrow().cpu().total() > 0);
      Statistics read = lab.engine.statistics("c1").orElseThrow();
      assertEquals(256L << 20, read.memory().limit(), "the sandbox's");
      assertTrue(read.memory().usage() > 0);
      assertTrue(read.cpu().system() > read.cpu().total());
      assertEquals(Map.of(), read.networks(), "no interface but the loopback");
      assertTrue(lab.engine.statistics("c2").isEmpty());
    }
  }
}
