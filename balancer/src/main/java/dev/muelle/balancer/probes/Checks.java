package dev.muelle.balancer.probes;

import dev.muelle.balancer.Balancer.Health;
import dev.muelle.balancer.Delivery;
import dev.muelle.balancer.LoadBalancer;
import dev.muelle.balancer.LoadBalancer.HealthCheck;
import dev.muelle.balancer.LoadBalancer.Node;
import dev.muelle.balancer.health.HealthRules.Outcome;
import dev.muelle.balancer.logs.Checked;
import dev.muelle.balancer.routing.BalancerState;
import dev.muelle.balancer.routing.MemberState;
import dev.muelle.balancer.routing.TargetLink;
import dev.muelle.balancer.targets.Worker;
import io.netty.channel.EventLoopGroup;
import io.netty.util.concurrent.EventExecutor;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Asks targets again and again how they are, and does what follows when one falls ill. */
@SuppressWarnings(
    "FutureReturnValueIgnored") // what is scheduled looks itself whether it still counts
public final class Checks {

  /** Before its first success a target is looked at this often, though only success counts then. */
  private static final Duration EAGER = Duration.ofSeconds(1);

  private final InstantSource clock;
  private final EventLoopGroup loops;
  private final Map<EventExecutor, Worker> workers;

  public Checks(InstantSource clock, EventLoopGroup loops, Map<EventExecutor, Worker> workers) {
    this.clock = clock;
    this.loops = loops;
    this.workers = workers;
  }

  /** Looks after a target from now on, until it is gone or draining. */
  public void begin(BalancerState balancer, MemberState member) {
    check(balancer, member, true, 0);
  }

  /** Checks a member now, and then again and again. */
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
          Consumer<Checked> listener = balancer.wanted.settings().journal().checks();
          if (listener != null) {
            long took = worker.nanos() - started;
            listener.accept(Told.of(member, node, check, outcome, took, clock.instant()));
          }
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
}
