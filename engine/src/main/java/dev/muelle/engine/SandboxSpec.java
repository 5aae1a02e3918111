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
 * @param storageLimit in bytes, of what the containers may write to their root filesystems; 0 for
 *     no limit
 * @param sharesProcesses whether its containers' processes see each other and can be sent signals
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
    long storageLimit,
    boolean sharesProcesses,
    Map<String, String> labels) {

  /** Each of whose containers has its processes for itself. */
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
        storageLimit,
        false,
        labels);
  }
}
