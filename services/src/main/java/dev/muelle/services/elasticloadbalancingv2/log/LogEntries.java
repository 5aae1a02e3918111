package dev.muelle.services.elasticloadbalancingv2.log;

import dev.muelle.balancer.logs.Checked;
import dev.muelle.balancer.logs.Connected;
import dev.muelle.balancer.logs.Flowed;
import dev.muelle.balancer.logs.Served;
import dev.muelle.balancer.rules.Rewrites;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * Requests, connections, flows and health checks as lines of logs. Pure.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html#access-log-entry-format">Access
 *     log entries</a>
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-connection-logs.html#connection-log-entry-format">Connection
 *     log entries</a>
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-health-check-logs.html#health-check-log-entry-format">Health
 *     check log entries</a>
 */
final class LogEntries {

  private static final String NONE = "-";
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'", Locale.ROOT)
          .withZone(ZoneOffset.UTC);

  private static final DateTimeFormatter SECOND =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss", Locale.ROOT).withZone(ZoneOffset.UTC);

  /** Of what a client offers. */
  private static final int LONGEST_PREFERENCES = 256;

  private LogEntries() {}

  /**
   * A TLS connection of a network load balancer.
   *
   * @param balancer as its ARN ends, for example {@code net/flows/50dc6c495c0c9188}
   * @see <a
   *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-access-logs.html#access-log-entry-format">Access
   *     log entries</a>
   */
  static String flow(String balancer, Flowed f) {
    return String.join(
        " ",
        "tls",
        "2.0",
        SECOND.format(f.ended()),
        balancer,
        f.listener().substring(f.listener().lastIndexOf('/') + 1),
        at(f.clientAddress(), f.clientPort()),
        at(f.address(), f.port()),
        String.valueOf(f.millis()),
        f.handshakeMillis() < 0 ? NONE : String.valueOf(f.handshakeMillis()),
        String.valueOf(f.received()),
        String.valueOf(f.sent()),
        f.alert() < 0 ? NONE : String.valueOf(f.alert()),
        bare(f.certificate()),
        NONE,
        bare(f.cipherSuite()),
        bare(f.tlsVersion().toLowerCase(Locale.ROOT).replace(".", "")),
        NONE,
        bare(encoded(f.serverName())),
        bare(f.clientProtocol()),
        bare(f.targetProtocol()),
        bare(preferences(f.preferences())),
        SECOND.format(f.created()));
  }

  private static String preferences(List<String> offered) {
    String all =
        offered.stream().map(one -> '"' + encoded(one) + '"').collect(Collectors.joining(","));
    return all.substring(0, Math.min(all.length(), LONGEST_PREFERENCES));
  }

