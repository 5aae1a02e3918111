package dev.muelle.balancer;

import dev.muelle.balancer.LoadBalancer.Share;
import dev.muelle.balancer.tls.Tls;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A port of a network load balancer: whole connections, or flows of datagrams, go to one target.
 *
 * @param shares its target groups, with weights of 0 to 999; a new flow goes to one of them
 * @param tls how clients' TLS ends here; null if their bytes are passed on as they come
 * @param idle after which a TCP connection without traffic is forgotten
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-listeners.html">
 *     Listeners for your Network Load Balancers</a>
 */
public record FlowListener(
    String id,
    int port,
    Transport transport,
    List<Share> shares,
    @Nullable Tls tls,
    Duration idle) {

  public FlowListener {
    shares = List.copyOf(shares);
  }

  /** With one target group. */
  public FlowListener(
      String id, int port, Transport transport, String groupId, @Nullable Tls tls, Duration idle) {
    this(id, port, transport, List.of(new Share(groupId, 1)), tls, idle);
  }

  /** What comes in. */
  public enum Transport {
    TCP,
    UDP,
    TCP_UDP;

    public boolean tcp() {
      return this != UDP;
    }

    public boolean udp() {
      return this != TCP;
    }
  }
}
