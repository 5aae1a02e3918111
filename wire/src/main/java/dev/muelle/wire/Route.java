package dev.muelle.wire;

import dev.muelle.wire.http.HttpRequest;
import dev.muelle.wire.http.HttpResponse;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Finds the service and the operation: by X-Amz-Target in the JSON protocols, by the path in CBOR,
 * by method and path in REST, by Action, the signed service and Version in the query protocols.
 */
final class Route implements Chain.Step {
  private static final Pattern RPC = Pattern.compile("/service/([^/]+)/operation/([^/]+)");

  private final Mounts mounts;
  private final Access access;

  Route(Mounts mounts, Access access) {
    this.mounts = mounts;
    this.access = access;
  }

  @Override
  public HttpResponse take(Exchange exchange, Chain.Next next) throws IOException {
    switch (exchange.protocol()) {
      case AwsJson _ -> byTarget(exchange);
      case RpcV2Cbor _ -> byPath(exchange);
      case RestJson _ -> byResource(exchange);
      case AwsQuery _, Ec2Query _ -> byAction(exchange);
    }
    return next.proceed(exchange);
  }

  private void byTarget(Exchange exchange) {
    String target = exchange.request().header("x-amz-target").orElse("");
    int dot = target.indexOf('.');
    String prefix = target.substring(0, Math.max(dot, 0));
    go(
        exchange,
        mount(exchange, model -> !prefix.isEmpty() && model.targetPrefix().equals(prefix)),
        target.substring(dot + 1),
        "Unknown operation: " + target);
  }

  private void byPath(Exchange exchange) {
    String path = exchange.request().path();
    Matcher named = RPC.matcher(path);
    String service = named.matches() ? named.group(1) : "";
    go(
        exchange,
        mount(exchange, model -> !service.isEmpty() && model.targetPrefix().equals(service)),
        named.matches() ? named.group(2) : "",
        "Unknown operation: " + path);
  }

  private void byResource(Exchange exchange) {
    HttpRequest request = exchange.request();
    Optional<Mounts.Mount> mount =
        mount(exchange, model -> model.at(request.method(), request.path()).isPresent());
    go(
        exchange,
        mount,
        mount.flatMap(to -> to.model().at(request.method(), request.path())).orElse(""),
        "Unknown operation: " + request.method() + " " + request.path());
  }

  private void byAction(Exchange exchange) {
    String action = exchange.form().getOrDefault("Action", "");
    String version = exchange.form().getOrDefault("Version", "");
    if (action.isEmpty() && served(exchange)) {
      throw new WireException(
          Fault.NO_OPERATION, "The request is missing an action or a required parameter.");
    }
    Optional<Mounts.Mount> mount =
        mount(exchange, model -> !version.isEmpty() && model.apiVersion().equals(version));
    String unknown =
        switch (exchange.protocol()) {
          case Ec2Query _ -> "The action " + action + " is not valid for this web service.";
          case AwsQuery _, AwsJson _, RestJson _, RpcV2Cbor _ ->
              "Could not find operation " + action + " for version " + version;
        };
    go(exchange, mount, action, unknown);
  }

  /** First among what the caller signed for, so that the other interfaces need not be looked at. */
  private Optional<Mounts.Mount> mount(Exchange exchange, Predicate<ServiceModel> asked) {
    List<Mounts.Mount> signed =
        exchange.credential().map(Credential::service).map(mounts::signedAs).orElse(List.of());
    return signed.stream()
        .filter(mount -> asked.test(mount.model()))
        .findFirst()
        .or(() -> mounts.first(asked));
  }

  /** Whether the caller signed for a service that is here, or for none. */
  private boolean served(Exchange exchange) {
    return exchange
        .credential()
        .map(credential -> !mounts.signedAs(credential.service()).isEmpty())
        .orElse(true);
  }

  private void go(
      Exchange exchange, Optional<Mounts.Mount> mount, String operation, String unknown) {
    if (mount.isEmpty() && !served(exchange)) {
      throw notServed(exchange.credential().map(Credential::service).orElse(""), operation);
    }
    Mounts.Mount to = mount.orElseThrow(() -> new WireException(Fault.UNKNOWN_OPERATION, unknown));
    switch (access) {
      case Access.Verified _ -> refuseOtherScope(exchange, to);
      case Access.Open _ -> {}
    }
    exchange.route(
        to,
        to.model()
            .operation(operation)
            .orElseThrow(() -> new WireException(Fault.UNKNOWN_OPERATION, unknown)));
  }

  private static WireException notServed(String service, String operation) {
    return new WireException(
        Fault.NOT_IMPLEMENTED,
        operation.isEmpty()
            ? "The service " + service + " is not implemented: it is not served here."
            : "The operation "
                + operation
                + " of the service "
                + service
                + " is not implemented: the service is not served here.");
  }

  /** A signature is good for one service only. */
  private static void refuseOtherScope(Exchange exchange, Mounts.Mount to) {
    exchange
        .credential()
        .filter(credential -> !credential.service().equals(to.signingName()))
        .ifPresent(credential -> {
          throw new WireException(
              Fault.WRONG_SIGNATURE,
              "Credential should be scoped to correct service: '" + to.signingName() + "'. ");
        });
  }
}
