package dev.muelle.e2e;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** What a region could leave behind on a machine, which others use at the same time. */
final class Machine {

  private Machine() {}

  /**
   * Everything that carries the region's mark (the instance's name, the data directory) or that its
   * server holds: namespaces, mounts, loop devices, cgroups, packet filter tables, links,
   * processes, listeners; one line each, sorted.
   *
   * @param instance what the region's kernel objects start with
   * @param server the server's process id; 0 if it does not run
   */
  static List<String> traces(String instance, Path data, long server) throws IOException {
    Shell shell = new Shell(Path.of("/tmp"), Map.of());
    List<String> marks = List.of(instance, data.toString());
    List<String> found = new ArrayList<>();
    collect(found, "namespace", marks, shell.run("ip netns list | cut -d' ' -f1"));
    collect(found, "mount", marks, shell.run("findmnt -rn -o TARGET,SOURCE"));
    collect(found, "loop", marks, shell.run("losetup -ln -O NAME,BACK-FILE"));
    collect(found, "table", marks, shell.run("nft list tables"));
    collect(found, "link", marks, shell.run("ip -o link | cut -d: -f2 | cut -d@ -f1"));
    collect(
        found,
        "process",
        marks,
        shell.run("ps -eo args | grep -E '^[^ ]*(monitor|conmon|crun|runc) ' || true"));
    collect(
        found,
        "listener",
        List.of("pid=" + server + ","),
        shell.run("ss -Hltnp | awk '{print $4, $6}'"));
    try (Stream<Path> cgroups = Files.walk(Path.of("/sys/fs/cgroup"), 3)) {
      cgroups
          .filter(path -> path.getFileName().toString().equals(instance))
          .filter(Files::isDirectory)
          .flatMap(Machine::children)
          .forEach(path -> found.add("cgroup " + path));
    }
    return found.stream().sorted().toList();
  }

  /** A cgroup with what is in it: the instance's own stays as long as its region runs. */
  private static Stream<Path> children(Path cgroup) {
    try (Stream<Path> files = Files.list(cgroup)) {
      return Stream.concat(
          Stream.of(cgroup), List.copyOf(files.filter(Files::isDirectory).toList()).stream());
    } catch (IOException e) {
      return Stream.empty(); // gone while we looked
    }
  }

  private static void collect(List<String> found, String kind, List<String> marks, String lines) {
    lines
        .lines()
        .filter(line -> marks.stream().anyMatch(line::contains))
        .forEach(line -> found.add(kind + " " + line.trim()));
  }
}
