package dev.muelle.network.linux;

import dev.muelle.network.AddressBlock;
import dev.muelle.network.Cidr;
import dev.muelle.network.Cidr6;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;

/**
 * IPv4 or IPv6, in the words of nft(8) and ip(8). Of what differs between the two there is one set
 * for each: a set has keys of one type.
 */
enum Family {
  IPV4("ip", "ipv4_addr", "", "32", "0.0.0.0/0"),
  IPV6("ip6", "ipv6_addr", "6", "128", "::/0");

  private static final Path SETTINGS = Path.of("/proc/sys/net/ipv6");

  private final String header;
  private final String type;
  private final String suffix;
  private final String bits;
  private final String all;

  Family(String header, String type, String suffix, String bits, String all) {
    this.header = header;
    this.type = type;
    this.suffix = suffix;
    this.bits = bits;
    this.all = all;
  }

  static Family of(String address) {
    return address.indexOf(':') < 0 ? IPV4 : IPV6;
  }

  static Family of(AddressBlock block) {
    return switch (block) {
      case Cidr ignored -> IPV4;
      case Cidr6 ignored -> IPV6;
    };
  }

  /** The packet's field, {@code ip6 saddr}. */
  String field(String side) {
    return header + " " + side;
  }

  /** Of what a set's keys are. */
  String type() {
    return type;
  }

  /** This family's one of two sets that are called alike. */
  String set(String name) {
    return name + suffix;
  }

  /** An address as a block of its own. */
  String whole(String address) {
    return address + "/" + bits;
  }

  /** The block of all addresses. */
  String all() {
    return all;
  }

  /** What ip(8) is told to speak of. */
  String option() {
    return this == IPV4 ? "-4" : "-6";
  }

  /** Whether the calling thread's namespace knows IPv6 at all. */
  static boolean knowsIpv6() {
    return Files.exists(SETTINGS);
  }

  /** Where the kernel keeps its settings of IPv6. */
  static Path settings(String what) {
    return SETTINGS.resolve(what);
  }

  static List<String> only(Family family, Collection<String> addresses) {
    return addresses.stream().filter(address -> of(address) == family).toList();
  }

  /**
   * The address on its own link that a device has by its hardware's (RFC 4291, appendix A).
   *
   * @param macAddress for example {@code 02:ab:cd:ef:00:01}
   */
  static String linkLocal(String macAddress) {
    byte[] mac = HexFormat.ofDelimiter(":").parseHex(macAddress);
    byte[] address = new byte[Cidr6.BYTES];
    address[0] = (byte) 0xfe;
    address[1] = (byte) 0x80;
    System.arraycopy(mac, 0, address, 8, 3);
    address[8] ^= 2;
    address[11] = (byte) 0xff;
    address[12] = (byte) 0xfe;
    System.arraycopy(mac, 3, address, 13, 3);
    return Cidr6.format(address);
  }
}
