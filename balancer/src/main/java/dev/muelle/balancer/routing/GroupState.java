package dev.muelle.balancer.routing;

import dev.muelle.balancer.Delivery;
import dev.muelle.balancer.LoadBalancer;
import dev.muelle.balancer.health.Anomalies;
import dev.muelle.balancer.metrics.FlowMetrics;
import dev.muelle.balancer.metrics.Metrics;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** A target group as it runs: whose turn it is. */
public final class GroupState {

  public final String id;
  public final Metrics metrics = new Metrics();

  /** Of flows that go to its targets, of whatever network load balancer. */
  private final Map<FlowMetrics.Protocol, FlowMetrics> flows = new ConcurrentHashMap<>();

  /** It never changes. */
  public final LoadBalancer.Version version;

  /** Whether targets speak TLS; it never changes. */
  public final boolean secure;

  public volatile LoadBalancer.HealthCheck check;
  private volatile LoadBalancer.Choice choice = LoadBalancer.Choice.DEFAULT;
  private volatile List<MemberState> members = List.of();

  /** Of what decides who may be chosen: how many there were. */
  private final AtomicLong changes = new AtomicLong();

  /** By zone; the empty one stands for all. */
  private final Map<String, Pool> pools = new ConcurrentHashMap<>();

  /** Null if targets are sent requests of HTTP. */
  public volatile @Nullable Delivery delivery;

  private final AtomicInteger turn = new AtomicInteger();
  private final Consumer<String> listener;

  public GroupState(
      String id,
      LoadBalancer.Version version,
      boolean secure,
      LoadBalancer.HealthCheck check,
      Consumer<String> listener) {
    this.id = id;
    this.version = version;
    this.secure = secure;
    this.check = check;
    this.listener = listener;
  }

  /** Where flows to its targets are counted. */
  public FlowMetrics flows(FlowMetrics.Protocol protocol) {
    return flows.computeIfAbsent(protocol, p -> new FlowMetrics());
  }

  public Map<FlowMetrics.Protocol, FlowMetrics> flows() {
    return Map.copyOf(flows);
  }

  void changed() {
    changes.incrementAndGet();
    listener.accept(id);
  }

  public List<MemberState> members() {
    return members;
  }

  public void members(List<MemberState> now) {
    members = List.copyOf(now);
    changes.incrementAndGet();
  }

  public LoadBalancer.Choice choice() {
    return choice;
  }

  public void choice(LoadBalancer.Choice now) {
    choice = now;
    changes.incrementAndGet();
  }

  private Pool pool(@Nullable String zone) {
    String key = zone == null ? "" : zone;
    long now = changes.get();
    Pool known = pools.get(key);
    if (known != null && known.changes() == now) {
      return known;
    }
    Pool fresh = Pool.of(now, members, choice, zone);
    pools.put(key, fresh);
    return fresh;
  }

  /**
   * A target that was not tried yet, with a place taken on it: a healthy one, or any registered one
   * if too few are healthy (fail-open). Null if there is none.
   *
   * @param cookie which one the client had before, if it brings that
   * @param zone of the targets; null if it does not matter
   */
  public @Nullable MemberState pick(
      Collection<MemberState> tried,
      @Nullable String cookie,
      @Nullable String zone,
      RandomGenerator random,
      Instant now) {
    LoadBalancer.Choice how = choice;
    Pool pool = pool(zone);
    if (pool.size() == 0) {
      return null;
    }
    MemberState kept = cookie == null ? null : pool.marks().get(Sticky.means(cookie, now));
    if (kept != null && !tried.contains(kept) && kept.enter()) {
      return kept;
    }
    return switch (how.algorithm()) {
      case ROUND_ROBIN -> first(pool, tried, turn(pool), Integer.MAX_VALUE, random, now);
      case LEAST_OUTSTANDING_REQUESTS ->
          first(pool, tried, turn(pool), least(pool, tried), random, now);
      case WEIGHTED_RANDOM -> {
        MemberState chosen = how.mitigates() ? weighted(pool, tried, random) : null;
        yield chosen != null
            ? chosen
            : first(pool, tried, random.nextInt(pool.size()), Integer.MAX_VALUE, random, now);
      }
    };
  }

