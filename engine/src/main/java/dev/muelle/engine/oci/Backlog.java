package dev.muelle.engine.oci;

import dev.muelle.linux.LinuxException;
import dev.muelle.linux.Syscalls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps what containers print within a bound, without losing a line. What the reader has released
 * is given back to the disk from the file's beginning; the rest keeps its place, so that positions
 * stay what they are. When more than the bound waits for the reader, the container's monitor is
 * halted (SIGSTOP): its pipe fills, and the container waits in write(2), as under Docker's
 * <em>blocking</em> delivery. It goes on when half of that was released, or when the container has
 * died and there is only a pipe's content left to come.
 */
final class Backlog {

  private static final Logger LOG = LoggerFactory.getLogger(Backlog.class);
  private static final long STEP = 1L << 20; // bytes worth a system call
  private static final long TOGETHER = 16L << 20; // bytes that wait of all who are behind

  /** More than an event and a piece of the monitor's: who gathers an event must get its end. */
  private static final long LEAST = 384 << 10;

  private static final long BEHIND = LEAST / 2;

  private final Layout layout;
  private final String instance;
  private final long bound;
  private final Map<String, State> states = new ConcurrentHashMap<>();
  private final AtomicInteger behind = new AtomicInteger();

  /** Of one container; guarded by itself. */
  private static final class State {
    long released;
    long reached;
    boolean held;
    boolean behind;

    /** Nobody is as far as to have read what was not printed. */
    long unread(long size) {
      return size - Math.max(released, Math.min(reached, size));
    }
  }

  /**
   * Watches nothing by itself.
   *
   * @param bound in bytes, of each container, however few there are
   */
  Backlog(Layout layout, String instance, long bound) {
    this.layout = layout;
    this.instance = instance;
    this.bound = bound;
  }

  /** Whether to halt who writes; it takes less to let it go on than to halt it, to not flutter. */
  static boolean holds(long unread, boolean held, boolean alive, long bound) {
    return alive && unread > (held ? bound / 2 : bound);
  }

  /** From where on a container's output is kept: an offset in its file. */
  long kept(String id) {
    State state = state(id);
    synchronized (state) {
      return state.released;
    }
  }

  boolean held(String id) {
    State state = states.get(id);
    if (state == null) {
      return false;
    }
    synchronized (state) {
      return state.held;
    }
  }

  private State state(String id) {
    return states.computeIfAbsent(id, this::read);
  }

  private State read(String id) {
    State state = new State();
    try {
      state.released = Long.parseLong(Files.readString(layout.released(id)));
    } catch (NoSuchFileException e) {
      // nothing yet
    } catch (IOException | NumberFormatException e) {
      LOG.warn("what was released of the output of {} is unknown", id, e);
    }
    return state;
  }

  /**
   * Gives the disk back what lies before an offset.
   *
   * @param alive whether the container still runs
   */
  void release(String id, long offset, BooleanSupplier alive) throws IOException {
    State state = state(id);
    synchronized (state) {
      if (offset >= state.released + STEP || (state.held && offset > state.released)) {
        // Noted first: what is noted may still be there, what is gone must be noted.
        Layout.write(layout.released(id), Long.toString(offset).getBytes(ASCII));
        state.released = offset;
        forget(layout.log(id), offset);
      }
    }
    look(id, alive);
  }

  private static final java.nio.charset.Charset ASCII = java.nio.charset.StandardCharsets.US_ASCII;

  private static void forget(Path file, long offset) {
    try {
      Syscalls.forgetBeginning(file, offset);
    } catch (LinuxException e) {
      if (e.errno() == LinuxException.EOPNOTSUPP) {
        LOG.warn("the file system of {} cannot give back a part of a file", file);
      } else if (e.errno() != LinuxException.ENOENT) {
        throw e;
      }
    }
  }

  /** The reader has taken care of what lies before an offset, unless this server is killed. */
  void reached(String id, long offset, BooleanSupplier alive) {
    State state = state(id);
    synchronized (state) {
      state.reached = offset;
    }
    look(id, alive);
  }

  /** Halts a container's output or lets it go on, as what waits for the reader demands. */
  void look(String id, BooleanSupplier alive) {
    State state = state(id);
    synchronized (state) {
      long unread = state.unread(size(layout.log(id)));
      long most = most(state, unread);
      boolean tooMuch = holds(unread, state.held, true, most);
      boolean hold = tooMuch && alive.getAsBoolean(); // which takes longer to find out
      if (hold != state.held) {
        signal(id, hold);
        state.held = hold;
      }
    }
  }

  /** What may wait of a container now. */
  private long most(State state, long unread) {
    boolean isBehind = unread > BEHIND;
    if (isBehind != state.behind) {
      state.behind = isBehind;
      behind.addAndGet(isBehind ? 1 : -1);
    }
    return Math.min(bound, Math.max(LEAST, TOGETHER / Math.max(1, behind.get())));
  }

  /** As {@link #look}, for a container that somebody else may have halted. */
  void lookAnew(String id, boolean alive) {
    State state = state(id);
    synchronized (state) {
      long unread = state.unread(size(layout.log(id)));
      state.held = holds(unread, true, alive, most(state, unread));
      signal(id, state.held);
    }
  }

  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (IOException e) {
      return 0; // nothing was written, or it is removed
    }
  }

  private void signal(String id, boolean halt) {
    OptionalInt monitor = Conmon.living(layout, instance, id);
    if (monitor.isPresent()) {
      try {
        Syscalls.kill(monitor.getAsInt(), halt ? Signals.SIGSTOP : Signals.SIGCONT);
      } catch (LinuxException e) {
        // It ended meanwhile.
      }
    }
  }

  /** A container was removed. */
  void remove(String id) {
    State state = states.remove(id);
    if (state != null) {
      synchronized (state) {
        most(state, 0);
      }
    }
  }
}
