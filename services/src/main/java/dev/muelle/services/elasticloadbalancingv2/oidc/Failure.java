package dev.muelle.services.elasticloadbalancingv2.oidc;

/**
 * Why a user could not be authenticated.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html#error-reason-codes">
 *     Error reason codes</a>
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html#load-balancer-http-error-codes">
 *     The load balancer generates an HTTP error</a>
 */
final class Failure extends Exception {

  private static final long serialVersionUID = 1;

  private static final int UNAUTHORIZED = 401;
  private static final int UNREACHABLE = 500;
  private static final int REFUSED_BY_PROVIDER = 561;

  /** What the client is told. */
  final int status;

  /** As access logs name it. */
  final String reason;

  /** By which metric it is counted. */
  final Kind kind;

  enum Kind {
    FAILURE,
    ERROR,
    SIZE
  }

  private Failure(int status, String reason, Kind kind) {
    super(reason, null, false, false);
    this.status = status;
    this.reason = reason;
    this.kind = kind;
  }

  /** The user, or what the provider says of it, is not to be believed. */
  static Failure invalid(String reason) {
    return new Failure(UNAUTHORIZED, reason, Kind.FAILURE);
  }

  /** The provider says no. */
  static Failure refused(String reason, Kind kind) {
    return new Failure(REFUSED_BY_PROVIDER, reason, kind);
  }

  /** The provider cannot be asked. */
  static Failure unreachable(String reason) {
    return new Failure(UNREACHABLE, reason, Kind.ERROR);
  }

  /** HTTP/1.0 without a host: nobody knows where to come back to. */
  static Failure missingHost() {
    return new Failure(UNAUTHORIZED, "AuthMissingHostHeader", Kind.ERROR);
  }

  /** More than cookies can hold. */
  static Failure tooLarge() {
    return new Failure(UNREACHABLE, "AuthUserinfoResponseSizeExceeded", Kind.SIZE);
  }
}
