package dev.muelle.balancer.flows;

import dev.muelle.balancer.FlowListener;
import dev.muelle.balancer.LoadBalancer;
import dev.muelle.balancer.LoadBalancer.Front;
import dev.muelle.balancer.LoadBalancer.Node;
import dev.muelle.balancer.LoadBalancer.Sockets;
import dev.muelle.balancer.flows.FlowDoor.Meaning;
import dev.muelle.balancer.metrics.FlowMetrics.Count;
import dev.muelle.balancer.routing.BalancerState;
import dev.muelle.balancer.routing.Place;
import dev.muelle.balancer.routing.TargetLink;
import dev.muelle.balancer.targets.Congestion;
import dev.muelle.balancer.targets.Worker;
import dev.muelle.balancer.tls.TlsServer;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.SocketProtocolFamily;
import io.netty.util.concurrent.EventExecutor;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Where flows come in. Changes are made by one caller at a time. */
@SuppressWarnings(
    "FutureReturnValueIgnored") // a write that fails closes its channel, which is seen there
public final class FlowDoors {

  private static final int MAX_CONNECTIONS = 20_000;
  private static final int BACKLOG = 4096;

  private final EventLoopGroup loops;
  private final Map<EventExecutor, Worker> workers;
  private final Sockets host;
  private final Map<FlowDoor.Key, FlowDoor> doors = new ConcurrentHashMap<>();
  private final AtomicInteger connections = new AtomicInteger();

  public FlowDoors(EventLoopGroup loops, Map<EventExecutor, Worker> workers, Sockets host) {
    this.loops = loops;
    this.workers = workers;
    this.host = host;
  }

  /** Makes a load balancer's doors these; adds the problems of those that cannot be opened. */
  public void listen(BalancerState state, LoadBalancer wanted, Map<String, String> problems) {
    Set<FlowDoor.Key> keys = new HashSet<>();
    for (FlowListener listener : wanted.flows()) {
      TlsServer tls = state.tls(listener.id());
      for (boolean udp : new boolean[] {false, true}) {
        if (udp ? !listener.transport().udp() : !listener.transport().tcp()) {
          continue;
        }
        for (Node node : wanted.nodes()) {
          Meaning meaning = new Meaning(state, listener, node, null, tls);
          for (String address : node.addresses()) {
            Place at = new Place(wanted.id(), address, listener.port());
            FlowDoor.Key key = new FlowDoor.Key(at, udp);
            keys.add(key);
            open(key, meaning, node.sockets(), problems);
          }
        }
        for (Front front : wanted.fronts()) {
          Place at = new Place("", front.address(), listener.port());
          FlowDoor.Key key = new FlowDoor.Key(at, udp);
          keys.add(key);
          open(key, new Meaning(state, listener, null, front.admits(), tls), host, problems);
        }
      }
    }
    withdraw(state, keys);
  }

  private void open(
      FlowDoor.Key key, Meaning meaning, Sockets sockets, Map<String, String> problems) {
    FlowDoor door = doors.computeIfAbsent(key, k -> new FlowDoor(k, meaning));
    if (!Objects.equals(door.meaning.balancer(), meaning.balancer())) {
      problems.put(key.toString(), "another load balancer listens there");
      return;
    }
    door.meaning = meaning;
    if (door.server != null) {
      return;
    }
    try {
      door.server = key.udp() ? bindUdp(door, sockets) : bindTcp(door, sockets);
    } catch (Exception e) {
      doors.remove(key);
      problems.put(key.toString(), String.valueOf(e.getMessage()));
    }
  }

  private static SocketProtocolFamily family(FlowDoor door) {
    return door.key.at().address().contains(":")
        ? SocketProtocolFamily.INET6
        : SocketProtocolFamily.INET;
  }

  private static InetSocketAddress address(FlowDoor door) {
    return new InetSocketAddress(door.key.at().address(), door.key.at().port());
  }

  private Channel bindTcp(FlowDoor door, Sockets sockets) throws Exception {
    EpollServerSocketChannel server =
        sockets.call(() -> new EpollServerSocketChannel(family(door)));
    return bound(
        server,
        Congestion.at(address(door), !sockets.equals(host), new ServerBootstrap())
            .group(loops)
            .channelFactory(() -> server)
            .option(ChannelOption.SO_BACKLOG, BACKLOG)
            .option(ChannelOption.SO_REUSEADDR, true)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
            .childOption(ChannelOption.AUTO_READ, false) // until there is a target
            .childHandler(
                new ChannelInitializer<SocketChannel>() {
                  @Override
                  protected void initChannel(SocketChannel channel) {
                    accept(door, channel);
                  }
                })
            .bind(address(door))
            .await());
  }

  private Channel bindUdp(FlowDoor door, Sockets sockets) throws Exception {
    EpollDatagramChannel server = sockets.call(() -> new EpollDatagramChannel(family(door)));
    EventLoop loop = loops.next();
    Worker worker = worker(loop);
    return bound(
        server,
        new Bootstrap()
            .group(loop)
            .channelFactory(() -> server)
            .option(
                ChannelOption.RECVBUF_ALLOCATOR, new FixedRecvByteBufAllocator(Worker.MAX_DATAGRAM))
            .handler(new Datagrams(door, worker))
            .bind(address(door))
            .await());
  }

  private static Channel bound(Channel server, ChannelFuture bound) throws IOException {
    if (!bound.isSuccess()) {
      server.close();
      Throwable cause = bound.cause();
      throw new IOException(cause == null ? "cannot bind" : cause.getMessage());
    }
    return bound.channel();
  }

  private Worker worker(EventLoop loop) {
    return Objects.requireNonNull(workers.get(loop), "an event loop of this balancer");
  }

  private void accept(FlowDoor door, SocketChannel channel) {
    if (connections.incrementAndGet() > MAX_CONNECTIONS) {
      connections.decrementAndGet();
      door.meaning.metrics(false).add(Count.REJECTED_FLOWS);
      Relay.reset(channel);
      return;
    }
    channel.closeFuture().addListener(closed -> connections.decrementAndGet());
    Relay.begin(door, worker(channel.eventLoop()), channel);
  }

  /**
   * Closes a load balancer's doors but these, and ends what came in by them: when this returns, who
   * wants to hear of its end has heard.
   */
  public void withdraw(BalancerState state, Set<FlowDoor.Key> but) {
    boolean ends = false;
    for (FlowDoor door : List.copyOf(doors.values())) {
      if (Objects.equals(door.meaning.balancer(), state) && !but.contains(door.key)) {
        doors.remove(door.key);
        close(door.server);
        door.withdrawn = true;
        ends |= !door.flows.isEmpty();
        door.flows.forEach(TargetLink::abort);
      }
    }
    if (ends) {
      for (EventExecutor loop : loops) {
        loop.submit(() -> {}).awaitUninterruptibly(); // behind what it was told before
      }
    }
  }

  private static void close(@Nullable Channel server) {
    if (server != null) {
      server.close().awaitUninterruptibly();
    }
  }

  public Stream<String> open() {
    return doors.keySet().stream().map(FlowDoor.Key::toString);
  }
}
