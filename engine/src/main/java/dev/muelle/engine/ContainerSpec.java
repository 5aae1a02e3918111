package dev.muelle.engine;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One container.
 *
 * @param id letters, digits and dashes, at most 64; unique in the engine
 * @param imageId from {@link Engine#pull}
 * @param entryPoint replaces the image's entry point (and drops its command); null keeps it
 * @param command replaces the image's command; null keeps it
 * @param environment added to the image's own
 * @param workingDirectory null keeps the image's
 * @param user {@code uid}, {@code uid:gid}, {@code name}, {@code name:group}; null keeps the
 *     image's
 * @param cpuShares in CPU units of 1/1024 vCPU: the weight against the others of the sandbox; 0 for
 *     the smallest
 * @param memoryLimit hard, in bytes; 0 for the sandbox's
 * @param memoryReservation soft, in bytes; 0 for none
 * @param init whether a small init process runs as pid 1 and reaps
 * @param keepsOutput whether what it prints is kept for {@link Engine#output}, whose reader has to
 *     release it; else it goes nowhere
 * @param isolation how it is set apart from the rest of the machine
 * @param console what it has instead of an empty input and two pipes
 * @param names what it calls itself and others; null for what the sandbox says
 * @param jsonFile where on the sandbox's machine its output is written down; null for nowhere. Then
 *     nobody has to read or release it
 */
public record ContainerSpec(
    String id,
    String sandboxId,
    String name,
    String imageId,
    @Nullable List<String> entryPoint,
    @Nullable List<String> command,
    Map<String, String> environment,
    @Nullable String workingDirectory,
    @Nullable String user,
    int cpuShares,
    long memoryLimit,
    long memoryReservation,
    boolean readonlyRoot,
    boolean init,
    List<Ulimit> ulimits,
    boolean keepsOutput,
    Isolation isolation,
    Console console,
    @Nullable Names names,
    @Nullable JsonFile jsonFile) {

  /** A container that is as its image says, and as Docker would have it. */
  public static ContainerSpecBuilder builder(String id, String sandboxId, String imageId) {
    return new ContainerSpecBuilder(id, sandboxId, imageId);
  }

  /**
   * What a container reads from and writes to.
   *
   * @param terminal whether that is a terminal, which makes one stream of its output
   * @param open whether its input stays open although nobody writes to it
   */
  public record Console(boolean terminal, boolean open) {

    /** Neither. */
    public static final Console NONE = new Console(false, false);
  }

  /**
   * The container's own {@code /etc/hosts}, {@code /etc/hostname} and {@code /etc/resolv.conf}.
   *
   * @param address its own; null if it has none, or needs no name
   * @param hosts further lines of {@code /etc/hosts}, in order
   */
  public record Names(
      String hostname,
      @Nullable String address,
      List<Host> hosts,
      List<String> nameservers,
      List<String> searchDomains) {

    /** A line of {@code /etc/hosts}. */
    public record Host(String address, String names) {}
  }

  /**
   * Docker's {@code json-file}: what the container prints, at {@code
   * /var/lib/docker/containers/ID/ID-json.log} of the machine's files, a JSON object a line. It
   * goes with the container.
   *
   * @param maxSize in bytes, from which on a new file is begun; 0 for no limit
   * @param maxFiles how many there are, the older ones with {@code .1}, {@code .2} at their names
   * @see <a href="https://docs.docker.com/engine/logging/drivers/json-file/">JSON File logging
   *     driver</a>
   */
  public record JsonFile(long maxSize, int maxFiles) {}

  /** A resource limit, named as Docker does: {@code nofile}, {@code nproc}, … */
  public record Ulimit(String name, long soft, long hard) {}

  /**
   * How a container is set apart, where it differs from Docker's defaults.
   *
   * @param addCapabilities without {@code CAP_}, or {@code ALL}
   * @param dropCapabilities likewise; adding wins over dropping all
   * @param sharedMemory size of {@code /dev/shm} in bytes, if it is not shared with others; 0 for
   *     64 MiB, less for none at all
   * @param sysctls kernel parameters of its namespaces
   * @param mounts in the order of the mounting
   * @param privileged whether it may do to the machine what root may
   * @param network path of a network namespace of its own; null for the sandbox's
   * @param offline whether it has nothing but a loopback interface instead
   * @param noNewPrivileges whether programs gain nothing by set-user-id bits and the like
   * @param devices beside those that every container has
   * @param swap in bytes, beyond the memory's limit
   * @param swappiness 0 to 100; null for the kernel's own
   */
  public record Isolation(
      Set<String> addCapabilities,
      Set<String> dropCapabilities,
      long sharedMemory,
      Map<String, String> sysctls,
      List<Mount> mounts,
      boolean privileged,
      @Nullable Path network,
      boolean offline,
      boolean noNewPrivileges,
      List<Device> devices,
      long swap,
      @Nullable Integer swappiness) {

    /** Unprivileged, in the sandbox's network, with Docker's devices, and no swap. */
    public Isolation(
        Set<String> addCapabilities,
        Set<String> dropCapabilities,
        long sharedMemory,
        Map<String, String> sysctls,
        List<Mount> mounts) {
      this(
          addCapabilities,
          dropCapabilities,
          sharedMemory,
          sysctls,
          mounts,
          false,
          null,
          false,
          false,
          List.of(),
          0,
          null);
    }

    /** As Docker does it when nothing is said. */
    public static final Isolation DEFAULT =
        new Isolation(Set.of(), Set.of(), 0, Map.of(), List.of());
  }

  /**
   * A device.
   *
   * @param source a path below {@code /dev}
   * @param target where the container sees it
   * @param access letters of {@code rwm}: to read, to write, to make nodes of it
   */
  public record Device(String source, String target, String access) {}

  /**
   * Something mounted into a container.
   *
   * @param target an absolute path in the container; made if the image has none
   */
  public record Mount(String target, Source source, boolean readonly) {}

  /** What can be mounted. */
  public sealed interface Source {

    /**
     * A directory that the containers of the sandbox share, which goes when the sandbox goes, and
     * counts as its storage. The first container that mounts it where its image declares a volume
     * fills it with what the image has there.
     *
     * @param name unique in the sandbox
     * @param alwaysFilled whether it is filled wherever it is mounted, as Docker does with volumes
     */
    record Shared(String name, boolean alwaysFilled) implements Source {

      /** Filled where the image declares a volume only. */
      public Shared(String name) {
        this(name, false);
      }
    }

    /**
     * A place in the files of the sandbox's machine, wherever its links lead there; a directory is
     * made if there is nothing.
     */
    record OfMachine(String path) implements Source {}

    /**
     * A volume of the sandbox's machine, which its sandboxes share and which stays when they go.
     * The first container fills it with what its image has where it mounts it.
     *
     * @param name letters, digits, {@code _ -}
     * @param labels noted with it when it is made
     * @param made whether it is made if there is none
     */
    record Volume(String name, Map<String, String> labels, boolean made) implements Source {}

    /**
     * Memory.
     *
     * @param size in bytes
     * @param options of mount(8), for example {@code noexec}
     */
    record Memory(long size, List<String> options) implements Source {}
  }
}
