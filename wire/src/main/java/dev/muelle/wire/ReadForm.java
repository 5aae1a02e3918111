package dev.muelle.wire;

import dev.muelle.wire.http.HttpResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Reads the parameters of the query protocols, from the query string (GET) and from the body
 * (POST). An unsigned request names no service, but its version does.
 */
final class ReadForm implements Chain.Step {
  private final Mounts mounts;

  ReadForm(Mounts mounts) {
    this.mounts = mounts;
  }

  @Override
  public HttpResponse take(Exchange exchange, Chain.Next next) throws IOException {
    switch (exchange.protocol()) {
      case AwsJson _, RestJson _, RpcV2Cbor _ -> {}
      case AwsQuery _, Ec2Query _ -> {
        Map<String, String> form =
            new LinkedHashMap<>(FormData.parse(exchange.request().query()).asMap());
        if (exchange.request().method().equals("POST")) {
          form.putAll(
              FormData.parse(new String(exchange.content(), StandardCharsets.UTF_8)).asMap());
        }
        exchange.form(form);
        String version = form.getOrDefault("Version", "");
        if (exchange.credential().isEmpty() && !version.isEmpty()) {
          mounts
              .first(model -> model.apiVersion().equals(version))
              .ifPresent(mount -> exchange.protocol(mount.model().protocol()));
        }
      }
    }
    return next.proceed(exchange);
  }
}
