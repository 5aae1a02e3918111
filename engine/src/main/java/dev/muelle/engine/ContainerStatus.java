package dev.muelle.engine;

import java.time.Instant;

/**
 * What a container is doing, as observed; it only advances.
 *
 * @param restarts how often it was started again after an exit
 */
public record ContainerStatus(String id, String sandboxId, String name, State state, int restarts) {

  /** From running to exited, and back only by {@link Engine#restartContainer}. */
  public sealed interface State {
    /**
     * @param pid on the host
     */
    record Running(int pid, Instant startedAt) implements State {}

    /**
     * @param exitCode the process's own, or 128 plus the signal that killed it
     * @param outOfMemory whether the kernel killed it at a memory limit
     */
    record Exited(int exitCode, boolean outOfMemory, Instant startedAt, Instant finishedAt)
        implements State {}
  }
}
