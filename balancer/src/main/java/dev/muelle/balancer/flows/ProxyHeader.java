package dev.muelle.balancer.flows;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/**
 * Version 2 of the PROXY protocol: what a target hears of a connection before its bytes.
 *
 * @see <a href="https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt">The PROXY protocol,
 *     section 2.2</a>
 */
final class ProxyHeader {

  private static final byte[] SIGNATURE = {
    0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A
  };
  private static final int VERSION_2_PROXY = 0x21;
  private static final int TCP_OVER_IPV4 = 0x11;
  private static final int TCP_OVER_IPV6 = 0x21;
  private static final byte[] MAPPED = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (byte) 0xff, (byte) 0xff};

  private ProxyHeader() {}

  static ByteBuf of(InetSocketAddress client, InetSocketAddress at) {
    boolean ipv4 =
        client.getAddress() instanceof Inet4Address && at.getAddress() instanceof Inet4Address;
    ByteBuf header = Unpooled.buffer(52);
    header.writeBytes(SIGNATURE);
    header.writeByte(VERSION_2_PROXY);
    header.writeByte(ipv4 ? TCP_OVER_IPV4 : TCP_OVER_IPV6);
    header.writeShort(ipv4 ? 12 : 36);
    address(header, client.getAddress(), ipv4);
    address(header, at.getAddress(), ipv4);
    header.writeShort(client.getPort());
    return header.writeShort(at.getPort());
  }

  private static void address(ByteBuf header, InetAddress address, boolean ipv4) {
    if (!ipv4 && address instanceof Inet4Address) {
      header.writeBytes(MAPPED);
    }
    header.writeBytes(address.getAddress());
  }
}
