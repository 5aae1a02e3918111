package dev.muelle.engine.oci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.engine.ContainerSpec.Mount;
import dev.muelle.engine.ContainerSpec.Source;
import dev.muelle.engine.EngineException;
import dev.muelle.engine.ImageReference;
import dev.muelle.engine.Machine;
import dev.muelle.engine.SandboxSpec;
import dev.muelle.engine.SandboxSpec.Sharing;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Sandboxes that are on one machine: its files, volumes and namespaces, and the way out of them.
 */
@Timeout(180)
class MachinesTest {

  private static final Machine MACHINE = new Machine("i-1", Map.of("scope", "a"));

  private Lab lab;
  private String image;

  @BeforeEach
  void open() throws Exception {
    lab = new Lab();
    byte[] layer =
        Lab.busybox()
            .directory("seed")
            .file("seed/one.txt", "one\n".getBytes(), 0644)
            .file("seed/two.txt", "two\n".getBytes(), 0644)
            .bytes();
    lab.image("seeded", Map.of(), List.of(layer), List.of(Lab.gzip(layer)));
    image = lab.engine.pull(ImageReference.parse("local.test/seeded"), null).id();
  }

  @AfterEach
  void close() throws Exception {
    lab.close();
  }

  private void sandbox(String id, Sharing processes, Sharing ipc) {
    lab.engine.createSandbox(
        new SandboxSpec(
            id,
            null,
            "h",
            null,
            List.of(),
            List.of(),
            512,
            256L << 20,
            0,
            0,
            processes,
            ipc,
            MACHINE,
            Map.of()));
  }

  private void sandbox(String id) {
    sandbox(id, Sharing.CONTAINER, Sharing.CONTAINER);
  }

  private void start(String id, String sandbox, String script, Mount... mounts) {
    lab.engine.startContainer(
        Lab.builder(id, sandbox, image, script).isolation(Lab.mounting(mounts)).build());
  }

  private List<String> run(String id, String sandbox, String script, Mount... mounts) {
    start(id, sandbox, script, mounts);
    assertEquals(0, lab.exited(id).exitCode(), () -> lab.texts(id).toString());
    return lab.texts(id);
  }

  private static Mount place(String path, String target) {
    return new Mount(target, new Source.OfMachine(path), false);
  }

  private static Mount volume(String name, String target) {
    return new Mount(target, new Source.Volume(name, Map.of("team", "a"), true), false);
  }

  @Test
  void aPlaceIsMadeAndSharedAndStaysUntilTheMachineGoes() throws Exception {
    sandbox("s1");
    run("c1", "s1", "echo written > /mnt/file; chmod 700 /mnt", place("/srv/app/data", "/mnt"));
    lab.engine.removeSandbox("s1");
    sandbox("s2");
    Mount readonly = new Mount("/mnt", new Source.OfMachine("/srv/app/data"), true);
    assertEquals(
        List.of("written", "kept"),
        run("c2", "s2", "cat /mnt/file; (echo > /mnt/no) 2>/dev/null || echo kept", readonly));
    // One file is a place, too.
    assertEquals(
        List.of("written"), run("c3", "s2", "cat /one", place("/srv/app/data/file", "/one")));
    assertFalse(lab.engine.removeMachine("i-1"), "a sandbox is on it");
    lab.reopen(); // another server knows it
    assertEquals(List.of(MACHINE), lab.engine.machines());
    lab.engine.removeSandbox("s2");
    assertTrue(lab.engine.removeMachine("i-1"));
    assertEquals(List.of(), lab.engine.machines());
    assertFalse(Files.exists(lab.engineRoot().resolve("machines/i-1")));
    sandbox("s3");
    assertEquals(
        List.of("0"), run("c4", "s3", "ls /mnt | /bin/busybox wc -l", place("/srv", "/mnt")));
  }

