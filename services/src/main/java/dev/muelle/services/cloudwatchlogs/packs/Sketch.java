package dev.muelle.services.cloudwatchlogs.packs;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Which groups of three bytes some text has: one bit for each of them, which others may share. A
 * text whose groups are not all there is not in it; if they are it may be. Short texts have none,
 * for to look is as quick.
 */
final class Sketch {

  private static final Sketch NONE = new Sketch(new byte[0]);
  private static final int SMALL = 32 << 10; // bytes of text
  private static final int LARGE = 128 << 10;
  private static final int FEW = 1 << 14; // bits
  private static final int MANY = 1 << 15;
  private static final int GROUP = 3;
  private static final int MIXER = 0x9E3779B1; // 2^32 divided by the golden ratio, as Knuth has it

  private static final VarHandle EIGHT =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  /** Brings the lowest bits of eight bytes together in the highest byte, each to a place alone. */
  private static final long GATHER = 0x0102040810204080L;

  private final byte[] bits;

  private Sketch(byte[] bits) {
    this.bits = bits;
  }

  static Sketch of(byte[] text, int from, int to) {
    int length = to - from;
    if (length < SMALL) {
      return NONE;
    }
    // A byte for each bit at first: that is written without being read.
    byte[] seen = new byte[length < LARGE ? FEW : MANY];
    int shift = shift(seen.length);
    int group = (text[from] & 0xff) << 8 | text[from + 1] & 0xff;
    for (int i = from + GROUP - 1; i < to; i++) {
      group = (group << 8 | text[i] & 0xff) & 0xffffff;
      seen[group * MIXER >>> shift] = 1;
    }
    return new Sketch(bits(seen));
  }

  private static byte[] bits(byte[] seen) {
    byte[] bits = new byte[seen.length / Byte.SIZE];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = (byte) ((long) EIGHT.get(seen, i * Byte.SIZE) * GATHER >>> Long.SIZE - Byte.SIZE);
    }
    return bits;
  }

  /** The bits that are left of a number of 32. */
  private static int shift(int bits) {
    return Integer.SIZE - Integer.numberOfTrailingZeros(bits);
  }

  static Sketch stored(byte[] bytes, int from) {
    return from == bytes.length ? NONE : new Sketch(Arrays.copyOfRange(bytes, from, bytes.length));
  }

  byte[] bytes() {
    return bits;
  }

  /** False if the text is certainly not there. */
  boolean mayHold(byte[] text) {
    if (bits.length == 0 || text.length < GROUP) {
      return true;
    }
    int shift = shift(bits.length * Byte.SIZE);
    for (int i = 0; i + GROUP <= text.length; i++) {
      int group = (text[i] & 0xff) << 16 | (text[i + 1] & 0xff) << 8 | text[i + 2] & 0xff;
      int bit = group * MIXER >>> shift;
      if ((bits[bit >> 3] & 1 << (bit & 7)) == 0) {
        return false;
      }
    }
    return true;
  }
}
