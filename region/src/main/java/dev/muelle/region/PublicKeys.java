package dev.muelle.region;

import dev.muelle.wire.http.HttpHandler;
import dev.muelle.wire.http.HttpRequest;
import dev.muelle.wire.http.HttpResponse;
import java.util.Optional;
import java.util.function.Function;

/**
 * Where applications get the keys by which they verify what a load balancer tells them of a user;
 * on the host and inside every VPC. AWS has them at {@code
 * https://public-keys.auth.elb.region.amazonaws.com/kid}.
 */
final class PublicKeys {

  static final String PATH = "/_muelle/elb/public-keys/";

  private volatile Function<String, Optional<String>> keys = id -> Optional.empty();

  /** From now on it has these, by their id. */
  void have(Function<String, Optional<String>> found) {
    keys = found;
  }

  HttpResponse answer(HttpRequest request) {
    return keys.apply(request.path().substring(PATH.length()))
        .map(pem -> HttpResponse.of(200, "application/x-pem-file", pem))
        .orElseGet(() -> HttpResponse.of(404, "text/plain", "There is no such key\n"));
  }

  /** The same server, which has the keys, too. */
  HttpHandler beside(HttpHandler other) {
    return request -> request.path().startsWith(PATH) ? answer(request) : other.handle(request);
  }
}
