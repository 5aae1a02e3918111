package dev.muelle.engine.oci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.engine.ContainerSpec;
import dev.muelle.engine.ContainerSpec.Isolation;
import dev.muelle.engine.ContainerSpec.Mount;
import dev.muelle.engine.ContainerSpec.Source;
import dev.muelle.engine.ContainerStatus.State;
import dev.muelle.engine.EngineException;
import dev.muelle.engine.ImageReference;
import dev.muelle.linux.Syscalls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Our own monitor: that it is the one that starts containers, and that none gets at it. */
class MonitorTest extends SandboxTest {

  private static final Isolation PRIVILEGED =
      new Isolation(
          Set.of(), Set.of(), 0, Map.of(), List.of(), true, null, false, false, List.of(), 0, null);

  private List<String> run(String id, String script) {
    lab.engine.startContainer(Lab.container(id, "s1", image, script + " 2>&1"));
    lab.exited(id);
    return lab.texts(id);
  }

  private Path monitorOf(String id) throws IOException {
    String pid =
        Files.readString(lab.engineRoot().resolve("live/containers/" + id + "/conmon.pid"));
    return Path.of("/proc", pid.trim());
  }

  private int pid(String id) {
    return ((State.Running) lab.engine.container(id).orElseThrow().state()).pid();
  }

  @Test
  void itIsTheOneThatStarts() throws Exception {
    lab.engine.startContainer(Lab.container("c1", "s1", image, "sleep 1000"));
    Path monitor = monitorOf("c1");
    assertEquals("monitor", Files.readString(monitor.resolve("comm")).trim());
    Path inside = Path.of("/proc/" + pid("c1"));
    assertEquals("0", Files.readString(inside.resolve("oom_score_adj")).trim());
    if (Capabilities.of(PRIVILEGED).contains("CAP_SYS_RESOURCE")) { // which few servers lack
      assertEquals("-1000", Files.readString(monitor.resolve("oom_score_adj")).trim());
    }
  }

