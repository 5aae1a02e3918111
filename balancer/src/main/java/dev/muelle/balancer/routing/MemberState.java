package dev.muelle.balancer.routing;

import dev.muelle.balancer.Balancer.Health;
import dev.muelle.balancer.Balancer.Target;
import dev.muelle.balancer.Balancer.TargetState;
import dev.muelle.balancer.health.Anomalies;
import dev.muelle.balancer.health.HealthRules;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.UnaryOperator;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A target as it runs. Requests enter and leave; once draining, none enters any more, and the last
 * to leave makes it drained. Count and draining share one word, so there is no moment between.
 */
public final class MemberState {

  private static final int DRAINING = 1 << 31;

  /** The zone of a target outside the VPC. */
  private static final String EVERYWHERE = "all";

  public final GroupState group;
  public final Target target;
  final String zone;

  /** Every connection to this target, busy or idle. */
  public final Set<TargetLink> connections = ConcurrentHashMap.newKeySet();

  /** Whether it came into an empty group: such a one never starts slowly. */
  private boolean first;

  private volatile @Nullable Instant warmingSince;
  private final LongAdder requests = new LongAdder();
  private final LongAdder failures = new LongAdder();
  private volatile Anomalies.Sample sampled = new Anomalies.Sample(0, 0);
  private volatile double weight = 1;
  private volatile boolean anomalous;

  /** Whether nothing new is sent to it as long as others are well. */
  public volatile boolean avoided;

  private final AtomicInteger inFlight = new AtomicInteger();
  private volatile HealthRules rules;
  public volatile boolean gone;
  public @Nullable Future<?> timer;
  public @Nullable Future<?> deadline;

  public MemberState(
      GroupState group, Target target, String zone, boolean first, HealthRules rules) {
    this.group = group;
    this.first = first;
    this.target = target;
    this.zone = zone;
    this.rules = rules;
  }

  /** Takes a place for one request; false if the target is draining. */
  public boolean enter() {
    while (true) {
      int now = inFlight.get();
      if ((now & DRAINING) != 0) {
        return false;
      }
      if (inFlight.compareAndSet(now, now + 1)) {
        return true;
      }
    }
  }

  public void leave(InstantSource clock) {
    if (inFlight.decrementAndGet() == DRAINING) {
      drained(clock.instant());
    }
  }

  /** Whether a node of this zone sends to it; null stands for every node. */
  boolean serves(@Nullable String nodeZone) {
    return nodeZone == null || zone.equals(nodeZone) || zone.equals(EVERYWHERE);
  }

  /**
   * Whether it takes this one: while it warms up, only the part of them that grows with time.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html#slow-start-mode">
   *     Slow start mode</a>
   */
  boolean warm(RandomGenerator random, Duration slowStart, Instant now) {
    Instant since = warmingSince;
    if (since == null) {
      return true;
    }
    double part =
        slowStart.isZero()
            ? 1
            : (double) Duration.between(since, now).toMillis() / slowStart.toMillis();
    if (part >= 1) {
      warmingSince = null;
      return true;
    }
    return random.nextDouble() < part;
  }

  boolean warming() {
    return warmingSince != null;
  }

  /** How it did with one request. */
  public void did(boolean failed) {
    requests.increment();
    if (failed) {
      failures.increment();
    }
  }

  void sample() {
    sampled = sampled.later(requests.sumThenReset(), failures.sumThenReset());
  }

  Anomalies.Sample sampled() {
    return sampled;
  }

  void weigh(boolean failsMore) {
    anomalous = failsMore;
    weight = Anomalies.weight(weight, failsMore);
  }

  public double weight() {
    return weight;
  }

  public boolean anomalous() {
    return anomalous;
  }

  /** How many requests are under way. */
  int outstanding() {
    return inFlight.get() & ~DRAINING;
  }

  public boolean draining() {
    return (inFlight.get() & DRAINING) != 0;
  }

  /** Lets nobody in any more and closes idle connections; returns whether that is news. */
  public boolean drain(Instant now) {
    boolean idle;
    synchronized (this) {
      int before = inFlight.getAndUpdate(n -> n | DRAINING);
      if ((before & DRAINING) != 0) {
        return false;
      }
      idle = before == 0;
      rules = deregistered(Health.DRAINING, now);
    }
    connections.forEach(TargetLink::closeIfIdle);
    group.changed();
    if (idle) {
      drained(now);
    }
    return true;
  }

  private void drained(Instant now) {
    synchronized (this) {
      rules = deregistered(Health.DRAINED, now);
    }
    group.changed();
  }

  private static HealthRules deregistered(Health health, Instant now) {
    return new HealthRules(
        new TargetState(
            health, "Target.DeregistrationInProgress", "Target deregistration is in progress", now),
        0);
  }

  /** The delay has passed: what is still open is cut. */
  public void cut(Instant now) {
    if (draining()) {
      if (group.cutsDeregistered()) {
        connections.forEach(TargetLink::abort);
      }
      if (rules.state().health() != Health.DRAINED) {
        drained(now);
      }
    }
  }

  /** Moves its health, unless it is draining. */
  public void health(UnaryOperator<HealthRules> step) {
    synchronized (this) {
      if (draining()) {
        return;
      }
      HealthRules before = rules;
      rules = step.apply(before);
      if (rules.state().equals(before.state())) {
        return;
      }
      if (healthy() && before.state().health() != Health.HEALTHY) {
        warmingSince = !first && group.startsSlowly(this) ? rules.state().since() : null;
        first = false;
      } else if (!healthy()) {
        warmingSince = null;
      }
    }
    group.changed();
  }

  public TargetState state() {
    return rules.state();
  }

  public boolean healthy() {
    return rules.state().health() == Health.HEALTHY;
  }

  public void stop() {
    gone = true;
    if (timer != null) {
      timer.cancel(false);
    }
    if (deadline != null) {
      deadline.cancel(false);
    }
  }
}
