package dev.muelle.wire;

import dev.muelle.wire.http.HttpRequest;
import dev.muelle.wire.http.HttpResponse;
import java.io.IOException;

/** Finds out from the head of a request which protocol the caller speaks. */
final class Recognize implements Chain.Step {
  private static final String JSON = "application/x-amz-json-";

  private final Mounts mounts;

  Recognize(Mounts mounts) {
    this.mounts = mounts;
  }

  @Override
  public HttpResponse take(Exchange exchange, Chain.Next next) throws IOException {
    HttpRequest request = exchange.request();
    String contentType = request.header("content-type").orElse("");
    if (contentType.startsWith(JSON) || request.header("x-amz-target").isPresent()) {
      exchange.protocol(
          new AwsJson(contentType.startsWith(JSON + "1.0") ? "1.0" : "1.1", mounts.shapes()));
    }
    exchange.credential(Credential.of(request));
    if (exchange.protocol() instanceof AwsQuery) {
      exchange
          .credential()
          .flatMap(credential -> mounts.signedAs(credential.service()).stream().findFirst())
          .ifPresent(mount -> exchange.protocol(mount.model().protocol()));
    }
    return next.proceed(exchange);
  }
}
