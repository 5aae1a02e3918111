package dev.muelle.engine;

import java.time.Instant;

/** What a container is doing, as observed; it only advances. */
public record ContainerStatus(String id, String sandboxId, String name, State state) {

  /** From running to exited, never back. */
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
