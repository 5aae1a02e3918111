package dev.muelle.engine;

import java.util.List;
import java.util.Map;
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
    boolean keepsOutput) {

  /** A resource limit, named as Docker does: {@code nofile}, {@code nproc}, … */
  public record Ulimit(String name, long soft, long hard) {}
}
