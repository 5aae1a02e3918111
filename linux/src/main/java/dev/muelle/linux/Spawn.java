package dev.muelle.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Starts a program by posix_spawn(3) from the calling operating-system thread: it inherits the
 * namespaces and control groups which that thread has entered, and there is no helper process
 * between, as {@link ProcessBuilder} has it. For programs that answer one line on descriptor 3.
 */
@SuppressWarnings("restricted") // calling C is what this class is for
public final class Spawn {

  private static final int ANSWER = 3;
  private static final int O_WRONLY = 1;
  private static final int O_CREAT = 0100;
  private static final int O_APPEND = 02000;
  private static final int MODE = 0600;
  private static final short POLLIN = 1;
  private static final int SIGKILL = 9;
  private static final short SETSIGMASK = 8; // POSIX_SPAWN_SETSIGMASK
  private static final int STRUCT = 512; // more than any of glibc's structures here takes
  private static final int MAX_ANSWER = 64 << 10;

  private static final Linker LINKER = Linker.nativeLinker();
  private static final MethodHandle SPAWN =
      handle("posix_spawn", JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS);
  private static final MethodHandle ACTIONS_INIT =
      handle("posix_spawn_file_actions_init", JAVA_INT, ADDRESS);
  private static final MethodHandle ACTIONS_DESTROY =
      handle("posix_spawn_file_actions_destroy", JAVA_INT, ADDRESS);
  private static final MethodHandle ADD_OPEN =
      handle(
          "posix_spawn_file_actions_addopen",
          JAVA_INT,
          ADDRESS,
          JAVA_INT,
          ADDRESS,
          JAVA_INT,
          JAVA_INT);
  private static final MethodHandle ADD_DUP2 =
      handle("posix_spawn_file_actions_adddup2", JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT);
  private static final MethodHandle ADD_CLOSE_FROM =
      handle("posix_spawn_file_actions_addclosefrom_np", JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle ADD_CHDIR =
      handle("posix_spawn_file_actions_addchdir_np", JAVA_INT, ADDRESS, ADDRESS);
  private static final MethodHandle ATTRIBUTES_INIT =
      handle("posix_spawnattr_init", JAVA_INT, ADDRESS);
  private static final MethodHandle SET_FLAGS =
      handle("posix_spawnattr_setflags", JAVA_INT, ADDRESS, JAVA_SHORT);
  private static final MethodHandle SET_SIGNAL_MASK =
      handle("posix_spawnattr_setsigmask", JAVA_INT, ADDRESS, ADDRESS);
  private static final MethodHandle POLL = handle("poll", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
  private static final MethodHandle READ = handle("read", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG);
  private static final MethodHandle WAITPID =
      handle("waitpid", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);

  private Spawn() {}

  private static MethodHandle handle(String name, MemoryLayout result, MemoryLayout... parameters) {
    return LINKER.downcallHandle(
        LINKER.defaultLookup().findOrThrow(name), FunctionDescriptor.of(result, parameters));
  }

  /**
   * Runs a program that goes into the background by itself, and gives the first line that it says
   * on descriptor 3; empty if it closes that without a word.
   *
   * <p>Blocks the operating-system thread: not for virtual ones.
   *
   * @param command the first is an absolute path
   * @param directory in which it works
   * @param errors where its standard error is appended
   * @param limit after which nobody waits for an answer any more
   * @throws LinuxException if it cannot be started, or does not answer in time
   */
  public static String ask(
      List<String> command,
      Map<String, String> environment,
      Path directory,
      Path errors,
      Duration limit) {
    return ask(command, environment, directory, errors, null, limit);
  }

  /**
   * As the other one.
   *
   * @param input what it reads from descriptor 0, as a file in memory; null for nothing
   */
  public static String ask(
      List<String> command,
      Map<String, String> environment,
      Path directory,
      Path errors,
      byte @Nullable [] input,
      Duration limit) {
    int memory = input == null ? -1 : Syscalls.memory(input);
    try {
      return ask(command, environment, directory, errors, memory, limit);
    } finally {
      if (memory >= 0) {
        Syscalls.close(memory);
      }
    }
  }

  private static String ask(
      List<String> command,
      Map<String, String> environment,
      Path directory,
      Path errors,
      int input,
      Duration limit) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment ends = arena.allocate(JAVA_INT, 2);
      Syscalls.pipe(ends);
      int reading = ends.getAtIndex(JAVA_INT, 0);
      int writing = ends.getAtIndex(JAVA_INT, 1);
      int pid;
      try {
        pid = spawn(arena, command, environment, directory, errors, input, writing);
      } catch (RuntimeException e) {
        Syscalls.close(reading);
        throw e;
      } finally {
        Syscalls.close(writing);
      }
      try {
        return line(arena, reading, command.getFirst(), limit);
      } catch (LinuxException e) {
        Syscalls.kill(pid, SIGKILL); // it has not gone into the background, if it is still there
        throw e;
      } finally {
        Syscalls.close(reading);
        int ignored = (int) WAITPID.invokeExact(pid, MemorySegment.NULL, 0);
      }
    } catch (Throwable e) {
      throw Syscalls.propagate(e);
    }
  }

