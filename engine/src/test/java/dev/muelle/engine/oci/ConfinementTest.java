package dev.muelle.engine.oci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.muelle.engine.ContainerSpec;
import dev.muelle.engine.ContainerSpec.Ulimit;
import dev.muelle.engine.ContainerStatus.State;
import dev.muelle.engine.Engine.Usage;
import dev.muelle.engine.ImageReference;
import dev.muelle.engine.SandboxSpec;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What a container may not do, and is limited to: tried from inside. */
class ConfinementTest extends SandboxTest {

  /** Docker's default capabilities, as the kernel shows them. */
  private static final String CAPABILITIES = "00000000a80425fb";

  private static final String NONE = "0000000000000000";

  private ContainerSpec spec(
      String id, String script, @Nullable String user, boolean readonly, boolean init) {
    return Lab.builder(id, "s1", image, script)
        .user(user)
        .memoryLimit(64L << 20)
        .memoryReservation(32L << 20)
        .readonlyRoot(readonly)
        .init(init)
        .ulimits(List.of(new Ulimit("nofile", 333, 444), new Ulimit("core", 0, 0)))
        .build();
  }

  private List<String> run(ContainerSpec spec) {
    lab.engine.startContainer(spec);
    lab.exited(spec.id());
    return lab.texts(spec.id());
  }

  private List<String> run(String script) {
    return run(spec("c1", script + " 2>&1", null, false, false));
  }

  private static String only(List<String> lines) {
    assertEquals(1, lines.size(), lines::toString);
    return lines.getFirst();
  }

