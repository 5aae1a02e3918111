package dev.muelle.balancer.visitors;

import dev.muelle.balancer.LoadBalancer.Admission;
import dev.muelle.balancer.http.BadMessage;
import dev.muelle.balancer.http.Edits;
import dev.muelle.balancer.logs.Connected;
import dev.muelle.balancer.logs.Served;
import dev.muelle.balancer.messages.Ledger;
import dev.muelle.balancer.messages.Request;
import dev.muelle.balancer.metrics.Metrics;
import dev.muelle.balancer.metrics.Metrics.Count;
import dev.muelle.balancer.routing.BalancerState;
import dev.muelle.balancer.routing.BalancerState.Binding;
import dev.muelle.balancer.targets.Worker;
import dev.muelle.balancer.tls.ClientAuth;
import dev.muelle.balancer.tls.ClientCertificate;
import dev.muelle.balancer.tls.ClientTrust;
import dev.muelle.balancer.tls.KeyExchange;
import dev.muelle.balancer.tls.Tls;
import dev.muelle.balancer.tls.TlsServer;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.ssl.CipherSuiteConverter;
import io.netty.handler.ssl.Sessions;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.NetUtil;
import java.net.InetSocketAddress;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/**
 * Who is connected at an endpoint, whatever is spoken there: from where, by which TLS session, and
 * who lets it in.
 */
@SuppressWarnings({
  "FutureReturnValueIgnored",
  "ReferenceEquality"
}) // a write that fails closes its channel, which is seen there
public final class Visitor implements Ledger.Scene, Worker.Watched, ChannelFutureListener {

  private static final int MAX_HELD = 1024;
  private static final int LINGER_SECONDS = 2;
  private static final Duration DEFAULT_IDLE = Duration.ofSeconds(60);

  public final Endpoint endpoint;
  public final Worker worker;
  public final Channel channel;

  /** Whether a {@link TlsDoor} stands before it. */
  public final boolean secure;

  private final AtomicInteger all;
  private final AtomicInteger allHeld;
  private final long since;
  private boolean held;
  private boolean gone;
  private boolean retired;

  /** What it asked last. */
  public @Nullable Binding binding;

  private @Nullable String address;
  private Tls.@Nullable Identity shown;
  private long early;
  private @Nullable KeyExchange keyExchange;
  private String serverName = "";
  private String id = "";
  private long handshakeSince;
  private long handshakeMillis;
  private boolean resumed;
  private boolean told;
  private @Nullable Metrics counted;
  private @Nullable Speaker speaker;
  private Request.@Nullable Session session;
  private @Nullable BalancerState admitted;

  /** Under which key of the endpoint's bindings the one is that the TLS client asked for. */
  private @Nullable String secureKey;

  /**
   * Somebody is there.
   *
   * @param all how many there are; less by one when it goes
   * @param allHeld how many of them are held
   */
  public Visitor(
      Endpoint endpoint, Worker worker, Channel channel, AtomicInteger all, AtomicInteger allHeld) {
    this.all = all;
    this.endpoint = endpoint;
    this.worker = worker;
    this.channel = channel;
    this.allHeld = allHeld;
    this.secure = endpoint.secure();
    this.since = worker.nanos();
  }

  /** It has come; seen on the event loop. */
  public void arrive() {
    endpoint.clients.add(this);
    binding = endpoint.shared ? null : endpoint.find("");
    channel.closeFuture().addListener(this);
    worker.watch(this);
  }

  /** It is gone. */
  @Override
  public void operationComplete(ChannelFuture closed) {
    gone = true;
    all.decrementAndGet();
    endpoint.clients.remove(this);
    if (held) {
      allHeld.decrementAndGet();
    }
    if (counted != null) {
      counted.disconnected();
    }
  }

  /** From now on this one speaks with it. */
  public void meets(Speaker speaker) {
    this.speaker = speaker;
    if (retired) {
      speaker.retire();
    }
  }

  @Override
  public boolean watch() {
    if (gone) {
      return false;
    }
    if (held) {
      if (worker.nanos() - since > idleNanos()) {
        channel.close();
      }
    } else if (speaker != null) { // before, the handshake has its own time
      speaker.watch();
    }
    return true;
  }

  /** From any thread: the endpoint goes away, or changes to another protocol. */
  public void retire() {
    worker.loop.execute(() -> {
      retired = true;
      if (speaker != null) {
        speaker.retire();
      } else if (!held) {
        channel.close();
      }
    });
  }