  private static int spawn(
      Arena arena,
      List<String> command,
      Map<String, String> environment,
      Path directory,
      Path errors,
      int input,
      int answer)
      throws Throwable {
    MemorySegment actions = arena.allocate(STRUCT, Long.BYTES);
    MemorySegment attributes = arena.allocate(STRUCT, Long.BYTES);
    MemorySegment noSignals = arena.allocate(STRUCT, Long.BYTES); // zeros: an empty sigset_t
    MemorySegment nowhere = arena.allocateFrom("/dev/null");
    MemorySegment pid = arena.allocate(JAVA_INT);
    check((int) ACTIONS_INIT.invokeExact(actions), "spawn");
    try {
      check(
          input < 0
              ? (int) ADD_OPEN.invokeExact(actions, 0, nowhere, 0, 0)
              : (int) ADD_DUP2.invokeExact(actions, input, 0),
          "spawn");
      check((int) ADD_OPEN.invokeExact(actions, 1, nowhere, O_WRONLY, 0), "spawn");
      check(
          (int)
              ADD_OPEN.invokeExact(
                  actions,
                  2,
                  arena.allocateFrom(errors.toString()),
                  O_WRONLY | O_CREAT | O_APPEND,
                  MODE),
          "spawn");
      check(
          (int) ADD_CHDIR.invokeExact(actions, arena.allocateFrom(directory.toString())), "spawn");
      check((int) ADD_DUP2.invokeExact(actions, answer, ANSWER), "spawn");
      check((int) ADD_CLOSE_FROM.invokeExact(actions, ANSWER + 1), "spawn");
      check((int) ATTRIBUTES_INIT.invokeExact(attributes), "spawn");
      check((int) SET_SIGNAL_MASK.invokeExact(attributes, noSignals), "spawn"); // Java blocks some
      check((int) SET_FLAGS.invokeExact(attributes, SETSIGMASK), "spawn");
      check(
          (int)
              SPAWN.invokeExact(
                  pid,
                  arena.allocateFrom(command.getFirst()),
                  actions,
                  attributes,
                  strings(arena, command),
                  strings(
                      arena,
                      environment.entrySet().stream()
                          .map(one -> one.getKey() + "=" + one.getValue())
                          .toList())),
          command.getFirst());
      return pid.get(JAVA_INT, 0);
    } finally {
      int ignored = (int) ACTIONS_DESTROY.invokeExact(actions);
    }
  }

  private static MemorySegment strings(Arena arena, List<String> texts) {
    MemorySegment array = arena.allocate(ADDRESS, texts.size() + 1L); // the last one stays null
    for (int i = 0; i < texts.size(); i++) {
      array.setAtIndex(ADDRESS, i, arena.allocateFrom(texts.get(i)));
    }
    return array;
  }

  private static String line(Arena arena, int fd, String program, Duration limit) throws Throwable {
    MemorySegment poll = arena.allocate(Long.BYTES, Long.BYTES);
    poll.set(JAVA_INT, 0, fd);
    poll.set(JAVA_SHORT, Integer.BYTES, POLLIN);
    MemorySegment buffer = arena.allocate(4096);
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    while (said.size() < MAX_ANSWER) {
      int ready = (int) POLL.invokeExact(poll, 1L, (int) limit.toMillis());
      if (ready == 0) {
        throw new LinuxException(program, 0, "no answer within " + limit.toSeconds() + " s");
      }
      long read = (long) READ.invokeExact(fd, buffer, buffer.byteSize());
      if (read <= 0) {
        break;
      }
      byte[] bytes = buffer.asSlice(0, read).toArray(JAVA_BYTE);
      for (byte one : bytes) {
        if (one == '\n') {
          return said.toString(StandardCharsets.UTF_8);
        }
        said.write(one);
      }
    }
    return said.toString(StandardCharsets.UTF_8);
  }

  /** These functions give their error back instead of setting errno. */
  private static void check(int error, String what) {
    if (error != 0) {
      throw new LinuxException(what, error, Syscalls.reason(error));
    }
  }
}
