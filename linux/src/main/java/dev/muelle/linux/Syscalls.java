package dev.muelle.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
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
 * fallocate(2), ioctl(2).
 */
@SuppressWarnings("restricted") // calling C is what this class is for
public final class Syscalls {

  /** mount(2): read-only, no set-user-id programs, no devices. */
  public static final long MS_RDONLY = 1;

  public static final long MS_NOSUID = 2;
  public static final long MS_NODEV = 4;
  public static final long MS_REMOUNT = 32;
  public static final long MS_BIND = 4096;
  public static final long MS_NOATIME = 1024;
  public static final long MS_REC = 1L << 14;
  public static final long MS_PRIVATE = 1L << 18;
  public static final long MS_SLAVE = 1L << 19;
  public static final long MS_SHARED = 1L << 20;

  private static final int MNT_DETACH = 2;
  private static final int O_WRONLY = 1;
  private static final int O_RDWR = 2;
  private static final int O_NONBLOCK = 04000;
  private static final int O_NOCTTY = 0x100;
  private static final int O_PATH = 010000000;
  private static final long OPENAT2 = 437; // libc has no function for it
  private static final long RESOLVE_NO_MAGICLINKS = 0x02;
  private static final long RESOLVE_IN_ROOT = 0x10;
  private static final int O_CLOEXEC = 0x80000;
  private static final int FALLOC_FL_KEEP_SIZE = 1;
  private static final int FALLOC_FL_PUNCH_HOLE = 2;
  private static final int CLONE_NEWNET = 0x40000000;
  private static final int CLONE_NEWNS = 0x20000;
  private static final int MFD_CLOEXEC = 1;
  private static final int CLONE_FS = 0x200;
  private static final int AT_FDCWD = -100;
  private static final int OPEN_TREE_CLONE = 1;
  private static final int MOVE_MOUNT_F_EMPTY_PATH = 4;
  private static final int AF_NETLINK = 16;
  private static final int SOCK_RAW = 3;
  private static final int NETLINK_ROUTE = 0;
  private static final int NETLINK_NETFILTER = 12;
  private static final int EINTR = 4;
  private static final int SEEK_DATA = 3;
  private static final int SEEK_HOLE = 4;
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
  private static final MethodHandle READ = handle("read", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG);
  private static final MethodHandle KILL = handle("kill", JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle IOCTL =
      LINKER.downcallHandle(
          LINKER.defaultLookup().findOrThrow("ioctl"),
          FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS),
          Linker.Option.firstVariadicArg(2),
          Linker.Option.captureCallState("errno"));
  private static final MethodHandle FCHDIR = handle("fchdir", JAVA_INT, JAVA_INT);
  private static final MethodHandle CHROOT = handle("chroot", JAVA_INT, ADDRESS);
  private static final MethodHandle ADJTIMEX = handle("adjtimex", JAVA_INT, ADDRESS);
  private static final MethodHandle SYSCALL =
      LINKER.downcallHandle(
          LINKER.defaultLookup().findOrThrow("syscall"),
          FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG),
          Linker.Option.firstVariadicArg(1),
          Linker.Option.captureCallState("errno"));
  private static final MethodHandle LSEEK =
      handle("lseek", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_INT);
  private static final MethodHandle SOCKET =
      handle("socket", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle SEND =
      handle("send", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
  private static final MethodHandle RECV =
      handle("recv", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
  private static final MethodHandle WRITE =
      handle("write", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG);
  private static final MethodHandle UNSHARE = handle("unshare", JAVA_INT, JAVA_INT);
  private static final MethodHandle PIPE2 = handle("pipe2", JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle OPEN_TREE =
      handle("open_tree", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle MOVE_MOUNT =
      handle("move_mount", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle MEMFD_CREATE =
      handle("memfd_create", JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle PWRITE =
      handle("pwrite", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG);
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
      MemorySegment.copy(value, 0, bytes, JAVA_BYTE, 0, value.length);
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

  /**
   * Writes a byte (0) into a named pipe that somebody reads from.
   *
   * @throws LinuxException if nobody has it open for reading, among others
   */
  public static void putByte(Path pipe) {
    int fd = open(pipe, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      long written = (long) WRITE.invokeExact(state, fd, arena.allocate(1), 1L);
      check((int) written, state, "write " + pipe);
    } catch (Throwable e) {
      throw propagate(e);
    } finally {
      close(fd);
    }
  }

  static int openToWrite(Path path) {
    return open(path, O_RDWR | O_CLOEXEC);
  }

  /** Asks a device for something of its own; see ioctl(2). */
  static int control(int fd, long request, MemorySegment argument) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      int result = (int) IOCTL.invokeExact(state, fd, request, argument);
      check(result, state, "ioctl");
      return result;
    } catch (Throwable e) {
      throw propagate(e);
    }
  }

  /** Where a file's next data begin; negative if there are none. */
  static long seekData(int fd, long from) {
    try (Arena arena = Arena.ofConfined()) {
      return (long) LSEEK.invokeExact(arena.allocate(STATE), fd, from, SEEK_DATA);
    } catch (Throwable e) {
      throw propagate(e);
    }
  }

  /** Where a file's next hole begins, or its end. */
  static long seekHole(int fd, long from) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      long at = (long) LSEEK.invokeExact(state, fd, from, SEEK_HOLE);
      check((int) Math.min(at, 0), state, "lseek");
      return at;
    } catch (Throwable e) {
      throw propagate(e);
    }
  }

  /** A socket for rtnetlink(7). */
  static int routeSocket() {
    return netlink(NETLINK_ROUTE);
  }

  /** A socket for nftables. */
  static int filterSocket() {
    return netlink(NETLINK_NETFILTER);
  }

  private static int netlink(int family) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      int fd = (int) SOCKET.invokeExact(state, AF_NETLINK, SOCK_RAW | O_CLOEXEC, family);
      check(fd, state, "socket");
      return fd;
    } catch (Throwable e) {
      throw propagate(e);
    }
  }

  static void send(int fd, MemorySegment bytes) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      long sent = (long) SEND.invokeExact(state, fd, bytes, bytes.byteSize(), 0);
      check((int) sent, state, "send");
    } catch (Throwable e) {
      throw propagate(e);
    }
  }

  /** Gives how many bytes came. */
  static long receive(int fd, MemorySegment into) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      long received;
      do {
        received = (long) RECV.invokeExact(state, fd, into, into.byteSize(), 0);
      } while (received < 0 && (int) ERRNO.get(state, 0L) == EINTR);
      check((int) received, state, "recv");
      return received;
    } catch (Throwable e) {
      throw propagate(e);
    }
  }

  /** Gives the calling operating-system thread, and only it, a new network namespace. */
  static void leaveNetwork() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      check((int) UNSHARE.invokeExact(state, CLONE_NEWNET), state, "unshare");
    } catch (Throwable e) {
      throw propagate(e);
    }
  }

  /** Opens a terminal's file, which does not become this process's own. */
  static int openTerminal(Path path) {
    return open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
  }

  /** See read(2); waits as long as it takes. */
  static int read(int fd, byte[] into) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      MemorySegment bytes = arena.allocate(Math.max(1, into.length));
      long read = (long) READ.invokeExact(state, fd, bytes, (long) into.length);
      check((int) read, state, "read");
      MemorySegment.copy(bytes, JAVA_BYTE, 0, into, 0, (int) read);
      return (int) read;
    } catch (Throwable e) {
      throw propagate(e);
    }
  }

  /**
   * See write(2).
   *
   * @return how many bytes were written
   */
  static int write(int fd, byte[] from, int offset) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      MemorySegment bytes = arena.allocate(Math.max(1, from.length - offset));
      MemorySegment.copy(from, offset, bytes, JAVA_BYTE, 0, from.length - offset);
      long written = (long) WRITE.invokeExact(state, fd, bytes, (long) from.length - offset);
      check((int) written, state, "write");
      return (int) written;
    } catch (Throwable e) {
      throw propagate(e);
    }
  }

  /** Opens a namespace's file for {@link #enterNetwork}. */
  static int open(Path path) {
    return open(path, O_CLOEXEC);
  }

  /** A descriptor that is good for nothing but naming the file; see open(2) about O_PATH. */
  static int openPath(Path path) {
    return open(path, O_PATH | O_CLOEXEC);
  }

  /**
   * The same of a file that is looked up as if a directory were the root; see openat2(2).
   *
   * @param root a descriptor of the directory
   */
  static int openInRoot(int root, String path) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      MemorySegment how = arena.allocate(JAVA_LONG, 3); // flags, mode, resolve
      how.setAtIndex(JAVA_LONG, 0, O_PATH | O_CLOEXEC);
      how.setAtIndex(JAVA_LONG, 2, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
      long fd =
          (long)
              SYSCALL.invokeExact(
                  state, OPENAT2, root, arena.allocateFrom(path), how, how.byteSize());
      check((int) fd, state, "openat2 " + path);
      return (int) fd;
    } catch (Throwable e) {
      throw propagate(e);
    }
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

  /** Gives the calling operating-system thread, and only it, a copy of its mount namespace. */
  static void leaveMounts() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      check((int) UNSHARE.invokeExact(state, CLONE_NEWNS), state, "unshare");
    } catch (Throwable e) {
      throw propagate(e);
    }
  }

  /**
   * Gives the calling operating-system thread a working directory and root of its own. One that it
   * has started shares its own, and setns(2) refuses who shares.
   */
  static void leaveDirectories() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      check((int) UNSHARE.invokeExact(state, CLONE_FS), state, "unshare");
    } catch (Throwable e) {
      throw propagate(e);
    }
  }

  /** Moves the calling operating-system thread, which has left the others', to its mounts. */
  static void enterMounts(int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      check((int) SETNS.invokeExact(state, fd, CLONE_NEWNS), state, "setns");
    } catch (Throwable e) {
      throw propagate(e);
    }
  }

  /**
   * Gives the calling operating-system thread, which has directories of its own, a root: setns(2)
   * leaves it at the root of all mounts, which is not ours where we were started by chroot(1).
   *
   * @param fd of {@link #openPath}
   */
  static void enterRoot(int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      check((int) FCHDIR.invokeExact(state, fd), state, "fchdir");
      check((int) CHROOT.invokeExact(state, arena.allocateFrom(".")), state, "chroot");
    } catch (Throwable e) {
      throw propagate(e);
    }
  }

  /** A descriptor of a mount's copy that is mounted nowhere; see open_tree(2). */
  static int copyMount(Path target) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      int fd =
          (int)
              OPEN_TREE.invokeExact(
                  state, AT_FDCWD, text(arena, target.toString()), OPEN_TREE_CLONE | O_CLOEXEC);
      check(fd, state, "open_tree " + target);
      return fd;
    } catch (Throwable e) {
      throw propagate(e);
    }
  }

  /** Mounts what {@link #copyMount} gave; see move_mount(2). */
  static void mountCopy(int fd, Path target) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      int result =
          (int)
              MOVE_MOUNT.invokeExact(
                  state,
                  fd,
                  text(arena, ""),
                  AT_FDCWD,
                  text(arena, target.toString()),
                  MOVE_MOUNT_F_EMPTY_PATH);
      check(result, state, "move_mount " + target);
    } catch (Throwable e) {
      throw propagate(e);
    }
  }

  /** A pipe that no program inherits by accident: its reading end, then its writing one. */
  static void pipe(MemorySegment ends) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      check((int) PIPE2.invokeExact(state, ends, O_CLOEXEC), state, "pipe2");
    } catch (Throwable e) {
      throw propagate(e);
    }
  }

  /** A file in memory, to be read from its beginning; see memfd_create(2). */
  static int memory(byte[] content) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      int fd = (int) MEMFD_CREATE.invokeExact(state, arena.allocateFrom("input"), MFD_CLOEXEC);
      check(fd, state, "memfd_create");
      boolean done = false;
      try {
        MemorySegment bytes = arena.allocate(Math.max(1, content.length));
        MemorySegment.copy(content, 0, bytes, JAVA_BYTE, 0, content.length);
        long written = 0; // short of memory, it may take less than all
        while (written < content.length) {
          long more =
              (long)
                  PWRITE.invokeExact(
                      state, fd, bytes.asSlice(written), content.length - written, written);
          check((int) more, state, "write");
          written += more;
        }
        done = true;
        return fd;
      } finally {
        if (!done) {
          close(fd);
        }
      }
    } catch (Throwable e) {
      throw propagate(e);
    }
  }

  /** Fills a struct timex. */
  static void readClock(MemorySegment timex) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      check((int) ADJTIMEX.invokeExact(state, timex), state, "adjtimex");
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
      throw new LinuxException(what, errno, reason(errno));
    }
  }

  /** What libc calls an error. */
  static String reason(int errno) {
    try {
      return ((MemorySegment) STRERROR.invokeExact(errno)).reinterpret(256).getString(0);
    } catch (Throwable e) {
      throw propagate(e);
    }
  }

  static RuntimeException propagate(Throwable e) {
    return switch (e) {
      case RuntimeException runtime -> runtime;
      case Error error -> throw error;
      default -> new IllegalStateException(e);
    };
  }
}