  /** Whatever a client may name, it is one word. */
  private static String encoded(String value) {
    StringBuilder out = new StringBuilder(value.length());
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      boolean plain = c >= '!' && c <= '~' && "\"%,".indexOf(c) < 0;
      out.append(plain ? String.valueOf(c) : String.format("%%%02X", c & 0xff));
    }
    return out.toString();
  }

  /**
   * A request.
   *
   * @param balancer as its ARN ends, for example {@code app/web/50dc6c495c0c9188}
   */
  static String request(String balancer, Served s) {
    Rewrites.Rewritten to = s.rewritten();
    String newHost = to == null || to.host() == null ? "" : to.host();
    String newUrl = to == null || to.target().equals(s.url()) ? "" : to.target();
    return String.join(
        " ",
        type(s),
        TIME.format(s.ended()),
        balancer,
        at(s.clientAddress(), s.clientPort()),
        s.targets().isEmpty() ? NONE : s.targets().getLast(),
        seconds(s.requestNanos()),
        seconds(s.targetNanos()),
        seconds(s.responseNanos()),
        String.valueOf(s.status()),
        s.targetStatus() == 0 ? NONE : String.valueOf(s.targetStatus()),
        String.valueOf(s.received()),
        String.valueOf(s.sent()),
        quoted(line(s)),
        quoted(s.userAgent()),
        bare(s.cipherSuite()),
        bare(s.tlsVersion()),
        bare(s.group()),
        quoted(s.trace()),
        quoted(s.serverName()),
        quoted(s.resumed() ? "session-reused" : s.certificate()),
        String.valueOf(s.rule()),
        TIME.format(s.created()),
        quoted(String.join(",", s.actions())),
        quoted(s.redirect()),
        quoted(s.error()),
        quoted(String.join(" ", s.targets())),
        quoted(statuses(s)),
        quoted(s.classification()),
        quoted(s.classificationReason()),
        s.connection(),
        quoted(newHost),
        quoted(newUrl),
        quoted(s.rewriting()));
  }

  private static String type(Served s) {
    if (s.upgraded()) {
      return s.secure() ? "wss" : "ws";
    }
    if (s.grpc()) {
      return "grpcs";
    }
    return s.httpVersion().equals("HTTP/2.0") ? "h2" : s.secure() ? "https" : "http";
  }

  /**
   * The request's line, with the whole URL; {@code - - -} stands for one that could not be read.
   */
  private static String line(Served s) {
    if (s.method().isEmpty()) {
      return "- - -";
    }
    String host = s.host();
    boolean port = host.indexOf(':', host.lastIndexOf(']') + 1) >= 0;
    return s.method()
        + " "
        + (s.secure() ? "https" : "http")
        + "://"
        + host
        + (port ? "" : ":" + s.listenerPort())
        + s.url()
        + " "
        + s.httpVersion();
  }

  private static String statuses(Served s) {
    List<String> texts = s.targetStatuses().stream().map(String::valueOf).toList();
    return String.join(" ", texts);
  }

  /** A connection. */
  static String connection(Connected c) {
    return String.join(
        " ",
        TIME.format(c.at()),
        c.clientAddress(),
        String.valueOf(c.clientPort()),
        String.valueOf(c.listenerPort()),
        bare(c.tlsVersion()),
        bare(c.cipherSuite()),
        c.handshakeNanos() < 0 ? NONE : seconds(c.handshakeNanos()),
        c.client() == null ? quoted("") : quoted(Connected.subject(c.client())),
        c.client() == null ? NONE : Connected.validity(c.client()),
        c.client() == null ? NONE : Connected.serialNumber(c.client()),
        status(c),
        c.id(),
        bare(c.keyExchange()));
  }

  /**
   * A health check.
   *
   * @param balancer as its ARN ends, for example {@code app/web/50dc6c495c0c9188}
   */
  static String check(String balancer, Checked c) {
    return String.join(
        " ",
        c.type(),
        TIME.format(c.at()),
        String.format(Locale.ROOT, "%.9f", c.nanos() / 1e9),
        at(c.targetAddress(), c.targetPort()),
        c.group().split("/", -1)[1],
        c.failure().isEmpty() ? "PASS" : "FAIL",
        c.status() == 0 && !c.failure().isEmpty() ? NONE : String.valueOf(c.status()),
        bare(c.failure()),
        balancer,
        c.node());
  }

  private static String status(Connected c) {
    if (!c.failure().isEmpty()) {
      return "Failed:" + c.failure();
    }
    return c.client() == null ? NONE : "Success";
  }

  /**
   * One of IPv6 has no brackets: the port is behind the last colon.
   *
   * @see <a href="https://github.com/allinurl/goaccess/issues/2557">A line of AWS's</a>
   */
  private static String at(String address, int port) {
    return address + ":" + port;
  }

  private static String seconds(long nanos) {
    return nanos < 0 ? "-1" : String.format(Locale.ROOT, "%.3f", nanos / 1e9);
  }

  private static String bare(String value) {
    return value.isEmpty() ? NONE : value;
  }

  /** No value can end its field, or its line. */
  private static String quoted(String value) {
    if (value.isEmpty()) {
      return "\"-\"";
    }
    StringBuilder out = new StringBuilder(value.length() + 2).append('"');
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c == '"' || c < ' ' || c > '~') {
        out.append(String.format("\\x%02X", c & 0xff));
      } else {
        out.append(c);
      }
    }
    return out.append('"').toString();
  }
}
