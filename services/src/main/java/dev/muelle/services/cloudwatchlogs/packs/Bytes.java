package dev.muelle.services.cloudwatchlogs.packs;

import java.util.Arrays;

/** Bytes that grow, and numbers among them: seven bits a byte, the lowest first. */
final class Bytes {

  private static final int MORE = 0x80;
  private static final int LOW = 0x7f;

  private byte[] array;
  private int length;

  /** None, with room for so many. */
  Bytes(int room) {
    array = new byte[room];
  }

  /** Reads numbers from somewhere in bytes. */
  static final class Reader {
    private final byte[] from;
    private int at;

    Reader(byte[] from, int at) {
      this.from = from;
      this.at = at;
    }

    int position() {
      return at;
    }

    long number() {
      long number = 0;
      int shift = 0;
      byte next = from[at++];
      while ((next & MORE) != 0) {
        number |= (long) (next & LOW) << shift;
        shift += 7;
        next = from[at++];
      }
      return number | (long) next << shift;
    }

    long signed() {
      long number = number();
      return number >>> 1 ^ -(number & 1);
    }
  }

  byte[] array() {
    return array;
  }

  int length() {
    return length;
  }

  void clear() {
    length = 0;
  }

  private void room(int more) {
    if (array.length - length < more) {
      array = Arrays.copyOf(array, Math.max(2 * array.length, Math.addExact(length, more)));
    }
  }

  void add(byte[] bytes, int from, int count) {
    room(count);
    System.arraycopy(bytes, from, array, length, count);
    length += count;
  }

  void number(long number) {
    room(10);
    long left = number;
    while (left > LOW || left < 0) {
      array[length++] = (byte) (left & LOW | MORE);
      left >>>= 7;
    }
    array[length++] = (byte) left;
  }

  /** Small ones of either sign are short. */
  void signed(long number) {
    number(number << 1 ^ number >> 63);
  }
}
