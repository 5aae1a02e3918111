package dev.muelle.engine.oci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.muelle.engine.ContainerSpec.JsonFile;
import dev.muelle.engine.ContainerSpec.Mount;
import dev.muelle.engine.ContainerSpec.Source;
import dev.muelle.engine.Machine;
import dev.muelle.engine.SandboxSpec;
import dev.muelle.engine.SandboxSpec.Sharing;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Docker's files of what containers print. */
@Timeout(180)
class JsonFilesTest {

  private final ObjectMapper json = new ObjectMapper();
  private Lab lab;
  private String image;

  @BeforeEach
  void open() throws Exception {
    lab = new Lab();
    image = lab.busyboxImage();
    lab.engine.createSandbox(
        new SandboxSpec(
            "s1",
            null,
            "h",
            null,
            List.of(),
            List.of(),
            512,
            256L << 20,
            0,
            0,
            Sharing.CONTAINER,
            Sharing.CONTAINER,
            new Machine("i-1", Map.of()),
            Map.of()));
  }

  @AfterEach
  void close() throws Exception {
    lab.close();
  }

  private void start(String id, String script, JsonFile file, Mount... mounts) {
    lab.engine.startContainer(
        Lab.builder(id, "s1", image, script)
            .keepsOutput(false)
            .isolation(Lab.mounting(mounts))
            .jsonFile(file)
            .build());
  }

  private Path directory(String id) {
    return lab.engineRoot().resolve("machines/i-1/root/var/lib/docker/containers").resolve(id);
  }

  private List<JsonNode> lines(String id, String suffix) {
    List<JsonNode> lines = new ArrayList<>();
    try {
      for (String line : Files.readAllLines(directory(id).resolve(id + "-json.log" + suffix))) {
        if (line.endsWith("}")) { // else it is just being written
          lines.add(json.readTree(line));
        }
      }
    } catch (NoSuchFileException e) {
      return List.of(); // a full file has just been put aside, the next one is not there yet
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return lines;
  }

  private List<String> texts(String id, String suffix) {
    return lines(id, suffix).stream().map(line -> line.path("log").asText()).toList();
  }

  @Test
  void eachLineIsAnObjectAndGoesWithTheContainer() {
    start("c1", "echo uno; echo dos >&2; /bin/busybox printf tres", new JsonFile(0, 1));
    lab.exited("c1");
    Lab.await(() -> lines("c1", "").size() == 3);
    assertEquals(Set.of("uno\n", "dos\n", "tres\n"), Set.copyOf(texts("c1", "")));
    for (JsonNode line : lines("c1", "")) {
      boolean error = line.path("log").asText().equals("dos\n");
      assertEquals(error ? "stderr" : "stdout", line.path("stream").asText());
      assertTrue(line.path("time").asText().matches("20..-..-..T..:..:..(\\.[0-9]+)?Z"), "" + line);
    }
    lab.engine.removeSandbox("s1");
    assertFalse(Files.exists(directory("c1")));
  }

  @Test
  void aFullFileIsFollowedByAnother() {
    start("c1", "for i in 1 2 3 4 5 6 7; do echo line-$i; done", new JsonFile(200, 3));
    lab.exited("c1");
    // A line takes 80 bytes or so: a file is full with three.
    Lab.await(() -> texts("c1", "").contains("line-7\n"));
    assertEquals(List.of("line-7\n"), texts("c1", ""));
    assertEquals(List.of("line-4\n", "line-5\n", "line-6\n"), texts("c1", ".1"));
    assertEquals(List.of("line-1\n", "line-2\n", "line-3\n"), texts("c1", ".2"));
    // With one file only the last lines are left.
    start("c2", "for i in 1 2 3 4 5 6 7; do echo line-$i; done", new JsonFile(200, 1));
    Lab.await(() -> texts("c2", "").contains("line-7\n"));
    assertEquals(List.of("line-7\n"), texts("c2", ""));
    assertFalse(Files.exists(directory("c2").resolve("c2-json.log.1")));
  }

  @Test
  void aServersEndLosesAndDoublesNothing() throws Exception {
    start(
        "c1",
        "i=0; while [ $i -lt 3000 ]; do echo $i; i=$((i+1)); done;"
            + " while [ ! -e /tmp/go ]; do sleep 0.05; done; echo end; sleep 1000",
        new JsonFile(0, 1));
    for (int restart = 0; restart < 4; restart++) {
      int least = restart * 300;
      Lab.await(() -> lines("c1", "").size() > least);
      lab.reopen();
      // As after a crash between writing and noting it.
      Files.writeString(
          directory("c1").resolve("c1-json.log"),
          "{\"log\":\"twice",
          java.nio.file.StandardOpenOption.APPEND);
    }
    lab.reopen();
    lab.engine.execute("c1", List.of("/bin/busybox", "touch", "/tmp/go"), Duration.ofSeconds(30));
    Lab.await(() -> texts("c1", "").contains("end\n"));
    assertFalse(Files.readString(directory("c1").resolve("c1-json.log")).contains("twice"));
    List<String> all = new ArrayList<>(IntStream.range(0, 3000).mapToObj(i -> i + "\n").toList());
    all.add("end\n");
    assertEquals(all, texts("c1", ""));
  }

  @Test
  void whoReplacesTheFileDoesNotLeadItsWriterAway() throws Exception {
    Path outside = Files.createDirectory(lab.directory.resolve("outside"));
    Path victim = Files.writeString(outside.resolve("victim-json.log"), "of the host\n");
    start("victim", "while :; do echo again; sleep 0.01; done", new JsonFile(0, 1));
    Lab.await(() -> !lines("victim", "").isEmpty());
    start(
        "thief",
        "cd /containers; rm=/bin/busybox; $rm rm -r victim; $rm ln -s "
            + outside
            + " victim; echo done; sleep 1000",
        new JsonFile(0, 1),
        new Mount("/containers", new Source.OfMachine("/var/lib/docker/containers"), false));
    Lab.await(() -> texts("thief", "").contains("done\n"));
    start("other", "for i in 1 2 3; do echo $i; done", new JsonFile(0, 1));
    Lab.await(() -> lines("other", "").size() == 3); // the others' output is not held up
    lab.engine.removeSandbox("s1");
    assertEquals("of the host\n", Files.readString(victim));
    assertEquals(1, outside.toFile().list().length);
  }
}
