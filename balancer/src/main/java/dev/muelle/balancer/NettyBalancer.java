package dev.muelle.balancer;

import dev.muelle.balancer.BalancerState.Binding;
import dev.muelle.balancer.HealthRules.Outcome;
import dev.muelle.balancer.LoadBalancer.Front;
import dev.muelle.balancer.LoadBalancer.HealthCheck;
import dev.muelle.balancer.LoadBalancer.Listener;
import dev.muelle.balancer.LoadBalancer.Member;
import dev.muelle.balancer.LoadBalancer.Node;
import dev.muelle.balancer.LoadBalancer.Sockets;
import dev.muelle.balancer.LoadBalancer.TargetGroup;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SingleThreadEventLoop;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.SocketProtocolFamily;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The balancer on Netty's event loops. Changes are made by one caller at a time. */
@SuppressWarnings(
    "FutureReturnValueIgnored") // a write that fails closes its channel, which is seen there
public final class NettyBalancer implements Balancer {

  private static final Logger LOG = LoggerFactory.getLogger(NettyBalancer.class);
  private static final int MAX_CLIENTS = 20_000;
  private static final int BACKLOG = 1024;

  /** Before its first success a target is looked at this often, though only success counts then. */
  private static final Duration EAGER = Duration.ofSeconds(1);

  private static final Sockets HOST =
      new Sockets() {
        @Override
        public <T> T call(Callable<T> birth) throws Exception {
          return birth.call();
        }
      };

  private final InstantSource clock;
  private final MultiThreadIoEventLoopGroup loops;
  private final Map<EventExecutor, Worker> workers = new HashMap<>();
  private final Map<String, BalancerState> balancers = new ConcurrentHashMap<>();
  private final Map<String, GroupState> groups = new ConcurrentHashMap<>();
  private final Map<Endpoint.Key, Endpoint> endpoints = new ConcurrentHashMap<>();
  private final List<Consumer<String>> watchers = new CopyOnWriteArrayList<>();
  private final FlowDoors flows;
  private final AtomicInteger held = new AtomicInteger();
  private final AtomicInteger clients = new AtomicInteger();

  /**
   * A balancer without load balancers.
   *
   * @param random for trace ids
   * @param threads how many event loops
   */
  public NettyBalancer(
      InstantSource clock, RandomGenerator.SplittableGenerator random, int threads) {
    JdkTls.prepare();
    this.clock = clock;
    this.loops =
        new MultiThreadIoEventLoopGroup(
            threads, new DefaultThreadFactory("balancer", true), EpollIoHandler.newFactory());
    for (EventExecutor loop : loops) {
      workers.put(loop, new Worker((SingleThreadEventLoop) loop, clock, random.split()));
    }
    flows = new FlowDoors(loops, workers, HOST);
    loops.scheduleWithFixedDelay(
        () -> groups.values().forEach(GroupState::weigh), 1, 1, TimeUnit.SECONDS);
  }

  @Override
  public synchronized Map<String, String> put(LoadBalancer wanted) {
    BalancerState state = balancers.computeIfAbsent(wanted.id(), id -> new BalancerState(wanted));
    Map<String, GroupState> old = state.groups;
    Map<String, GroupState> now = new HashMap<>();
    for (TargetGroup group : wanted.groups().values()) {
      now.put(
          group.id(),
          groups.computeIfAbsent(
              group.id(),
              id ->
                  new GroupState(
                      id, group.version(), group.secure(), group.healthCheck(), this::tell)));
    }
    state.wanted = wanted;
    state.groups = Map.copyOf(now);
    wanted.groups().values().forEach(group -> members(state, now.get(group.id()), group));
    old.forEach((id, group) -> {
      if (!now.containsKey(id)) {
        forget(group);
      }
    });
    return listen(state, wanted);
  }

