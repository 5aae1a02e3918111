package dev.muelle.wire;

import dev.muelle.wire.http.HttpRequest;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The one form of a request that both sides of a signature agree on. */
final class CanonicalRequest {
  private static final String UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD";

  private CanonicalRequest() {}

  static String of(HttpRequest request, FormData query, String signedHeaders, byte[] body) {
    StringBuilder text = new StringBuilder(512);
    text.append(request.method()).append('\n');
    text.append(canonicalPath(request.path())).append('\n');
    text.append(canonicalQuery(query)).append('\n');
    for (String header : signedHeaders.split(";", -1)) {
      List<String> values = request.headers().getOrDefault(header, List.of());
      text.append(header)
          .append(':')
          .append(values.stream().map(CanonicalRequest::trimmed).collect(Collectors.joining(",")))
          .append('\n');
    }
    text.append('\n').append(signedHeaders).append('\n');
    boolean unsigned =
        request
            .header("x-amz-content-sha256")
            .or(() -> query.get("X-Amz-Content-Sha256"))
            .filter(UNSIGNED_PAYLOAD::equals)
            .isPresent();
    text.append(unsigned ? UNSIGNED_PAYLOAD : Hashes.hex(Hashes.sha256(body)));
    return text.toString();
  }

  /** Every service but S3 signs the path encoded once more than it is sent. */
  private static String canonicalPath(String path) {
    List<String> segments = new ArrayList<>();
    for (String segment : path.split("/", -1)) {
      switch (segment) {
        case "", "." -> {}
        case ".." -> {
          if (!segments.isEmpty()) {
            segments.removeLast();
          }
        }
        default -> segments.add(encode(segment));
      }
    }
    String normal = "/" + String.join("/", segments);
    return path.endsWith("/") && !segments.isEmpty() ? normal + "/" : normal;
  }

  private static String canonicalQuery(FormData query) {
    return query.pairs().stream()
        .filter(pair -> !pair.getKey().equals("X-Amz-Signature"))
        .map(pair -> Map.entry(encode(pair.getKey()), encode(pair.getValue())))
        .sorted(
            Map.Entry.<String, String>comparingByKey()
                .thenComparing(Map.Entry::getValue, Comparator.naturalOrder()))
        .map(pair -> pair.getKey() + "=" + pair.getValue())
        .collect(Collectors.joining("&"));
  }

  /** RFC 3986: everything but the unreserved characters. */
  private static String encode(String text) {
    StringBuilder out = new StringBuilder(text.length() + 16);
    for (byte b : Hashes.bytes(text)) {
      boolean unreserved =
          (b >= 'A' && b <= 'Z')
              || (b >= 'a' && b <= 'z')
              || (b >= '0' && b <= '9')
              || b == '-'
              || b == '.'
              || b == '_'
              || b == '~';
      if (unreserved) {
        out.append((char) b);
      } else {
        out.append('%').append(HexFormat.of().withUpperCase().toHexDigits(b));
      }
    }
    return out.toString();
  }

  private static String trimmed(String value) {
    return value.strip().replaceAll(" +", " ");
  }
}