  /**
   * The client has said whom it wants, and is about to be shown that one's certificate.
   *
   * @return whether it is let in; otherwise it is held, without any answer
   */
  boolean secured(String key, Binding found) {
    secureKey = key;
    binding = found;
    if (!admits(found)) {
      hold();
      return false;
    }
    return true;
  }

  /**
   * The handshake is done.
   *
   * @return whether the client may stay: a session that is resumed was verified earlier, and its
   *     certificate may have expired since
   */
  public boolean negotiated(SSLEngine engine) {
    SSLSession agreed = engine.getSession();
    TlsServer tls = binding == null ? null : binding.tls();
    ClientAuth asked = tls == null ? null : tls.wanted.client();
    List<X509Certificate> chain = asked == null ? List.of() : chain(agreed);
    session =
        new Request.Session(
            agreed.getProtocol(),
            CipherSuiteConverter.toOpenSsl(agreed.getCipherSuite(), false),
            asked == null
                ? null
                : new ClientCertificate(chain, asked instanceof ClientAuth.Verify));
    resumed = Sessions.resumed(engine, handshakeMillis);
    boolean stays =
        !(asked instanceof ClientAuth.Verify verify)
            || !chain.isEmpty()
                && (verify.ignoreExpiry()
                    || !chain
                        .getFirst()
                        .getNotAfter()
                        .toInstant()
                        .isBefore(worker.clock.instant()));
    if (stays) {
      connected("", chain);
    }
    return stays;
  }

  private static List<X509Certificate> chain(SSLSession agreed) {
    try {
      return Stream.of(agreed.getPeerCertificates()).map(X509Certificate.class::cast).toList();
    } catch (SSLPeerUnverifiedException e) {
      return List.of(); // it brought none
    }
  }

  /** Who finds out how keys are exchanged; null if nobody wants to hear of it. */
  @Nullable KeyExchange keyExchange() {
    Binding found = binding;
    if (found != null && found.balancer().wanted.settings().journal().connections() != null) {
      keyExchange = new KeyExchange();
    }
    return keyExchange;
  }

  /** What its listener changes in header fields. */
  public Edits edits() {
    return binding == null ? Edits.NONE : binding.listener().edits();
  }

  /**
   * It came to no TLS session.
   *
   * @param why null if that says nothing
   */
  public void handshakeFailed(@Nullable Throwable why) {
    if (binding != null) {
      binding.metrics().add(Count.HANDSHAKE_ERRORS);
    }
    Throwable cause = why;
    while (cause != null && !(cause instanceof ClientTrust.Refused)) {
      cause = cause.getCause();
    }
    connected(
        cause instanceof ClientTrust.Refused refused
            ? refused.reason.name()
            : "UnmappedConnectionError",
        List.of());
  }

  /** What the client is about to be shown. */
  void shows(Tls.Identity identity, @Nullable String asked) {
    shown = identity;
    serverName = asked == null ? "" : asked;
    handshakeSince = worker.nanos();
    handshakeMillis = worker.clock.millis();
  }

  /** Tells of it, once, as soon as it is known whose client it is. */
  public void connected(String failure, List<X509Certificate> chain) {
    Binding found = binding;
    if (told || found == null) {
      return;
    }
    told = true;
    Metrics metrics = found.metrics();
    metrics.connected();
    if (gone) {
      metrics.disconnected();
    } else {
      counted = metrics;
    }
    Consumer<Connected> listener = found.balancer().wanted.settings().journal().connections();
    if (listener != null) {
      Request.Session tls = session;
      listener.accept(
          new Connected(
              worker.clock.instant(),
              node(),
              address(),
              channel.remoteAddress() instanceof InetSocketAddress remote ? remote.getPort() : 0,
              found.listener().port(),
              secure,
              tls == null ? "" : tls.version(),
              tls == null ? "" : tls.cipherSuite(),
              keyExchange == null ? "" : keyExchange.name(),
              tls == null ? -1 : worker.nanos() - handshakeSince,
              chain.isEmpty() ? null : chain.getFirst(),
              failure,
              id()));
    }
  }

  @Override
  public String id() {
    if (id.isEmpty()) {
      id = String.format("TID_%016x%016x", worker.random.nextLong(), worker.random.nextLong());
    }
    return id;
  }