  private void members(BalancerState balancer, @Nullable GroupState group, TargetGroup wanted) {
    if (group == null) {
      return;
    }
    group.check = wanted.healthCheck();
    group.choice(wanted.choice());
    group.delivery = wanted.delivery();
    Map<Target, MemberState> present = new HashMap<>();
    group.members().forEach(member -> present.put(member.target, member));
    boolean empty = present.isEmpty();
    List<MemberState> now = new ArrayList<>();
    List<MemberState> fresh = new ArrayList<>();
    for (Member member : wanted.members()) {
      MemberState state = present.remove(member.target());
      if (state != null && state.draining() && member.drainUntil() == null) {
        state.stop(); // registered again: a new life
        state = null;
      }
      if (state == null) {
        state =
            new MemberState(
                group,
                member.target(),
                member.zone(),
                empty,
                member.knownHealthy()
                    ? HealthRules.knownHealthy(clock.instant())
                    : HealthRules.fresh(clock.instant()));
        if (member.drainUntil() == null) {
          fresh.add(state);
        }
      }
      now.add(state);
    }
    group.members(now);
    for (int i = 0; i < now.size(); i++) {
      Instant until = wanted.members().get(i).drainUntil();
      if (until != null) {
        drain(now.get(i), until);
      }
    }
    for (MemberState removed : present.values()) {
      removed.stop();
      removed.drain(clock.instant());
    }
    fresh.forEach(state -> check(balancer, state, true, 0));
  }

  private void drain(MemberState member, Instant until) {
    if (member.drain(clock.instant())) {
      long left = Math.max(0, Duration.between(clock.instant(), until).toMillis());
      member.deadline =
          loops.schedule(() -> member.cut(clock.instant()), left, TimeUnit.MILLISECONDS);
    }
  }

  /** Checks a member now and then again and again, until it is gone or draining. */
  private void check(BalancerState balancer, MemberState member, boolean counts, long elapsed) {
    HealthCheck check = member.group.check;
    Node node = balancer.nodeFor(member);
    Worker worker = workers.get(loops.next());
    if (node == null || worker == null || member.gone || member.draining()) {
      if (node == null && worker != null && !member.gone) {
        later(worker, balancer, member, check.interval(), true, 0);
      }
      return;
    }
    member.health(rules -> rules.checking(clock.instant()));
    long started = worker.nanos();
    Consumer<Outcome> result =
        outcome -> {
          if (counts || outcome instanceof Outcome.Passed) {
            boolean well = member.healthy();
            member.health(rules -> rules.after(outcome, check, clock.instant()));
            if (well && member.state().health() == Health.UNHEALTHY) {
              fellIll(worker, member);
            }
          }
          long took = worker.nanos() - started;
          long interval = check.interval().toNanos();
          if (member.state().health() == Health.INITIAL) {
            // Looks more often than it counts, so that who starts quickly serves quickly.
            long pause = Math.min(EAGER.toNanos(), interval);
            long passed = (counts ? 0 : elapsed) + Math.max(took, pause);
            boolean next = passed >= interval;
            Duration wait = Duration.ofNanos(Math.max(0, pause - took));
            later(worker, balancer, member, wait, next, passed);
          } else {
            Duration wait = Duration.ofNanos(Math.max(0, interval - took));
            later(worker, balancer, member, wait, true, 0);
          }
        };
    LoadBalancer.Version version = member.group.version;
    Delivery how = member.group.delivery;
    worker.loop.execute(() -> {
      if (how != null && how.check() == Delivery.Check.TCP) {
        TcpProbe.run(worker, node, member.target, check, result);
      } else if (version.http2()) {
        Http2Probe.run(worker, node, member.target, check, version, result);
      } else {
        Probe.run(worker, node, member.target, check, result);
      }
    });
  }

  /**
   * What becomes of the flows of a target of a network load balancer that fell ill.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html#unhealthy-target-connection-termination">
   *     Connection termination for unhealthy targets</a>
   */
  private void fellIll(Worker worker, MemberState member) {
    Delivery how = member.group.delivery;
    if (how == null) {
      return;
    }
    if (how.cutsUnhealthy()) {
      member.connections.forEach(TargetLink::abort);
    } else if (!how.unhealthyDraining().isZero()) {
      Instant since = member.state().since();
      worker.loop.schedule(
          () -> {
            if (member.state().health() == Health.UNHEALTHY
                && member.state().since().equals(since)) {
              member.connections.forEach(TargetLink::abort);
            }
          },
          how.unhealthyDraining().toNanos(),
          TimeUnit.NANOSECONDS);
    }
  }

  private void later(
      Worker worker,
      BalancerState balancer,
      MemberState member,
      Duration wait,
      boolean counts,
      long elapsed) {
    if (!member.gone && !member.draining()) {
      member.timer =
          worker.loop.schedule(
              () -> check(balancer, member, counts, elapsed), wait.toNanos(), TimeUnit.NANOSECONDS);
    }
  }

