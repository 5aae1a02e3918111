package dev.muelle.network;

import java.math.BigInteger;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * An IPv6 block in canonical form.
 *
 * @param high the first half of the first address, and {@code low} the second
 * @param prefix 0 to 128
 */
public record Cidr6(long high, long low, int prefix) implements AddressBlock {

  public static final int BYTES = 16;

  private static final int BITS = 128;
  private static final int GROUPS = 8;

  public Cidr6 {
    if (prefix < 0 || prefix > BITS) {
      throw new IllegalArgumentException("prefix length " + prefix + ": expected 0 to 128");
    }
    if ((high & ~mask(prefix)) != 0 || (low & ~mask(prefix - Long.SIZE)) != 0) {
      throw new IllegalArgumentException(format(high, low) + "/" + prefix + " has host bits set");
    }
  }

  /**
   * Reads {@code 2001:db8::/32}.
   *
   * @throws IllegalArgumentException if it is not a canonical IPv6 block
   */
  public static Cidr6 parse(String text) {
    int slash = text.indexOf('/');
    if (slash < 0) {
      throw new IllegalArgumentException(text + " is not a CIDR block");
    }
    try {
      ByteBuffer address = ByteBuffer.wrap(address(text.substring(0, slash)));
      return new Cidr6(
          address.getLong(), address.getLong(), Integer.parseInt(text.substring(slash + 1)));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(text + " is not a CIDR block", e);
    }
  }

  /** The block of so many bits that an address is in. */
  public static Cidr6 around(String address, int prefix) {
    ByteBuffer halves = ByteBuffer.wrap(address(address));
    return new Cidr6(
        halves.getLong() & mask(prefix), halves.getLong() & mask(prefix - Long.SIZE), prefix);
  }

  /**
   * The sixteen bytes of an address.
   *
   * @throws IllegalArgumentException if it is not an IPv6 address
   */
  public static byte[] address(String text) {
    if (text.indexOf(':') >= 0
        && text.indexOf('%') < 0
        && InetAddress.ofLiteral(text) instanceof Inet6Address address) {
      return address.getAddress();
    }
    throw new IllegalArgumentException(text + " is not an IPv6 address");
  }

  /** An address in its one short form (RFC 5952), as the kernel prints it, too. */
  public static String format(byte[] address) {
    ByteBuffer halves = ByteBuffer.wrap(address);
    return format(halves.getLong(), halves.getLong());
  }

  /** An address that was spelled in any way, in its one short form. */
  public static String normal(String address) {
    return format(address(address));
  }

  private static String format(long high, long low) {
    int[] groups = new int[GROUPS];
    for (int i = 0; i < GROUPS; i++) {
      long half = i < GROUPS / 2 ? high : low;
      groups[i] = (int) (half >>> 48 - 16 * (i % 4)) & 0xffff;
    }
    int from = 0; // the longest run of zeros, the first of several
    int length = 1; // a single one is not left out
    for (int start = 0; start < GROUPS; start++) {
      int end = start;
      while (end < GROUPS && groups[end] == 0) {
        end++;
      }
      if (end - start > length) {
        from = start;
        length = end - start;
      }
    }
    if (length == 1) {
      return joined(groups, 0, GROUPS);
    }
    return joined(groups, 0, from) + "::" + joined(groups, from + length, GROUPS);
  }

  private static String joined(int[] groups, int from, int to) {
    List<String> texts = new ArrayList<>();
    for (int i = from; i < to; i++) {
      texts.add(Integer.toHexString(groups[i]));
    }
    return String.join(":", texts);
  }

  /** The first address as a number. */
  public BigInteger first() {
    return new BigInteger(1, bytes());
  }

  /** The address behind the last one as a number. */
  public BigInteger end() {
    return first().add(BigInteger.ONE.shiftLeft(BITS - prefix));
  }

  private byte[] bytes() {
    return ByteBuffer.allocate(BYTES).putLong(high).putLong(low).array();
  }

  /** The address that is this number. */
  public static String format(BigInteger number) {
    return format(number.shiftRight(Long.SIZE).longValue(), number.longValue());
  }

  /** The address at this offset from the first, in the second half of the address. */
  public String at(long offset) {
    return format(high, low | offset);
  }

  @Override
  public boolean contains(String address) {
    if (address.indexOf(':') < 0) {
      return false;
    }
    ByteBuffer halves = ByteBuffer.wrap(address(address));
    return contains(halves.getLong(), halves.getLong());
  }

  private boolean contains(long otherHigh, long otherLow) {
    return (otherHigh & mask(prefix)) == high && (otherLow & mask(prefix - Long.SIZE)) == low;
  }

  public boolean contains(Cidr6 other) {
    return other.prefix >= prefix && contains(other.high, other.low);
  }

  public boolean overlaps(Cidr6 other) {
    return contains(other) || other.contains(this);
  }

  /** So many first bits of a half; none below zero, all above 64. */
  private static long mask(int bits) {
    return bits <= 0 ? 0 : bits >= Long.SIZE ? -1 : -1L << (Long.SIZE - bits);
  }

  @Override
  public String toString() {
    return format(high, low) + "/" + prefix;
  }
}
