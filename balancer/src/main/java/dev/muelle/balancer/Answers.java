package dev.muelle.balancer;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/**
 * What the load balancer says itself, in ALB's form.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html">
 *     Troubleshoot your Application Load Balancers</a>
 */
final class Answers {

  private static final DateTimeFormatter DATE =
      DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.ENGLISH)
          .withZone(ZoneOffset.UTC);

  private Answers() {}

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
      default -> "";
    };
  }

  static ByteBuf page(int status, boolean head, boolean close, Instant now) {
    return answer(status, "text/html", page(status), head, close, now);
  }

  static ByteBuf redirect(int status, String location, boolean head, boolean close, Instant now) {
    return answer(
        status, "text/html", page(status), "Location: " + location + "\r\n", head, close, now);
  }

  /** For who speaks plain HTTP to a port that speaks TLS. */
  static ByteBuf plainHttp(Instant now) {
    String why = "The plain HTTP request was sent to HTTPS port";
    String page =
        "<html>\r\n<head><title>400 "
            + why
            + "</title></head>\r\n<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n<center>"
            + why
            + "</center>\r\n</body>\r\n</html>\r\n";
    return answer(400, "text/html", page, false, true, now);
  }

  private static String page(int status) {
    String title = (status + " " + reason(status)).strip();
    return "<html>\r\n<head><title>"
        + title
        + "</title></head>\r\n<body>\r\n<center><h1>"
        + title
        + "</h1></center>\r\n</body>\r\n</html>\r\n";
  }

  static ByteBuf answer(
      int status, String contentType, String body, boolean head, boolean close, Instant now) {
    return answer(status, contentType, body, "", head, close, now);
  }

  /** An answer with more header fields, each with its end of line. */
  private static ByteBuf answer(
      int status,
      String contentType,
      String body,
      String fields,
      boolean head,
      boolean close,
      Instant now) {
    byte[] content = body.getBytes(StandardCharsets.UTF_8);
    boolean bodiless = status == 204 || status == 304;
    StringBuilder text = new StringBuilder(256);
    text.append("HTTP/1.1 ").append(status).append(' ').append(reason(status)).append("\r\n");
    text.append("Server: awselb/2.0\r\nDate: ").append(DATE.format(now)).append("\r\n");
    if (!bodiless) {
      text.append("Content-Type: ").append(contentType).append("\r\n");
      text.append("Content-Length: ").append(content.length).append("\r\n");
    }
    text.append(fields)
        .append("Connection: ")
        .append(close ? "close" : "keep-alive")
        .append("\r\n\r\n");
    byte[] start = text.toString().getBytes(StandardCharsets.ISO_8859_1);
    return head || bodiless
        ? Unpooled.wrappedBuffer(start)
        : Unpooled.wrappedBuffer(start, content);
  }
}