  private Map<String, String> listen(BalancerState state, LoadBalancer wanted) {
    Map<String, String> problems = new LinkedHashMap<>();
    Set<Endpoint.Key> keys = new HashSet<>();
    state.secure(wanted, clock);
    for (Listener listener : wanted.listeners()) {
      TlsServer tls = state.tls(listener.id());
      Rules rules = new Rules(listener.rules());
      for (Node node : wanted.nodes()) {
        Endpoint.Key key = new Endpoint.Key(wanted.id(), node.address(), listener.port());
        keys.add(key);
        offer(
            key,
            false,
            "",
            new Binding(state, listener, null, tls, node.zone(), rules),
            node.sockets(),
            problems);
      }
      for (Front front : wanted.fronts()) {
        Endpoint.Key key = new Endpoint.Key("", front.address(), listener.port());
        keys.add(key);
        Binding binding = new Binding(state, listener, front.admits(), tls, null, rules);
        String host = front.shared() ? wanted.host() : "";
        offer(key, front.shared(), host, binding, HOST, problems);
      }
    }
    withdraw(state, keys);
    flows.listen(state, wanted, problems);
    return problems;
  }

  private void offer(
      Endpoint.Key key,
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
        new ServerBootstrap()
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
    if (worker == null || clients.incrementAndGet() > MAX_CLIENTS) {
      clients.decrementAndGet();
      channel.close();
      return;
    }
    channel.closeFuture().addListener(closed -> clients.decrementAndGet());
    Visitor visitor = new Visitor(endpoint, worker, channel, held);
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
  private void withdraw(BalancerState state, Set<Endpoint.Key> but) {
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

  private void forget(GroupState group) {
    boolean used = balancers.values().stream().anyMatch(other -> other.groups.containsValue(group));
    if (!used && groups.remove(group.id, group)) {
      for (MemberState member : group.members()) {
        member.stop();
        member.drain(clock.instant());
      }
    }
  }

  @Override
  public synchronized void remove(String loadBalancerId) {
    BalancerState state = balancers.remove(loadBalancerId);
    if (state != null) {
      withdraw(state, Set.of());
      flows.withdraw(state, Set.of());
      state.groups.values().forEach(this::forget);
    }
  }

  @Override
  public Map<Target, TargetState> targets(String targetGroupId) {
    GroupState group = groups.get(targetGroupId);
    Map<Target, TargetState> states = new LinkedHashMap<>();
    if (group != null) {
      group.members().forEach(member -> states.put(member.target, member.state()));
    }
    return states;
  }

  @Override
  public Map<Target, Anomaly> anomalies(String targetGroupId) {
    GroupState group = groups.get(targetGroupId);
    Map<Target, Anomaly> found = new LinkedHashMap<>();
    if (group != null) {
      for (MemberState member : group.members()) {
        found.put(
            member.target,
            new Anomaly(member.anomalous(), group.choice().mitigates() && member.weight() < 1));
      }
    }
    return found;
  }

  @Override
  public Optional<Metrics> loadBalancerMetrics(String id) {
    return Optional.ofNullable(balancers.get(id)).map(state -> state.metrics);
  }

  @Override
  public Optional<FlowMetrics> flowMetrics(String id) {
    return Optional.ofNullable(balancers.get(id)).map(state -> state.flows);
  }

  @Override
  public Optional<Metrics> targetGroupMetrics(String id) {
    return Optional.ofNullable(groups.get(id)).map(state -> state.metrics);
  }

  @Override
  public Watch watch(Consumer<String> listener) {
    watchers.add(listener);
    return () -> watchers.remove(listener);
  }

  private void tell(String groupId) {
    for (Consumer<String> watcher : watchers) {
      try {
        watcher.accept(groupId);
      } catch (RuntimeException e) {
        LOG.warn("a watcher of target group {} failed", groupId, e);
      }
    }
  }

  @Override
  public List<String> endpoints() {
    return Stream.concat(
            endpoints.values().stream()
                .filter(endpoint -> endpoint.server != null)
                .map(endpoint -> endpoint.key.toString()),
            flows.open())
        .sorted()
        .toList();
  }

  @Override
  public synchronized void close() {
    List.copyOf(balancers.keySet()).forEach(this::remove);
    loops.shutdownGracefully(0, 5, TimeUnit.SECONDS).awaitUninterruptibly(10, TimeUnit.SECONDS);
  }
}
