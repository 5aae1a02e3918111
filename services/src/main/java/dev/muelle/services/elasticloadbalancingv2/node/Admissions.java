package dev.muelle.services.elasticloadbalancingv2.node;

import java.net.InetAddress;
import java.util.List;
import software.amazon.awssdk.services.ec2.model.IpPermission;

/** Whether security groups let a client in from outside. Pure. */
public final class Admissions {

  private Admissions() {}

  /** A client on the host's loopback stands for the internet: it matches 0.0.0.0/0 or ::/0. */
  public static boolean admits(
      List<IpPermission> ingress, String client, String protocol, int port) {
    byte[] address = bytes(client);
    return ingress.stream()
        .filter(rule -> covers(rule, protocol, port))
        .anyMatch(rule ->
            rule.ipRanges().stream().anyMatch(r -> matches(r.cidrIp(), address))
                || rule.ipv6Ranges().stream().anyMatch(r -> matches(r.cidrIpv6(), address)));
  }

  private static boolean covers(IpPermission rule, String protocol, int port) {
    return rule.ipProtocol().equals("-1")
        || (rule.ipProtocol().equals(protocol)
                || rule.ipProtocol().equals(protocol.equals("tcp") ? "6" : "17"))
            && rule.fromPort() <= port
            && port <= rule.toPort();
  }

  private static boolean matches(String cidr, byte[] address) {
    if (cidr.equals("0.0.0.0/0") || cidr.equals("::/0")) {
      return true; // either family: the host's ::1 and 127.0.0.1 are the same client
    }
    byte[] base = bytes(cidr.substring(0, cidr.indexOf('/')));
    return base.length == address.length && Blocks.within(cidr, address);
  }

  private static byte[] bytes(String literal) {
    return InetAddress.ofLiteral(literal).getAddress();
  }
}
