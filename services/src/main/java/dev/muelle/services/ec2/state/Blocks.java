package dev.muelle.services.ec2.state;

import dev.muelle.network.Cidr;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Blocks of addresses as requests spell them. */
public final class Blocks {

  private Blocks() {}

  /** An IPv4 block; host bits are cleared, as EC2 does. */
  public static String block(@Nullable String text) {
    String given = Refuse.required(text, "CidrIp");
    try {
      int slash = given.indexOf('/');
      int prefix = Integer.parseInt(given.substring(slash + 1));
      int address = Cidr.address(given.substring(0, Math.max(0, slash)));
      int mask = prefix == 0 ? 0 : -1 << (32 - prefix);
      return new Cidr(address & mask, prefix).toString();
    } catch (IllegalArgumentException e) {
      throw Refuse.invalidValue("CIDR block " + given + " is malformed");
    }
  }

  /** An IPv6 block in the form in which it was given, which must have no host bits. */
  public static String block6(@Nullable String text) {
    String given = Refuse.required(text, "CidrIpv6");
    try {
      int slash = given.indexOf('/');
      int prefix = Integer.parseInt(given.substring(slash + 1));
      String literal = given.substring(0, Math.max(0, slash));
      if (literal.indexOf(':') >= 0
          && prefix >= 0
          && prefix <= 128
          && InetAddress.ofLiteral(literal) instanceof Inet6Address address
          && hostBitsClear(address.getAddress(), prefix)) {
        return given.toLowerCase(Locale.ROOT);
      }
    } catch (IllegalArgumentException e) {
      // Not an address or not a number: answered below like host bits.
    }
    throw Refuse.invalidValue("CIDR block " + given + " is malformed");
  }

  private static boolean hostBitsClear(byte[] address, int prefix) {
    for (int bit = prefix; bit < 128; bit++) {
      if ((address[bit / 8] >> (7 - bit % 8) & 1) != 0) {
        return false;
      }
    }
    return true;
  }

  /** Reads a block and clears its host bits, as EC2 does. */
  public static Cidr of(String text) {
    try {
      return Cidr.parse(block(text));
    } catch (RuntimeException e) {
      throw Refuse.invalidValue(text, "cidrBlock", "This is not a valid CIDR block.");
    }
  }
}
