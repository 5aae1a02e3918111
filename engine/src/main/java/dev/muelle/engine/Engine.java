package dev.muelle.engine;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Runs tasks. A sandbox is what the containers of one task share: a network namespace and a cgroup
 * with the task's limits. Containers outlive this process: after a restart an engine over the same
 * directory knows again every sandbox and container, running or exited, with nothing of their
 * output or exit codes lost.
 *
 * <p>Every operation blocks its (virtual) thread until it is done, is idempotent by id, and leaves
 * nothing behind when it throws.
 */
public interface Engine extends AutoCloseable {

  /**
   * Makes an image ready to start.
   *
   * @throws EngineException with a message in the words of ECS, starting with {@code
   *     CannotPullContainerError: }
   */
  Image pull(ImageReference reference, @Nullable RegistryLogin login);

  void createSandbox(SandboxSpec spec);

  /**
   * Creates and starts a container in an existing sandbox; if a container with this id was started
   * before, nothing happens.
   *
   * @throws EngineException for example {@code CannotStartContainerError: …} or {@code
   *     ResourceInitializationError: …}
   */
  void startContainer(ContainerSpec spec);

  /**
   * Starts a container that has exited once more: the same one, with what it wrote to its files,
   * its output going on where it ended. Nothing happens if it runs or is unknown. If it cannot be
   * started, it has exited anew, just now.
   *
   * @throws EngineException as {@link #startContainer}
   */
  void restartContainer(String containerId);

  /**
   * Runs a further process in a running container, with the container's user and environment, and
   * waits for its end.
   *
   * @param limit after which it is killed
   * @throws EngineException if the container does not run, or the program cannot be started
   */
  Executed execute(String containerId, List<String> command, Duration limit);

  /**
   * Runs a further process in a running container, as root and with the container's environment, on
   * a terminal of its own.
   *
   * @throws EngineException if the container does not run; a program that cannot be started shows
   *     in the output
   */
  Terminal open(String containerId, List<String> command);

  /**
   * Sends the stop signal, then SIGKILL after {@code grace}; returns when the container has exited.
   * Nothing happens if it is unknown or has exited.
   */
  void stopContainer(String containerId, Duration grace);

  /** Kills what still runs and removes everything of the sandbox, its containers' output too. */
  void removeSandbox(String sandboxId);

  Optional<ContainerStatus> container(String containerId);

  List<SandboxStatus> sandboxes();

  /**
   * The container's output from a position on (0: from the start), in order; empty if there is
   * nothing more at the moment. Complete until {@link #removeSandbox}, but for what was released.
   * Whoever asks says with it that what lies before the position is taken care of, unless this
   * server is killed: a container that has written far beyond that waits when it writes more.
   *
   * @param limit of lines
   * @param bytes of text, after which no further line is given
   */
  LogLines output(String containerId, long position, int limit, int bytes);

  /** The same, whatever their size. */
  default List<LogLine> output(String containerId, long position, int limit) {
    return output(containerId, position, limit, Integer.MAX_VALUE).list();
  }

  /**
   * Says that the output before a position will not be asked for again, by no later server either,
   * so that it need not be kept. Nothing happens if the container is unknown.
   */
  void releaseOutput(String containerId, long position);

  /** Why no container could be started now; empty if nothing speaks against it. */
  Optional<String> impairment();

  /** How exact the clock is that the containers see. */
  ClockState clock();

  /** Calls {@code listener} with the id of a container that exited or has new output. */
  Watch watch(Consumer<String> listener);

  /** What a running container uses now; empty if it does not run. */
  Optional<Usage> usage(String containerId);

  /** All that a running container used so far; empty if it does not run. */
  Optional<Statistics> statistics(String containerId);

  /**
   * What the containers of a sandbox take of its storage now, in bytes; 0 if it has no limit or is
   * unknown.
   */
  long storageUsed(String sandboxId);

  /** Those that sandboxes were made on, and that were not removed. */
  List<Machine> machines();

  /**
   * Removes a machine's files, volumes and namespaces. Nothing happens if it is unknown.
   *
   * @return whether it is gone; it stays as long as a sandbox is on it
   */
  boolean removeMachine(String machineId);

  /** Kills and removes everything that this engine ever made on this machine. */
  void removeAll();

  /** Lets go of everything; what runs keeps running. */
  @Override
  void close();

  /** A listener that can be taken away again. */
  @FunctionalInterface
  interface Watch extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * An image that is ready to start.
   *
   * @param digest of the manifest that the reference resolved to ({@code sha256:…}; for a
   *     multi-platform index the index's own digest, as ECS shows it)
   * @param id what {@link ContainerSpec#imageId} takes
   */
  record Image(String id, String digest) {}

  /** User name and password (or token) for a registry. */
  record RegistryLogin(String user, String password) {
    @Override
    public String toString() {
      return "RegistryLogin[" + user + "]"; // never the password
    }
  }

  /**
   * What is known of a clock.
   *
   * @param errorMicros how far it may be from UTC, at most
   * @param synchronised whether somebody keeps it near UTC
   */
  record ClockState(long errorMicros, boolean synchronised) {}

  /**
   * A piece of output.
   *
   * @param position where the next piece starts
   * @param epochMillis when it was written
   * @param text one line without its line feed; a line over 256 KiB comes in several pieces
   */
  record LogLine(long position, long epochMillis, boolean stderr, String text) {}

  /**
   * How a further process ended.
   *
   * @param exitCode the process's own, 128 plus the signal that killed it, or -1 if it took longer
   *     than its limit
   * @param output what it printed on both streams, the first 4,096 characters
   */
  record Executed(int exitCode, String output) {}

  /**
   * @param cpuNanos CPU time consumed so far
   * @param memoryBytes resident now, page cache that can be dropped not counted
   * @param memoryPeakBytes the most there has been
   */
  record Usage(long cpuNanos, long memoryBytes, long memoryPeakBytes, int processes) {}
}
