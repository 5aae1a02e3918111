package dev.muelle.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * What the kernel knows of its clock, from those who keep it by NTP.
 *
 * @param errorMicros the most it may be wrong
 * @see <a href="https://man7.org/linux/man-pages/man2/adjtimex.2.html">adjtimex(2)</a>
 */
public record KernelClock(long errorMicros, boolean synchronised) {

  private static final long SIZE = 208; // of struct timex
  private static final long MAXERROR = 24;
  private static final long STATUS = 40;
  private static final int STA_UNSYNC = 0x40;

  public static KernelClock read() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment timex = arena.allocate(SIZE, 8); // modes is 0: nothing is changed
      Syscalls.readClock(timex);
      boolean alone = (timex.get(JAVA_INT, STATUS) & STA_UNSYNC) != 0;
      return new KernelClock(timex.get(JAVA_LONG, MAXERROR), !alone);
    }
  }
}
