package dev.muelle.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/**
 * A pseudo-terminal's own side, see pty(7) and ioctl_tty(2): what is written here, a program on the
 * other side reads as if it was typed.
 */
public final class PseudoTerminal implements AutoCloseable {

  private static final Path MULTIPLEXER = Path.of("/dev/ptmx");
  private static final long TCGETS = 0x5401;
  private static final long TCSETS = 0x5402;
  private static final long TIOCSWINSZ = 0x5414;
  private static final long TIOCSPTLCK = 0x4004_5431L;
  private static final long TIOCGPTN = 0x8004_5430L;

  private static final long TERMIOS = 64; // bytes, more than it has anywhere
  private static final int INPUT_MODES =
      0x5eb; // IGNBRK BRKINT PARMRK ISTRIP INLCR IGNCR ICRNL IXON
  private static final int OUTPUT_MODES = 0x1; // OPOST
  private static final int LOCAL_MODES = 0x804b; // ISIG ICANON ECHO ECHONL IEXTEN

  private final int fd;
  private final Path path;
  private boolean closed;

  private PseudoTerminal(int fd, Path path) {
    this.fd = fd;
    this.path = path;
  }

  /** A new one, of the machine's {@code /dev/pts}. */
  public static PseudoTerminal open() {
    int fd = Syscalls.openTerminal(MULTIPLEXER);
    boolean done = false;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment number = arena.allocate(JAVA_INT);
      Syscalls.control(fd, TIOCSPTLCK, number); // 0: it may be opened
      Syscalls.control(fd, TIOCGPTN, number);
      PseudoTerminal terminal =
          new PseudoTerminal(fd, Path.of("/dev/pts/" + number.get(JAVA_INT, 0)));
      done = true;
      return terminal;
    } finally {
      if (!done) {
        Syscalls.close(fd);
      }
    }
  }

  /**
   * Lets everything through as it is, as cfmakeraw(3) does: for a program that has a terminal of
   * its own to care for echo, lines and signals.
   */
  public PseudoTerminal raw() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment modes = arena.allocate(TERMIOS, Integer.BYTES);
      Syscalls.control(fd, TCGETS, modes);
      modes.setAtIndex(JAVA_INT, 0, modes.getAtIndex(JAVA_INT, 0) & ~INPUT_MODES);
      modes.setAtIndex(JAVA_INT, 1, modes.getAtIndex(JAVA_INT, 1) & ~OUTPUT_MODES);
      modes.setAtIndex(JAVA_INT, 3, modes.getAtIndex(JAVA_INT, 3) & ~LOCAL_MODES);
      Syscalls.control(fd, TCSETS, modes);
    }
    return this;
  }

  /** The other side. Whoever leads a session without a terminal gets it as his by opening it. */
  public Path path() {
    return path;
  }

  /**
   * Waits for output, on an operating-system thread that nobody else needs.
   *
   * @return how much was read; -1 when nobody has the other side open any more
   */
  public int read(byte[] into) {
    try {
      int read = Syscalls.read(fd, into);
      return read == 0 ? -1 : read;
    } catch (LinuxException e) {
      if (e.errno() == LinuxException.EIO) {
        return -1;
      }
      throw e;
    }
  }

  /**
   * Types; waits while the program does not read. Nothing happens when it is gone.
   *
   * @throws LinuxException for what is not that
   */
  public synchronized void write(byte[] bytes) {
    int written = 0;
    try {
      while (!closed && written < bytes.length) {
        written += Syscalls.write(fd, bytes, written);
      }
    } catch (LinuxException e) {
      if (e.errno() != LinuxException.EIO) {
        throw e;
      }
    }
  }

  /** Tells the program how large the screen is. */
  public synchronized void resize(int columns, int rows) {
    if (closed) {
      return;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment size = arena.allocate(JAVA_SHORT, 4);
      size.setAtIndex(JAVA_SHORT, 0, (short) rows);
      size.setAtIndex(JAVA_SHORT, 1, (short) columns);
      Syscalls.control(fd, TIOCSWINSZ, size);
    }
  }

  /** Not while somebody reads. */
  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      Syscalls.close(fd);
    }
  }
}
