package dev.muelle.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the machine lacks is said in one sentence, with the command that mends it. */
@Timeout(300)
class DoctorTest {

  private static final String AS_NOBODY = "setpriv --reuid=nobody --regid=nogroup --clear-groups ";
  private static final String NO_CGROUPS = "umount -R /sys/fs/cgroup; ";

  @TempDir private Path directory;

  private Shell.Outcome attempt(String script) throws IOException {
    Path link = directory.resolve("muelle");
    if (!Files.exists(link)) {
      Files.createSymbolicLink(link, Shell.HOME.resolve("muelle"));
    }
    Map<String, String> environment =
        Map.of("MUELLE_DATA", directory.resolve("data").toString(), "MUELLE_CACHE", "no");
    return new Shell(directory, environment).attempt(script, 120);
  }

  /** In a mount namespace of its own, so that what is hidden there stays visible to others. */
  private Shell.Outcome apart(String script) throws IOException {
    return attempt("unshare --mount bash -c '" + script + "'");
  }

  private static void assertSays(Shell.Outcome outcome, String sentence, String mend) {
    assertNotEquals(0, outcome.exitCode(), outcome::output);
    List<String> lines = outcome.output().lines().toList();
    assertTrue(lines.size() >= 2 && lines.size() <= 3, outcome::output);
    assertTrue(lines.getFirst().startsWith("muelle: "), outcome::output);
    assertTrue(lines.getFirst().contains(sentence), outcome::output);
    assertTrue(lines.get(1).startsWith("  "), outcome::output);
    assertTrue(lines.get(1).contains(mend), outcome::output);
  }

  private static void assertLists(Shell.Outcome doctor, String sentence, String mend) {
    assertNotEquals(0, doctor.exitCode(), doctor::output);
    List<String> lines = doctor.output().lines().toList();
    int at = 0;
    while (at < lines.size() && !lines.get(at).contains(sentence)) {
      at++;
    }
    assertTrue(at + 1 < lines.size(), doctor::output);
    assertTrue(lines.get(at).startsWith("  LACKS "), doctor::output);
    assertTrue(lines.get(at + 1).contains(mend), doctor::output);
    assertFalse(doctor.output().contains("This machine can run"), doctor::output);
  }

  /** What nobody can read: a checkout may be below root's home. */
  private String readableCopy() throws IOException {
    Path copy = directory.resolve("copy");
    Shell.Outcome made =
        attempt(
            "chmod a+rx %1$s; mkdir -p %2$s/region; cp %3$s/muelle %2$s; cp -r %3$s/region/{jvm.bash,target} %2$s/region"
                .formatted(directory, copy, Shell.HOME));
    assertEquals(0, made.exitCode(), made::output);
    return copy + "/muelle ";
  }

  @Test
  void withoutRoot() throws Exception {
    String muelle = readableCopy();
    for (String command : List.of("up", "up --detach", "demo", "down")) {
      assertSays(
          attempt(AS_NOBODY + muelle + command), "must run as root", "sudo ./muelle " + command);
    }
    assertLists(attempt(AS_NOBODY + muelle + "doctor"), "must run as root", "sudo ./muelle");
    assertFalse(Files.exists(directory.resolve("data")));
  }

  @Test
  void withoutJdk25() throws Exception {
    String hidden =
        """
        mkdir -p %1$s/jvm/jdk-17/bin; cp /bin/true %1$s/jvm/jdk-17/bin/javac
        echo JAVA_VERSION=\\"17.0.17\\" > %1$s/jvm/jdk-17/release
        mount --bind %1$s/jvm /usr/lib/jvm
        export JAVA_HOME=/usr/lib/jvm/jdk-17 MUELLE_JAVA_HOME=/usr/lib/jvm/jdk-17
        """
            .formatted(directory);
    for (String command : List.of("up", "demo", "test", "env")) {
      assertSays(apart(hidden + "./muelle " + command), "needs a JDK 25", "temurin-25-jdk");
    }
    assertLists(apart(hidden + "./muelle doctor"), "needs a JDK 25", "temurin-25-jdk");
    assertLists(apart(hidden + NO_CGROUPS + "./muelle doctor"), "No cgroups", "mount -t cgroup2");
  }

  @Test
  void withoutCgroups() throws Exception {
    for (String command : List.of("up", "up --detach", "demo")) {
      assertSays(
          apart(NO_CGROUPS + "./muelle " + command),
          "No cgroups with cpu, memory, pids are mounted",
          "mount -t cgroup2");
    }
    assertLists(apart(NO_CGROUPS + "./muelle doctor"), "No cgroups", "mount -t cgroup2");
  }

  @Test
  void whenThePortIsTaken() throws Exception {
    try (ServerSocket holder = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      int port = holder.getLocalPort();
      for (String command : List.of("up", "up --detach", "demo")) {
        assertSays(
            attempt("./muelle " + command + " --port " + port),
            "Port " + port + " of 127.0.0.1, where the region is to listen, is in use.",
            "--port");
      }
      assertLists(
          attempt("./muelle doctor --port " + port), "Port " + port + " of 127.0.0.1", "--port");
    }
  }

  @Test
  void whenTheDataDirectoryIsTaken() throws Exception {
    Files.writeString(directory.resolve("file"), "");
    assertNotEquals(0, attempt("./muelle up --data file/below").exitCode());
    Shell.Outcome file = attempt("./muelle up --data file");
    assertNotEquals(0, file.exitCode());
    assertTrue(file.output().contains("file is in the way"), file::output);

    try (TestRegion region = TestRegion.start("")) {
      String data = " --data " + region.work().resolve("data");
      assertEquals(0, attempt("./muelle up --detach" + data).exitCode(), "that is what runs");
      assertSays(
          attempt("./muelle up --port " + TestRegion.freePort() + data),
          "is in use by the region at http://localhost:" + region.port(),
          "./muelle down --data");
      assertSays(
          attempt("./muelle up --open" + data), "which verifies signatures", "./muelle down");

      // A server that has not said yet that it runs.
      Path said = region.work().resolve("data/server.properties");
      Files.move(said, directory.resolve("said"));
      for (String command : List.of("up --detach", "up")) {
        assertSays(
            attempt("./muelle " + command + " --port " + TestRegion.freePort() + data),
            "is in use by another Muelle server",
            "./muelle up --data DIR");
      }
      Files.move(directory.resolve("said"), said);
      assertEquals("ok", region.run("curl -s $AWS_ENDPOINT_URL/_muelle/health"));
    }
  }

  @Test
  void theDoctorListsEverythingAtOnce() throws Exception {
    String muelle = readableCopy();
    try (ServerSocket holder = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Shell.Outcome doctor =
          apart(NO_CGROUPS + AS_NOBODY + muelle + "doctor --port " + holder.getLocalPort());
      assertLists(doctor, "must run as root", "sudo ./muelle");
      assertLists(doctor, "No cgroups", "mount -t cgroup2");
      assertLists(doctor, "Port " + holder.getLocalPort(), "--port");
      assertTrue(doctor.output().contains("  ok    JDK "), doctor::output);
    }
    Shell.Outcome well = attempt("./muelle doctor --port " + TestRegion.freePort());
    assertEquals(0, well.exitCode(), well::output);
    assertTrue(well.output().contains("This machine can run a region."), well::output);
  }
}
