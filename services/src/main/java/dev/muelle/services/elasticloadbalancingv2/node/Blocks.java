package dev.muelle.services.elasticloadbalancingv2.node;

import dev.muelle.network.Cidr6;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.List;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/** Blocks of addresses. */
public final class Blocks {

  private static final List<String> PRIVATE =
      List.of("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16");

  private Blocks() {}

  public static boolean isAddress(String literal) {
    try {
      return literal.matches("[0-9.]+") && InetAddress.ofLiteral(literal) instanceof Inet4Address;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  /** An address of IPv6 in its short form; null if it is none. */
  public static @Nullable String normal6(@Nullable String literal) {
    try {
      return literal == null ? null : Cidr6.normal(literal);
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  /** A subnet's first addresses, and its last, are nobody's. */
  static boolean reserved(Cidr6 block, String address) {
    return LongStream.of(0, 1, 2, 3, -1).anyMatch(i -> block.at(i).equals(address));
  }

  public static boolean within(String block, byte[] address) {
    int slash = block.indexOf('/');
    byte[] base = InetAddress.ofLiteral(block.substring(0, slash)).getAddress();
    int bits = Integer.parseInt(block.substring(slash + 1));
    for (int i = 0; i < bits; i++) {
      int mask = 0x80 >> (i & 7);
      if ((base[i >> 3] & mask) != (address[i >> 3] & mask)) {
        return false;
      }
    }
    return true;
  }

  public static boolean privateUse(byte[] address) {
    return PRIVATE.stream().anyMatch(block -> within(block, address));
  }
}
