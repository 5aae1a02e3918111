package dev.muelle.network.linux;

import dev.muelle.network.Cidr6;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * What our things are called in the kernel. All names start with the instance's, so that several
 * servers live on one machine and each finds its own leftovers.
 */
record KernelNames(String instance) {

  /** A VPC's or an interface's namespace, under /run/netns. */
  String namespace(String id) {
    return instance + "-" + id;
  }

  /** The host's end of a VPC's uplink (a link's name has at most 15 characters). */
  String uplink(String vpcId) {
    return instance + "u" + hash(vpcId, 6);
  }

  /** The table of packet filters on the host. */
  String hostTable() {
    return instance;
  }

  /** The VPC's end of an interface's veth; unique in the VPC's namespace. */
  static String veth(String interfaceId) {
    return "v" + hash(interfaceId, 14);
  }

  /** The VPC's end of a NAT gateway's veth. */
  static String gateway(String interfaceId) {
    return "n" + hash(interfaceId, 14);
  }

  /** Either end of a peering's veth. */
  static String peering(String peeringId) {
    return "p" + hash(peeringId, 14);
  }

  /**
   * The pair of link addresses in 100.64.0.0/10 of a VPC's uplink, the host's and then the VPC's,
   * or of a peering.
   */
  String[] linkAddresses(String id) {
    int pair = Integer.parseInt(hash(instance + id, 6), 16) & 0x1FFFFF;
    int base = 0x64400000 + pair * 2;
    return new String[] {dotted(base), dotted(base + 1)};
  }

  /** The same in IPv6: in a part of {@link dev.muelle.network.Network#PUBLIC6} that no VPC has. */
  String[] linkAddresses6(String id) {
    String hash = hash(instance + id, 8);
    String net = "3fff:fff:" + hash.substring(0, 4) + ":" + hash.substring(4) + "::";
    return new String[] {Cidr6.normal(net + "1"), Cidr6.normal(net + "2")};
  }

  private static String dotted(int address) {
    return dev.muelle.network.Cidr.format(address);
  }

  static String hash(String id, int digits) {
    try {
      byte[] sum = MessageDigest.getInstance("SHA-256").digest(id.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(sum).substring(0, digits);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
