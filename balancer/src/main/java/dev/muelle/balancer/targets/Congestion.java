package dev.muelle.balancer.targets;

import io.netty.bootstrap.AbstractBootstrap;
import io.netty.channel.ChannelOption;
import io.netty.channel.unix.RawUnixChannelOption;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * How TCP finds out what the way to its peer can take, on ways that do not leave this host. There
 * is nothing to find out there, so what costs least is best: Reno, which every kernel has. A host's
 * default may be BBR, which reckons after each segment and, every ten seconds, sends next to
 * nothing for a moment to measure the way anew.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/tcp.7.html">tcp(7), TCP_CONGESTION</a>
 */
public final class Congestion {

  private static final byte[] RENO = "reno".getBytes(StandardCharsets.US_ASCII);

  /** TCP_CONGESTION of IPPROTO_TCP. */
  private static final ChannelOption<ByteBuffer> ALGORITHM =
      new RawUnixChannelOption("TCP_CONGESTION", 6, 13, RENO.length);

  private Congestion() {}

  /** For a socket that speaks to a target. */
  public static <B extends AbstractBootstrap<B, ?>> B within(B bootstrap) {
    return bootstrap.option(ALGORITHM, ByteBuffer.wrap(RENO)); // which setting it empties
  }

  /**
   * For a socket that listens, and so for those that it accepts, unless clients from elsewhere may
   * come: then it is for the host to say.
   *
   * @param inside whether it listens in a network that is all on this host
   */
  public static <B extends AbstractBootstrap<B, ?>> B at(
      InetSocketAddress address, boolean inside, B bootstrap) {
    return inside || address.getAddress().isLoopbackAddress() ? within(bootstrap) : bootstrap;
  }
}
