package dev.muelle.balancer.messages;

import dev.muelle.balancer.http.Edits;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What the load balancer says itself, in ALB's form.
 *
 * @param fields header fields besides those that every answer has
 * @param cookies values of Set-Cookie
 * @param server whether it says who serves
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html">
 *     Troubleshoot your Application Load Balancers</a>
 */
public record Answer(
    int status, Map<String, String> fields, List<String> cookies, byte[] body, boolean server) {

  public static final String SERVER = "awselb/2.0";

  private static final DateTimeFormatter DATE =
      DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.ENGLISH)
          .withZone(ZoneOffset.UTC);

  Answer(int status, Map<String, String> fields, byte[] body) {
    this(status, fields, List.of(), body, true);
  }

  /** As a listener changes it. */
  public Answer edited(Edits edits) {
    if (!edits.changesAnswers()) {
      return this;
    }
    Map<String, String> all = new LinkedHashMap<>(fields);
    all.putAll(edits.response());
    return new Answer(status, all, cookies, body, edits.server());
  }

  /** The same, and these cookies. */
  public Answer with(List<String> more) {
    return more.isEmpty() ? this : new Answer(status, fields, more, body, server);
  }

  static String reason(int status) {
    return switch (status) {
      case 200 -> "OK";
      case 201 -> "Created";
      case 202 -> "Accepted";
      case 204 -> "No Content";
      case 301 -> "Moved Permanently";
      case 302 -> "Found";
      case 400 -> "Bad Request";
      case 401 -> "Authorization Required";
      case 403 -> "Forbidden";
      case 404 -> "Not Found";
      case 405 -> "Not Allowed";
      case 408 -> "Request Time-out";
      case 414 -> "Request-URI Too Large";
      case 429 -> "Too Many Requests";
      case 463 -> "";
      case 500 -> "Internal Server Error";
      case 501 -> "Not Implemented";
      case 502 -> "Bad Gateway";
      case 503 -> "Service Temporarily Unavailable";
      case 504 -> "Gateway Time-out";
      case 505 -> "HTTP Version Not Supported";
      case 561 -> "Unauthorized";
      default -> "";
    };
  }

  public static Answer page(int status) {
    return fixed(status, "text/html", html(status));
  }

  public static Answer fixed(int status, String contentType, String body) {
    boolean bodiless = status == 204 || status == 304;
    byte[] content = body.getBytes(StandardCharsets.UTF_8);
    return new Answer(
        status,
        bodiless
            ? Map.of()
            : fields("Content-Type", contentType, "Content-Length", content.length + ""),
        bodiless ? new byte[0] : content);
  }

  public static Answer redirect(int status, String location) {
    Answer page = page(status);
    Map<String, String> fields = new LinkedHashMap<>(page.fields);
    fields.put("Location", location);
    return new Answer(status, fields, page.body);
  }

  /** For who speaks plain HTTP to a port that speaks TLS. */
  public static Answer plainHttp() {
    String why = "The plain HTTP request was sent to HTTPS port";
    return fixed(
        400,
        "text/html",
        "<html>\r\n<head><title>400 "
            + why
            + "</title></head>\r\n<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n<center>"
            + why
            + "</center>\r\n</body>\r\n</html>\r\n");
  }

  private static String html(int status) {
    String title = (status + " " + reason(status)).strip();
    return "<html>\r\n<head><title>"
        + title
        + "</title></head>\r\n<body>\r\n<center><h1>"
        + title
        + "</h1></center>\r\n</body>\r\n</html>\r\n";
  }

  private static Map<String, String> fields(String... pairs) {
    Map<String, String> fields = new LinkedHashMap<>();
    for (int i = 0; i < pairs.length; i += 2) {
      fields.put(pairs[i], pairs[i + 1]);
    }
    return fields;
  }

  public static String date(Instant now) {
    return DATE.format(now);
  }

  /**
   * As HTTP/1.1 writes it.
   *
   * @param head whether HEAD was asked: no body then
   * @param close whether the connection ends with it
   */
  public ByteBuf wire(boolean head, boolean close, Instant now) {
    StringBuilder text = new StringBuilder(256);
    text.append("HTTP/1.1 ").append(status).append(' ').append(reason(status)).append("\r\n");
    if (server) {
      text.append("Server: ").append(SERVER).append("\r\n");
    }
    text.append("Date: ").append(date(now)).append("\r\n");
    fields.forEach((name, value) -> text.append(name).append(": ").append(value).append("\r\n"));
    cookies.forEach(value -> text.append("Set-Cookie: ").append(value).append("\r\n"));
    text.append("Connection: ").append(close ? "close" : "keep-alive").append("\r\n\r\n");
    byte[] start = text.toString().getBytes(StandardCharsets.ISO_8859_1);
    return head ? Unpooled.wrappedBuffer(start) : Unpooled.wrappedBuffer(start, body);
  }
}
