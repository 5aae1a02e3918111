package dev.muelle.e2e;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

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
    collect(found, "cgroup", marks, shell.run(cgroups(instance)));
    return found.stream().sorted().toList();
  }

  /**
   * The instance's cgroups with what is in them: its own stay as long as its region runs. Others
   * come and go while one looks, which {@code find} can bear.
   */
  private static String cgroups(String instance) {
    return "find /sys/fs/cgroup -maxdepth 4 -type d -regex '.*/"
        + instance
        + "\\(/[^/]*\\)?' 2> /dev/null || true";
  }

  private static void collect(List<String> found, String kind, List<String> marks, String lines) {
    lines
        .lines()
        .filter(line -> marks.stream().anyMatch(line::contains))
        .forEach(line -> found.add(kind + " " + line.trim()));
  }
}
