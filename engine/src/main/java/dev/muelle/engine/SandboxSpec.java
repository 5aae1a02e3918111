package dev.muelle.engine;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the containers of one task share.
 *
 * @param id letters, digits and dashes, at most 64
 * @param network path of the network namespace; null for one without any interface but loopback
 * @param address the primary address, for {@code /etc/hosts}; null if there is none
 * @param nameservers for {@code /etc/resolv.conf}
 * @param searchDomains for {@code /etc/resolv.conf}
 * @param cpuLimit in CPU units of 1/1024 vCPU, for all containers together; 0 for no limit
 * @param memoryLimit in bytes, for all containers together; 0 for no limit
 * @param swapLimit in bytes, for all containers together, where memory is limited
 * @param storageLimit in bytes, of what the containers may write to their root filesystems; 0 for
 *     no limit
 * @param processes whose processes its containers' processes see and can send signals to
 * @param ipc with whom they share System V IPC, POSIX message queues and {@code /dev/shm}
 * @param machine on which it is; null for one that has nothing to share with other sandboxes
 * @param labels kept and given back by {@link Engine#sandboxes}
 */
public record SandboxSpec(
    String id,
    @Nullable Path network,
    String hostname,
    @Nullable String address,
    List<String> nameservers,
    List<String> searchDomains,
    int cpuLimit,
    long memoryLimit,
    long swapLimit,
    long storageLimit,
    Sharing processes,
    Sharing ipc,
    @Nullable Machine machine,
    Map<String, String> labels) {

  /** Who is in a namespace together. */
  public enum Sharing {
    /** Each container is alone in its own. */
    CONTAINER,
    /** The containers of the sandbox. */
    SANDBOX,
    /** The containers of all sandboxes of the machine that say the same. */
    MACHINE
  }

  /** On no machine, and whose containers share nothing but network and limits. */
  public SandboxSpec(
      String id,
      @Nullable Path network,
      String hostname,
      @Nullable String address,
      List<String> nameservers,
      List<String> searchDomains,
      int cpuLimit,
      long memoryLimit,
      long storageLimit,
      Map<String, String> labels) {
    this(
        id,
        network,
        hostname,
        address,
        nameservers,
        searchDomains,
        cpuLimit,
        memoryLimit,
        0,
        storageLimit,
        Sharing.CONTAINER,
        Sharing.CONTAINER,
        null,
        labels);
  }

  /** Whether the end of a container's first process may leave others of it behind. */
  public boolean sharesProcesses() {
    return processes != Sharing.CONTAINER;
  }
}
