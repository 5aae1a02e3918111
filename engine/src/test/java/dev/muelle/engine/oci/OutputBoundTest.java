package dev.muelle.engine.oci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.engine.ContainerStatus.State;
import dev.muelle.engine.Engine.LogLine;
import dev.muelle.linux.Syscalls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What containers print does not fill the disk, and no line of it is lost. */
class OutputBoundTest {

  private static final long BOUND = 512 << 10;
  private static final Room ROOM = new Room(BOUND, Room.usual(Path.of("/tmp")).shelf());

  /** One signal later than asked for, conmon has written some more. */
  private static final long MOST = BOUND + (16 << 20);

  private static final int LINES = 600_000;

  /** So many that together they are more than that. */
  private static final int MANY = 3_000_000;

  /** Without a server somebody looks once a second: it must not have written all by then. */
  private static final String LEISURELY =
      "i=1; while [ $i -lt %d ]; do busybox seq $i $((i+9999)); i=$((i+10000)); sleep 0.2; done; exit 6"
          .formatted(LINES);

  @Test
  void aWriterIsHaltedAboveTheBoundAndGoesOnAtHalfOfIt() {
    assertFalse(Backlog.holds(100, false, true, 100));
    assertTrue(Backlog.holds(101, false, true, 100));
    assertTrue(Backlog.holds(51, true, true, 100));
    assertFalse(Backlog.holds(50, true, true, 100));
    assertFalse(Backlog.holds(1000, true, false, 100), "the dead write no more");
  }

  /** Reads, says how far for good, and checks that each line comes once and in order. */
  private static final class Reader {
    long position;
    int next = 1;

    boolean read(Lab lab, int limit) {
      List<LogLine> lines = lab.engine.output("c1", position, limit);
      for (LogLine line : lines) {
        assertEquals(Integer.toString(next), line.text());
        next++;
        position = line.position();
      }
      return !lines.isEmpty();
    }

    void release(Lab lab) {
      lab.engine.releaseOutput("c1", position);
    }
  }

  private static boolean halted(Lab lab) {
    return stateOf(Conmon.living(new Layout(lab.engineRoot()), lab.instance, "c1").orElse(0))
        == 'T';
  }

  private static char stateOf(int pid) {
    try {
      String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
      return stat.charAt(stat.lastIndexOf(')') + 2);
    } catch (IOException e) {
      return ' ';
    }
  }

  /** Bytes on the disk, not up to the end. */
  private static long taken(Lab lab) throws IOException {
    Process du =
        new ProcessBuilder("stat", "-c", "%b", lab.engineRoot().resolve("logs/c1").toString())
            .start();
    return 512 * Long.parseLong(du.inputReader().readLine());
  }

  @Test
  void aFastWriterWaitsForItsReader() throws Exception {
    try (Lab lab = new Lab(ROOM)) {
      String image = lab.busyboxImage();
      lab.engine.createSandbox(Lab.sandbox("s1"));
      lab.engine.startContainer(
          Lab.container("c1", "s1", image, "busybox seq 1 " + MANY + "; exit 6"));
      Lab.await(() -> halted(lab));
      long atRest = taken(lab);
      assertTrue(atRest < MOST, () -> atRest + " bytes");
      Reader reader = new Reader();
      long most = 0;
      for (int round = 0; reader.next <= MANY; round++) {
        if (!reader.read(lab, 4000)) {
          Lab.await(() -> !lab.engine.output("c1", reader.position, 1).isEmpty());
        }
        reader.release(lab);
        if (round % 50 == 0) {
          most = Math.max(most, taken(lab));
        }
        assertFalse(exitedWithout(lab, reader), "exited with lines unread that exceed the bound");
      }
      assertEquals(6, lab.exited("c1").exitCode());
      assertFalse(reader.read(lab, 1));
      long seen = most;
      assertTrue(seen < MOST, () -> seen + " bytes");
      long whole = Files.size(lab.engineRoot().resolve("logs/c1"));
      assertTrue(whole > MOST, "the test must write more than the bound: " + whole);
      assertTrue(taken(lab) < 4 << 20, "what was read is given back");
    }
  }

  private static boolean exitedWithout(Lab lab, Reader reader) {
    return lab.engine.container("c1").orElseThrow().state() instanceof State.Exited
        && reader.next < LINES / 10;
  }

