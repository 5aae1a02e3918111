package dev.muelle.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A file that holds a file system; see loop(4). */
public final class DiskImage {

  private static final Path CONTROL = Path.of("/dev/loop-control");
  private static final long LOOP_CTL_GET_FREE = 0x4C82;
  private static final long LOOP_CONFIGURE = 0x4C0A; // since Linux 5.8
  private static final int LO_FLAGS_AUTOCLEAR = 4;
  private static final int CONFIGURATION = 304; // struct loop_config, of which these are set:
  private static final int AT_FD = 0;
  private static final int AT_FLAGS = 60;
  private static final int AT_NAME = 64;
  private static final int NAME_LENGTH = 63;
  private static final int EBUSY = 16;
  private static final int TRIES = 1000;

  /** A piece of a file that is no hole, in bytes. */
  public record Piece(long offset, long length) {}

  private DiskImage() {}

  /** Mounts it on a device of its own, which goes with the last mount. */
  public static void mount(
      Path image, Path target, String type, long flags, @Nullable String options) {
    int file = Syscalls.openToWrite(image);
    try {
      for (int i = 0; i < TRIES; i++) {
        int control = Syscalls.openToWrite(CONTROL);
        int number;
        try {
          number = Syscalls.control(control, LOOP_CTL_GET_FREE, MemorySegment.NULL);
        } finally {
          Syscalls.close(control);
        }
        Path device = Path.of("/dev/loop" + number);
        int fd = Syscalls.openToWrite(device);
        try {
          configure(fd, file, image);
          Syscalls.mount(device.toString(), target, type, flags, options);
          return;
        } catch (LinuxException e) {
          if (e.errno() != EBUSY) {
            throw e;
          }
          // Somebody else was quicker to take it.
        } finally {
          Syscalls.close(fd);
        }
      }
      throw new LinuxException("mount " + image, EBUSY, "no loop device stays free");
    } finally {
      Syscalls.close(file);
    }
  }

  private static void configure(int device, int file, Path image) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment configuration = arena.allocate(CONFIGURATION, Long.BYTES);
      configuration.set(JAVA_INT, AT_FD, file);
      configuration.set(JAVA_INT, AT_FLAGS, LO_FLAGS_AUTOCLEAR);
      byte[] name = image.toString().getBytes(StandardCharsets.UTF_8);
      MemorySegment.copy(
          MemorySegment.ofArray(name),
          0,
          configuration,
          AT_NAME,
          Math.min(name.length, NAME_LENGTH));
      Syscalls.control(device, LOOP_CONFIGURE, configuration);
    }
  }

  /** What of a file takes room on the disk; see lseek(2). */
  public static List<Piece> pieces(Path file) {
    int fd = Syscalls.open(file);
    try {
      List<Piece> pieces = new ArrayList<>();
      for (long end = 0; ; ) {
        long begin = Syscalls.seekData(fd, end);
        if (begin < 0) {
          return pieces;
        }
        end = Syscalls.seekHole(fd, begin);
        pieces.add(new Piece(begin, end - begin));
      }
    } finally {
      Syscalls.close(fd);
    }
  }
}
