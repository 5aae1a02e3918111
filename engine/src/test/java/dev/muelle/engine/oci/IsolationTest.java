package dev.muelle.engine.oci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.engine.ContainerSpec;
import dev.muelle.engine.ContainerSpec.Device;
import dev.muelle.engine.ContainerSpec.Isolation;
import dev.muelle.engine.ContainerSpec.Mount;
import dev.muelle.engine.ContainerSpec.Names;
import dev.muelle.engine.ContainerSpec.Source;
import dev.muelle.engine.Engine.Executed;
import dev.muelle.engine.EngineException;
import dev.muelle.engine.ImageReference;
import dev.muelle.engine.SandboxSpec;
import dev.muelle.engine.SandboxSpec.Sharing;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How containers are set apart where they say so, and what else runs in them. */
class IsolationTest {
  private static final Duration LIMIT = Duration.ofSeconds(120);

  private Lab lab;
  private String image;

  @BeforeEach
  void open() throws Exception {
    lab = new Lab();
    byte[] layer =
        Lab.busybox()
            .directory("data")
            .file("data/seed.txt", "from the image\n".getBytes(), 0644)
            .bytes();
    lab.image(
        "volumes",
        Map.of("Volumes", Map.of("/data", Map.of())),
        List.of(layer),
        List.of(Lab.gzip(layer)));
    image = lab.engine.pull(ImageReference.parse("local.test/volumes"), null).id();
    lab.engine.createSandbox(Lab.sandbox("s1"));
  }

  @AfterEach
  void close() throws Exception {
    lab.close();
  }

  private List<String> run(String id, Isolation isolation, String script) {
    lab.engine.startContainer(container(id, isolation, script));
    assertEquals(0, lab.exited(id).exitCode(), () -> lab.texts(id).toString());
    return lab.texts(id);
  }

  private ContainerSpec container(String id, Isolation isolation, String script) {
    return Lab.builder(id, "s1", image, script).isolation(isolation).build();
  }

  @Test
  void capabilitiesAreAddedAndDropped() {
    String effective = "/bin/busybox grep CapEff /proc/self/status | /bin/busybox cut -f2";
    long usual = Long.parseLong(run("c1", Isolation.DEFAULT, effective).getFirst(), 16);
    Isolation traced = new Isolation(Set.of("SYS_PTRACE"), Set.of("MKNOD"), 0, Map.of(), List.of());
    long changed = Long.parseLong(run("c2", traced, effective).getFirst(), 16);
    assertEquals(usual & ~(1L << 27) | 1L << 19, changed);
    Isolation none = new Isolation(Set.of(), Set.of("ALL"), 0, Map.of(), List.of());
    assertEquals("0000000000000000", run("c3", none, effective).getFirst());
    Isolation unknown = new Isolation(Set.of("FLY"), Set.of(), 0, Map.of(), List.of());
    EngineException refused =
        assertThrows(
            EngineException.class,
            () -> lab.engine.startContainer(container("c4", unknown, "true")));
    assertTrue(refused.getMessage().contains("CAP_FLY"), refused.getMessage());
  }

  @Test
  void aPrivilegedContainerDoesWhatRootMay() {
    Isolation privileged =
        new Isolation(
            Set.of(), Set.of(), 0, Map.of(), List.of(), true, null, false, false, List.of(), 0,
            null);
    String script =
        "mkdir -p /tmp/m; /bin/busybox mount -t tmpfs none /tmp/m && echo mounted || echo kept;"
            + " /bin/busybox mknod /tmp/null c 1 3 && echo > /tmp/null && echo device";
    assertEquals(List.of("mounted", "device"), run("c1", privileged, script));
    assertTrue(run("c2", Isolation.DEFAULT, script).contains("kept"));
  }

