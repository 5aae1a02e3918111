package dev.muelle.e2e;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** What a region could leave behind on a machine. */
final class Machine {

  private Machine() {}

  /**
   * Network namespaces, mounts, cgroups, packet filter tables, links, listeners, and processes that
   * hold containers: one line each, sorted.
   */
  static List<String> traces() throws IOException {
    Shell shell = new Shell(Path.of("/tmp"), Map.of());
    List<String> found = new ArrayList<>();
    collect(found, "namespace", shell.run("ip netns list | cut -d' ' -f1"));
    collect(found, "mount", shell.run("findmnt -rn -o TARGET | grep -v '^/sys/fs/cgroup' || true"));
    collect(found, "table", shell.run("nft list tables"));
    collect(found, "link", shell.run("ip -o link | cut -d: -f2 | cut -d@ -f1"));
    collect(found, "listener", shell.run("ss -Hltn | awk '{print $4}'"));
    collect(found, "process", shell.run("ps -eo comm | grep -E '^(conmon|crun|runc)' || true"));
    try (Stream<Path> cgroups = Files.walk(Path.of("/sys/fs/cgroup"), 3)) {
      cgroups
          .filter(Files::isDirectory)
          .filter(path -> path.getFileName().toString().startsWith("mu"))
          .forEach(path -> found.add("cgroup " + path));
    }
    return found.stream().sorted().toList();
  }

  private static void collect(List<String> found, String kind, String lines) {
    lines
        .lines()
        .filter(line -> !line.isBlank())
        .forEach(line -> found.add(kind + " " + line.trim()));
  }
}
