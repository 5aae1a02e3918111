package dev.muelle.balancer.exchanges;

import dev.muelle.balancer.Gate;
import dev.muelle.balancer.LoadBalancer;
import dev.muelle.balancer.LoadBalancer.Action;
import dev.muelle.balancer.LoadBalancer.Desync;
import dev.muelle.balancer.Redirect;
import dev.muelle.balancer.http.BadMessage;
import dev.muelle.balancer.messages.Answer;
import dev.muelle.balancer.messages.Ledger;
import dev.muelle.balancer.messages.Request;
import dev.muelle.balancer.messages.Suspicion;
import dev.muelle.balancer.metrics.Metrics.Count;
import dev.muelle.balancer.routing.BalancerState;
import dev.muelle.balancer.routing.BalancerState.Binding;
import dev.muelle.balancer.routing.GroupState;
import dev.muelle.balancer.routing.Shares;
import dev.muelle.balancer.routing.Sticky;
import dev.muelle.balancer.rules.Condition.Facts;
import dev.muelle.balancer.rules.Rewrites;
import dev.muelle.balancer.targets.Worker;
import dev.muelle.balancer.visitors.Visitor;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What is to be done with a request, whichever version of HTTP it came by. */
public sealed interface Verdict {

  Logger LOG = LoggerFactory.getLogger(Verdict.class);

  /** What a redirect may lead to at most (AWS: {@code HTTP_Redirect_Url_Limit_Exceeded_Count}). */
  int MAX_LOCATION = 8 * 1024;

  /** Nobody is meant by it any more: the connection ends. */
  record Nobody() implements Verdict {}

  /** Who sent it may not come in. */
  record Hold() implements Verdict {}

  /** It is refused, and its body is not read. */
  public record Refused(int status) implements Verdict {}

  /** A rule answers it. */
  record Answered(Answer answer) implements Verdict {}

  /**
   * It goes to a target of this group.
   *
   * @param head what the target is told, in HTTP/1.1's form
   * @param zone whose targets alone it may go to; null if it may go to all
   * @param cookies what the client is told besides the answer, as values of Set-Cookie
   * @param tally where it is counted
   * @param at when that was decided
   */
  record Forwarded(
      BalancerState balancer,
      GroupState group,
      @Nullable String zone,
      byte[] head,
      boolean secure,
      List<String> cookies,
      Tally tally,
      Instant at)
      implements Verdict {

    Forwarded with(List<String> more) {
      List<String> all = new ArrayList<>(cookies);
      all.addAll(more);
      return new Forwarded(balancer, group, zone, head, secure, all, tally, at);
    }
  }

  /** A gate has to open before it is known what. */
  record Asked(Gate gate, Request request, Supplier<Verdict> then) implements Verdict {

    /** Asks it; {@code verdict} hears on the event loop, at once or later. */
    public void ask(Worker worker, Consumer<Verdict> verdict) {
      if (request.ledger != null) {
        request.ledger.action("authenticate");
      }
      try {
        gate.knock(
            new Gate.Knock(request.host, request.target, request::cookie),
            opening -> {
              if (worker.loop.inEventLoop()) {
                verdict.accept(opened(opening));
              } else {
                worker.loop.execute(() -> verdict.accept(opened(opening)));
              }
            });
      } catch (RuntimeException e) {
        LOG.warn("a gate failed", e);
        verdict.accept(new Answered(Answer.page(500)));
      }
    }

    private Verdict opened(Gate.Opening opening) {
      return switch (opening) {
        case Gate.Opening.Shut shut -> {
          if (request.ledger != null) {
            request.ledger.failed(shut.error());
          }
          yield new Answered(
              (shut.location().isEmpty()
                      ? Answer.page(shut.status())
                      : Answer.redirect(shut.status(), shut.location()))
                  .with(shut.cookies()));
        }
        case Gate.Opening.Open open -> {
          request.gate = open;
          yield switch (then.get()) {
            case Forwarded to when !open.cookies().isEmpty() -> to.with(open.cookies());
            case Answered told -> new Answered(told.answer().with(open.cookies()));
            case Verdict other -> other;
          };
        }
      };
    }
  }

  /** Finds the listener that is meant, and the first of its rules that applies. */
  static Verdict of(Request request, Visitor visitor) {
    Binding found = visitor.meant(request.host);
    if (found == null) {
      return visitor.endpoint.shared && !visitor.secure ? new Refused(404) : new Nobody();
    }
    if (found.secure() != visitor.secure) {
      return new Nobody(); // the listener changed to another protocol
    }
    visitor.binding = found;
    if (!visitor.admits(found)) {
      return new Hold();
    }
    if (!visitor.secure) {
      visitor.connected("", List.of());
    }
    BalancerState balancer = found.balancer();
    found.metrics().add(Count.REQUESTS);
    if (visitor.ipv6()) {
      found.metrics().add(Count.IPV6_REQUESTS);
    }
    if (request.http2 && request.isGrpc()) {
      found.metrics().add(Count.GRPC_REQUESTS);
    }
    Ledger ledger = visitor.note(found, request);
    request.ledger = ledger;
    if (!passes(request, found, balancer.wanted.settings().headers().desync())) {
      return new Refused(400);
    }
    Facts facts = request.facts(visitor.address(), balancer.wanted.host());
    Gate back = found.listener().returns().get(facts.path());
    return back == null
        ? byRule(request, visitor, found, facts)
        : new Asked(back, request, () -> byRule(request, visitor, found, facts));
  }

