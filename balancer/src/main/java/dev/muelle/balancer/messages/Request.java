package dev.muelle.balancer.messages;

import dev.muelle.balancer.Gate;
import dev.muelle.balancer.LoadBalancer;
import dev.muelle.balancer.http.BadMessage;
import dev.muelle.balancer.http.Chars;
import dev.muelle.balancer.http.Edits;
import dev.muelle.balancer.http.Framing;
import dev.muelle.balancer.http.Head;
import dev.muelle.balancer.http.Names;
import dev.muelle.balancer.rules.Condition;
import dev.muelle.balancer.rules.Rewrites;
import dev.muelle.balancer.tls.ClientCertificate;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** A client's request, checked, and how it is told to a target. */
public final class Request {

  private static final int MAX_FORWARDED = 30;
  private static final int MAX_TRACE = 7 * 1024;
  private static final Names NEVER_COPIED =
      Names.of(
          "host",
          "connection",
          "keep-alive",
          "proxy-connection",
          "transfer-encoding",
          "content-length",
          "upgrade",
          "te",
          "expect",
          "x-forwarded-for",
          "x-forwarded-proto",
          "x-forwarded-port",
          "x-amzn-trace-id");

  private static final String TLS_VERSION = "x-amzn-tls-version";
  private static final String TLS_CIPHER_SUITE = "x-amzn-tls-cipher-suite";

  private static final Set<String> IDEMPOTENT = Set.of("GET", "HEAD", "PUT", "DELETE", "OPTIONS");

  final Head head;
  final String method;
  public final String target;
  public final String host;
  final boolean http10;
  public final boolean http2;
  public final boolean keepAlive;
  public final boolean expectsContinue;
  public final Framing body;
  public final @Nullable String upgrade;

  /** Whether a target that speaks HTTP/1.1 gets the body in chunks. */
  public final boolean chunked;

  private final long length;
  private @Nullable Suspicion suspicion;

  /** Whether neither its client's nor its target's connection is to serve another after it. */
  public boolean alone;

  private final List<String> connection;
  private @Nullable String trace;

  /** What is noted of it; null if nobody wants to hear. */
  public @Nullable Ledger ledger;

  /** By which it came in; null if there was none. */
  public Gate.Opening.@Nullable Open gate;

  /**
   * Checks a head.
   *
   * @throws BadMessage if the request must be refused
   */
  public Request(Head head) {
    this(head, null);
  }

  /**
   * A request that came by HTTP/2.
   *
   * @param ended whether it has no body
   * @throws BadMessage if the request must be refused
   */
  public static Request http2(Head head, boolean ended) {
    return new Request(head, ended);
  }

  private Request(Head head, @Nullable Boolean http2Ended) {
    this.head = head;
    String line = head.line();
    int first = line.indexOf(' ');
    int second = line.indexOf(' ', first + 1);
    if (first < 0 || second <= first + 1 || line.indexOf(' ', second + 1) >= 0) {
      throw new BadMessage(400, "request line", first < 0 ? "BadMethod" : "SpaceInUri");
    }
    this.method = line.substring(0, first);
    if (!Head.isToken(method)) {
      throw new BadMessage(400, "request line", "BadMethod");
    }
    this.http10 = http10(line.substring(second + 1));
    String authority = null;
    String path = line.substring(first + 1, second);
    if (path.regionMatches(true, 0, "http://", 0, 7)
        || path.regionMatches(true, 0, "https://", 0, 8)) {
      int start = path.indexOf("//") + 2;
      int slash = path.indexOf('/', start);
      int end = slash < 0 ? path.length() : slash;
      authority = path.substring(start, end);
      path = slash < 0 ? "/" : path.substring(slash);
    } else if (!path.startsWith("/") && !(path.equals("*") && method.equals("OPTIONS"))) {
      throw new BadMessage(400, "request target", "BadUri");
    }
    if (path.indexOf('#') >= 0) {
      throw new BadMessage(400, "request target with a fragment", "BadUri");
    }
    this.target = path;
    if (method.equals("TRACE")) {
      throw new BadMessage(405, "TRACE");
    }
    if (method.equals("CONNECT")) {
      throw new BadMessage(400, "CONNECT", "BadMethod"); // a target would make a tunnel of it
    }
    this.host = host(authority);
    this.connection = head.tokens("connection");
    this.keepAlive = http10 ? connection.contains("keep-alive") : !connection.contains("close");
    long told = toldLength();
    this.http2 = http2Ended != null;
    boolean coded = chunked(told);
    this.length = coded ? -1 : told; // the coding overrides the length: RFC 9112, section 6.3
    if (http2Ended != null) {
      this.chunked = !http2Ended && length < 0;
      this.body = http2Ended ? Framing.none() : Framing.untilSaid();
    } else {
      this.chunked = coded;
      this.body =
          coded ? Framing.chunkedRequest() : length > 0 ? Framing.length(length) : Framing.none();
    }
    this.expectsContinue = !http10 && head.tokens("expect").contains("100-continue");
    this.upgrade =
        !http10 && connection.contains("upgrade") && body.done() ? head.first("upgrade") : null;
    int forwarded = 0;
    for (String addresses : head.all("x-forwarded-for")) {
      forwarded += addresses.split(",", -1).length;
    }
    if (forwarded > MAX_FORWARDED) {
      throw new BadMessage(463, "X-Forwarded-For with more than 30 addresses");
    }
  }

