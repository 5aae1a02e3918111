package dev.muelle.wire;

import dev.muelle.wire.http.HttpRequest;
import java.util.Arrays;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The credential that a request names, unverified: {@code <key>/<date>/<region>/<service>/<end>}.
 * Says in which region the caller wants to be served, and by which service.
 */
record Credential(String accessKeyId, String date, String region, String service, String end) {
  private static final Pattern IN_HEADER = Pattern.compile("Credential=\\s*([^,\\s]+)");

  static Optional<Credential> of(HttpRequest request) {
    Optional<String> text =
        request
            .header("authorization")
            .map(IN_HEADER::matcher)
            .filter(Matcher::find)
            .map(matcher -> matcher.group(1));
    return text.or(() -> FormData.parse(request.query()).get("X-Amz-Credential"))
        .flatMap(Credential::parse);
  }

  /** Reads a scope from its right end, because key ids of other systems may hold slashes. */
  static Optional<Credential> parse(String text) {
    String[] parts = text.split("/", -1);
    int n = parts.length;
    if (n < 5) {
      return Optional.empty();
    }
    String key = String.join("/", Arrays.copyOf(parts, n - 4));
    return Optional.of(new Credential(key, parts[n - 4], parts[n - 3], parts[n - 2], parts[n - 1]));
  }
}
