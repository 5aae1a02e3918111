package dev.muelle.balancer.netty;

import java.time.Duration;

/**
 * What all load balancers together hold to.
 *
 * @param clients how many clients of HTTP there may be at once
 * @param handshake so long a client may take to come to a TLS session
 */
record Limits(int clients, Duration handshake) {

  static final Limits USUAL = new Limits(20_000, Duration.ofSeconds(10));
}
