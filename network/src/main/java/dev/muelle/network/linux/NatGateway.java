package dev.muelle.network.linux;

import dev.muelle.linux.Command;
import dev.muelle.linux.NetworkNamespace;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What a NAT gateway's namespace does: whatever comes in for others leaves where it came from,
 * under the gateway's address; what comes in for the gateway itself is dropped, unless it answers
 * what it sent. Only TCP, UDP and ICMP pass.
 *
 * @see <a href="https://docs.aws.amazon.com/vpc/latest/userguide/vpc-nat-gateway.html">NAT
 *     gateways</a>
 */
final class NatGateway {

  private NatGateway() {}

  /**
   * Furnishes a namespace that has a default route; repeating it changes nothing, and leaves what
   * flows.
   *
   * @param namespace its name
   */
  static void furnish(String namespace, String address) {
    Path ipv4 = Path.of("/proc/sys/net/ipv4");
    try (NetworkNamespace inside = new NetworkNamespace(namespace)) {
      inside.call(() -> {
        for (String link : new String[] {"all", "eth0"}) {
          Files.writeString(ipv4.resolve("conf/" + link + "/rp_filter"), "0");
          Files.writeString(ipv4.resolve("conf/" + link + "/send_redirects"), "0");
        }
        return Files.writeString(ipv4.resolve("ip_forward"), "1");
      });
      Command.runWith(
          """
          add table ip gateway
          delete table ip gateway
          table ip gateway {
            chain input {
              type filter hook input priority filter; policy drop;
              ct state established,related accept
            }
            chain forward {
              type filter hook forward priority filter; policy drop;
              ct state established,related accept
              ct state new meta l4proto { tcp, udp, icmp } accept
            }
            chain postrouting {
              type nat hook postrouting priority srcnat; policy accept;
              meta l4proto { tcp, udp } snat to %1$s:1024-65535
              snat to %1$s
            }
          }
          """
              .formatted(address),
          "nsenter",
          "--net=" + inside.path(),
          "nft",
          "-f",
          "-");
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException("no forwarding in " + namespace, e);
    }
  }
}