  /** Whether servers may be asked that could read a request differently. */
  private static boolean passes(Request request, Binding found, Desync mode) {
    Ledger ledger = request.ledger;
    Suspicion suspicion = request.suspicion(ledger != null || mode == Desync.STRICTEST);
    if (suspicion == null) {
      return true;
    }
    found.metrics().add(Count.MALFORMED_REQUESTS);
    if (ledger != null) {
      ledger.classified(suspicion.tier().name(), suspicion.name());
    }
    return switch (mode) {
      case MONITOR -> true;
      case STRICTEST -> false;
      case DEFENSIVE -> {
        request.alone = suspicion.tier() == Suspicion.Tier.Ambiguous;
        yield !suspicion.smuggles();
      }
    };
  }

  private static Verdict byRule(Request request, Visitor visitor, Binding found, Facts facts) {
    int index = found.rules().index(facts);
    int looked = index < 0 ? found.rules().size() : index + 1;
    if (looked > 0) {
      found.metrics().add(Count.RULES, looked);
    }
    LoadBalancer.Rule rule = index < 0 ? null : found.rules().get(index);
    if (request.ledger != null) {
      request.ledger.rule(rule == null ? 0 : rule.priority());
    }
    Rewrites rewrites = rule == null ? null : rule.rewrites();
    return switch (rule == null ? found.listener().otherwise() : rule.action()) {
      case Action.Gated gated ->
          new Asked(
              gated.gate(),
              request,
              () -> act(request, visitor, found, facts, gated.then(), rewrites));
      case Action.Ending ending -> act(request, visitor, found, facts, ending, rewrites);
    };
  }

  private static Verdict act(
      Request request,
      Visitor visitor,
      Binding found,
      Facts facts,
      Action.Ending action,
      @Nullable Rewrites rewrites) {
    Ledger ledger = request.ledger;
    return switch (action) {
      case Action.FixedResponse fixed -> {
        found.metrics().add(Count.FIXED_RESPONSES);
        if (ledger != null) {
          ledger.action("fixed-response");
        }
        yield new Answered(Answer.fixed(fixed.status(), fixed.contentType(), fixed.body()));
      }
      case Redirect redirect -> {
        String location = redirect.location(facts, visitor.secure, found.listener().port());
        if (location.length() > MAX_LOCATION) {
          found.metrics().add(Count.LONG_REDIRECTS);
          yield new Answered(Answer.page(500));
        }
        found.metrics().add(Count.REDIRECTS);
        if (ledger != null) {
          ledger.action("redirect");
          ledger.redirected(location);
        }
        yield new Answered(Answer.redirect(redirect.status(), location));
      }
      case Action.Forward forward -> {
        if (ledger != null) {
          ledger.action("forward");
        }
        Rewrites.Rewritten rewritten = null;
        if (rewrites != null) {
          try {
            rewritten = rewrites.apply(facts.hostHeader(), request.target);
          } catch (BadMessage e) {
            if (ledger != null) {
              ledger.rewritten(null, e.reason);
            }
            yield new Answered(Answer.page(e.status));
          }
          if (ledger != null) {
            ledger.rewritten(rewritten, "TransformSuccess");
          }
        }
        yield forward(request, visitor, found, forward, rewritten);
      }
    };
  }

  private static Verdict forward(
      Request request,
      Visitor visitor,
      Binding found,
      Action.Forward forward,
      Rewrites.@Nullable Rewritten rewritten) {
    BalancerState balancer = found.balancer();
    Instant now = visitor.worker.clock.instant();
    Sticky sticky = forward.sticky() == null ? null : Sticky.group(forward.sticky());
    String chosen =
        Shares.choose(
            forward, visitor.worker.random, sticky == null ? null : sticky.brought(request), now);
    GroupState group = chosen == null ? null : balancer.groups.get(chosen);
    if (group == null) {
      return new Answered(Answer.page(503));
    }
    Ledger ledger = request.ledger;
    if (ledger != null) {
      ledger.forwarded(group.id);
    }
    if (!request.fits(group.version)) {
      return new Answered(Answer.page(464));
    }
    if (request.hasInvalidField()) {
      found
          .metrics()
          .add(
              balancer.wanted.settings().headers().dropInvalid()
                  ? Count.FIELDS_DROPPED
                  : Count.FIELDS_FORWARDED);
    }
    return new Forwarded(
        balancer,
        group,
        balancer.confined(group, found.zone()),
        request.write(
            visitor.arrival(found),
            rewritten,
            balancer.wanted.settings().headers(),
            visitor.worker.random,
            now),
        visitor.secure,
        sticky == null ? List.of() : sticky.set(group.id, visitor.secure, now),
        new Tally(found.metrics(), group.metrics.in(found.zone())),
        now);
  }
}
