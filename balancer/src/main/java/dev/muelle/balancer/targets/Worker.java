package dev.muelle.balancer.targets;

import dev.muelle.balancer.Balancer;
import dev.muelle.balancer.LoadBalancer.Node;
import dev.muelle.balancer.routing.MemberState;
import dev.muelle.balancer.tls.TargetTls;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.SingleThreadEventLoop;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.socket.SocketProtocolFamily;
import io.netty.channel.unix.IntegerUnixChannelOption;
import java.net.Inet6Address;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What one event loop has for itself: its idle connections to targets. A client and the targets
 * that serve it live on one event loop, so nothing here needs a lock.
 */
@SuppressWarnings(
    "FutureReturnValueIgnored") // a write that fails closes its channel, which is seen there
public final class Worker {

  private static final Logger LOG = LoggerFactory.getLogger(Worker.class);
  private static final int TOGETHER = 8;
  private static final int CONNECT_MILLIS = 10_000;

  /** How often those who wait are looked after; their times may change meanwhile. */
  private static final long WATCH_MILLIS = 250;

  /** As long as a datagram may be. */
  public static final int MAX_DATAGRAM = 65_535;

  /** SO_MARK of SOL_SOCKET, by which the network knows for whom a socket sends. */
  private static final ChannelOption<Integer> MARK = new IntegerUnixChannelOption("SO_MARK", 1, 36);

  private static final int MAX_IDLE = 256;

  /** Another target may close an idle connection any time; a POST must not be lost to that. */
  private static final long FRESH_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** Idle connections end before the target's usual minute does. */
  private static final long MAX_IDLE_NANOS = TimeUnit.SECONDS.toNanos(55);

  public final SingleThreadEventLoop loop;
  public final InstantSource clock;
  public final RandomGenerator random;

  /** So long a client may take to come to a TLS session. */
  public final long handshakeMillis;

  private final Map<MemberState, ArrayDeque<TargetConnection>> idle = new HashMap<>();

  /** To whom something was written that is not sent yet. */
  private final ArrayDeque<Channel> written = new ArrayDeque<>();

  /** Whether what is written is to be sent after this pass. */
  private boolean sends;

  private final Map<MemberState, List<TargetHttp2>> shared = new HashMap<>();
  private final List<Watched> watched = new ArrayList<>();

  /**
   * An event loop's.
   *
   * @param handshake so long a client may take to come to a TLS session
   */
  public Worker(
      SingleThreadEventLoop loop, InstantSource clock, RandomGenerator random, Duration handshake) {
    this.loop = loop;
    this.clock = clock;
    this.random = random;
    this.handshakeMillis = handshake.toMillis();
    loop.scheduleWithFixedDelay(this::sweep, 5, 5, TimeUnit.SECONDS);
  }

  /** Whom the event loop looks after from time to time. */
  public interface Watched {
    /** Does what its time asks for; false if it need not be looked after any more. */
    boolean watch();
  }

  /** Looks after somebody, together with all others: ten thousand timers would take more. */
  public void watch(Watched one) {
    if (watched.isEmpty()) {
      loop.schedule(this::look, WATCH_MILLIS, TimeUnit.MILLISECONDS);
    }
    watched.add(one);
  }

  private void look() {
    watched.removeIf(one -> !looked(one));
    if (!watched.isEmpty()) {
      loop.schedule(this::look, WATCH_MILLIS, TimeUnit.MILLISECONDS);
    }
  }

  private static boolean looked(Watched one) {
    try {
      return one.watch();
    } catch (RuntimeException e) {
      LOG.warn("a connection that cannot be looked after", e);
      return false; // the others still are
    }
  }

  /**
   * Sends what was written, together with what is written to others until all that has come by now
   * has been looked at, or to eight: whoever waits for it is woken for several, and does not
   * interrupt us each time; but it need not wait until we have nothing else to do.
   */
  public void flush(Channel channel) {
    if (!channel.isWritable()) {
      channel.flush(); // it holds much already
      return;
    }
    if (!sends) {
      sends = true;
      loop.executeAfterEventLoopIteration(() -> {
        sends = false;
        sendWritten();
      });
    }
    if (!channel.equals(written.peekLast())) {
      if (written.size() == TOGETHER) {
        sendWritten();
      }
      written.add(channel);
    }
  }

  private void sendWritten() {
    for (Channel channel = written.poll(); channel != null; channel = written.poll()) {
      channel.flush();
    }
  }

  public long nanos() {
    return loop.ticker().nanoTime();
  }

