package dev.muelle.balancer.flows;

import dev.muelle.balancer.flows.FlowDoor.Meaning;
import dev.muelle.balancer.logs.Flowed;
import dev.muelle.balancer.targets.Worker;
import dev.muelle.balancer.tls.ClientHello;
import dev.muelle.balancer.tls.Tls;
import io.netty.channel.Channel;
import io.netty.handler.ssl.CipherSuiteConverter;
import io.netty.handler.ssl.SslHandler;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/** What is noted of a client's TLS connection while it lasts, if somebody wants to hear of it. */
final class TlsLedger {

  /** How BoringSSL tells of an alert: its number and a thousand are the reason. */
  private static final Pattern ALERT = Pattern.compile("error:[0-9a-f]{5}([0-9a-f]{3}):");

  private static final int ALERTS = 1000;
  private static final int MOST_ALERTS = 256;

  private final Consumer<Flowed> listener;
  private final Meaning meaning;
  private final Worker worker;
  private final InetSocketAddress client;
  private final InetSocketAddress at;
  private final Instant created;
  private final long began; // ns

  private @Nullable ClientHello hello;
  private long shaken = -1; // ns
  private String certificate = "";
  private String cipherSuite = "";
  private String version = "";
  private String clientProtocol = "";
  private String targetProtocol = "";
  private int alert = -1;
  private long received;
  private long sent;

  private TlsLedger(
      Consumer<Flowed> listener,
      Meaning meaning,
      Worker worker,
      InetSocketAddress client,
      InetSocketAddress at) {
    this.listener = listener;
    this.meaning = meaning;
    this.worker = worker;
    this.client = client;
    this.at = at;
    this.created = worker.clock.instant();
    this.began = worker.nanos();
  }

  /** One for a client that has come; null if nobody wants to hear of it. */
  static @Nullable TlsLedger of(Meaning meaning, Worker worker, Channel client) {
    Consumer<Flowed> listener = meaning.balancer().wanted.settings().journal().flows();
    return listener != null
            && client.remoteAddress() instanceof InetSocketAddress from
            && client.localAddress() instanceof InetSocketAddress at
        ? new TlsLedger(listener, meaning, worker, from, at)
        : null;
  }

  /** The client has said what it wants, and will be shown a certificate. */
  void hears(ClientHello said, Tls.Identity shown) {
    hello = said;
    certificate = shown.id();
  }

  void agrees(SslHandler tls) {
    shaken = worker.nanos();
    SSLSession session = tls.engine().getSession();
    version = session.getProtocol();
    cipherSuite = CipherSuiteConverter.toOpenSsl(session.getCipherSuite(), false);
    clientProtocol = named(tls.applicationProtocol());
  }

  /** The handshake came to no end. */
  void fails(@Nullable Throwable why) {
    for (Throwable cause = why; cause != null; cause = cause.getCause()) {
      Matcher said = ALERT.matcher(String.valueOf(cause.getMessage()));
      int number = said.find() ? Integer.parseInt(said.group(1), 16) - ALERTS : -1;
      if (number >= 0 && number < MOST_ALERTS) {
        alert = number;
        return;
      }
    }
  }

  /** The target speaks TLS, too. */
  void reaches(@Nullable String protocol) {
    targetProtocol = named(protocol);
  }

  /** Bytes in clear have come, of the client or of the target. */
  void moves(boolean fromClient, int bytes) {
    if (fromClient) {
      received += bytes;
    } else {
      sent += bytes;
    }
  }

  /** It is over. */
  void ends() {
    ClientHello said = hello;
    boolean negotiates = meaning.tls() != null && !meaning.tls().wanted.alpn().isEmpty();
    listener.accept(
        new Flowed(
            worker.clock.instant(),
            created,
            meaning.listener().id(),
            client.getAddress().getHostAddress(),
            client.getPort(),
            at.getAddress().getHostAddress(),
            at.getPort(),
            millis(worker.nanos() - began),
            shaken < 0 ? -1 : millis(shaken - began),
            received,
            sent,
            alert,
            certificate,
            cipherSuite,
            version,
            said == null ? "" : named(said.name()),
            clientProtocol,
            targetProtocol,
            said == null || !negotiates ? List.of() : said.alpn()));
  }

  private static String named(@Nullable String text) {
    return text == null ? "" : text;
  }

  private static long millis(long nanos) {
    return TimeUnit.NANOSECONDS.toMillis(nanos);
  }
}