  private static boolean http10(String version) {
    return switch (version) {
      case "HTTP/1.1" -> false;
      case "HTTP/1.0" -> true;
      default ->
          throw new BadMessage(
              version.matches("HTTP/[0-9]\\.[0-9]") ? 505 : 400, "protocol version", "BadVersion");
    };
  }

  private String host(@Nullable String authority) {
    List<String> hosts = head.all("host");
    if (hosts.size() > 1 || hosts.isEmpty() && !http10) {
      throw new BadMessage(400, hosts.isEmpty() ? "no Host" : "several Host fields");
    }
    String host = authority != null ? authority : hosts.isEmpty() ? "" : hosts.getFirst();
    if (!Chars.isHost(host)) {
      throw new BadMessage(400, "Host");
    }
    return host;
  }

  private long toldLength() {
    List<String> values = head.all("content-length");
    if (values.size() > 1 && values.stream().distinct().count() == 1) {
      suspicion = Suspicion.DuplicateContentLength;
      return Head.length(values.subList(0, 1));
    }
    return Head.length(values);
  }

  private boolean chunked(long told) {
    for (int i = 0; i < head.count(); i++) {
      if (head.is(i, "content_length") || head.is(i, "transfer_encoding")) {
        suspicion = Suspicion.SuspiciousHeader;
      }
    }
    List<String> codings = head.all("transfer-encoding");
    if (codings.isEmpty()) {
      return false;
    }
    if (codings.size() > 1 || http10) {
      throw new BadMessage(
          400, "Transfer-Encoding together with other framing", "MultipleTransferEncodingChunked");
    }
    if (told >= 0) {
      suspicion = Suspicion.BothTeClPresent;
    }
    String coding = codings.getFirst().toLowerCase(Locale.ROOT);
    return switch (coding) {
      case "chunked" -> true;
      case "identity" -> false;
      default ->
          throw new BadMessage(
              coding.matches("(gzip|x-gzip|compress|deflate)(, ?chunked)?") ? 501 : 400,
              "Transfer-Encoding",
              "BadTransferEncoding");
    };
  }

  /**
   * What rules look at.
   *
   * @param balancerHost stands in where the request has no Host
   */
  public Condition.Facts facts(String clientAddress, String balancerHost) {
    int colon = host.indexOf(':', host.lastIndexOf(']') + 1);
    String name = host.isEmpty() ? balancerHost : colon < 0 ? host : host.substring(0, colon);
    int mark = target.indexOf('?');
    return new Condition.Facts(
        method,
        name,
        host.isEmpty() ? balancerHost : host,
        mark < 0 ? target : target.substring(0, mark),
        mark < 0 ? "" : target.substring(mark + 1),
        head::all,
        clientAddress);
  }

  public boolean isHead() {
    return method.equals("HEAD");
  }

