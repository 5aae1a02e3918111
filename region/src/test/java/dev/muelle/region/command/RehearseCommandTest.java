package dev.muelle.region.command;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The whole region, with real containers: nothing of it may be left when its rehearsal is over. */
class RehearseCommandTest {

  @Test
  void startsAndStopsTasksAndLeavesNothing() throws IOException {
    Set<String> before = scratch();
    assertEquals(0, CommandLineRoot.run("rehearse", "--tasks", "2"));
    Set<String> left = scratch();
    left.removeAll(before);
    assertEquals(Set.of(), left); // no directory, so also no mount below it
    String ours = "muelle-rehearsal";
    assertEquals(
        0,
        ProcessHandle.allProcesses()
            .filter(process -> process.info().commandLine().orElse("").contains("/" + ours))
            .count(),
        "processes");
  }

  private static Set<String> scratch() throws IOException {
    try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.startsWith("muelle-rehearsal"))
          .collect(Collectors.toCollection(java.util.HashSet::new));
    }
  }
}