  /**
   * The target of a flow, with a place taken on it. The same flow finds the same one as long as it
   * may be chosen, whoever else comes or goes (rendezvous hashing). Null if there is none.
   *
   * @param flow what makes it this flow
   */
  public @Nullable MemberState flow(long flow, @Nullable String zone) {
    MemberState best = null;
    long most = 0;
    for (MemberState member : pool(zone).members()) {
      long score = mixed(mixed(flow) + member.target.hashCode());
      if (best == null || score > most) {
        best = member;
        most = score;
      }
    }
    return best != null && best.enter() ? best : null;
  }

  /** Spreads a number's bits over all of them (the finalizer of SplitMix64). */
  private static long mixed(long number) {
    long z = number * 0x9E3779B97F4A7C15L;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  /** Whether what is still open ends with a target's deregistration delay. */
  boolean cutsDeregistered() {
    Delivery how = delivery;
    return how == null || how.cutsDeregistered();
  }

  /** Whether unhealthy targets are chosen from, too, for want of healthy ones. */
  public boolean failsOpen(@Nullable String zone) {
    return pool(zone).open();
  }

  private int turn(Pool pool) {
    return Math.floorMod(turn.getAndIncrement(), pool.size());
  }

  private static int least(Pool pool, Collection<MemberState> tried) {
    int least = Integer.MAX_VALUE;
    for (MemberState member : pool.members()) {
      if (!tried.contains(member)) {
        least = Math.min(least, member.outstanding());
      }
    }
    return least;
  }

  /** Of those with at most so much to do, whose turn it is; if others were quicker, whoever. */
  private @Nullable MemberState first(
      Pool pool,
      Collection<MemberState> tried,
      int turn,
      int most,
      RandomGenerator random,
      Instant now) {
    Duration slowStart = choice.slowStart();
    for (int steps = 0; steps < pool.size(); steps++) {
      MemberState member = pool.after(turn, steps);
      if (!tried.contains(member)
          && member.outstanding() <= most
          && member.warm(random, slowStart, now)
          && member.enter()) {
        return member;
      }
    }
    for (int steps = 0; steps < pool.size(); steps++) {
      MemberState member = pool.after(turn, steps);
      if (!tried.contains(member) && member.enter()) {
        return member;
      }
    }
    return null;
  }

  private static @Nullable MemberState weighted(
      Pool pool, Collection<MemberState> tried, RandomGenerator random) {
    double total = 0;
    for (MemberState member : pool.members()) {
      total += tried.contains(member) ? 0 : member.weight();
    }
    double ticket = random.nextDouble() * total;
    for (MemberState member : pool.members()) {
      if (!tried.contains(member)) {
        ticket -= member.weight();
        if (ticket < 0 && member.enter()) {
          return member;
        }
      }
    }
    return null;
  }

  /** Looks who fails more often than the others, and gives those less; once a second. */
  public void weigh() {
    List<MemberState> healthy =
        members.stream().filter(member -> member.healthy() && !member.draining()).toList();
    healthy.forEach(MemberState::sample);
    List<Anomalies.Sample> samples = healthy.stream().map(MemberState::sampled).toList();
    healthy.forEach(member -> member.weigh(Anomalies.anomalous(member.sampled(), samples)));
  }

  /** Whether a target that has become healthy is to be given its share slowly. */
  boolean startsSlowly(MemberState fresh) {
    return !choice.slowStart().isZero()
        && members.stream()
            .anyMatch(other -> !other.equals(fresh) && other.healthy() && !other.warming());
  }

  /** What a cookie says of a target. */
  public static String mark(MemberState member) {
    return member.group.id + " " + member.target.address() + " " + member.target.port();
  }
}
