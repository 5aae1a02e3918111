package dev.muelle.balancer;

import dev.muelle.balancer.BalancerState.Binding;
import dev.muelle.balancer.LoadBalancer.Admission;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.ssl.CipherSuiteConverter;
import io.netty.handler.ssl.Sessions;
import io.netty.handler.ssl.SslHandler;
import java.net.InetSocketAddress;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
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
final class Visitor {

  private static final int MAX_HELD = 1024;
  private static final int LINGER_SECONDS = 2;
  private static final Duration DEFAULT_IDLE = Duration.ofSeconds(60);

  final Endpoint endpoint;
  final Worker worker;
  final Channel channel;

  /** Whether a {@link TlsDoor} stands before it. */
  final boolean secure;

  private final AtomicInteger allHeld;
  private final long since;
  private boolean held;
  private boolean gone;
  private boolean retired;

  /** What it asked last. */
  @Nullable Binding binding;

  private @Nullable String address;
  private Tls.@Nullable Identity shown;
  private String serverName = "";
  private String id = "";
  private long handshakeSince;
  private long handshakeMillis;
  private boolean resumed;
  private boolean told;
  private @Nullable Speaker speaker;
  private Request.@Nullable Session session;
  private @Nullable BalancerState admitted;

  /** Under which key of the endpoint's bindings the one is that the TLS client asked for. */
  private @Nullable String secureKey;

  Visitor(Endpoint endpoint, Worker worker, Channel channel, AtomicInteger allHeld) {
    this.endpoint = endpoint;
    this.worker = worker;
    this.channel = channel;
    this.allHeld = allHeld;
    this.secure = endpoint.secure();
    this.since = worker.nanos();
  }

  /** It has come; seen on the event loop. */
  void arrive() {
    endpoint.clients.add(this);
    binding = endpoint.shared ? null : endpoint.find("");
    channel
        .closeFuture()
        .addListener(closed -> {
          gone = true;
          endpoint.clients.remove(this);
          if (held) {
            allHeld.decrementAndGet();
          }
        });
    watch();
  }

  /** From now on this one speaks with it. */
  void meets(Speaker speaker) {
    this.speaker = speaker;
    if (retired) {
      speaker.retire();
    }
  }

  private void watch() {
    worker.loop.schedule(
        () -> {
          if (gone) {
            return;
          }
          if (held) {
            if (worker.nanos() - since > idleNanos()) {
              channel.close();
            }
          } else if (speaker != null) { // before, the handshake has its own time
            speaker.watch();
          }
          watch();
        },
        // The timeout may be made shorter meanwhile.
        Math.min(idleNanos(), TimeUnit.SECONDS.toNanos(1)),
        TimeUnit.NANOSECONDS);
  }

  /** From any thread: the endpoint goes away, or changes to another protocol. */
  void retire() {
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
  boolean negotiated(SSLEngine engine) {
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

  /** What its listener changes in header fields. */
  Edits edits() {
    return binding == null ? Edits.NONE : binding.listener().edits();
  }

  /**
   * It came to no TLS session.
   *
   * @param why null if that says nothing
   */
  void handshakeFailed(@Nullable Throwable why) {
    if (binding != null) {
      binding.balancer().metrics.handshakeError();
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
  void connected(String failure, List<X509Certificate> chain) {
    Binding found = binding;
    if (told || found == null) {
      return;
    }
    told = true;
    Metrics metrics = found.balancer().metrics;
    metrics.connected();
    channel.closeFuture().addListener(closed -> metrics.disconnected());
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
              tls == null ? -1 : worker.nanos() - handshakeSince,
              chain.isEmpty() ? null : chain.getFirst(),
              failure,
              id()));
    }
  }

  /** The same in all that is told of this connection. */
  String id() {
    if (id.isEmpty()) {
      id = String.format("TID_%016x%016x", worker.random.nextLong(), worker.random.nextLong());
    }
    return id;
  }

  Tls.@Nullable Identity shown() {
    return shown;
  }

  String serverName() {
    return serverName;
  }

  boolean resumed() {
    return resumed;
  }

  /** The address at which the client found the load balancer. */
  String node() {
    return endpoint.key.address();
  }

  /** The listener that a request is for; null if none is. */
  @Nullable Binding meant(String host) {
    return secureKey == null ? endpoint.find(host) : endpoint.bindings.get(secureKey);
  }

  boolean admits(Binding found) {
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
  void hold() {
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
  boolean mayStay() {
    return binding == null
        || worker.nanos() - since
            < binding.balancer().wanted.settings().clientKeepAlive().toNanos();
  }

  long idleNanos() {
    return (binding == null ? DEFAULT_IDLE : binding.balancer().wanted.settings().idleTimeout())
        .toNanos();
  }

  Request.Arrival arrival(Binding found) {
    return new Request.Arrival(
        address(),
        channel.remoteAddress() instanceof InetSocketAddress remote ? remote.getPort() : 0,
        found.listener().port(),
        found.balancer().wanted.host(),
        session,
        found.listener().edits());
  }

  String address() {
    String known = address;
    if (known == null) {
      known = readAddress();
      address = known;
    }
    return known;
  }

  private String readAddress() {
    if (channel.remoteAddress() instanceof InetSocketAddress remote) {
      String text = remote.getAddress().getHostAddress();
      int scope = text.indexOf('%');
      return scope < 0 ? text : text.substring(0, scope);
    }
    return "";
  }

  /**
   * Ends the connection so that the client still reads what it was told, though it may be sending.
   */
  void linger() {
    SslHandler tls = channel.pipeline().get(SslHandler.class);
    channel.flush();
    (tls == null ? channel.writeAndFlush(Unpooled.EMPTY_BUFFER) : tls.closeOutbound())
        .addListener(done -> ((DuplexChannel) channel).shutdownOutput());
    channel.config().setAutoRead(true);
    worker.loop.schedule(() -> channel.close(), LINGER_SECONDS, TimeUnit.SECONDS);
  }

  /** Counts an answer that the load balancer gives itself. */
  void answeredHere(int status) {
    if (binding != null) {
      binding.balancer().metrics.answeredHere(status);
    }
  }
}
