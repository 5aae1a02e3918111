package dev.muelle.balancer.clients;

import dev.muelle.balancer.LoadBalancer;
import dev.muelle.balancer.LoadBalancer.Front;
import dev.muelle.balancer.LoadBalancer.Listener;
import dev.muelle.balancer.LoadBalancer.Node;
import dev.muelle.balancer.LoadBalancer.Sockets;
import dev.muelle.balancer.metrics.Metrics.Count;
import dev.muelle.balancer.routing.BalancerState;
import dev.muelle.balancer.routing.BalancerState.Binding;
import dev.muelle.balancer.routing.Place;
import dev.muelle.balancer.routing.Rules;
import dev.muelle.balancer.targets.Congestion;
import dev.muelle.balancer.targets.Worker;
import dev.muelle.balancer.tls.TlsServer;
import dev.muelle.balancer.visitors.Endpoint;
import dev.muelle.balancer.visitors.TlsDoor;
import dev.muelle.balancer.visitors.Visitor;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.SocketProtocolFamily;
import io.netty.util.concurrent.EventExecutor;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Where clients of HTTP come in. Changes are made by one caller at a time. */
@SuppressWarnings(
    "FutureReturnValueIgnored") // a write that fails closes its channel, which is seen there
public final class Endpoints {

  private static final Logger LOG = LoggerFactory.getLogger(Endpoints.class);
  private static final int BACKLOG = 1024;

  private final EventLoopGroup loops;
  private final Map<EventExecutor, Worker> workers;
  private final Sockets host;
  private final int most;
  private final Map<Place, Endpoint> endpoints = new ConcurrentHashMap<>();
  private final AtomicInteger held = new AtomicInteger();
  private final AtomicInteger clients = new AtomicInteger();

  /**
   * None yet.
   *
   * @param most how many clients there may be at once
   */
  public Endpoints(
      EventLoopGroup loops, Map<EventExecutor, Worker> workers, Sockets host, int most) {
    this.most = most;
    this.loops = loops;
    this.workers = workers;
    this.host = host;
  }

  /** Makes a load balancer's endpoints these; adds the problems of those that cannot be opened. */
  public void listen(BalancerState state, LoadBalancer wanted, Map<String, String> problems) {
    Set<Place> keys = new HashSet<>();
    for (Listener listener : wanted.listeners()) {
      TlsServer tls = state.tls(listener.id());
      Rules rules = new Rules(listener.rules());
      for (Node node : wanted.nodes()) {
        Binding binding = new Binding(state, listener, null, tls, node.zone(), rules);
        for (String address : node.addresses()) {
          Place key = new Place(wanted.id(), address, listener.port());
          keys.add(key);
          offer(key, false, "", binding, node.sockets(), problems);
        }
      }
      for (Front front : wanted.fronts()) {
        Place key = new Place("", front.address(), listener.port());
        keys.add(key);
        Binding binding = new Binding(state, listener, front.admits(), tls, null, rules);
        String host = front.shared() ? wanted.host() : "";
        offer(key, front.shared(), host, binding, this.host, problems);
      }
    }
    withdraw(state, keys);
  }

  private void offer(
      Place key,
      boolean shared,
      String host,
      Binding binding,
      Sockets sockets,
      Map<String, String> problems) {
    Endpoint endpoint = endpoints.computeIfAbsent(key, k -> new Endpoint(k, shared));
    Binding present = endpoint.bindings.get(host);
    if (endpoint.shared != shared || present != null && present.balancer() != binding.balancer()) {
      problems.put(key.toString(), "another load balancer listens there");
      return;
    }
    boolean changesKind = present != null && present.secure() != binding.secure();
    Map<String, Binding> bindings = new HashMap<>(endpoint.bindings);
    bindings.values().removeIf(other -> other.balancer() == binding.balancer());
    if (bindings.values().stream().anyMatch(other -> other.secure() != binding.secure())) {
      endpoint.bindings = Map.copyOf(bindings);
      problems.put(
          key.toString(),
          "another load balancer listens there with " + (binding.secure() ? "HTTP" : "HTTPS"));
      return;
    }
    bindings.put(host, binding);
    endpoint.bindings = Map.copyOf(bindings);
    if (changesKind) {
      endpoint.clients.forEach(Visitor::retire);
    }
    if (endpoint.server != null) {
      return;
    }
    try {
      endpoint.server = bind(endpoint, sockets);
      LOG.debug("listening at {}", key);
    } catch (Exception e) {
      problems.put(key.toString(), String.valueOf(e.getMessage()));
    }
  }

  private Channel bind(Endpoint endpoint, Sockets sockets) throws Exception {
    InetSocketAddress address = new InetSocketAddress(endpoint.key.address(), endpoint.key.port());
    SocketProtocolFamily family =
        endpoint.key.address().contains(":")
            ? SocketProtocolFamily.INET6
            : SocketProtocolFamily.INET;
    EpollServerSocketChannel server = sockets.call(() -> new EpollServerSocketChannel(family));
    ChannelFuture bound =
        Congestion.at(address, !sockets.equals(host), new ServerBootstrap())
            .group(loops)
            .channelFactory(() -> server)
            .option(ChannelOption.SO_BACKLOG, BACKLOG)
            .option(ChannelOption.SO_REUSEADDR, true)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childHandler(
                new ChannelInitializer<SocketChannel>() {
                  @Override
                  protected void initChannel(SocketChannel channel) {
                    accept(endpoint, channel);
                  }
                })
            .bind(address)
            .await();
    if (!bound.isSuccess()) {
      server.close();
      throw new java.io.IOException(
          Optional.ofNullable(bound.cause()).map(Throwable::getMessage).orElse("cannot bind"));
    }
    return bound.channel();
  }

  private void accept(Endpoint endpoint, SocketChannel channel) {
    Worker worker = workers.get(channel.eventLoop());
    if (worker == null || clients.incrementAndGet() > most) {
      clients.decrementAndGet();
      // Where several load balancers share a port, nobody knows yet whom the client means.
      if (endpoint.bindings.size() == 1) {
        endpoint.bindings.values().iterator().next().metrics().add(Count.REJECTED_CONNECTIONS);
      }
      channel.close();
      return;
    }
    Visitor visitor = new Visitor(endpoint, worker, channel, clients, held);
    visitor.arrive();
    if (visitor.secure) {
      channel.pipeline().addLast(new TlsDoor(visitor), new Handshaken(visitor));
    } else {
      ClientConnection connection = new ClientConnection(visitor);
      visitor.meets(connection);
      channel.pipeline().addLast(connection);
    }
  }

  /** Takes a load balancer away from all endpoints but these. */
  public void withdraw(BalancerState state, Set<Place> but) {
    for (Endpoint endpoint : List.copyOf(endpoints.values())) {
      if (but.contains(endpoint.key)
          || endpoint.bindings.values().stream().noneMatch(b -> b.balancer() == state)) {
        continue;
      }
      Map<String, Binding> bindings = new HashMap<>(endpoint.bindings);
      bindings.values().removeIf(binding -> binding.balancer() == state);
      endpoint.bindings = Map.copyOf(bindings);
      if (bindings.isEmpty()) {
        endpoints.remove(endpoint.key);
        if (endpoint.server != null) {
          endpoint.server.close().awaitUninterruptibly();
        }
        endpoint.clients.forEach(Visitor::retire);
      }
    }
  }

  /** Those at which somebody listens. */
  public Stream<String> open() {
    return endpoints.values().stream()
        .filter(endpoint -> endpoint.server != null)
        .map(endpoint -> endpoint.key.toString());
  }
}
