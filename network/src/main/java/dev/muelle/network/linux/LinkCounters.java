package dev.muelle.network.linux;

import dev.muelle.linux.Command;
import dev.muelle.linux.NetworkNamespace;
import dev.muelle.network.Network.Link;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** What the links of a namespace have carried, and which of them are up: all of them at once. */
record LinkCounters(NetworkNamespace namespace) {

  /** The calling thread's own namespace, which is not the process's. */
  private static final Path COUNTERS = Path.of("/proc/thread-self/net/dev");

  /** In what ip prints of a link: {@code 5: v1a2b3c@if2: <BROADCAST,MULTICAST,UP,LOWER_UP>}. */
  private static final Pattern UP = Pattern.compile("(?m)^\\d+: (\\S+)@\\S+: <[^>]*\\bLOWER_UP\\b");

  /** Of the columns of a link, the first eight are of what is received; proc_pid_net(5). */
  private static final int SENT = 8;

  /**
   * Reads the links that have names here.
   *
   * @param names what each belongs to, by its name
   * @return what is there, by what it belongs to
   */
  Map<String, Link> read(Map<String, String> names) {
    if (names.isEmpty()) {
      return Map.of();
    }
    Set<String> up = new HashSet<>();
    UP.matcher(Command.run("nsenter", "--net=" + namespace.path(), "ip", "-o", "link", "show"))
        .results()
        .forEach(found -> up.add(found.group(1)));
    Map<String, Link> links = new HashMap<>();
    for (String line : counters()) {
      int colon = line.indexOf(':');
      String name = colon < 0 ? "" : line.substring(0, colon).strip();
      String owner = names.get(name);
      if (owner != null) {
        List<String> columns = Arrays.asList(line.substring(colon + 1).strip().split("\\s+", -1));
        links.put(
            owner,
            new Link(
                up.contains(name),
                Long.parseLong(columns.get(SENT)),
                Long.parseLong(columns.get(SENT + 1)),
                Long.parseLong(columns.get(0)),
                Long.parseLong(columns.get(1))));
      }
    }
    return links;
  }

  private List<String> counters() {
    try {
      return namespace.call(() -> Files.readAllLines(COUNTERS));
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException("no counters of " + namespace.path(), e);
    }
  }
}