  @Test
  void containersOfASandboxShareVolumes() {
    Mount shared = new Mount("/data", new Source.Shared("work"), false);
    // Filled with what the image has there, because the image declares a volume.
    assertEquals(
        List.of("from the image"),
        run("c1", Lab.mounting(shared), "cat /data/seed.txt; echo more > /data/second.txt"));
    Mount readonly = new Mount("/mnt/elsewhere", new Source.Shared("work"), true);
    List<String> seen =
        run(
            "c2",
            Lab.mounting(readonly),
            "cat /mnt/elsewhere/second.txt; echo no > /mnt/elsewhere/third.txt || echo refused");
    assertEquals("more", seen.getFirst());
    assertTrue(seen.contains("refused"), seen::toString);
    // Where the image declares nothing, a volume begins empty.
    Mount empty = new Mount("/etc", new Source.Shared("bare"), false);
    assertEquals(
        List.of("0"),
        run("c3", Lab.mounting(empty), "ls /etc | /bin/busybox grep -c passwd || true"));
  }

  @Test
  void memoryIsMounted() {
    Mount memory = new Mount("/scratch", new Source.Memory(1 << 20, List.of("noexec")), false);
    List<String> seen =
        run(
            "c1",
            Lab.mounting(memory),
            "/bin/busybox grep ' /scratch ' /proc/mounts;"
                + " dd if=/dev/zero of=/scratch/big bs=64k count=32 2>/dev/null || echo full");
    assertTrue(seen.getFirst().contains("noexec"), seen::toString);
    assertTrue(seen.getFirst().contains("size=1024k"), seen::toString);
    assertEquals("full", seen.getLast());
  }

  @Test
  void sharedMemoryAndKernelParametersAreItsOwn() {
    Isolation isolation =
        new Isolation(
            Set.of(),
            Set.of(),
            1 << 20,
            Map.of("net.core.somaxconn", "77", "kernel.msgmax", "9000"),
            List.of());
    List<String> seen =
        run(
            "c1",
            isolation,
            "cat /proc/sys/net/core/somaxconn /proc/sys/kernel/msgmax;"
                + " /bin/busybox grep ' /dev/shm ' /proc/mounts");
    assertEquals(List.of("77", "9000"), seen.subList(0, 2));
    assertTrue(seen.get(2).contains("size=1024k"), seen::toString);
  }

  @Test
  void commandsAreExecutedInsideAndEndInTime() {
    lab.engine.startContainer(
        container("c1", Isolation.DEFAULT, "echo inside > /tmp/mark; sleep 1000"));
    Lab.await(() -> execute("cat", "/tmp/mark").exitCode() == 0);
    assertEquals(new Executed(0, "inside\n"), execute("cat", "/tmp/mark"));
    assertEquals(3, execute("/bin/sh", "-c", "echo no >&2; exit 3").exitCode());
    assertTrue(execute("/bin/nothing").exitCode() != 0);
    List<String> endless = List.of("/bin/sh", "-c", "echo on; exec sleep 999");
    Executed late = lab.engine.execute("c1", endless, Duration.ofSeconds(1));
    for (int limit = 4; late.output().isEmpty() && limit < 100; limit *= 4) {
      late = lab.engine.execute("c1", endless, Duration.ofSeconds(limit)); // a busy machine
    }
    assertEquals(new Executed(-1, "on\n"), late);
    // Nothing of it is left inside.
    Lab.await(() -> !execute("/bin/busybox", "ps").output().contains("sleep 999"));
    lab.engine.stopContainer("c1", Duration.ZERO);
    assertThrows(EngineException.class, () -> execute("true"));
  }

  private static Isolation devices(boolean offline, Device... devices) {
    return new Isolation(
        Set.of(),
        Set.of(),
        -1,
        Map.of(),
        List.of(),
        false,
        null,
        offline,
        true,
        List.of(devices),
        16 << 20,
        null);
  }

  @Test
  void nothingIsGainedByPrograms() {
    String gained = "/bin/busybox grep NoNewPrivs /proc/self/status | /bin/busybox cut -f2";
    assertEquals(List.of("1"), run("c1", devices(false), gained));
    assertEquals(List.of("0"), run("c2", Isolation.DEFAULT, gained));
  }

  @Test
  void aContainerWithoutNetworkHasOnlyItself() {
    String interfaces = "ls /sys/class/net; /bin/busybox ip -o addr show lo | /bin/busybox wc -l";
    List<String> seen = run("c1", devices(true), interfaces);
    assertEquals("lo", seen.getFirst());
    assertEquals(2, seen.size(), seen::toString);
    String namespace = "/bin/busybox readlink /proc/self/ns/net";
    assertFalse(
        run("c2", devices(true), namespace).equals(run("c3", Isolation.DEFAULT, namespace)));
  }

