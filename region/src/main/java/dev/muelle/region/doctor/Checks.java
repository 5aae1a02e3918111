package dev.muelle.region.doctor;

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The single checks. */
final class Checks {

  private static final List<String> CONTROLLERS = List.of("cpu", "memory", "pids");

  private Checks() {}

  /** Namespaces, mounts and packet filters want root. */
  record Root() implements Check {
    @Override
    public Finding look() {
      return "root".equals(System.getProperty("user.name"))
          ? new Finding.Has("running as root")
          : new Finding.Lacks("Muelle must run as root.", "sudo ./muelle …", true);
    }
  }

  record Jdk() implements Check {
    @Override
    public Finding look() {
      int feature = Runtime.version().feature();
      return feature >= 25
          ? new Finding.Has("JDK " + Runtime.version())
          : new Finding.Lacks(
              "Muelle needs a JDK 25; this is " + feature + ".",
              "apt-get install temurin-25-jdk (https://adoptium.net/installation/linux)",
              true);
    }
  }

  record Program(String name, String debianPackage, boolean needed, String purpose)
      implements Check {
    @Override
    public Finding look() {
      Path found = find(name);
      return found != null
          ? new Finding.Has(found + " (" + purpose + ")")
          : new Finding.Lacks(
              name + ", which " + purpose + ", is not installed.",
              "apt-get install --no-install-recommends " + debianPackage,
              needed);
    }
  }

  record EitherProgram(String preferred, String other, String purpose) implements Check {
    @Override
    public Finding look() {
      for (String name : List.of(preferred, other)) {
        Path found = find(name);
        if (found != null) {
          return new Finding.Has(found + " (" + purpose + ")");
        }
      }
      return new Finding.Lacks(
          "Neither " + preferred + " nor " + other + ", which " + purpose + ", is installed.",
          "apt-get install --no-install-recommends " + preferred,
          true);
    }
  }

  /** The controllers that limits need, in cgroup v2 or v1. */
  record Cgroups(Path root, Path own) implements Check {
    @Override
    public Finding look() {
      try {
        Path unified = root.resolve("cgroup.controllers");
        if (Files.exists(unified)) {
          List<String> has = Arrays.asList(Files.readString(unified).trim().split(" "));
          List<String> lacks = CONTROLLERS.stream().filter(c -> !has.contains(c)).toList();
          return lacks.isEmpty()
              ? new Finding.Has("cgroup v2 with " + String.join(", ", CONTROLLERS))
              : new Finding.Lacks(
                  "The cgroup v2 controllers " + String.join(", ", lacks) + " are not enabled.",
                  "Start the kernel without cgroup_disable=, and on Raspberry Pi with"
                      + " cgroup_enable=memory",
                  true);
        }
        List<String> lacks =
            CONTROLLERS.stream()
                .filter(c -> !Files.exists(root.resolve(c).resolve("cgroup.procs")))
                .toList();
        return lacks.isEmpty()
            ? new Finding.Has("cgroup v1 with " + String.join(", ", CONTROLLERS))
            : new Finding.Lacks(
                "No cgroups with " + String.join(", ", lacks) + " are mounted under " + root + ".",
                "mount -t cgroup2 none /sys/fs/cgroup",
                true);
      } catch (IOException e) {
        return new Finding.Lacks(
            "cgroups cannot be read: " + e.getMessage(),
            "mount -t cgroup2 none /sys/fs/cgroup",
            true);
      }
    }
  }

  /**
   * A file system that the kernel knows, or whose module it loads itself at the first mount (it
   * asks modprobe for {@code fs-NAME}), as on a Debian that has just booted.
   *
   * @param proc {@code /proc}
   * @param modules {@code /lib/modules}, one directory for each kernel
   */
  record Filesystem(String name, Path proc, Path modules) implements Check {
    @Override
    public Finding look() {
      try {
        String release = Files.readString(proc.resolve("sys/kernel/osrelease")).strip();
        return has(proc.resolve("filesystems"), line -> line.endsWith("\t" + name))
                || has(
                    modules.resolve(release, "modules.alias"),
                    line -> line.startsWith("alias fs-" + name + " "))
            ? new Finding.Has(name + "fs")
            : new Finding.Lacks("The kernel has no " + name + "fs.", "modprobe " + name, true);
      } catch (IOException e) {
        return new Finding.Lacks(proc + " cannot be read.", "mount -t proc proc /proc", true);
      }
    }

