package dev.muelle.wire;

/** A request that the wire layer itself refuses; rendered in the form of the caller's protocol. */
final class WireException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final Fault fault;

  WireException(Fault fault, String message) {
    super(message, null, false, false); // an answer, not an accident: nobody reads its stack trace
    this.fault = fault;
  }

  Fault fault() {
    return fault;
  }

  String said() {
    return String.valueOf(getMessage());
  }
}
