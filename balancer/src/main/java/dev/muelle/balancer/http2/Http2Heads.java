package dev.muelle.balancer.http2;

import static io.netty.handler.codec.http2.Http2Error.PROTOCOL_ERROR;

import dev.muelle.balancer.http.BadMessage;
import dev.muelle.balancer.http.Chunks;
import dev.muelle.balancer.http.Head;
import dev.muelle.balancer.messages.Answer;
import dev.muelle.balancer.messages.Response;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Headers.PseudoHeaderName;
import io.netty.handler.codec.http2.ReadOnlyHttp2Headers;
import io.netty.util.AsciiString;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.AbstractMap.SimpleImmutableEntry;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Heads between HTTP/2's form and HTTP/1.1's, in which the rest of the load balancer reads them.
 * What one of the two could say and the other would understand differently is refused, so that
 * nothing can be smuggled on the way down.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc9113#section-8.2">RFC 9113, sections 8.2 and
 *     8.3</a>
 */
public final class Http2Heads {

  private static final Set<String> OF_CONNECTIONS =
      Set.of("connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade");

  private static final Set<String> ASKING = Set.of(":method", ":scheme", ":path", ":authority");
  private static final Set<String> ANSWERING = Set.of(":status");

  private Http2Heads() {}

  /**
   * What a target is told.
   *
   * @param head as it would be written to a target that speaks HTTP/1.1
   * @param secure whether it is told by TLS
   */
  public static Http2Headers told(byte[] head, boolean secure) {
    int end = end(head, 0);
    String[] line = new String(head, 0, end, StandardCharsets.ISO_8859_1).split(" ", -1);
    Http2Headers headers = new DefaultHttp2Headers(false);
    headers.method(line[0]).scheme(secure ? "https" : "http").path(line[1]);
    for (int at = end + 2; head[at] != '\r'; at = end + 2) {
      end = end(head, at);
      int colon = at;
      while (head[colon] != ':') {
        colon++;
      }
      AsciiString name = new AsciiString(head, at, colon - at, false).toLowerCase();
      int from = Math.min(end, colon + 2);
      AsciiString value = new AsciiString(head, from, end - from, false);
      if (name.contentEquals("host")) {
        headers.authority(value);
      } else if (!OF_CONNECTIONS.contains(name.toString())) {
        headers.add(name, value);
      }
    }
    return headers.add("te", "trailers"); // they are passed on, and gRPC asks for them
  }

  private static int end(byte[] head, int from) {
    int at = from;
    while (head[at] != '\r') {
      at++;
    }
    return at;
  }

  /**
   * A target's answer.
   *
   * @throws Http2Exception of the stream, if it is malformed
   */
  public static Head answer(int stream, Http2Headers headers) throws Http2Exception {
    String status = one(stream, headers, PseudoHeaderName.STATUS);
    if (status == null || !status.matches("[1-5][0-9][0-9]")) {
      throw malformed(stream, ":status");
    }
    try {
      return Head.of("HTTP/1.1 " + status, fields(stream, headers, ANSWERING));
    } catch (BadMessage e) {
      throw malformed(stream, String.valueOf(e.getMessage()));
    }
  }

  /**
   * A request's head.
   *
   * @throws Http2Exception of the stream, if it is malformed
   * @throws BadMessage if it must be refused
   */
  public static Head request(int stream, Http2Headers headers) throws Http2Exception {
    String method = one(stream, headers, PseudoHeaderName.METHOD);
    if (method == null || !Head.isToken(method)) {
      throw malformed(stream, ":method");
    }
    if (method.equals("CONNECT")) {
      throw new BadMessage(400, "CONNECT");
    }
    String scheme = one(stream, headers, PseudoHeaderName.SCHEME);
    String path = one(stream, headers, PseudoHeaderName.PATH);
    String authority = one(stream, headers, PseudoHeaderName.AUTHORITY);
    if (scheme == null || !scheme.equals("https") && !scheme.equals("http")) {
      throw malformed(stream, ":scheme");
    }
    if (path == null
        || !path.startsWith("/") && !(path.equals("*") && method.equals("OPTIONS"))
        || path.indexOf(' ') >= 0) {
      throw malformed(stream, ":path");
    }
    List<Map.Entry<CharSequence, CharSequence>> fields = fields(stream, headers, ASKING);
    String host = null;
    StringBuilder cookies = new StringBuilder();
    List<Map.Entry<CharSequence, CharSequence>> passed = new ArrayList<>(fields.size() + 1);
    for (Map.Entry<CharSequence, CharSequence> field : fields) {
      switch (field.getKey().toString()) {
        case "host" -> {
          if (host != null) {
            throw malformed(stream, "several host fields");
          }
          host = field.getValue().toString();
        }
        // It may have come in crumbs, which HTTP/1.1 does not know (section 8.2.3).
        case "cookie" -> cookies.append(cookies.isEmpty() ? "" : "; ").append(field.getValue());
        default -> passed.add(field);
      }
    }
    if (authority != null && host != null && !host.equalsIgnoreCase(authority)) {
      throw malformed(stream, "host is not :authority");
    }
    String asked = authority != null ? authority : host;
    if (asked == null) {
      throw malformed(stream, ":authority");
    }
    passed.addFirst(new SimpleImmutableEntry<>("host", asked));
    if (!cookies.isEmpty()) {
      passed.add(new SimpleImmutableEntry<>("cookie", cookies));
    }
    return Head.of(method + " " + path + " HTTP/1.1", passed);
  }

