package dev.muelle.wire;

import dev.muelle.wire.http.HttpRequest;
import dev.muelle.wire.http.HttpResponse;
import java.io.IOException;
import java.util.Optional;
import java.util.Set;

/** Finds out from the head of a request which protocol the caller speaks. */
final class Recognize implements Chain.Step {
  private static final String JSON = "application/x-amz-json-";
  private static final String FORM = "application/x-www-form-urlencoded";

  /** The signing names of services whose protocol is restXml. */
  private static final Set<String> REST_XML = Set.of("s3", "route53", "cloudfront");

  private final Mounts mounts;

  Recognize(Mounts mounts) {
    this.mounts = mounts;
  }

  @Override
  public HttpResponse take(Exchange exchange, Chain.Next next) throws IOException {
    HttpRequest request = exchange.request();
    String contentType = request.header("content-type").orElse("");
    boolean json = contentType.startsWith(JSON) || request.header("x-amz-target").isPresent();
    boolean cbor = request.header("smithy-protocol").orElse("").equals(RpcV2Cbor.NAME);
    if (cbor) {
      exchange.protocol(new RpcV2Cbor(mounts.shapes()));
    } else if (json) {
      exchange.protocol(json(contentType.startsWith(JSON + "1.0") ? "1.0" : "1.1"));
    }
    exchange.credential(Credential.of(request));
    exchange
        .credential()
        .filter(credential -> !json && !cbor)
        .ifPresent(credential -> exchange.protocol(signed(credential.service(), request)));
    return next.proceed(exchange);
  }

  private Protocol json(String version) {
    return new AwsJson(version, mounts.shapes());
  }

  private Protocol signed(String service, HttpRequest request) {
    Optional<Mounts.Mount> mount = mounts.signedAs(service).stream().findFirst();
    if (mount.isPresent()) {
      return mount.get().model().protocol();
    }
    boolean query =
        request.header("content-type").orElse("").startsWith(FORM)
            || FormData.parse(request.query()).get("Action").isPresent();
    // A REST service that is not here: most clients read the error in JSON.
    return query || REST_XML.contains(service) ? new AwsQuery() : json("1.1");
  }
}