  @Test
  void devicesAreGivenAsFarAsTheMachineHasThem() {
    Device zero = new Device("/dev/zero", "/dev/nothing", "r");
    assertEquals(
        List.of("4", "no shm"),
        run(
            "c1",
            devices(false, zero),
            "dd if=/dev/nothing bs=4 count=1 2>/dev/null | /bin/busybox wc -c;"
                + " [ -e /dev/shm ] || echo no shm"));
    if (Files.exists(Path.of("/dev/fuse"))) { // the module is loaded
      String write = "(: > /dev/files) 2>/dev/null && echo written || echo refused";
      for (String access : List.of("r", "rw")) {
        assertEquals(
            List.of(access.equals("r") ? "refused" : "written"),
            run(
                "fuse-" + access,
                devices(false, new Device("/dev/fuse", "/dev/files", access)),
                write));
      }
    }
    for (String path : List.of("/dev/mem", "/dev/kmsg", "/dev/../etc/passwd", "/dev/loop0")) {
      EngineException refused =
          assertThrows(
              EngineException.class,
              () ->
                  lab.engine.startContainer(
                      container("bad", devices(false, new Device(path, "/dev/x", "rwm")), "true")));
      assertTrue(refused.getMessage().contains("no such file"), refused.getMessage());
    }
  }

  @Test
  void swapComesOnTopOfMemory() throws Exception {
    List<String> mounts = Files.readAllLines(Path.of("/proc/self/mountinfo"));
    Cgroups cgroups = new Cgroups(Cgroups.detect(mounts), lab.instance);
    ContainerSpec limited =
        Lab.builder("c1", "s1", image, "sleep 1000")
            .memoryLimit(32 << 20)
            .isolation(devices(false))
            .build();
    if (!cgroups.countsSwap()) {
      EngineException refused =
          assertThrows(EngineException.class, () -> lab.engine.startContainer(limited));
      assertTrue(refused.getMessage().contains("maxSwap"), refused.getMessage());
      return;
    }
    lab.engine.createSandbox(
        new SandboxSpec(
            "s2",
            null,
            "h",
            null,
            List.of(),
            List.of(),
            0,
            64 << 20,
            16 << 20,
            0,
            Sharing.CONTAINER,
            Sharing.CONTAINER,
            null,
            Map.of()));
    lab.engine.startContainer(limited);
    boolean together = cgroups.version() instanceof Cgroups.Version.V1;
    assertEquals((together ? 48 : 16) << 20, swap(cgroups, "s1/c1"));
    assertEquals((together ? 80 : 16) << 20, swap(cgroups, "s2"));
  }

  private long swap(Cgroups cgroups, String group) throws Exception {
    Path file =
        switch (cgroups.version()) {
          case Cgroups.Version.V1(Map<String, Path> hierarchies) ->
              hierarchies
                  .get("memory")
                  .resolve(lab.instance)
                  .resolve(group)
                  .resolve("memory.memsw.limit_in_bytes");
          case Cgroups.Version.V2(Path root) ->
              root.resolve(lab.instance).resolve(group).resolve("memory.swap.max");
        };
    return Long.parseLong(Files.readString(file).trim());
  }

  @Test
  void namesAreTheContainersOwn() {
    Names names =
        new Names(
            "quay",
            "172.17.0.2",
            List.of(new Names.Host("10.0.0.9", "db db.internal")),
            List.of("10.0.0.53"),
            List.of("internal"));
    lab.engine.startContainer(
        Lab.builder(
                "c1",
                "s1",
                image,
                "/bin/busybox hostname; cat /etc/hosts /etc/resolv.conf; echo $HOSTNAME")
            .names(names)
            .build());
    assertEquals(0, lab.exited("c1").exitCode());
    assertEquals(
        List.of(
            "quay",
            "127.0.0.1\tlocalhost",
            "::1\tlocalhost ip6-localhost ip6-loopback",
            "10.0.0.9\tdb db.internal",
            "172.17.0.2\tquay",
            "search internal",
            "nameserver 10.0.0.53",
            "quay"),
        lab.texts("c1"));
  }

  private Executed execute(String... command) {
    return lab.engine.execute("c1", List.of(command), LIMIT);
  }
}