  /**
   * The fields after a body.
   *
   * @throws Http2Exception of the stream, if they are malformed
   */
  public static Head trailers(int stream, Http2Headers headers) throws Http2Exception {
    try {
      return Head.of("", fields(stream, headers, Set.of()));
    } catch (BadMessage e) {
      throw malformed(stream, String.valueOf(e.getMessage()));
    }
  }

  private static @Nullable String one(int stream, Http2Headers headers, PseudoHeaderName name)
      throws Http2Exception {
    Iterator<CharSequence> values = headers.valueIterator(name.value());
    if (!values.hasNext()) {
      return null;
    }
    CharSequence first = values.next();
    if (values.hasNext()) {
      throw malformed(stream, "several " + name.value());
    }
    return first.isEmpty() ? null : first.toString();
  }

  private static List<Map.Entry<CharSequence, CharSequence>> fields(
      int stream, Http2Headers headers, Set<String> pseudo) throws Http2Exception {
    List<Map.Entry<CharSequence, CharSequence>> fields = new ArrayList<>(headers.size());
    for (Map.Entry<CharSequence, CharSequence> field : headers) {
      String name = field.getKey().toString();
      CharSequence value = field.getValue();
      if (name.startsWith(":")) {
        if (!pseudo.contains(name)) {
          throw malformed(stream, name);
        }
        continue;
      }
      if (!Head.isToken(name)
          || !name.equals(name.toLowerCase(Locale.ROOT))
          || OF_CONNECTIONS.contains(name)
          || name.equals("te") && !value.toString().equals("trailers")) {
        throw malformed(stream, name);
      }
      if (!isValue(AsciiString.of(value))) {
        throw malformed(stream, "the value of " + name);
      }
      fields.add(field);
    }
    return fields;
  }

  private static boolean isValue(AsciiString value) {
    for (int i = 0; i < value.length(); i++) {
      byte b = value.byteAt(i);
      boolean edge = i == 0 || i == value.length() - 1;
      if (b == 0 || b == '\r' || b == '\n' || edge && (b == ' ' || b == '\t')) {
        return false;
      }
    }
    return true;
  }

  private static Http2Exception malformed(int stream, String what) {
    return Http2Exception.streamError(stream, PROTOCOL_ERROR, "malformed head: %s", what);
  }

  /** A target's answer, as the client is told it. */
  public static Http2Headers response(Response response) {
    List<AsciiString> fields = new ArrayList<>(32);
    response.eachField((name, value) -> {
      fields.add(name);
      fields.add(value);
    });
    return ReadOnlyHttp2Headers.serverHeaders(
        false, status(response.status), fields.toArray(AsciiString[]::new));
  }

  /** The fields after a target's answer. */
  public static Http2Headers trailers(Head trailers) {
    Http2Headers headers = new DefaultHttp2Headers(false);
    for (int i = 0; i < trailers.count(); i++) {
      if (!Chunks.NEVER_LAST.contains(trailers.name(i))) {
        trailers.show(i, headers::add);
      }
    }
    return headers;
  }

  /** What the load balancer says itself. */
  public static Http2Headers answer(Answer answer, Instant now) {
    Http2Headers headers = bare(answer.status());
    if (answer.server()) {
      headers.add("server", Answer.SERVER);
    }
    headers.add("date", Answer.date(now));
    answer
        .fields()
        .forEach(
            (name, value) -> headers.add(name.toLowerCase(Locale.ROOT), new AsciiString(value)));
    answer.cookies().forEach(value -> headers.add("set-cookie", new AsciiString(value)));
    return headers;
  }

  public static Http2Headers bare(int status) {
    return new DefaultHttp2Headers(false).status(status(status));
  }

  private static AsciiString status(int status) {
    return new AsciiString(Integer.toString(status));
  }
}