  @Test
  void nobodyLeavesTheMachinesFiles() throws Exception {
    Path outside = Files.createDirectory(lab.directory.resolve("outside"));
    Files.writeString(outside.resolve("secret"), "of the host\n");
    sandbox("s1");
    // The whole of the machine's files, with links that lead out of it for everybody else.
    run(
        "links",
        "s1",
        "echo mine > /all/etc/secret; mkdir /all/data; cd /all/data;"
            + " /bin/busybox ln -s "
            + outside
            + " absolute; /bin/busybox ln -s ../../../../../../../../../.."
            + outside
            + " relative; /bin/busybox ln -s /etc etc; /bin/busybox ln -s /proc/self/root magic",
        place("/", "/all"));
    String look = "cat /mnt/secret 2>/dev/null || echo none";
    assertEquals(List.of("mine"), run("c1", "s1", look, place("/data/etc", "/mnt")));
    assertEquals(List.of("mine"), run("c2", "s1", look, place("/../../../../etc", "/mnt")));
    int number = 0;
    for (String path :
        List.of("/data/absolute", "/data/relative", "/data/magic/" + outside, "" + outside)) {
      String id = "try-" + number++;
      try {
        start(id, "s1", look, place(path, "/mnt"));
      } catch (EngineException e) {
        assertTrue(e.getMessage().contains("CannotCreateContainerError"), e.getMessage());
        continue; // a link to where nothing is, in the machine's files
      }
      lab.exited(id);
      assertEquals(List.of("none"), lab.texts(id), path);
    }
    assertEquals(List.of("secret"), names(outside));
  }

