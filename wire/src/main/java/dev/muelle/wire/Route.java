package dev.muelle.wire;

import dev.muelle.wire.http.HttpResponse;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * Finds the service and the operation: by X-Amz-Target in the JSON protocols, by Action, the signed
 * service and Version in the query protocols.
 */
final class Route implements Chain.Step {
  private final Mounts mounts;

  Route(Mounts mounts) {
    this.mounts = mounts;
  }

  @Override
  public HttpResponse take(Exchange exchange, Chain.Next next) throws IOException {
    switch (exchange.protocol()) {
      case AwsJson _ -> byTarget(exchange);
      case AwsQuery _, Ec2Query _ -> byAction(exchange);
    }
    return next.proceed(exchange);
  }

  private void byTarget(Exchange exchange) {
    String target = exchange.request().header("x-amz-target").orElse("");
    int dot = target.indexOf('.');
    String prefix = target.substring(0, Math.max(dot, 0));
    String name = target.substring(dot + 1);
    List<Mounts.Mount> signed = signed(exchange, name);
    Optional<Mounts.Mount> mount =
        signed.stream()
            .filter(m -> !prefix.isEmpty() && m.model().targetPrefix().equals(prefix))
            .findFirst()
            .or(() -> prefix.isEmpty() ? Optional.empty() : mounts.withTarget(prefix));
    go(exchange, mount, name, "Unknown operation: " + target);
  }

  private void byAction(Exchange exchange) {
    String action = exchange.form().getOrDefault("Action", "");
    List<Mounts.Mount> signed = signed(exchange, action);
    if (action.isEmpty()) {
      throw new WireException(
          Fault.NO_OPERATION, "The request is missing an action or a required parameter.");
    }
    String version = exchange.form().getOrDefault("Version", "");
    Optional<Mounts.Mount> mount =
        signed.stream()
            .filter(m -> version.isEmpty() || m.model().apiVersion().equals(version))
            .findFirst()
            .or(() -> version.isEmpty() ? Optional.empty() : mounts.withVersion(version));
    go(
        exchange,
        mount,
        action,
        switch (exchange.protocol()) {
          case Ec2Query _ -> "The action " + action + " is not valid for this web service.";
          case AwsQuery _, AwsJson _ ->
              "Could not find operation " + action + " for version " + version;
        });
  }

  /** The services that the caller may mean by what it signed. */
  private List<Mounts.Mount> signed(Exchange exchange, String operation) {
    Optional<String> service = exchange.credential().map(Credential::service);
    List<Mounts.Mount> signed = service.map(mounts::signedAs).orElse(List.of());
    if (service.isPresent() && signed.isEmpty()) {
      throw new WireException(
          Fault.NOT_IMPLEMENTED,
          operation.isEmpty()
              ? "The service " + service.get() + " is not implemented."
              : "The operation "
                  + operation
                  + " of the service "
                  + service.get()
                  + " is not implemented: the service is not served here.");
    }
    return signed;
  }

  private static void go(
      Exchange exchange, Optional<Mounts.Mount> mount, String operation, String unknown) {
    Mounts.Mount to = mount.orElseThrow(() -> new WireException(Fault.UNKNOWN_OPERATION, unknown));
    exchange
        .credential()
        .filter(credential -> !credential.service().equals(to.model().signingName()))
        .ifPresent(credential -> {
          throw new WireException(
              Fault.WRONG_SIGNATURE,
              "Credential should be scoped to correct service: '"
                  + to.model().signingName()
                  + "'. ");
        });
    exchange.route(
        to,
        to.model()
            .operation(operation)
            .orElseThrow(() -> new WireException(Fault.UNKNOWN_OPERATION, unknown)));
  }
}
