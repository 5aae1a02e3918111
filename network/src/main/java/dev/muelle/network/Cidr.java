package dev.muelle.network;

/**
 * An IPv4 block in canonical form.
 *
 * @param base the first address as an unsigned 32-bit number
 * @param prefix 0 to 32
 */
public record Cidr(int base, int prefix) implements AddressBlock {

  public Cidr {
    if (prefix < 0 || prefix > 32) {
      throw new IllegalArgumentException("prefix length " + prefix + ": expected 0 to 32");
    }
    if ((base & ~mask(prefix)) != 0) {
      throw new IllegalArgumentException(format(base) + "/" + prefix + " has host bits set");
    }
  }

  /**
   * Reads {@code 172.31.0.0/16}.
   *
   * @throws IllegalArgumentException if it is not a canonical IPv4 block
   */
  public static Cidr parse(String text) {
    int slash = text.indexOf('/');
    if (slash < 0) {
      throw new IllegalArgumentException(text + " is not a CIDR block");
    }
    try {
      return new Cidr(
          address(text.substring(0, slash)), Integer.parseInt(text.substring(slash + 1)));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(text + " is not a CIDR block", e);
    }
  }

  /** A dotted IPv4 address as an unsigned 32-bit number. */
  public static int address(String dotted) {
    String[] parts = dotted.split("\\.", -1);
    if (parts.length != 4) {
      throw new IllegalArgumentException(dotted + " is not an IPv4 address");
    }
    int address = 0;
    for (String part : parts) {
      if (!part.matches("0|[1-9][0-9]{0,2}") || Integer.parseInt(part) > 255) {
        throw new IllegalArgumentException(dotted + " is not an IPv4 address");
      }
      address = address << 8 | Integer.parseInt(part);
    }
    return address;
  }

  /** An address in dotted form. */
  public static String format(int address) {
    return (address >>> 24)
        + "."
        + (address >>> 16 & 255)
        + "."
        + (address >>> 8 & 255)
        + "."
        + (address & 255);
  }

  /** How many addresses the block holds. */
  public long size() {
    return 1L << (32 - prefix);
  }

  /** The address at this offset from the first. */
  public String at(long offset) {
    if (offset < 0 || offset >= size()) {
      throw new IllegalArgumentException(this + " has no address number " + offset);
    }
    return format((int) (base + offset));
  }

  @Override
  public boolean contains(String address) {
    return address.indexOf(':') < 0 && contains(address(address));
  }

  public boolean contains(int address) {
    return (address & mask(prefix)) == base;
  }

  public boolean contains(Cidr other) {
    return other.prefix >= prefix && contains(other.base);
  }

  public boolean overlaps(Cidr other) {
    return contains(other) || other.contains(this);
  }

  private static int mask(int prefix) {
    return prefix == 0 ? 0 : -1 << (32 - prefix);
  }

  @Override
  public String toString() {
    return format(base) + "/" + prefix;
  }
}
