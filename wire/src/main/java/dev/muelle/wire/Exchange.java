package dev.muelle.wire;

import dev.muelle.wire.http.HttpRequest;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One request on its way down the {@link Chain}; each step adds what it found out for those below
 * and for the rendering of errors. Used by one thread.
 */
final class Exchange {
  private final HttpRequest request;
  private String requestId = "";
  private Protocol protocol = new AwsQuery(); // until somebody knows better
  private Optional<Credential> credential = Optional.empty();
  private byte[] body = {};
  private byte[] content = {};
  private Map<String, String> form = Map.of();
  private @Nullable Caller caller;
  private Mounts.@Nullable Mount mount;
  private @Nullable Operation operation;

  Exchange(HttpRequest request) {
    this.request = request;
  }

  HttpRequest request() {
    return request;
  }

  String requestId() {
    return requestId;
  }

  void requestId(String id) {
    requestId = id;
  }

  Protocol protocol() {
    return protocol;
  }

  void protocol(Protocol spoken) {
    protocol = spoken;
  }

  /** The credential that the request names; trustworthy only below the signature check. */
  Optional<Credential> credential() {
    return credential;
  }

  void credential(Optional<Credential> named) {
    credential = named;
  }

  /** As it came: what the signature covers. */
  byte[] body() {
    return body;
  }

  /** What the body says: unpacked, if the caller has compressed it. */
  byte[] content() {
    return content;
  }

  void body(byte[] bytes, byte[] unpacked) {
    body = bytes;
    content = unpacked;
  }

  /** Parameters of the query protocols, from the query string and the body. */
  Map<String, String> form() {
    return form;
  }

  void form(Map<String, String> parameters) {
    form = parameters;
  }

  Caller caller() {
    return set(caller, "caller");
  }

  void caller(Caller who) {
    caller = who;
  }

  Mounts.Mount mount() {
    return set(mount, "mount");
  }

  Operation operation() {
    return set(operation, "operation");
  }

  void route(Mounts.Mount to, Operation what) {
    mount = to;
    operation = what;
    protocol = spoken(protocol, to.model().protocol());
  }

  /** Some services speak several: what the caller speaks is what it is answered in. */
  private static Protocol spoken(Protocol byCaller, Protocol byModel) {
    return switch (byCaller) {
      case RpcV2Cbor cbor -> cbor;
      case AwsJson json -> byModel instanceof AwsJson ? byModel : json;
      case AwsQuery _, Ec2Query _, RestJson _ -> byModel;
    };
  }

  /** The service that the request was routed to, if it came so far. */
  Optional<ServiceModel> service() {
    return Optional.ofNullable(operation).map(Operation::service);
  }

  private static <T> T set(@Nullable T value, String what) {
    if (value == null) {
      throw new IllegalStateException("no " + what + " yet: a step stands too high in the chain");
    }
    return value;
  }
}
