package dev.muelle.wire.http;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * An answer.
 *
 * @param headers in the order in which they are sent
 * @param length of the body in bytes, or -1 to send it chunked. For an answer to HEAD it may be the
 *     length that GET would send, with an empty body
 * @param hops how far its packets may go: with 1 no router passes them on; 0 for as far as any
 */
public record HttpResponse(
    int status, Map<String, List<String>> headers, long length, Body body, int hops) {

  public HttpResponse(int status, Map<String, List<String>> headers, long length, Body body) {
    this(status, headers, length, body, 0);
  }

  /** Writes the body; called at most once, after the head went out. */
  @FunctionalInterface
  public interface Body {
    Body EMPTY = out -> {};

    void writeTo(OutputStream out) throws IOException;
  }

  public static HttpResponse of(int status) {
    return new HttpResponse(status, Map.of(), 0, Body.EMPTY);
  }

  public static HttpResponse of(int status, String contentType, byte[] body) {
    return of(status).header("Content-Type", contentType).body(body);
  }

  public static HttpResponse of(int status, String contentType, String body) {
    return of(status, contentType, body.getBytes(StandardCharsets.UTF_8));
  }

  /** This answer with one more header value. */
  public HttpResponse header(String name, String value) {
    Map<String, List<String>> more = new LinkedHashMap<>(headers);
    List<String> values = new ArrayList<>(more.getOrDefault(name, List.of()));
    values.add(value);
    more.put(name, List.copyOf(values));
    return new HttpResponse(status, more, length, body, hops);
  }

  public HttpResponse body(byte[] bytes) {
    return new HttpResponse(status, headers, bytes.length, out -> out.write(bytes), hops);
  }

  public HttpResponse body(long length, Body body) {
    return new HttpResponse(status, headers, length, body, hops);
  }

  /**
   * This answer within a limit.
   *
   * @param most 1 to 63 hops, of which only sockets inside a VPC know; 64 is no limit
   */
  public HttpResponse within(int most) {
    return new HttpResponse(status, headers, length, body, most == 64 ? 0 : most);
  }
}