  /** The value of a cookie; null if it is not there. */
  public @Nullable String cookie(String name) {
    for (String field : head.all("cookie")) {
      for (String pair : field.split(";", -1)) {
        int sign = pair.indexOf('=');
        if (sign > 0 && pair.substring(0, sign).strip().equals(name)) {
          return pair.substring(sign + 1).strip();
        }
      }
    }
    return null;
  }

  public boolean isGrpc() {
    String type = head.first("content-type");
    return type != null && type.matches("application/grpc([+;].*)?");
  }

  /** Whether it may be sent to such targets; otherwise it is answered 464, as by ALB. */
  public boolean fits(LoadBalancer.Version version) {
    return switch (version) {
      case HTTP1 -> !http2 || !isGrpc();
      case HTTP2 -> http2;
      case GRPC -> http2 && method.equals("POST");
    };
  }

  public boolean idempotent() {
    return IDEMPOTENT.contains(method);
  }

  /**
   * Why servers could disagree about it; null if they do not.
   *
   * @param fields whether fields that are not ASCII count
   */
  public @Nullable Suspicion suspicion(boolean fields) {
    if (suspicion == null && (method.equals("GET") || isHead())) {
      suspicion =
          length > 0
              ? Suspicion.UndefinedContentLengthSemantics
              : length == 0
                  ? Suspicion.GetHeadZeroContentLength
                  : chunked ? Suspicion.UndefinedTransferEncodingSemantics : null;
    }
    return suspicion == null && fields && !head.ascii() ? Suspicion.NonCompliantHeader : suspicion;
  }

  /**
   * What was negotiated with a client, as OpenSSL names it.
   *
   * @param client null if it was not asked for a certificate
   */
  public record Session(String version, String cipherSuite, @Nullable ClientCertificate client) {}

  /**
   * Who knocked, and where.
   *
   * @param tls null if in plain text
   */
  public record Arrival(
      String clientAddress,
      int clientPort,
      int listenerPort,
      String balancerHost,
      @Nullable Session tls,
      Edits edits) {

    String protocol() {
      return tls == null ? "http" : "https";
    }

    boolean atDefaultPort() {
      return listenerPort == (tls == null ? 80 : 443);
    }
  }

  /**
   * The head that a target gets.
   *
   * @param rewritten what it gets instead of what was asked for; null if nothing
   */
  public byte[] write(
      Arrival arrival,
      Rewrites.@Nullable Rewritten rewritten,
      LoadBalancer.Headers headers,
      RandomGenerator random,
      Instant now) {
    ByteBuf out = Unpooled.buffer(1024); // a pool of arrays would hold megabytes for it
    write(out, arrival, rewritten, headers, random, now);
    byte[] bytes = new byte[out.readableBytes()];
    out.readBytes(bytes).release();
    return bytes;
  }

  private void write(
      ByteBuf out,
      Arrival arrival,
      Rewrites.@Nullable Rewritten rewritten,
      LoadBalancer.Headers headers,
      RandomGenerator random,
      Instant now) {
    String asked = rewritten == null ? target : rewritten.target();
    String meant = rewritten == null ? null : rewritten.host();
    ascii(
        out,
        method
            + " "
            + asked
            + " HTTP/1.1\r\nHost: "
            + (meant == null ? host(arrival, headers) : meant)
            + "\r\n");
    Edits edits = arrival.edits();
    Session tls = arrival.tls();
    ClientCertificate client = tls == null ? null : tls.client();
    List<String> ours = client == null ? List.of() : client.names(edits);
    String version = headers.tlsSession() ? edits.name(TLS_VERSION) : "";
    String cipherSuite = headers.tlsSession() ? edits.name(TLS_CIPHER_SUITE) : "";
    for (int i = 0; i < head.count(); i++) {
      if (!NEVER_COPIED.has(head, i)
          && !head.isOneOf(i, connection)
          && !(headers.dropInvalid() && !head.isPlain(i))
          && !(headers.tlsSession()
              && (head.is(i, version.toLowerCase(Locale.ROOT))
                  || head.is(i, cipherSuite.toLowerCase(Locale.ROOT))))
          && !head.isOneOf(i, ours)
          && !(gate != null && head.startsWith(i, gate.prefix()))) {
        head.copy(i, out);
      }
    }
    if (gate != null) {
      gate.fields().forEach((name, value) -> ascii(out, name + ": " + value + "\r\n"));
    }
    forwardedFor(out, arrival, headers);
    ascii(out, "X-Forwarded-Proto: " + arrival.protocol());
    ascii(out, "\r\nX-Forwarded-Port: " + arrival.listenerPort());
    if (headers.tlsSession() && tls != null) {
      ascii(out, "\r\n" + version + ": " + tls.version());
      ascii(out, "\r\n" + cipherSuite + ": " + tls.cipherSuite());
    }
    ascii(out, "\r\nX-Amzn-Trace-Id: " + trace(random, now) + "\r\n");
    if (client != null) {
      ascii(out, client.lines(edits));
    }
    if (chunked) {
      ascii(out, "Transfer-Encoding: chunked\r\n");
    } else if (length >= 0) {
      ascii(out, "Content-Length: " + length + "\r\n");
    }
    if (upgrade != null) {
      ascii(out, "Connection: Upgrade\r\nUpgrade: " + upgrade + "\r\n");
    }
    ascii(out, "\r\n");
  }