  /**
   * A program that makes one system call, its other arguments 0, and exits with the error number.
   */
  private static byte[] caller(int number, int argument) {
    ByteBuffer elf = ByteBuffer.allocate(256).order(ByteOrder.LITTLE_ENDIAN);
    elf.put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0});
    elf.putShort((short) 2).putShort((short) 62).putInt(1); // an executable for x86-64
    elf.putLong(0x400078).putLong(64).putLong(0); // entry, program headers, no sections
    elf.putInt(0).putShort((short) 64).putShort((short) 56).putShort((short) 1);
    elf.putShort((short) 64).putShort((short) 0).putShort((short) 0);
    elf.putInt(1).putInt(5).putLong(0).putLong(0x400000).putLong(0x400000); // load, read, execute
    elf.putLong(256).putLong(256).putLong(0x1000);
    elf.put((byte) 0xbf).putInt(argument); // mov edi
    elf.put(HexFormat.of().parseHex("31f631d24531d24531c0")); // esi, edx, r10d, r8d: 0
    elf.put((byte) 0xb8).putInt(number).put(HexFormat.of().parseHex("0f05")); // eax; syscall
    elf.put(HexFormat.of().parseHex("31ff4885c0790489c7f7df")); // edi = rax < 0 ? -eax : 0
    elf.put((byte) 0xb8).putInt(231).put(HexFormat.of().parseHex("0f05")); // exit_group(edi)
    return elf.array();
  }

  /** A system call of x86-64, and the error that the container gets; 0 for none. */
  private record Call(String name, int number, int argument, int error) {}

  private static final int EPERM = 1;
  private static final int ENOSYS = 38;

  /** What needs no capability, so that only the filter can forbid it. */
  private static final List<Call> CALLS =
      List.of(
          new Call("getpid", 39, 0, 0),
          new Call("personality-linux32", 135, 8, 0),
          new Call("personality-no-randomization", 135, 0x0040000, EPERM),
          new Call("add_key", 248, 0, EPERM),
          new Call("keyctl", 250, 0, EPERM),
          new Call("unshare", 272, 0, EPERM),
          new Call("perf_event_open", 298, 0, EPERM),
          new Call("userfaultfd", 323, 0xffff, EPERM),
          new Call("clone3", 435, 0, ENOSYS));

  @Test
  void seccompForbidsWhatCapabilitiesDoNot() throws Exception {
    assumeTrue(System.getProperty("os.arch", "").equals("amd64"));
    Tar layer = Lab.busybox();
    StringBuilder script = new StringBuilder();
    for (Call call : CALLS) {
      byte[] program = caller(call.number(), call.argument());
      layer.file("bin/" + call.name(), program, 0755);
      script.append("/bin/").append(call.name()).append("; echo ").append(call.name());
      script.append(" $?;");
      Path here = Files.write(lab.directory.resolve(call.name()), program);
      Files.setPosixFilePermissions(here, PosixFilePermissions.fromString("rwx------"));
      int outside = new ProcessBuilder(here.toString()).start().waitFor();
      assertTrue(
          call.error() == 0 ? outside == 0 : outside != call.error(),
          () -> call.name() + " fails with " + outside + " without a filter, too");
    }
    lab.image("calls", Map.of(), List.of(layer.bytes()), List.of(layer.bytes()));
    image = lab.engine.pull(ImageReference.parse("local.test/calls"), null).id();
    // The first container's filter is compiled, by crun; the second one is given what came of that.
    for (Path filter : lab.filters()) {
      Files.delete(filter);
    }
    for (String which : List.of("first", "second")) {
      assertEquals(
          CALLS.stream().map(call -> call.name() + " " + call.error()).toList(),
          run(script.toString()),
          which);
    }
    String status = "busybox grep Seccomp: /proc/self/status";
    assertEquals("Seccomp:\t2", only(run(spec("c4", status, null, false, false))));
  }

  @Test
  void capabilitiesAreDropped() {
    String show = "busybox grep -E 'Cap(Eff|Prm|Bnd|Inh|Amb)' /proc/self/status";
    assertEquals(
        List.of(
            "CapInh:\t" + NONE,
            "CapPrm:\t" + CAPABILITIES,
            "CapEff:\t" + CAPABILITIES,
            "CapBnd:\t" + CAPABILITIES,
            "CapAmb:\t" + NONE),
        run(spec("c1", show, null, false, false)));
    assertEquals(
        List.of(
            "CapInh:\t" + NONE,
            "CapPrm:\t" + NONE,
            "CapEff:\t" + NONE,
            "CapBnd:\t" + CAPABILITIES,
            "CapAmb:\t" + NONE),
        run(spec("c2", show, "alba", false, false)));
    for (String script :
        List.of(
            "busybox mount -t tmpfs none /tmp",
            "busybox hostname other",
            "busybox ip link set lo down")) {
      String id = "d" + Math.abs(script.hashCode());
      String said = only(run(spec(id, script + " 2>&1", null, false, false)));
      assertTrue(said.matches(".*(Operation not permitted|permission denied.*)"), said);
    }
  }

  @Test
  void devicesAreNotReached() {
    List<String> said =
        run(
            "busybox mknod /tmp/disk b 8 0; busybox mknod /tmp/mem c 1 1;"
                + " exec 2>&1; cat /tmp/disk; cat /tmp/mem; echo x > /dev/null && echo fine");
    assertEquals(3, said.size(), said::toString);
    assertTrue(said.get(0).contains("Operation not permitted"), said::toString);
    assertTrue(said.get(1).contains("Operation not permitted"), said::toString);
    assertEquals("fine", said.get(2));
  }

  @Test
  void theKernelsFilesAreHiddenOrReadOnly() {
    assertEquals(
        List.of("0", "0", "0"),
        run(
            "cat /proc/kcore 2>/dev/null | busybox wc -c; ls /sys/firmware | busybox wc -l;"
                + " cat /proc/timer_list | busybox wc -c"));
    for (String file :
        List.of("/proc/sys/kernel/panic", "/proc/sysrq-trigger", "/sys/kernel/uevent_seqnum")) {
      if (!Files.exists(Path.of(file))) {
        continue; // not in this kernel
      }
      String id = "d" + Math.abs(file.hashCode());
      List<String> said = run(spec(id, "echo 0 > " + file + " 2>&1", null, false, false));
      assertTrue(
          only(said).matches(".*(Read-only file system|Permission denied).*"), said::toString);
    }
  }

  @Test
  void namespacesAreItsOwn() throws Exception {
    List<String> inside =
        run("for n in pid mnt ipc uts net; do busybox readlink /proc/self/ns/$n; done; echo $$");
    for (int i = 0; i < 5; i++) {
      String name = List.of("pid", "mnt", "ipc", "uts", "net").get(i);
      String outside = Files.readSymbolicLink(Path.of("/proc/self/ns", name)).toString();
      assertTrue(inside.get(i).startsWith(name + ":["), inside::toString);
      assertNotEquals(outside, inside.get(i));
    }
    assertEquals("1", inside.get(5));
  }

  @Test
  void aReadOnlyRootIs() {
    assertEquals(
        List.of("sh: can't create /x: Read-only file system", "shm is not"),
        run(
            spec(
                "c1",
                "(echo > /x) 2>&1 | busybox sed 's/.*can/sh: can/'; echo > /dev/shm/x && echo shm is"
                    + " not",
                null,
                true,
                false)));
    assertEquals(List.of("made"), run(spec("c2", "echo > /x && echo made", null, false, false)));
  }

  @Test
  void limitsOfProcessesHold() {
    assertEquals(List.of("333", "444", "0"), run("ulimit -S -n; ulimit -H -n; ulimit -c"));
  }

  @Test
  void limitsOfGroupsAreTheContainers() throws Exception {
    lab.engine.startContainer(spec("c1", "sleep 1000", null, false, false));
    Cgroups.Version version = Cgroups.detect(dev.muelle.linux.MountPoints.table());
    Path group = Path.of(lab.instance, "s1", "c1");
    Map<Path, String> expected =
        switch (version) {
          case Cgroups.Version.V1(Map<String, Path> at) ->
              Map.of(
                  root(at, "cpu").resolve(group).resolve("cpu.shares"),
                  "128",
                  root(at, "memory").resolve(group).resolve("memory.limit_in_bytes"),
                  "" + (64 << 20),
                  root(at, "memory").resolve(group).resolve("memory.soft_limit_in_bytes"),
                  "" + (32 << 20),
                  root(at, "pids").resolve(group).resolve("pids.max"),
                  "" + Cgroups.MAX_PROCESSES);
          case Cgroups.Version.V2(Path root) ->
              Map.of(
                  root.resolve(group).resolve("cpu.weight"),
                  "5",
                  root.resolve(group).resolve("memory.max"),
                  "" + (64 << 20),
                  root.resolve(group).resolve("memory.low"),
                  "" + (32 << 20),
                  root.resolve(group).resolve("pids.max"),
                  "" + Cgroups.MAX_PROCESSES);
        };
    for (Map.Entry<Path, String> one : expected.entrySet()) {
      assertEquals(one.getValue(), Files.readString(one.getKey()).trim(), one.getKey()::toString);
    }
  }

  private static Path root(Map<String, Path> hierarchies, String controller) throws IOException {
    Path root = hierarchies.get(controller);
    if (root == null) {
      throw new IOException("no " + controller);
    }
    return root;
  }

  @Test
  void tellsWhatIsUsed() {
    lab.engine.startContainer(
        spec(
            "c1",
            "busybox dd if=/dev/zero of=/dev/shm/x bs=1M count=12 2>/dev/null; sleep 1000 &"
                + " i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; echo done; wait",
            null,
            false,
            false));
    Lab.await(() -> lab.texts("c1").contains("done"));
    Usage usage = lab.engine.usage("c1").orElseThrow();
    assertTrue(usage.cpuNanos() > 10_000_000, usage::toString);
    assertTrue(usage.memoryBytes() >= 12 << 20 && usage.memoryBytes() < 64 << 20, usage::toString);
    assertTrue(usage.memoryPeakBytes() >= usage.memoryBytes(), usage::toString);
    assertEquals(2, usage.processes());
    lab.engine.stopContainer("c1", Duration.ofMillis(1));
    assertTrue(lab.engine.usage("c1").isEmpty());
  }

  @Test
  void initPassesSignalsOnAndTheProgramIsNotPid1() {
    lab.engine.startContainer(spec("c1", "echo $$; exec sleep 1000", null, false, true));
    lab.engine.startContainer(spec("c2", "echo $$; exec sleep 1000", null, false, false));
    Lab.await(() -> lab.texts("c1").size() == 1 && lab.texts("c2").size() == 1);
    assertNotEquals("1", lab.texts("c1").getFirst());
    assertEquals("1", lab.texts("c2").getFirst());
    lab.engine.stopContainer("c1", Duration.ofSeconds(60));
    assertEquals(143, lab.exited("c1").exitCode());
    // Pid 1 without a handler is spared by SIGTERM.
    lab.engine.stopContainer("c2", Duration.ofMillis(200));
    assertEquals(137, lab.exited("c2").exitCode());
  }

  @Test
  void initReapsOrphans() {
    String dead = "busybox grep -l 'State:.Z' /proc/[0-9]*/status 2>/dev/null";
    String script =
        "(sleep 0.1 & exec true); sleep 0.4; n=0;"
            + " while %s >/dev/null && [ $n -lt 400 ]; do n=$((n+1)); sleep 0.05; done;"
                .formatted(dead)
            + " %s | busybox wc -l".formatted(dead);
    assertEquals(List.of("0"), run(spec("c1", script, null, false, true)));
  }

  @Test
  void theTasksMemoryRunsOutAsTheContainersDoes() {
    lab.engine.createSandbox(
        new SandboxSpec("s2", null, "h", null, List.of(), List.of(), 0, 24L << 20, 0, Map.of()));
    lab.engine.startContainer(
        Lab.container("c1", "s2", image, "dd if=/dev/zero of=/dev/null bs=200M count=1; exit $?"));
    State.Exited exit = lab.exited("c1");
    assertEquals(137, exit.exitCode());
    assertTrue(exit.outOfMemory());
    lab.engine.startContainer(Lab.container("c2", "s2", image, "exit 9"));
    assertFalse(lab.exited("c2").outOfMemory(), "only who was killed");
  }
}
