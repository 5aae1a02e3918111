package dev.muelle.region.doctor;

import dev.muelle.region.RegionServer;
import dev.muelle.region.doctor.Check.Finding;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Looks at the machine. */
public final class Doctor {

  private static final String HOST = "127.0.0.1";

  /** Without these no region runs here, whatever its port. */
  private static final List<Check> MACHINE =
      List.of(
          new Checks.Root(),
          new Checks.Jdk(),
          new Checks.Program(
              "conmon", "conmon", true, "stays with containers that an OCI runtime starts"),
          new Checks.EitherProgram("crun", "runc", "starts containers"),
          new Checks.Program("tini-static", "tini", false, "is the init of initProcessEnabled"),
          new Checks.Program("nft", "nftables", true, "filters packets"),
          new Checks.Program("ip", "iproute2", true, "makes network namespaces"),
          new Checks.Cgroups(Path.of("/sys/fs/cgroup"), Path.of("/proc/self/cgroup")),
          new Checks.Filesystem("overlay", Path.of("/proc"), Path.of("/lib/modules")),
          new Checks.Namespaces(Path.of("/proc/self/ns")));

  private final int port;
  private final List<Check> checks;

  /**
   * A doctor for the machine that we run on.
   *
   * @param port where the region is to listen
   */
  public Doctor(int port) {
    this.port = port;
    checks = new ArrayList<>(MACHINE);
    checks.add(new Checks.PortFree(HOST, 80, "load balancers offer port 80 on this machine"));
    checks.add(new Checks.PortOurs(HOST, port, RegionServer.HEALTH_PATH));
    checks.add(new Checks.LocalhostNames());
    checks.add(new Checks.Program("aws", "awscli", false, "runs the labs by hand"));
    checks.add(new Checks.Program("curl", "curl", false, "shows the answers of a load balancer"));
  }

  /** Everything as lines for a person; after each lack the command that mends it. */
  public Report report() {
    List<String> lines = new ArrayList<>();
    boolean ready = true;
    for (Check check : checks) {
      switch (check.look()) {
        case Finding.Has has -> lines.add("  ok    " + has.what());
        case Finding.Lacks lack -> {
          lines.add((lack.needed() ? "  LACKS " : "  note  ") + lack.what());
          lines.add("          " + lack.mend());
          ready &= !lack.needed();
        }
      }
    }
    lines.add(ready ? "This machine can run a region." : "This machine cannot run a region yet.");
    return new Report(List.copyOf(lines), ready);
  }

  /** What the doctor says, and whether a region can run here. */
  public record Report(List<String> lines, boolean ready) {}

  /**
   * What keeps a region from running here.
   *
   * @param what one sentence
   * @param mend the command
   */
  public record Obstacle(String what, String mend) {}

  /** The first thing without which no region can run here. */
  public Optional<Obstacle> obstacle() {
    return MACHINE.stream().flatMap(check -> needed(check.look()).stream()).findFirst();
  }

  /** Who else has the port; a region of another data directory is one. */
  public Optional<Obstacle> portObstacle() {
    return new Checks.PortFree(HOST, port, "").look() instanceof Finding.Has
        ? Optional.empty()
        : needed(Checks.PortOurs.taken(HOST, port));
  }

  private static Optional<Obstacle> needed(Finding finding) {
    return finding instanceof Finding.Lacks lack && lack.needed()
        ? Optional.of(new Obstacle(lack.what(), lack.mend()))
        : Optional.empty();
  }
}