    private static boolean has(Path file, Predicate<String> wanted) throws IOException {
      if (!Files.exists(file)) {
        return false;
      }
      try (Stream<String> lines = Files.lines(file)) {
        return lines.anyMatch(wanted);
      }
    }
  }

  record Namespaces(Path own) implements Check {
    @Override
    public Finding look() {
      List<String> lacks =
          Stream.of("pid", "mnt", "net", "ipc", "uts")
              .filter(kind -> !Files.exists(own.resolve(kind)))
              .toList();
      return lacks.isEmpty()
          ? new Finding.Has("pid, mount, network, ipc and uts namespaces")
          : new Finding.Lacks(
              "The kernel has no namespaces of kind " + String.join(", ", lacks) + ".",
              "Use a kernel with CONFIG_NAMESPACES",
              true);
    }
  }

  /** A port that load balancers like to offer; without it everything else works. */
  record PortFree(String address, int port, String purpose) implements Check {
    @Override
    public Finding look() {
      try (ServerSocket socket = new ServerSocket()) {
        socket.setReuseAddress(true);
        socket.bind(new InetSocketAddress(address, port));
        return new Finding.Has("port " + port + " is free (" + purpose + ")");
      } catch (IOException e) {
        return new Finding.Lacks(
            "Port " + port + " of " + address + " is in use (" + purpose + ").",
            "ss -ltnp 'sport = :" + port + "' shows by whom; a running region's own is fine",
            false);
      }
    }
  }

  /** The region's own port: free, or answered by a region. */
  record PortOurs(String address, int port, String healthPath) implements Check {
    private static final int PATIENCE_MILLIS = 1_000;

    @Override
    public Finding look() {
      if (new PortFree(address, port, "").look() instanceof Finding.Has) {
        return new Finding.Has("port " + port + " is free for the region");
      }
      return answersAsRegion()
          ? new Finding.Has("a region answers at port " + port)
          : taken(address, port);
    }

    static Finding.Lacks taken(String address, int port) {
      return new Finding.Lacks(
          "Port " + port + " of " + address + ", where the region is to listen, is in use.",
          "./muelle up --port NUMBER takes another; ss -ltnp 'sport = :"
              + port
              + "' shows who has this one",
          true);
    }

    private boolean answersAsRegion() {
      try {
        HttpURLConnection connection =
            (HttpURLConnection)
                URI.create("http://" + address + ":" + port + healthPath).toURL().openConnection();
        connection.setConnectTimeout(PATIENCE_MILLIS);
        connection.setReadTimeout(PATIENCE_MILLIS);
        return connection.getResponseCode() == 200;
      } catch (IOException e) {
        return false;
      }
    }
  }

  /** Only a convenience: curl and browsers know these names by themselves. */
  record LocalhostNames() implements Check {
    @Override
    public Finding look() {
      try {
        InetAddress address = InetAddress.getAllByName("any.elb.localhost")[0];
        return new Finding.Has("names under .localhost resolve to " + address.getHostAddress());
      } catch (UnknownHostException e) {
        return new Finding.Lacks(
            "This machine's resolver does not know names under .localhost (curl, browsers and"
                + " docker against localhost:4566 do without).",
            "apt-get install libnss-myhostname",
            false);
      }
    }
  }

  private static @Nullable Path find(String program) {
    String path = System.getenv().getOrDefault("PATH", "");
    return Stream.concat(Arrays.stream(path.split(":")), Stream.of("/usr/sbin", "/sbin"))
        .map(directory -> Path.of(directory, program))
        .filter(Files::isExecutable)
        .findFirst()
        .orElse(null);
  }
}