  private String host(Arrival arrival, LoadBalancer.Headers headers) {
    String asked = host.isEmpty() ? arrival.balancerHost() : host;
    if (headers.preserveHost()) {
      return asked;
    }
    int colon = asked.indexOf(':', asked.lastIndexOf(']') + 1);
    if (arrival.atDefaultPort()) {
      return colon < 0 ? asked : asked.substring(0, colon);
    }
    return colon < 0 ? asked + ":" + arrival.listenerPort() : asked;
  }

  /** Whether a field's name is not of letters, digits and hyphens. */
  public boolean hasInvalidField() {
    for (int i = 0; i < head.count(); i++) {
      if (!head.isPlain(i)) {
        return true;
      }
    }
    return false;
  }

  private void forwardedFor(ByteBuf out, Arrival arrival, LoadBalancer.Headers headers) {
    List<String> before = head.all("x-forwarded-for");
    switch (headers.forwardedFor()) {
      case REMOVE -> {}
      case PRESERVE -> before.forEach(one -> ascii(out, "X-Forwarded-For: " + one + "\r\n"));
      case APPEND -> {
        ascii(out, "X-Forwarded-For: ");
        for (String one : before) {
          if (!one.isEmpty()) {
            ascii(out, one + ", ");
          }
        }
        String client = arrival.clientAddress();
        if (headers.clientPort()) {
          client =
              (client.contains(":") ? "[" + client + "]" : client) + ":" + arrival.clientPort();
        }
        ascii(out, client + "\r\n");
      }
    }
  }

  /**
   * The trace header to pass on.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-request-tracing.html">
   *     Request tracing</a>
   */
  String trace(RandomGenerator random, Instant now) {
    if (trace == null) {
      trace = traced(random, now);
    }
    return trace;
  }

  private String traced(RandomGenerator random, Instant now) {
    HexFormat hex = HexFormat.of();
    String fresh =
        "1-"
            + hex.toHexDigits((int) now.getEpochSecond())
            + "-"
            + hex.toHexDigits(random.nextInt())
            + hex.toHexDigits(random.nextLong());
    String given = head.first("x-amzn-trace-id");
    if (given == null || given.isEmpty() || given.length() > MAX_TRACE) {
      return "Root=" + fresh;
    }
    StringBuilder rest = new StringBuilder();
    boolean root = false;
    for (String field : given.split(";", -1)) {
      String trimmed = field.strip();
      root |= trimmed.regionMatches(true, 0, "Root=", 0, 5);
      if (!trimmed.isEmpty() && !trimmed.regionMatches(true, 0, "Self=", 0, 5)) {
        rest.append(';').append(trimmed);
      }
    }
    return (root ? "Self=" : "Root=") + fresh + rest;
  }

  static void ascii(ByteBuf out, String text) {
    Chars.write(text, out);
  }
}
