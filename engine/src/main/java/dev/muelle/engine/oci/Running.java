package dev.muelle.engine.oci;

import dev.muelle.engine.ContainerStatus;
import dev.muelle.engine.ContainerStatus.State;
import dev.muelle.engine.SandboxSpec;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;

/** A container that was started; it advances once, to its exit. */
final class Running {

  /**
   * What is written down of it; also of its sandbox, of which nothing else may be known when the
   * machine has started anew.
   *
   * @param startTime of its first process, in ticks since boot
   * @param stopSignal number
   * @param order of starting
   * @param restarts how often it was started again after an exit
   */
  record Note(
      String id,
      SandboxSpec sandbox,
      String name,
      String imageId,
      int pid,
      long startTime,
      int stopSignal,
      long order,
      long startedMillis,
      int restarts) {

    String sandboxId() {
      return sandbox.id();
    }

    /** The same container, started again. */
    Note again(int newPid, long newStartTime, long millis, int times) {
      return new Note(
          id,
          sandbox,
          name,
          imageId,
          newPid,
          newStartTime,
          stopSignal,
          order,
          millis,
          restarts + times);
    }
  }

  /** What is written down of its end. */
  record Exit(int code, boolean outOfMemory, long finishedMillis) {}

  final Note note;
  final CompletableFuture<Exit> exit = new CompletableFuture<>();

  Running(Note note) {
    this.note = note;
  }

  ContainerStatus status() {
    Instant started = Instant.ofEpochMilli(note.startedMillis());
    Exit end = exit.getNow(null);
    State state =
        end == null
            ? new State.Running(note.pid(), started)
            : new State.Exited(
                end.code(), end.outOfMemory(), started, Instant.ofEpochMilli(end.finishedMillis()));
    return new ContainerStatus(note.id(), note.sandboxId(), note.name(), state, note.restarts());
  }
}
