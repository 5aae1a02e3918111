package dev.muelle.services.cloudwatchlogs.insights;

import java.net.InetAddress;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads addresses without ever asking for a name. */
final class Addresses {

  private static final Pattern V4 =
      Pattern.compile("(?:(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)(?:\\.(?!$)|$)){4}");
  private static final Pattern V6 = Pattern.compile("[0-9a-fA-F:.]{2,45}");

  private Addresses() {}

  /** Four or sixteen bytes; null if it is no address. */
  static byte @Nullable [] read(String text) {
    boolean literal =
        text.length() <= 45
            && (V4.matcher(text).matches() || (text.contains(":") && V6.matcher(text).matches()));
    if (!literal) {
      return null;
    }
    try {
      byte[] address = InetAddress.ofLiteral(text).getAddress();
      return text.contains(":") && address.length == 4 ? mapped(address) : address;
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  /** Java gives four bytes for an IPv4 address that is written as one of IPv6. */
  private static byte[] mapped(byte[] v4) {
    byte[] all = new byte[16];
    all[10] = -1;
    all[11] = -1;
    System.arraycopy(v4, 0, all, 12, 4);
    return all;
  }
}