  @Test
  void nothingOfTheMachinesIsOpenInside() {
    lab.engine.startContainer(
        ContainerSpec.builder("c1", "s1", image)
            .entryPoint(List.of("/bin/busybox", "ls", "-l", "/proc/1/fd"))
            .build());
    lab.exited("c1");
    List<String> open =
        lab.texts("c1").stream()
            .filter(line -> line.contains(" -> "))
            .map(line -> line.replaceAll(".* (\\d+ -> [^:]*).*", "$1"))
            .toList();
    assertEquals(List.of("0 -> /dev/null", "1 -> pipe", "2 -> pipe"), open);
    // Whose mode root in the container changes is its own, not the machine's.
    run("c2", "busybox chmod 600 /dev/null; busybox chmod 600 /proc/self/fd/0; echo done");
    assertTrue(Files.isReadable(Path.of("/dev/null")));
    try {
      assertEquals(0666, (Integer) Files.getAttribute(Path.of("/dev/null"), "unix:mode") & 0777);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void theMachinesFilesAndProcessesAreOutOfSight() {
    List<String> mounts = run("c1", "busybox cut -d' ' -f5 /proc/self/mountinfo");
    assertFalse(mounts.stream().anyMatch(at -> at.contains(lab.instance)), mounts::toString);
    assertEquals("/", mounts.getFirst());
    List<String> roots =
        run("c2", "busybox cut -d' ' -f4 /proc/self/mountinfo | busybox grep -c home");
    assertEquals(List.of("0"), roots);
    assertEquals(
        List.of("0"), run("c3", "busybox ls /proc | busybox grep -c '^[0-9][0-9][0-9][0-9]*$'"));
    assertEquals(
        List.of("same"),
        run("c4", "[ \"$(busybox stat -c %i /..)\" = \"$(busybox stat -c %i /)\" ] && echo same"));
  }

  /**
   * A container whose program is the one that starts it, by way of {@code /proc/self/exe}, could
   * write to that from a second process (CVE-2019-5736).
   */
  @Test
  void theProgramCannotBeWrittenToFromInside() throws Exception {
    byte[] before = Files.readAllBytes(lab.engineRoot().resolve("monitor"));
    Tar layer = Lab.busybox();
    layer.link("bin/self", "/proc/self/exe");
    layer.file("bin/script", "#!/proc/self/exe\n".getBytes(), 0755);
    lab.image("selfish", Map.of(), List.of(layer.bytes()), List.of(layer.bytes()));
    String selfish = lab.engine.pull(ImageReference.parse("local.test/selfish"), null).id();
    // What a loader of the image's would do as soon as it runs in our program's place.
    lab.engine.startContainer(
        ContainerSpec.builder("c1", "s1", selfish)
            .entryPoint(
                List.of(
                    "/bin/sh",
                    "-c",
                    "/bin/script 0 0 & /bin/self 0 0 & for p in /proc/[0-9]*; do"
                        + " echo evil > $p/exe; done 2>&1; sleep 1; echo tried"))
            .build());
    lab.exited("c1");
    assertTrue(lab.texts("c1").contains("tried"), lab.texts("c1")::toString);
    for (List<String> command : List.of(List.of("/bin/script"), List.of("/bin/self"))) {
      String id = "d" + command.getFirst().substring(5);
      try {
        lab.engine.startContainer(
            ContainerSpec.builder(id, "s1", selfish).entryPoint(command).build());
        lab.exited(id);
      } catch (EngineException e) {
        assertTrue(e.getMessage().startsWith("CannotStartContainerError"), e::getMessage);
      }
    }
    assertTrue(
        java.util.Arrays.equals(before, Files.readAllBytes(lab.engineRoot().resolve("monitor"))));
  }

  /** The image leads every place where something is mounted to the machine's own files. */
  @Test
  void linksOfTheImageLeadNowhereElse() throws Exception {
    Path victim = Files.createDirectories(lab.directory.resolve("victim"));
    Tar layer = Lab.busybox();
    layer.link("etc/hosts", victim + "/hosts");
    layer.link("etc/resolv.conf", "../../../../../../.." + victim + "/resolv.conf");
    layer.link("vol", victim.toString());
    lab.image("links", Map.of(), List.of(layer.bytes()), List.of(layer.bytes()));
    String links = lab.engine.pull(ImageReference.parse("local.test/links"), null).id();
    lab.engine.startContainer(
        Lab.builder("c1", "s1", links, "busybox grep -c . /proc/self/mountinfo; sleep 1000")
            .isolation(Lab.mounting(new Mount("/vol/deep", new Source.Shared("v"), false)))
            .build());
    Lab.await(() -> !lab.texts("c1").isEmpty());
    try (var files = Files.list(victim)) {
      assertEquals(List.of(), files.toList());
    }
    for (String directory : List.of("proc", "sys")) {
      Tar other = Lab.busybox().directory("elsewhere");
      other.link(directory, "elsewhere");
      lab.image("l" + directory, Map.of(), List.of(other.bytes()), List.of(other.bytes()));
      String id = lab.engine.pull(ImageReference.parse("local.test/l" + directory), null).id();
      EngineException refused =
          assertThrows(
              EngineException.class,
              () -> lab.engine.startContainer(Lab.container("x" + directory, "s1", id, "exit 0")));
      assertTrue(refused.getMessage().contains("ordinary directory"), refused::getMessage);
    }
  }

  @Test
  void theWorkingDirectoryIsInside() {
    for (String way : List.of("/proc/self/fd/3", "/proc/self/fd/7", "/proc/self/cwd/../../..")) {
      String id = "c" + Math.abs(way.hashCode());
      try {
        lab.engine.startContainer(
            Lab.builder(id, "s1", image, "busybox pwd; ls").workingDirectory(way).build());
        lab.exited(id);
        List<String> seen = lab.texts(id);
        assertTrue(seen.isEmpty() || seen.getFirst().startsWith("/"), seen::toString);
        assertFalse(seen.contains("containers"), seen::toString);
      } catch (EngineException e) {
        assertTrue(e.getMessage().startsWith("Cannot"), e::getMessage);
      }
    }
  }

  @Test
  void parametersOfTheMachineAreNotSet() {
    for (String name : List.of("kernel.core_pattern", "vm.swappiness", "net/../kernel.panic")) {
      Isolation isolation = new Isolation(Set.of(), Set.of(), 0, Map.of(name, "1"), List.of());
      EngineException refused =
          assertThrows(
              EngineException.class,
              () ->
                  lab.engine.startContainer(
                      Lab.builder("c1", "s1", image, "exit 0").isolation(isolation).build()));
      assertTrue(refused.getMessage().contains(name), refused::getMessage);
    }
    Isolation own =
        new Isolation(Set.of(), Set.of(), 0, Map.of("kernel.msgmax", "9999"), List.of());
    lab.engine.startContainer(
        Lab.builder("c2", "s1", image, "cat /proc/sys/kernel/msgmax").isolation(own).build());
    lab.exited("c2");
    assertEquals(List.of("9999"), lab.texts("c2"));
  }

  @Test
  void whatCannotBeStartedSaysWhy() {
    Map<String, String> reasons =
        Map.of(
            "nope",
            "exec: \"nope\": executable file not found in $PATH",
            "/nope",
            "exec: \"/nope\": stat /nope: no such file or directory",
            "/etc/passwd",
            "exec: \"/etc/passwd\": permission denied");
    reasons.forEach((program, reason) -> {
      EngineException refused =
          assertThrows(
              EngineException.class,
              () ->
                  lab.engine.startContainer(
                      ContainerSpec.builder("c1", "s1", image)
                          .entryPoint(List.of(program))
                          .build()));
      assertTrue(refused.getMessage().startsWith("CannotStartContainerError: "));
      assertTrue(refused.getMessage().endsWith(reason), refused::getMessage);
    });
  }

  @Test
  void argumentsAndEnvironmentMayBeLarge() {
    String large = "x".repeat(100_000);
    lab.engine.startContainer(
        Lab.builder("c1", "s1", image, "echo ${#LARGE} ${#OTHER}; echo 'a\nb'")
            .environment(Map.of("LARGE", large, "OTHER", "1\n2\t3 = ñ"))
            .build());
    lab.exited("c1");
    assertEquals(List.of("100000 10", "a", "b"), lab.texts("c1"));
    EngineException refused =
        assertThrows(
            EngineException.class,
            () ->
                lab.engine.startContainer(
                    Lab.builder("c2", "s1", image, "exit 0")
                        .environment(Map.of("LARGE", "x".repeat(200_000)))
                        .build()));
    assertTrue(refused.getMessage().contains("Argument list too long"), refused::getMessage);
  }

  /** It is the only witness of the exit code, but nobody else depends on it. */
  @Test
  void aContainerOutlivesItsMonitor() throws Exception {
    lab.engine.startContainer(Lab.container("c1", "s1", image, "sleep 1000"));
    lab.engine.startContainer(Lab.container("c2", "s1", image, "sleep 1000"));
    int monitor = Integer.parseInt(monitorOf("c1").getFileName().toString());
    Syscalls.kill(monitor, Signals.SIGKILL);
    Lab.await(() -> !Files.exists(Path.of("/proc/" + monitor)));
    assertTrue(lab.engine.container("c1").orElseThrow().state() instanceof State.Running);
    Syscalls.kill(pid("c1"), Signals.SIGKILL);
    assertEquals(137, lab.exited("c1").exitCode());
    assertTrue(lab.engine.container("c2").orElseThrow().state() instanceof State.Running);
  }

  @Test
  void outputComesWholeInItsOrder() {
    assertEquals(
        20_000, run("c1", "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done").size());
    List<String> seen = run("c2", "busybox printf 'no end'; echo; busybox printf 'rest'");
    assertEquals(List.of("no end", "rest"), seen);
    assertEquals(
        List.of("" + 300_000),
        run("c3", "busybox head -c 300000 /dev/zero | busybox tr '\\0' y").stream()
            .reduce(String::concat)
            .map(text -> "" + text.length())
            .stream()
            .toList());
  }
}
