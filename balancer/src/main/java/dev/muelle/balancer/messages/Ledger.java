package dev.muelle.balancer.messages;

import dev.muelle.balancer.Balancer.Target;
import dev.muelle.balancer.http.BadMessage;
import dev.muelle.balancer.logs.Served;
import dev.muelle.balancer.rules.Rewrites;
import dev.muelle.balancer.tls.Tls;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** What is noted of one request while it is served, if somebody wants to hear of it. */
public final class Ledger {

  /** What is told of the connection that a request came by. */
  public interface Scene {

    InstantSource clock();

    long nanos();

    RandomGenerator random();

    /** The address at which the client found the load balancer. */
    String node();

    boolean secure();

    /** The certificate that the client was shown; null if none. */
    Tls.@Nullable Identity shown();

    /** What the client asked for in its handshake; empty if nothing. */
    String serverName();

    /** Whether the TLS session is an earlier one's. */
    boolean resumed();

    /** The same in all that is told of this connection. */
    String id();
  }

  private static final int MAX_AGENT = 8 * 1024;

  private final Consumer<Served> listener;
  private final Scene scene;
  private final Request.Arrival arrival;
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

  /**
   * Begins now.
   *
   * @param request null if what came was none
   */
  public Ledger(
      Consumer<Served> listener, Scene scene, Request.Arrival arrival, @Nullable Request request) {
    this.listener = listener;
    this.scene = scene;
    this.arrival = arrival;
    this.request = request;
    this.created = scene.clock().instant();
    this.started = scene.nanos();
    this.received = request == null ? 0 : request.head.length();
  }

  /** What came was no request. */
  public void malformed(BadMessage why) {
    classified("Severe", String.valueOf(why.reason));
    end(why.status);
  }

  public void rule(int priority) {
    rule = priority;
  }

  public void action(String name) {
    actions.add(name);
  }

  public void redirected(String location) {
    redirect = location;
  }

  public void failed(String why) {
    error = why;
  }

  public void forwarded(String groupId) {
    group = groupId;
  }

  public void classified(String how, String why) {
    classification = how;
    classificationReason = why;
  }

  public void rewritten(Rewrites.@Nullable Rewritten to, String how) {
    rewritten = to;
    rewriting = how;
  }

  public void asked(Target target) {
    long now = scene.nanos();
    sentAt = now;
    requestNanos = now - started;
    tried(target);
  }

  public void tried(Target target) {
    targets.add(target.address() + ":" + target.port());
  }

  public void targetAnswered(int status) {
    targetNanos = scene.nanos() - sentAt;
    responseNanos = 0;
    targetStatus = status;
    statuses.add(status);
    upgraded |= status == 101;
  }

  public void received(long bytes) {
    received += bytes;
  }

  public void sent(long bytes) {
    sent += bytes;
  }

  public int targetStatus() {
    return targetStatus;
  }

  /** It is over; only the first end counts. */
  public void end(int status) {
    if (over) {
      return;
    }
    over = true;
    Request asked = request;
    Request.Session tls = arrival.tls();
    String agent = asked == null ? null : asked.head.first("user-agent");
    Tls.Identity shown = scene.shown();
    listener.accept(
        new Served(
            created,
            scene.clock().instant(),
            scene.node(),
            arrival.listenerPort(),
            arrival.clientAddress(),
            arrival.clientPort(),
            scene.secure(),
            asked == null ? "" : asked.method,
            asked == null ? "" : asked.host.isEmpty() ? arrival.balancerHost() : asked.host,
            asked == null ? "" : asked.target,
            asked == null ? "" : asked.http2 ? "HTTP/2.0" : asked.http10 ? "HTTP/1.0" : "HTTP/1.1",
            asked != null && asked.http2 && asked.isGrpc(),
            agent == null ? "" : agent.substring(0, Math.min(MAX_AGENT, agent.length())),
            asked == null ? "" : asked.trace(scene.random(), created),
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
            scene.serverName(),
            shown == null ? "" : shown.id(),
            scene.resumed(),
            error,
            classification,
            classificationReason,
            scene.id(),
            rewritten,
            rewriting));
  }
}
