package dev.muelle.balancer.netty;

import dev.muelle.balancer.Balancer;
import dev.muelle.balancer.LoadBalancer;
import dev.muelle.balancer.LoadBalancer.Sockets;
import dev.muelle.balancer.clients.Endpoints;
import dev.muelle.balancer.flows.FlowDoors;
import dev.muelle.balancer.metrics.FlowMetrics;
import dev.muelle.balancer.metrics.Metrics;
import dev.muelle.balancer.probes.Checks;
import dev.muelle.balancer.routing.BalancerState;
import dev.muelle.balancer.routing.GroupState;
import dev.muelle.balancer.routing.MemberState;
import dev.muelle.balancer.targets.Worker;
import dev.muelle.balancer.tls.JdkTls;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SingleThreadEventLoop;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The balancer on Netty's event loops. Changes are made by one caller at a time. */
@SuppressWarnings(
    "FutureReturnValueIgnored") // a write that fails closes its channel, which is seen there
public final class NettyBalancer implements Balancer {

  private static final Logger LOG = LoggerFactory.getLogger(NettyBalancer.class);
  private static final Sockets HOST =
      new Sockets() {
        @Override
        public <T> T call(Callable<T> birth) throws Exception {
          return birth.call();
        }
      };

  private final InstantSource clock;
  private final MultiThreadIoEventLoopGroup loops;
  private final Map<String, BalancerState> balancers = new ConcurrentHashMap<>();
  private final List<Consumer<String>> watchers = new CopyOnWriteArrayList<>();
  private final Groups groups;
  private final Endpoints endpoints;
  private final FlowDoors flows;

  /**
   * A balancer without load balancers.
   *
   * @param random for trace ids
   * @param threads how many event loops
   */
  public NettyBalancer(
      InstantSource clock, RandomGenerator.SplittableGenerator random, int threads) {
    this(clock, random, threads, Limits.USUAL);
  }

  /** The same, with other limits. */
  NettyBalancer(
      InstantSource clock, RandomGenerator.SplittableGenerator random, int threads, Limits limits) {
    JdkTls.prepare();
    this.clock = clock;
    this.loops =
        new MultiThreadIoEventLoopGroup(
            threads, new DefaultThreadFactory("balancer", true), EpollIoHandler.newFactory());
    Map<EventExecutor, Worker> workers = new HashMap<>();
    for (EventExecutor loop : loops) {
      workers.put(
          loop,
          new Worker((SingleThreadEventLoop) loop, clock, random.split(), limits.handshake()));
    }
    groups = new Groups(clock, loops, new Checks(clock, loops, workers), this::tell);
    endpoints = new Endpoints(loops, workers, HOST, limits.clients());
    flows = new FlowDoors(loops, workers, HOST);
    loops.scheduleWithFixedDelay(groups::weigh, 1, 1, TimeUnit.SECONDS);
  }

  @Override
  public synchronized Map<String, String> put(LoadBalancer wanted) {
    BalancerState state = balancers.computeIfAbsent(wanted.id(), id -> new BalancerState(wanted));
    groups.put(state, wanted, balancers.values());
    state.secure(wanted, clock);
    Map<String, String> problems = new LinkedHashMap<>();
    endpoints.listen(state, wanted, problems);
    flows.listen(state, wanted, problems);
    return problems;
  }

  @Override
  public synchronized void remove(String loadBalancerId) {
    BalancerState state = balancers.remove(loadBalancerId);
    if (state != null) {
      endpoints.withdraw(state, Set.of());
      flows.withdraw(state, Set.of());
      state.groups.values().forEach(group -> groups.forget(group, balancers.values()));
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
  public Map<FlowMetrics.Part, FlowMetrics> flowMetrics(String id) {
    BalancerState state = balancers.get(id);
    return state == null ? Map.of() : state.flows();
  }

  @Override
  public Optional<Metrics> targetGroupMetrics(String id) {
    return Optional.ofNullable(groups.get(id)).map(state -> state.metrics);
  }

  @Override
  public Map<FlowMetrics.Protocol, FlowMetrics> targetGroupFlows(String id) {
    GroupState group = groups.get(id);
    return group == null ? Map.of() : group.flows();
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
    return Stream.concat(endpoints.open(), flows.open()).sorted().toList();
  }

  @Override
  public synchronized void close() {
    List.copyOf(balancers.keySet()).forEach(this::remove);
    loops.shutdownGracefully(0, 5, TimeUnit.SECONDS).awaitUninterruptibly(10, TimeUnit.SECONDS);
  }
}
