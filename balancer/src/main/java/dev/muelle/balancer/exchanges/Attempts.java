package dev.muelle.balancer.exchanges;

import dev.muelle.balancer.LoadBalancer.Choice;
import dev.muelle.balancer.LoadBalancer.Node;
import dev.muelle.balancer.http.Head;
import dev.muelle.balancer.messages.Request;
import dev.muelle.balancer.metrics.Metrics.Count;
import dev.muelle.balancer.routing.GroupState;
import dev.muelle.balancer.routing.MemberState;
import dev.muelle.balancer.routing.Sticky;
import dev.muelle.balancer.targets.Carrier;
import dev.muelle.balancer.targets.Reach;
import dev.muelle.balancer.targets.TargetConnection;
import dev.muelle.balancer.targets.Worker;
import dev.muelle.balancer.tls.TargetTls;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Finds a way to a target for one exchange, and another one if that leads nowhere. Holds the place
 * that the exchange has on its target.
 */
final class Attempts {

  private static final int MAX = 4;

  private final Exchange exchange;
  private final Worker worker;
  private final Request request;
  private final Verdict.Forwarded to;
  private final GroupState group;
  private final @Nullable Sticky sticky;
  private final List<MemberState> tried = new ArrayList<>(0);

  private @Nullable MemberState member;
  private int count;
  private boolean broke;

  /** What the client is told when there is nobody else to try. */
  private int failure = 503;

  Attempts(Exchange exchange, Worker worker, Request request, Verdict.Forwarded to) {
    this.exchange = exchange;
    this.worker = worker;
    this.request = request;
    this.to = to;
    this.group = to.group();
    Choice choice = group.choice();
    Duration kept = choice.sticky();
    this.sticky =
        kept == null
            ? null
            : choice.cookie() == null
                ? Sticky.target(kept)
                : Sticky.application(kept, choice.cookie());
  }

  /**
   * A target that was not tried yet.
   *
   * @param mayReuse whether a connection will do that has served others
   */
  void next(boolean mayReuse) {
    MemberState chosen = ++count > MAX ? null : pick();
    if (chosen == null) {
      exchange.fail(failure);
      return;
    }
    member = chosen;
    TargetConnection kept =
        mayReuse && request.upgrade == null && !group.version.http2()
            ? worker.take(chosen, !request.idempotent())
            : null;
    if (kept != null) {
      exchange.use(kept, chosen, true);
    } else {
      connect(chosen);
    }
  }

  private @Nullable MemberState pick() {
    String cookie = sticky == null ? null : sticky.brought(request);
    Instant now = count == 1 ? to.at() : worker.clock.instant();
    MemberState chosen = group.pick(tried, cookie, to.zone(), worker.random, now);
    if (chosen != null && count == 1) {
      if (group.failsOpen(to.zone())) {
        to.tally().add(Count.FAILED_OPEN);
      }
      if (sticky != null && !Sticky.means(cookie, GroupState.mark(chosen), now)) {
        to.tally().add(Count.NOT_STICKY);
      }
    }
    return chosen;
  }

  private void connect(MemberState chosen) {
    Node node = to.balancer().nodeFor(chosen);
    if (node == null) {
      leave();
      exchange.fail(503);
      return;
    }
    if (group.version.http2()) {
      worker.http2(node, chosen).open((stream, reach) -> connected(chosen, stream, reach));
    } else {
      worker.connect(
          node,
          chosen.target.address(),
          chosen.target.port(),
          TargetTls.of(group.secure, false),
          (channel, reach) ->
              connected(chosen, channel == null ? null : worker.http1(chosen, channel), reach));
    }
  }

  private void connected(MemberState chosen, @Nullable Carrier carrier, Reach reach) {
    if (carrier != null) {
      if (exchange.over()) {
        carrier.done(true);
      } else {
        exchange.use(carrier, chosen, false);
      }
      return;
    }
    if (exchange.over()) {
      return;
    }
    to.tally()
        .add(
            reach == Reach.NO_SESSION
                ? Count.TARGET_HANDSHAKE_ERRORS
                : Count.TARGET_CONNECTION_ERRORS);
    did(true);
    if (request.ledger != null) {
      request.ledger.tried(chosen.target);
    }
    leave();
    tried.add(chosen);
    failure = reach == Reach.TIMED_OUT ? 504 : 502;
    next(true);
  }

  /** The target has not looked at the request: it is sent anew. */
  void refused() {
    failure = 502;
    leave();
    next(false);
  }

  /** Once more, on a new connection: to the same target if it still takes requests. */
  void again() {
    MemberState same = member;
    leave();
    if (same != null && same.enter()) {
      member = same;
      connect(same);
    } else {
      next(false);
    }
  }

  /**
   * The target broke the connection off instead of answering. Another one is asked if it may be,
   * but only once: a request that kills who takes it does not go round them all.
   */
  void broken(boolean mayRepeat) {
    MemberState by = member;
    did(true);
    leave();
    failure = 502;
    if (by == null || broke || !mayRepeat) {
      exchange.fail(failure);
      return;
    }
    broke = true;
    tried.add(by);
    next(true);
  }

  /** What the client shall bring next time, as values of Set-Cookie. */
  List<String> cookies(Head answer) {
    MemberState chosen = member;
    if (sticky == null || chosen == null) {
      return to.cookies();
    }
    Instant now = worker.clock.instant();
    String mark = GroupState.mark(chosen);
    if (!sticky.begins(answer) && !Sticky.means(sticky.brought(request), mark, now)) {
      return to.cookies();
    }
    List<String> all = new ArrayList<>(to.cookies());
    all.addAll(sticky.set(mark, to.secure(), now));
    return all;
  }

  /** How the target did. */
  void did(boolean failed) {
    MemberState by = member;
    if (by != null) {
      by.did(failed);
    }
  }

  /** The place on the target is given up. */
  void leave() {
    MemberState left = member;
    member = null;
    if (left != null) {
      left.leave(worker.clock);
    }
  }
}
