package dev.muelle.wire.http;

import java.io.InputStream;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * A request as it came off the socket.
 *
 * @param method upper case
 * @param path the raw path, still percent-encoded, starting with a slash
 * @param query the raw query without the question mark; empty if there is none
 * @param headers names in lower case, values in order of arrival
 * @param remoteAddress the peer's textual IP address
 * @param body read at most once; its length is not known in advance when chunked
 */
public record HttpRequest(
    String method,
    String path,
    String query,
    Map<String, List<String>> headers,
    String remoteAddress,
    InputStream body) {

  /** The first value of a header, by any case of its name. */
  public Optional<String> header(String name) {
    List<String> values = headers.get(name.toLowerCase(Locale.ROOT));
    return values == null || values.isEmpty() ? Optional.empty() : Optional.of(values.getFirst());
  }
}