  /**
   * An idle connection.
   *
   * @param fresh whether only one that was used a moment ago will do
   */
  public @Nullable TargetConnection take(MemberState member, boolean fresh) {
    ArrayDeque<TargetConnection> mine = idle.get(member);
    while (mine != null && !mine.isEmpty()) {
      TargetConnection last = mine.peekLast();
      if (last.channel.isActive()) {
        if (fresh && nanos() - last.idleSince > FRESH_NANOS) {
          return null;
        }
        return mine.pollLast();
      }
      mine.pollLast();
    }
    return null;
  }

  void release(TargetConnection connection) {
    connection.idleSince = nanos();
    ArrayDeque<TargetConnection> mine =
        idle.computeIfAbsent(connection.member, m -> new ArrayDeque<>());
    mine.addLast(connection);
    connection.channel.config().setAutoRead(true);
    // Draining may have begun while this one was busy: it was passed over then.
    if (mine.size() > MAX_IDLE || connection.member.draining()) {
      connection.channel.close();
    }
  }

  void forget(TargetConnection connection) {
    ArrayDeque<TargetConnection> mine = idle.get(connection.member);
    if (mine != null) {
      mine.remove(connection); // a busy one is not in there
      if (mine.isEmpty()) {
        idle.remove(connection.member);
      }
    }
  }

  private void sweep() {
    long now = nanos();
    for (List<TargetHttp2> mine : shared.values()) {
      mine.stream()
          .filter(one -> one.idleSince(now - MAX_IDLE_NANOS))
          .forEach(TargetHttp2::closeIfIdle);
    }
    for (ArrayDeque<TargetConnection> mine : idle.values()) {
      for (TargetConnection connection : mine) {
        if (now - connection.idleSince > MAX_IDLE_NANOS) {
          loop.execute(connection::closeIfIdle);
        }
      }
    }
  }

  /** A connection to a target that serves one exchange at a time. */
  public TargetConnection http1(MemberState member, Channel channel) {
    TargetConnection fresh = new TargetConnection(member, channel, this);
    member.connections.add(fresh);
    member.group.metrics.connected();
    channel.pipeline().addLast(fresh);
    return fresh;
  }

  /** A connection of HTTP/2 to a target with room for one more exchange. */
  public TargetHttp2 http2(Node node, MemberState member) {
    List<TargetHttp2> mine = shared.computeIfAbsent(member, m -> new ArrayList<>());
    for (TargetHttp2 one : mine) {
      if (one.hasRoom()) {
        return one;
      }
    }
    TargetHttp2[] made = new TargetHttp2[1];
    TargetHttp2 fresh =
        TargetHttp2.fresh(() -> {
          member.connections.remove(made[0]);
          member.group.metrics.disconnected();
          mine.remove(made[0]);
          if (mine.isEmpty()) {
            shared.remove(member, mine);
          }
        });
    made[0] = fresh;
    mine.add(fresh);
    member.connections.add(fresh);
    member.group.metrics.connected();
    connect(
        node,
        member.target.address(),
        member.target.port(),
        TargetTls.of(member.group.secure, true),
        fresh::connected);
    return fresh;
  }

  /**
   * A socket for datagrams to a target.
   *
   * @param client whose address the target is to see, or one that stands for it; null for one of
   *     the node's own
   * @param handler of what comes back
   * @param ready hears of it on this event loop; null if there is none
   */
  public void datagrams(
      Node node,
      @Nullable InetSocketAddress client,
      Balancer.Target target,
      ChannelHandler handler,
      Consumer<@Nullable Channel> ready) {
    InetSocketAddress to = new InetSocketAddress(target.address(), target.port());
    InetSocketAddress kept = client == null ? null : node.standsFor(client, to.getAddress());
    Iterator<InetSocketAddress> from = kept == null ? own(node, to) : List.of(kept).iterator();
    if (!from.hasNext()) {
      loop.execute(() -> ready.accept(null));
      return;
    }
    Channel channel;
    try {
      channel = node.sockets().call(() -> new EpollDatagramChannel(family(to)));
    } catch (Exception e) {
      loop.execute(() -> ready.accept(null));
      return;
    }
    Bootstrap bootstrap =
        new Bootstrap()
            .option(ChannelOption.RECVBUF_ALLOCATOR, new FixedRecvByteBufAllocator(MAX_DATAGRAM));
    if (kept != null) {
      bootstrap
          .option(EpollChannelOption.IP_TRANSPARENT, true)
          .option(ChannelOption.SO_REUSEADDR, true)
          .option(MARK, node.mark());
    }
    bootstrap
        .group(loop)
        .channelFactory(() -> channel)
        .handler(handler)
        .connect(to, from.next())
        .addListener(future -> {
          if (future.isSuccess()) {
            ready.accept(channel);
          } else {
            channel.close();
            ready.accept(null);
          }
        });
  }