  private static List<String> names(Path directory) throws Exception {
    try (var files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).toList();
    }
  }

  @Test
  void whoExchangesPlacesForLinksMeanwhileGainsNothing() throws Exception {
    Path outside = Files.createDirectories(lab.directory.resolve("outside/in"));
    Files.writeString(outside.resolve("secret"), "of the host\n");
    sandbox("s1");
    start(
        "juggler",
        "s1",
        "cd /all; mkdir -p real/in; echo mine > real/in/secret; /bin/busybox ln -s "
            + outside.getParent()
            + " link; echo ready; while :; do /bin/busybox mv -T real place; /bin/busybox mv -T place real;"
            + " /bin/busybox mv -T link place; /bin/busybox mv -T place link; done 2>/dev/null",
        place("/srv", "/all"));
    Lab.await(() -> lab.texts("juggler").contains("ready"));
    List<String> seen = new ArrayList<>();
    for (int i = 0; i < 25; i++) {
      String id = "look-" + i;
      try {
        start(id, "s1", "cat /mnt/secret 2>/dev/null || echo none", place("/srv/place/in", "/mnt"));
      } catch (EngineException e) {
        continue; // it was a link to nowhere, or made by somebody else
      }
      lab.exited(id);
      seen.addAll(lab.texts(id));
    }
    assertFalse(seen.contains("of the host"), seen::toString);
    assertFalse(seen.isEmpty());
    assertEquals(List.of("secret"), names(outside));
  }

  @Test
  void aVolumeIsFilledOnceHoweverManyBeginAtOnce() throws Exception {
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<List<String>>> all = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        String number = Integer.toString(i);
        all.add(
            threads.submit(() -> {
              sandbox("s" + number);
              return run(
                  "c" + number,
                  "s" + number,
                  "ls /seed | /bin/busybox grep txt; echo x > /seed/by-" + number,
                  volume("shared", "/seed"));
            }));
      }
      for (Future<List<String>> one : all) {
        assertEquals(List.of("one.txt", "two.txt"), one.get());
      }
    }
    for (int i = 0; i < 8; i++) {
      lab.engine.removeSandbox("s" + i);
    }
    sandbox("late");
    assertEquals(
        List.of("8"), run("c", "late", "ls /v | /bin/busybox grep -c by-", volume("shared", "/v")));
    // It lies where Docker has its volumes.
    assertEquals(
        List.of("one"),
        run("d", "late", "cat /v/shared/_data/one.txt", place("/var/lib/docker/volumes", "/v")));
  }

  @Test
  void aVolumeThatIsNotToBeMadeHasToBeThere() throws Exception {
    sandbox("s1");
    Mount given = new Mount("/v", new Source.Volume("v", Map.of(), false), false);
    EngineException refused =
        assertThrows(EngineException.class, () -> start("c1", "s1", "true", given));
    assertTrue(refused.getMessage().contains("autoprovision"), refused.getMessage());
    run("c2", "s1", "true", volume("v", "/v"));
    run("c3", "s1", "true", given);
    assertEquals(
        "{\"labels\":{\"team\":\"a\"}}",
        Files.readString(lab.engineRoot().resolve("machines/i-1/volumes/v.json")));
    Mount bad = new Mount("/v", new Source.Volume("../../etc", Map.of(), true), false);
    assertThrows(EngineException.class, () -> start("c4", "s1", "true", bad));
  }

  @Test
  void placesAreThereAgainWhenAContainerIsRestarted() {
    sandbox("s1");
    String script = "echo x >> /mnt/count; /bin/busybox wc -l < /mnt/count";
    start("c1", "s1", script, place("/data", "/mnt"), volume("v", "/v"));
    lab.exited("c1");
    lab.reopen();
    lab.engine.restartContainer("c1");
    Lab.await(() -> lab.texts("c1").equals(List.of("1", "2")));
  }

  @Test
  void namespacesOfTheMachineAreSharedByWhoSaysSo() {
    sandbox("s1", Sharing.MACHINE, Sharing.MACHINE);
    sandbox("s2", Sharing.MACHINE, Sharing.MACHINE);
    sandbox("s3");
    start("server", "s1", "echo hola > /dev/shm/word; echo $$; exec sleep 4713");
    Lab.await(() -> !lab.texts("server").isEmpty());
    int pid = Integer.parseInt(lab.texts("server").getFirst());
    assertEquals(
        List.of("hola", "sleep 4713 "),
        run(
            "seer",
            "s2",
            "cat /dev/shm/word; /bin/busybox tr '\\0' ' ' < /proc/" + pid + "/cmdline"));
    assertEquals(
        List.of("none", "1"),
        run(
            "stranger",
            "s3",
            "cat /dev/shm/word 2>/dev/null || echo none; ls -d /proc/[0-9]* | /bin/busybox grep -c /1$"));
    // What the host runs is not among them: the first process is the machine's own.
    assertEquals(List.of("tini"), run("first", "s2", "cat /proc/1/comm"));
    lab.reopen();
    assertEquals(List.of("hola"), run("again", "s2", "cat /dev/shm/word"));
    lab.engine.removeSandbox("s1"); // what it shared stays with the others
    assertEquals(List.of("hola"), run("later", "s2", "cat /dev/shm/word"));
    for (String id : List.of("s2", "s3")) {
      lab.engine.removeSandbox(id);
    }
    assertTrue(lab.engine.removeMachine("i-1"));
  }

  @Test
  void aSandboxesMemoryIsItsOwn() {
    sandbox("s1", Sharing.CONTAINER, Sharing.SANDBOX);
    sandbox("s2", Sharing.CONTAINER, Sharing.SANDBOX);
    run("c1", "s1", "echo hola > /dev/shm/word");
    assertEquals(List.of("hola"), run("c2", "s1", "cat /dev/shm/word"));
    assertEquals(List.of("0"), run("c3", "s2", "ls /dev/shm | /bin/busybox wc -l"));
    String ipc = "/bin/busybox readlink /proc/self/ns/ipc";
    assertEquals(run("c4", "s1", ipc), run("c5", "s1", ipc));
    assertFalse(run("c6", "s2", ipc).equals(lab.texts("c4")));
  }

  @Test
  void aMachineThatWasNotFinishedIsRemoved() throws Exception {
    sandbox("s1");
    lab.engine.close();
    Path half = lab.engineRoot().resolve("machines/half/root/etc");
    Files.createDirectories(half);
    lab.engine = lab.open();
    assertEquals(List.of(MACHINE), lab.engine.machines());
    assertFalse(Files.exists(lab.engineRoot().resolve("machines/half")));
  }
}