  @Test
  void aHaltedContainerStopsAsAnyOther() throws Exception {
    try (Lab lab = new Lab(ROOM)) {
      String image = lab.busyboxImage();
      lab.engine.createSandbox(Lab.sandbox("s1"));
      lab.engine.startContainer(
          Lab.container("c1", "s1", image, "trap 'exit 3' TERM; while true; do echo x; done"));
      lab.engine.startContainer(
          Lab.container("c2", "s1", image, "trap '' TERM; while true; do echo x; done"));
      Lab.await(() -> halted(lab));
      lab.engine.stopContainer("c2", Duration.ofMillis(200));
      assertEquals(137, lab.exited("c2").exitCode());
      // Nobody reads, now or later: it must end without.
      // Its write(2) waits in a full pipe; the shell's trap runs after it, so that takes SIGKILL.
      lab.engine.stopContainer("c1", Duration.ofMillis(200));
      int code = lab.exited("c1").exitCode();
      assertTrue(code == 137 || code == 3, "exit code " + code);
    }
  }

  @Test
  void oneWhoDiesWhileHaltedIsSeenToDie() throws Exception {
    try (Lab lab = new Lab(ROOM)) {
      String image = lab.busyboxImage();
      lab.engine.createSandbox(Lab.sandbox("s1"));
      lab.engine.startContainer(Lab.container("c1", "s1", image, "while true; do echo x; done"));
      Lab.await(() -> halted(lab));
      Syscalls.kill(((State.Running) lab.engine.container("c1").orElseThrow().state()).pid(), 9);
      assertEquals(137, lab.exited("c1").exitCode());
    }
  }

  /** A process of its own that starts a container, reads a part, notes how far, and is killed. */
  static final class Server {
    private Server() {}

    public static void main(String[] args) throws Exception {
      Lab lab = new Lab(args[0], Path.of(args[1]), ROOM);
      String image = lab.busyboxImage();
      lab.engine.createSandbox(Lab.sandbox("s1"));
      lab.engine.startContainer(Lab.container("c1", "s1", image, LEISURELY));
      Reader reader = new Reader();
      while (true) {
        if (reader.read(lab, 500)) {
          System.out.println(reader.position + " " + reader.next); // for good: now it is known
          reader.release(lab);
        } else {
          Thread.sleep(1);
        }
      }
    }
  }

  @Test
  void noLineIsMissingOrDoubleAfterKill9AndTheDiskIsSafeMeanwhile() throws Exception {
    Path directory = Files.createTempDirectory("muelle-engine");
    String instance = Lab.name();
    Process server = Lab.process(Server.class, instance, directory);
    Reader reader = new Reader();
    try {
      readUntilKilled(server, reader);
      Path root = directory.resolve("engine");
      Lab.await(() -> stateOf(Conmon.living(new Layout(root), instance, "c1").orElse(0)) == 'T');
    } catch (Exception | AssertionError e) {
      new Lab(instance, directory, ROOM).close(); // leave nothing on the machine
      throw e;
    }
    int reached = reader.next;
    try (Lab lab = new Lab(instance, directory, ROOM)) {
      assertTrue(reached < LINES, "killed too late to show anything");
      assertTrue(taken(lab) < 400 << 20);
      while (reader.next <= LINES) {
        if (!reader.read(lab, 1000)) {
          Lab.await(() -> !lab.engine.output("c1", reader.position, 1).isEmpty());
        }
        reader.release(lab);
      }
      assertEquals(6, lab.exited("c1").exitCode());
      // What was released is gone; who asks for it gets what is kept.
      List<LogLine> kept = lab.engine.output("c1", 0, 1);
      assertTrue(kept.isEmpty() || Integer.parseInt(kept.getFirst().text()) > reached);
    }
  }

  private static void readUntilKilled(Process server, Reader reader) throws Exception {
    try (var lines = server.inputReader()) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        String[] fields = line.split(" ");
        reader.position = Long.parseLong(fields[0]);
        reader.next = Integer.parseInt(fields[1]);
        if (reader.next > LINES / 6) {
          Syscalls.kill((int) server.pid(), 9); // what it still says on its way counts, too
        }
      }
    } finally {
      server.destroyForcibly().waitFor();
    }
  }

  @Test
  void withoutAReaderNothingIsKept() throws Exception {
    try (Lab lab = new Lab(ROOM)) {
      String image = lab.busyboxImage();
      lab.engine.createSandbox(Lab.sandbox("s1"));
      lab.engine.startContainer(
          Lab.builder("c1", "s1", image, "busybox seq 1 " + LINES + "; exit 6")
              .keepsOutput(false)
              .build());
      assertEquals(6, lab.exited("c1").exitCode());
      assertEquals(List.of(), lab.lines("c1"));
      assertFalse(Files.exists(lab.engineRoot().resolve("logs/c1")));
    }
  }
}