  /** Is told how connecting went. */
  public interface Connected {
    void done(@Nullable Channel channel, Reach reach);
  }

  /** Connects from a node; {@code connected} hears of it on this event loop. */
  public void connect(Node node, String address, int port, TargetTls tls, Connected connected) {
    InetSocketAddress to = new InetSocketAddress(address, port);
    connect(
        node,
        to,
        own(node, to),
        (channel, reach) -> {
          if (channel == null) {
            connected.done(null, reach);
          } else {
            tls.shake(
                channel,
                shaken ->
                    connected.done(shaken, shaken == null ? Reach.NO_SESSION : Reach.CONNECTED));
          }
        });
  }

  /**
   * Connects on behalf of a client. Its address is kept only towards a target of the same family.
   *
   * @param kept the client's address, under which the target is to see it; null for one of the
   *     node's own
   * @see <a
   *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html">
   *     Client IP preservation</a>
   */
  public void connectFor(
      Node node, @Nullable InetSocketAddress kept, Balancer.Target target, Connected connected) {
    InetSocketAddress to = new InetSocketAddress(target.address(), target.port());
    if (kept == null || family(kept) != family(to)) {
      connect(node, to, own(node, to), connected);
      return;
    }
    connect(
        node,
        to,
        kept,
        true,
        (channel, reach) -> {
          if (channel != null || reach == Reach.TIMED_OUT) {
            connected.done(channel, reach);
          } else {
            // The client's port may still be in use towards this target: any other will do.
            InetSocketAddress other = new InetSocketAddress(kept.getAddress(), 0);
            connect(node, to, other, true, connected);
          }
        });
  }

  private static SocketProtocolFamily family(InetSocketAddress address) {
    return address.getAddress() instanceof Inet6Address
        ? SocketProtocolFamily.INET6
        : SocketProtocolFamily.INET;
  }

  /** From where a node may speak to a target, beginning anywhere. */
  private Iterator<InetSocketAddress> own(Node node, InetSocketAddress to) {
    List<String> addresses = new ArrayList<>(node.towards(to.getAddress()));
    if (addresses.size() > 1) {
      Collections.rotate(addresses, random.nextInt(addresses.size()));
    }
    return addresses.stream().map(one -> new InetSocketAddress(one, 0)).iterator();
  }

  /** Connects from the first of these addresses that has a port left towards the target. */
  private void connect(
      Node node, InetSocketAddress to, Iterator<InetSocketAddress> from, Connected connected) {
    if (!from.hasNext()) {
      loop.execute(() -> connected.done(null, Reach.REFUSED));
      return;
    }
    connect(
        node,
        to,
        from.next(),
        false,
        (channel, reach) -> {
          if (reach == Reach.NO_PORT && from.hasNext()) {
            connect(node, to, from, connected);
          } else {
            connected.done(channel, reach);
          }
        });
  }

  /**
   * Connects from an address.
   *
   * @param onBehalf whether it is not the node's own
   */
  private void connect(
      Node node,
      InetSocketAddress to,
      InetSocketAddress from,
      boolean onBehalf,
      Connected connected) {
    Channel channel;
    try {
      channel = node.sockets().call(() -> new EpollSocketChannel(family(to)));
    } catch (Exception e) {
      loop.execute(() -> connected.done(null, Reach.REFUSED));
      return;
    }
    Bootstrap bootstrap =
        onBehalf
            ? new Bootstrap()
                .option(EpollChannelOption.IP_TRANSPARENT, true)
                .option(ChannelOption.SO_REUSEADDR, true)
                .option(MARK, node.mark())
            : new Bootstrap().option(EpollChannelOption.IP_BIND_ADDRESS_NO_PORT, true);
    Congestion.within(bootstrap)
        .group(loop)
        .channelFactory(() -> channel)
        .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MILLIS)
        .option(ChannelOption.TCP_NODELAY, true)
        .option(ChannelOption.AUTO_CLOSE, false) // an early answer is read after a failed write
        .option(ChannelOption.AUTO_READ, false) // until somebody listens
        .handler(new ChannelInboundHandlerAdapter())
        .connect(to, from)
        .addListener(future -> {
          if (future.isSuccess()) {
            connected.done(channel, Reach.CONNECTED);
          } else {
            channel.close();
            connected.done(null, Reach.of(future.cause()));
          }
        });
  }
}
