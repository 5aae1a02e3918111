package dev.muelle.balancer;

import dev.muelle.balancer.BalancerState.Binding;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What is noted of one request while it is served, if somebody wants to hear of it. */
final class Ledger {

  private static final int MAX_AGENT = 8 * 1024;

  private final Consumer<Served> listener;
  private final Visitor visitor;
  private final Binding binding;
  private final @Nullable Request request;
  private final Instant created;
  private final long started;

  private final List<String> targets = new ArrayList<>(1);
  private final List<Integer> statuses = new ArrayList<>(1);
  private final List<String> actions = new ArrayList<>(1);
  private long sentAt = -1;
  private long requestNanos = -1;
  private long targetNanos = -1;
  private long responseNanos = -1;
  private int targetStatus;
  private int rule = -1;
  private String redirect = "";
  private String error = "";
  private String group = "";
  private String classification = "";
  private String classificationReason = "";
  private Rewrites.@Nullable Rewritten rewritten;
  private String rewriting = "";
  private long received;
  private long sent;
  private boolean upgraded;
  private boolean over;

  private Ledger(
      Consumer<Served> listener, Visitor visitor, Binding binding, @Nullable Request request) {
    this.listener = listener;
    this.visitor = visitor;
    this.binding = binding;
    this.request = request;
    this.created = visitor.worker.clock.instant();
    this.started = visitor.worker.nanos();
    this.received = request == null ? 0 : request.head.length();
  }

  /** Null if nobody wants to hear of it. */
  static @Nullable Ledger begin(Visitor visitor, Binding binding, Request request) {
    Consumer<Served> listener = binding.balancer().wanted.settings().journal().requests();
    return listener == null ? null : new Ledger(listener, visitor, binding, request);
  }

  /** What came was no request. */
  static void malformed(Visitor visitor, BadMessage why, long bytes) {
    Binding binding = visitor.binding;
    Consumer<Served> listener =
        binding == null ? null : binding.balancer().wanted.settings().journal().requests();
    if (binding != null && listener != null) {
      Ledger ledger = new Ledger(listener, visitor, binding, null);
      ledger.classified("Severe", String.valueOf(why.reason));
      ledger.sent = bytes;
      ledger.end(why.status);
    }
  }

  void rule(int priority) {
    rule = priority;
  }

  void action(String name) {
    actions.add(name);
  }

  void redirected(String location) {
    redirect = location;
  }

  void failed(String why) {
    error = why;
  }

  void forwarded(String groupId) {
    group = groupId;
  }

  void classified(String how, String why) {
    classification = how;
    classificationReason = why;
  }

  void rewritten(Rewrites.@Nullable Rewritten to, String how) {
    rewritten = to;
    rewriting = how;
  }

  void asked(MemberState member) {
    long now = visitor.worker.nanos();
    sentAt = now;
    requestNanos = now - started;
    tried(member);
  }

  void tried(MemberState member) {
    String address = member.target.address();
    targets.add(
        (address.contains(":") ? "[" + address + "]" : address) + ":" + member.target.port());
  }

  void targetAnswered(int status) {
    targetNanos = visitor.worker.nanos() - sentAt;
    responseNanos = 0;
    targetStatus = status;
    statuses.add(status);
    upgraded |= status == 101;
  }

  void received(long bytes) {
    received += bytes;
  }

  void sent(long bytes) {
    sent += bytes;
  }

  int targetStatus() {
    return targetStatus;
  }

  /** It is over; only the first end counts. */
  void end(int status) {
    if (over) {
      return;
    }
    over = true;
    Request asked = request;
    Request.Arrival arrival = visitor.arrival(binding);
    Request.Session tls = arrival.tls();
    String agent = asked == null ? null : asked.head.first("user-agent");
    Tls.Identity shown = visitor.shown();
    listener.accept(
        new Served(
            created,
            visitor.worker.clock.instant(),
            visitor.node(),
            arrival.listenerPort(),
            arrival.clientAddress(),
            arrival.clientPort(),
            visitor.secure,
            asked == null ? "" : asked.method,
            asked == null ? "" : asked.host.isEmpty() ? arrival.balancerHost() : asked.host,
            asked == null ? "" : asked.target,
            asked == null ? "" : asked.http2 ? "HTTP/2.0" : asked.http10 ? "HTTP/1.0" : "HTTP/1.1",
            asked != null && asked.http2 && asked.isGrpc(),
            agent == null ? "" : agent.substring(0, Math.min(MAX_AGENT, agent.length())),
            asked == null ? "" : asked.trace(visitor.worker.random, created),
            requestNanos,
            targetNanos,
            responseNanos,
            status,
            targetStatus,
            targets,
            statuses,
            received,
            sent,
            upgraded,
            rule,
            actions,
            redirect,
            group,
            tls == null ? "" : tls.cipherSuite(),
            tls == null ? "" : tls.version(),
            visitor.serverName(),
            shown == null ? "" : shown.id(),
            visitor.resumed(),
            error,
            classification,
            classificationReason,
            visitor.id(),
            rewritten,
            rewriting));
  }
}
