package dev.muelle.linux;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * A message to the kernel that is being written: a header, a fixed part, and attributes, which may
 * hold others.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/netlink.7.html">netlink(7)</a>
 */
class NetlinkMessage {

  static final short NLMSG_ERROR = 2;
  static final short NLMSG_DONE = 3;
  static final short NLM_F_REQUEST = 1;
  static final short NLM_F_ACK = 4;
  static final short NLM_F_DUMP = 0x300;
  static final short NLM_F_CREATE = 0x400;
  static final int HEADER = 16;

  private static final int LENGTH_AT = 0;
  private static final int SEQUENCE_AT = 8;

  private final ByteBuffer buffer;

  /**
   * Begins one.
   *
   * @param most bytes that it may have
   */
  NetlinkMessage(int most, short type, int flags) {
    buffer = ByteBuffer.allocate(most).order(ByteOrder.nativeOrder());
    buffer.putInt(0).putShort(type).putShort((short) (NLM_F_REQUEST | flags));
    buffer.putInt(0).putInt(0);
  }

  static int aligned(int size) {
    return (size + 3) & ~3;
  }

  static byte[] text(String text) {
    return (text + '\0').getBytes(StandardCharsets.UTF_8);
  }

  void bytes(byte one, byte two, byte three, byte four) {
    buffer.put(one).put(two).put(three).put(four);
  }

  void number(int number) {
    buffer.putInt(number);
  }

  void put(int type, byte[] value) {
    int begin = begin(type);
    buffer.put(value);
    end(begin);
  }

  int begin(int type) {
    int begin = buffer.position();
    buffer.putShort((short) 0).putShort((short) type);
    return begin;
  }

  void end(int begin) {
    buffer.putShort(begin, (short) (buffer.position() - begin));
    while (buffer.position() % Integer.BYTES != 0) {
      buffer.put((byte) 0);
    }
  }

  byte[] finish(int sequence) {
    buffer.putInt(LENGTH_AT, buffer.position()).putInt(SEQUENCE_AT, sequence);
    byte[] bytes = new byte[buffer.position()];
    buffer.get(0, bytes);
    return bytes;
  }
}
