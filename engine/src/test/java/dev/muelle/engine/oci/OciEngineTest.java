package dev.muelle.engine.oci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.engine.ContainerSpec;
import dev.muelle.engine.ContainerStatus.State;
import dev.muelle.engine.Engine;
import dev.muelle.engine.EngineException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;

/** Real containers on this machine. */
class OciEngineTest extends SandboxTest {
  @Test
  void runsWithEnvironmentDirectoryUserAndExitCode() {
    Set<String> told = ConcurrentHashMap.newKeySet();
    try (Engine.Watch _ = lab.engine.watch(told::add)) {
      lab.engine.startContainer(
          ContainerSpec.builder("c1", "s1", image)
              .name("web")
              .entryPoint(List.of("/bin/sh", "-c"))
              .command(
                  List.of("echo $GREETING $MORE; pwd; id; echo err >&2; cat /etc/hostname; exit 7"))
              .environment(Map.of("MORE", "x y"))
              .user("alba")
              .cpuShares(128)
              .build());
      State.Exited exit = lab.exited("c1");
      assertEquals(7, exit.exitCode(), () -> lab.texts("c1").toString());
      assertFalse(exit.outOfMemory());
      List<String> out =
          lab.lines("c1").stream().filter(l -> !l.stderr()).map(Engine.LogLine::text).toList();
      assertEquals(
          List.of(
              "hola x y",
              "/work/dir",
              "uid=1000(alba) gid=1001(alba) groups=2000(quay)",
              "host-s1"),
          out);
      assertTrue(lab.lines("c1").stream().anyMatch(l -> l.stderr() && l.text().equals("err")));
      Lab.await(() -> told.contains("c1"));
    }
  }

  @Test
  void stopsGentlyAndThenByForce() {
    lab.engine.startContainer(
        Lab.container(
            "c1", "s1", image, "trap 'exit 3' TERM; echo up; while true; do sleep 0.05; done"));
    lab.engine.startContainer(
        Lab.container("c2", "s1", image, "trap '' TERM; echo up; sleep 1000 & wait; sleep 1000"));
    Lab.await(() -> lab.texts("c1").size() + lab.texts("c2").size() == 2);
    lab.engine.stopContainer("c1", Duration.ofSeconds(60));
    assertEquals(3, lab.exited("c1").exitCode());
    lab.engine.stopContainer("c2", Duration.ofMillis(100));
    lab.engine.stopContainer("c2", Duration.ofMillis(100));
    assertEquals(137, lab.exited("c2").exitCode());
    assertFalse(lab.exited("c2").outOfMemory());
  }

  @Test
  void saysThatMemoryRanOut() {
    lab.engine.startContainer(
        Lab.builder("c1", "s1", image, "dd if=/dev/zero of=/dev/null bs=200M count=1; exit $?")
            .memoryLimit(16L << 20)
            .build());
    State.Exited exit = lab.exited("c1");
    assertEquals(137, exit.exitCode());
    assertTrue(exit.outOfMemory());
    assertFalse(Files.exists(Path.of("oom")), "conmon works in a directory of the container's");
  }

  @Test
  void joinsLongLinesAndKeepsBinary() {
    lab.engine.startContainer(
        Lab.container(
            "c1",
            "s1",
            image,
            "dd if=/dev/zero bs=1000 count=700 2>/dev/null | busybox tr '\\0' a; echo; echo end;"
                + " printf 'no newline'"));
    lab.exited("c1");
    List<String> texts = lab.texts("c1");
    assertEquals(700_000 + 3 + 10, texts.stream().mapToInt(String::length).sum());
    assertEquals("no newline", texts.getLast());
    assertEquals("end", texts.get(texts.size() - 2));
  }

  @Test
  void containersOfASandboxShareItsNetworkAndLimits() throws Exception {
    lab.engine.startContainer(
        Lab.container("c1", "s1", image, "busybox nc -l -p 5050 -e echo hola & wait"));
    lab.engine.startContainer(
        Lab.container("c2", "s1", image, "until busybox nc 127.0.0.1 5050; do sleep 0.05; done"));
    assertEquals(0, lab.exited("c2").exitCode());
    assertTrue(lab.texts("c2").contains("hola"));
    Path memory = Path.of("/sys/fs/cgroup/memory", lab.instance, "s1");
    assertEquals(
        "" + (256L << 20), Files.readString(memory.resolve("memory.limit_in_bytes")).trim());
    Path cpu = Path.of("/sys/fs/cgroup/cpu", lab.instance, "s1");
    assertEquals("50000", Files.readString(cpu.resolve("cpu.cfs_quota_us")).trim());
    lab.exited("c1");
  }

  @Test
  void aProgramThatIsNotThereLeavesNothing() {
    ContainerSpec spec =
        ContainerSpec.builder("c1", "s1", image).entryPoint(List.of("/not/there")).build();
    EngineException e = assertThrows(EngineException.class, () -> lab.engine.startContainer(spec));
    assertTrue(e.getMessage().startsWith("CannotStartContainerError: "), e.getMessage());
    assertTrue(e.getMessage().contains("/not/there"), e.getMessage());
    assertTrue(lab.engine.container("c1").isEmpty());
    lab.engine.startContainer(Lab.container("c1", "s1", image, "exit 0"));
    assertEquals(0, lab.exited("c1").exitCode());
  }

  @Test
  void anotherEngineOverTheSameDirectoryKnowsAll() {
    lab.engine.startContainer(
        Lab.container(
            "c1",
            "s1",
            image,
            "i=0; while [ $i -lt 200 ]; do echo $i; i=$((i+1)); sleep 0.005; done; exit 5"));
    lab.reopen();
    assertEquals(5, lab.exited("c1").exitCode());
    List<String> expected = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      expected.add("" + i);
    }
    assertEquals(expected, lab.texts("c1"));
    assertEquals("s1", lab.engine.sandboxes().getFirst().id());
    lab.engine.removeSandbox("s1");
    assertTrue(lab.engine.container("c1").isEmpty());
  }

  @Test
  void theDiskOfASandboxIsLimited() {
    lab.engine.createSandbox(
        new dev.muelle.engine.SandboxSpec(
            "s2", null, "h", null, List.of(), List.of(), 0, 0, 32L << 20, Map.of()));
    lab.engine.startContainer(
        Lab.container("c1", "s2", image, "dd if=/dev/zero of=/big bs=1M count=64 || exit 8"));
    assertEquals(8, lab.exited("c1").exitCode());
    lab.engine.removeSandbox("s2");
  }
}
