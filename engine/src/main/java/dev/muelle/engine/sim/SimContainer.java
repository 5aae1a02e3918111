package dev.muelle.engine.sim;

import dev.muelle.engine.ContainerSpec;
import dev.muelle.engine.ContainerStatus;
import dev.muelle.engine.ContainerStatus.State;
import dev.muelle.engine.Engine.LogLine;
import dev.muelle.engine.LogLines;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** A container that was asked for; guarded by its engine. */
final class SimContainer {

  final ContainerSpec spec;
  final Behaviour behaviour;
  private State state;
  private int restarts;
  private final List<LogLine> output = new ArrayList<>();
  private int released;

  SimContainer(ContainerSpec spec, Behaviour behaviour, int pid, Instant now) {
    this.spec = spec;
    this.behaviour = behaviour;
    this.state = new State.Running(pid, now);
  }

  boolean running() {
    return state instanceof State.Running;
  }

  State state() {
    return state;
  }

  ContainerStatus status() {
    return new ContainerStatus(spec.id(), spec.sandboxId(), spec.name(), state, restarts);
  }

  /** How often it was started again: what belongs to an earlier start is none of a later one's. */
  int restarts() {
    return restarts;
  }

  /** Returns whether it had exited, and so runs again. */
  boolean restart(int pid, Instant now) {
    return switch (state) {
      case State.Running _ -> false;
      case State.Exited _ -> {
        state = new State.Running(pid, now);
        restarts++;
        yield true;
      }
    };
  }

  /** Returns whether it ran until now. */
  boolean exit(int exitCode, boolean outOfMemory, Instant now) {
    return switch (state) {
      case State.Exited _ -> false;
      case State.Running running -> {
        state = new State.Exited(exitCode, outOfMemory, running.startedAt(), now);
        yield true;
      }
    };
  }

  void print(String text, boolean stderr, Instant now) {
    if (!spec.keepsOutput()) {
      return;
    }
    output.add(new LogLine(output.size() + 1L, now.toEpochMilli(), stderr, text));
  }

  /** Who asks for what was released, gets none of it: as from the real one. */
  void release(long position) {
    released = Math.clamp(position, released, output.size());
  }

  LogLines output(long position, int limit, int bytes) {
    LogLines lines = new LogLines(0);
    int next = Math.clamp(position, released, output.size());
    while (next < output.size() && lines.count() < limit && lines.size() < bytes) {
      lines.add(output.get(next++));
    }
    return lines;
  }
}
