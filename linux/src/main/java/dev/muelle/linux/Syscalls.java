package dev.muelle.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The system calls, as libc offers them; each throws a {@link LinuxException} where C returns -1.
 * Page numbers are those of the man pages: setns(2), mount(2), umount2(2), mknod(2), lsetxattr(2),
 * fallocate(2).
 */
@SuppressWarnings("restricted") // calling C is what this class is for
public final class Syscalls {

  /** mount(2): no set-user-id programs, no devices. */
  public static final long MS_NOSUID = 2;

  public static final long MS_NODEV = 4;
  public static final long MS_REMOUNT = 32;
  public static final long MS_BIND = 4096;
  public static final long MS_PRIVATE = 1L << 18;

  private static final int MNT_DETACH = 2;
  private static final int O_RDWR = 2;
  private static final int O_CLOEXEC = 0x80000;
  private static final int FALLOC_FL_KEEP_SIZE = 1;
  private static final int FALLOC_FL_PUNCH_HOLE = 2;
  private static final int CLONE_NEWNET = 0x40000000;
  private static final int S_IFCHR = 0x2000;

  private static final Linker LINKER = Linker.nativeLinker();
  private static final StructLayout STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO = STATE.varHandle(PathElement.groupElement("errno"));

  private static final MethodHandle OPEN = handle("open", JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle CLOSE = handle("close", JAVA_INT, JAVA_INT);
  private static final MethodHandle SETNS = handle("setns", JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle MOUNT =
      handle("mount", JAVA_INT, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS);
  private static final MethodHandle UMOUNT2 = handle("umount2", JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle MKNOD = handle("mknod", JAVA_INT, ADDRESS, JAVA_INT, JAVA_LONG);
  private static final MethodHandle LSETXATTR =
      handle("lsetxattr", JAVA_INT, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT);
  private static final MethodHandle FALLOCATE =
      handle("fallocate", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle KILL = handle("kill", JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle STRERROR =
      LINKER.downcallHandle(
          LINKER.defaultLookup().findOrThrow("strerror"), FunctionDescriptor.of(ADDRESS, JAVA_INT));

  private Syscalls() {}

  private static MethodHandle handle(String name, MemoryLayout result, MemoryLayout... parameters) {
    return LINKER.downcallHandle(
        LINKER.defaultLookup().findOrThrow(name),
        FunctionDescriptor.of(result, parameters),
        Linker.Option.captureCallState("errno"));
  }

  /**
   * Mounts a file system.
   *
   * @param source null where the type needs none
   * @param type null for a bind mount
   * @param options the type's own, at most a page long; null for none
   */
  public static void mount(
      @Nullable String source,
      Path target,
      @Nullable String type,
      long flags,
      @Nullable String options) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      int result =
          (int)
              MOUNT.invokeExact(
                  state,
                  text(arena, source),
                  text(arena, target.toString()),
                  text(arena, type),
                  flags,
                  text(arena, options));
      check(result, state, "mount " + target);
    } catch (Throwable e) {
      throw propagate(e);
    }
  }

  /** Takes a mount out of the tree at once; it goes when nobody uses it any more. */
  public static void unmount(Path target) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      int result = (int) UMOUNT2.invokeExact(state, text(arena, target.toString()), MNT_DETACH);
      check(result, state, "umount " + target);
    } catch (Throwable e) {
      throw propagate(e);
    }
  }

  /** Makes the character device 0:0, which overlayfs reads as "deleted here". */
  public static void whiteout(Path path) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      int result = (int) MKNOD.invokeExact(state, text(arena, path.toString()), S_IFCHR, 0L);
      check(result, state, "mknod " + path);
    } catch (Throwable e) {
      throw propagate(e);
    }
  }

  /**
   * Makes a device or a pipe; see mknod(2).
   *
   * @param mode with the type
   */
  public static void mknod(Path path, int mode, int major, int minor) {
    long device =
        (minor & 0xffL) | (major & 0xfffL) << 8 | (minor & ~0xffL) << 12 | (major & ~0xfffL) << 32;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      int result = (int) MKNOD.invokeExact(state, text(arena, path.toString()), mode, device);
      check(result, state, "mknod " + path);
    } catch (Throwable e) {
      throw propagate(e);
    }
  }

  /** Sends a signal to a process; see kill(2). */
  public static void kill(int pid, int signal) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      check((int) KILL.invokeExact(state, pid, signal), state, "kill " + pid);
    } catch (Throwable e) {
      throw propagate(e);
    }
  }

  /** Sets an extended attribute of a file, or of a symbolic link itself. */
  public static void setAttribute(Path path, String name, byte[] value) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      MemorySegment bytes = arena.allocate(Math.max(1, value.length));
      MemorySegment.copy(value, 0, bytes, java.lang.foreign.ValueLayout.JAVA_BYTE, 0, value.length);
      int result =
          (int)
              LSETXATTR.invokeExact(
                  state,
                  text(arena, path.toString()),
                  text(arena, name),
                  bytes,
                  (long) value.length,
                  0);
      check(result, state, "setxattr " + name + " on " + path);
    } catch (Throwable e) {
      throw propagate(e);
    }
  }

  /**
   * Gives the disk back what the beginning of a file takes; what follows keeps its place. Whole
   * blocks go, so a little may stay. Somebody else may write to the file meanwhile.
   *
   * @throws LinuxException with {@link LinuxException#EOPNOTSUPP} if the file system cannot
   */
  public static void forgetBeginning(Path file, long bytes) {
    int fd = open(file, O_RDWR | O_CLOEXEC);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      int result =
          (int)
              FALLOCATE.invokeExact(
                  state, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0L, bytes);
      check(result, state, "fallocate " + file);
    } catch (Throwable e) {
      throw propagate(e);
    } finally {
      close(fd);
    }
  }

  /** Opens a namespace's file for {@link #enterNetwork}. */
  static int open(Path path) {
    return open(path, O_CLOEXEC);
  }

  private static int open(Path path, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      int fd = (int) OPEN.invokeExact(state, text(arena, path.toString()), flags);
      check(fd, state, "open " + path);
      return fd;
    } catch (Throwable e) {
      throw propagate(e);
    }
  }

  static void close(int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      check((int) CLOSE.invokeExact(state, fd), state, "close");
    } catch (Throwable e) {
      throw propagate(e);
    }
  }

  /** Moves the calling operating-system thread, and only it, into a network namespace. */
  static void enterNetwork(int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      check((int) SETNS.invokeExact(state, fd, CLONE_NEWNET), state, "setns");
    } catch (Throwable e) {
      throw propagate(e);
    }
  }

  private static MemorySegment text(Arena arena, @Nullable String text) {
    return text == null ? MemorySegment.NULL : arena.allocateFrom(text);
  }

  private static void check(int result, MemorySegment state, String what) throws Throwable {
    if (result < 0) {
      int errno = (int) ERRNO.get(state, 0L);
      MemorySegment reason = (MemorySegment) STRERROR.invokeExact(errno);
      throw new LinuxException(what, errno, reason.reinterpret(256).getString(0));
    }
  }

  private static RuntimeException propagate(Throwable e) {
    return switch (e) {
      case RuntimeException runtime -> runtime;
      case Error error -> throw error;
      default -> new IllegalStateException(e);
    };
  }
}
