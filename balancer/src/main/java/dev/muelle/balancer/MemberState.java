package dev.muelle.balancer;

import dev.muelle.balancer.Balancer.Health;
import dev.muelle.balancer.Balancer.Target;
import dev.muelle.balancer.Balancer.TargetState;
import io.netty.util.concurrent.Future;
import java.time.Instant;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A target as it runs. Requests enter and leave; once draining, none enters any more, and the last
 * to leave makes it drained. Count and draining share one word, so there is no moment between.
 */
final class MemberState {

  private static final int DRAINING = 1 << 31;

  final GroupState group;
  final Target target;
  final String zone;

  /** Every connection to this target, busy or idle. */
  final Set<TargetLink> connections = ConcurrentHashMap.newKeySet();

  private final AtomicInteger inFlight = new AtomicInteger();
  private volatile HealthRules rules;
  volatile boolean gone;
  @Nullable Future<?> timer;
  @Nullable Future<?> deadline;

  MemberState(GroupState group, Target target, String zone, HealthRules rules) {
    this.group = group;
    this.target = target;
    this.zone = zone;
    this.rules = rules;
  }

  /** Takes a place for one request; false if the target is draining. */
  boolean enter() {
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

  void leave(Instant now) {
    if (inFlight.decrementAndGet() == DRAINING) {
      drained(now);
    }
  }

  /** How many requests are under way. */
  int outstanding() {
    return inFlight.get() & ~DRAINING;
  }

  boolean draining() {
    return (inFlight.get() & DRAINING) != 0;
  }

  /** Lets nobody in any more and closes idle connections; returns whether that is news. */
  boolean drain(Instant now) {
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
  void cut(Instant now) {
    if (draining()) {
      connections.forEach(TargetLink::abort);
      if (rules.state().health() != Health.DRAINED) {
        drained(now);
      }
    }
  }

  /** Moves its health, unless it is draining. */
  void health(UnaryOperator<HealthRules> step) {
    synchronized (this) {
      if (draining()) {
        return;
      }
      HealthRules before = rules;
      rules = step.apply(before);
      if (rules.state().equals(before.state())) {
        return;
      }
    }
    group.changed();
  }

  TargetState state() {
    return rules.state();
  }

  boolean healthy() {
    return rules.state().health() == Health.HEALTHY;
  }

  void stop() {
    gone = true;
    if (timer != null) {
      timer.cancel(false);
    }
    if (deadline != null) {
      deadline.cancel(false);
    }
  }
}
