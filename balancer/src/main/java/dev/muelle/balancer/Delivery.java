package dev.muelle.balancer;

import java.time.Duration;

/**
 * How a target group of a network load balancer is served.
 *
 * @param check how its targets are looked at
 * @param keepsClient whether targets see the client's address as their peer
 * @param proxyProtocol whether each TCP connection begins with a header of the PROXY protocol
 * @param tls whether targets are spoken to by TLS; whatever certificate they show
 * @param bySource whether all flows of a client's address go to one target
 * @param cutsDeregistered whether connections end when a target's deregistration delay is over
 * @param cutsUnhealthy whether connections end when their target becomes unhealthy
 * @param unhealthyDraining otherwise: after which time they end; zero if they stay
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html">
 *     Edit target group attributes for your Network Load Balancer</a>
 */
public record Delivery(
    Check check,
    boolean keepsClient,
    boolean proxyProtocol,
    boolean tls,
    boolean bySource,
    boolean cutsDeregistered,
    boolean cutsUnhealthy,
    Duration unhealthyDraining) {

  /** What a health check does. */
  public enum Check {
    /** Connects. */
    TCP,
    /** Asks by HTTP, in clear or by TLS as the health check says. */
    HTTP
  }
}