  @Override
  public Tls.@Nullable Identity shown() {
    return shown;
  }

  @Override
  public String serverName() {
    return serverName;
  }

  @Override
  public boolean resumed() {
    return resumed;
  }

  @Override
  public InstantSource clock() {
    return worker.clock;
  }

  @Override
  public long nanos() {
    return worker.nanos();
  }

  @Override
  public RandomGenerator random() {
    return worker.random;
  }

  @Override
  public boolean secure() {
    return secure;
  }

  /**
   * Begins to note what becomes of a request; null if nobody wants to hear of it.
   *
   * @param request null if what came was none
   */
  public @Nullable Ledger note(Binding found, @Nullable Request request) {
    Consumer<Served> listener = found.balancer().wanted.settings().journal().requests();
    return listener == null ? null : new Ledger(listener, this, arrival(found), request);
  }

  /** Whether it comes by IPv6. */
  public boolean ipv6() {
    return address().indexOf(':') >= 0;
  }

  /** So many bytes of heads and bodies came from it, or went to it. */
  public void moved(long bytes) {
    Binding at = binding;
    if (at == null) {
      early += bytes; // until it is known whose client it is
      return;
    }
    long all = early + bytes;
    early = 0;
    at.metrics().add(Count.BYTES, all);
    if (ipv6()) {
      at.metrics().add(Count.IPV6_BYTES, all);
    }
  }

  /** What came was no request. */
  public void malformed(BadMessage why) {
    if (binding != null) {
      binding.metrics().add(Count.MALFORMED_REQUESTS);
    }
    Ledger ledger = binding == null ? null : note(binding, null);
    if (ledger != null) {
      ledger.malformed(why);
    }
  }

  @Override
  public String node() {
    return endpoint.key.address();
  }

  /** The listener that a request is for; null if none is. */
  public @Nullable Binding meant(String host) {
    return secureKey == null ? endpoint.find(host) : endpoint.bindings.get(secureKey);
  }

  public boolean admits(Binding found) {
    // Like a stateful filter: whom a connection was once opened to, it stays open to.
    if (found.admits() == null || admitted == found.balancer()) {
      return true;
    }
    if (!found.admits().test(new Admission(address(), found.listener().port()))) {
      return false;
    }
    admitted = found.balancer();
    return true;
  }

  /** It may not come in, and gets no answer at all, as if packets were dropped. */
  public void hold() {
    if (allHeld.incrementAndGet() > MAX_HELD) {
      allHeld.decrementAndGet();
      channel.close();
      return;
    }
    held = true;
  }

  boolean held() {
    return held;
  }

  /** Whether the connection is younger than the time for which one may be reused. */
  public boolean mayStay() {
    return binding == null
        || worker.nanos() - since
            < binding.balancer().wanted.settings().clientKeepAlive().toNanos();
  }

  public long idleNanos() {
    return (binding == null ? DEFAULT_IDLE : binding.balancer().wanted.settings().idleTimeout())
        .toNanos();
  }

  public Request.Arrival arrival(Binding found) {
    return new Request.Arrival(
        address(),
        channel.remoteAddress() instanceof InetSocketAddress remote ? remote.getPort() : 0,
        found.listener().port(),
        found.balancer().wanted.host(),
        session,
        found.listener().edits());
  }

  public String address() {
    String known = address;
    if (known == null) {
      known = readAddress();
      address = known;
    }
    return known;
  }

  private String readAddress() {
    if (channel.remoteAddress() instanceof InetSocketAddress remote) {
      return NetUtil.toAddressString(remote.getAddress()); // of IPv6 the short form (RFC 5952)
    }
    return "";
  }

  /**
   * Ends the connection so that the client still reads what it was told, though it may be sending.
   */
  public void linger() {
    SslHandler tls = channel.pipeline().get(SslHandler.class);
    channel.flush();
    (tls == null ? channel.writeAndFlush(Unpooled.EMPTY_BUFFER) : tls.closeOutbound())
        .addListener(done -> ((DuplexChannel) channel).shutdownOutput());
    channel.config().setAutoRead(true);
    worker.loop.schedule(() -> channel.close(), LINGER_SECONDS, TimeUnit.SECONDS);
  }

  /** Counts an answer that the load balancer gives itself. */
  public void answeredHere(int status) {
    if (binding != null) {
      binding.metrics().answeredHere(status);
    }
  }
}
