package dev.muelle.balancer;

/** A message that must not be passed on. Carries no stack: it is thrown at every probe. */
final class BadMessage extends RuntimeException {
  private static final long serialVersionUID = 1L;

  final int status;

  /** In the words of ALB's access logs. */
  final String reason;

  /**
   * Says what was wrong.
   *
   * @param status what a client that sent it is answered
   */
  BadMessage(int status, String why) {
    this(status, why, "BadHeader");
  }

  BadMessage(int status, String why, String reason) {
    super(why, null, false, false);
    this.status = status;
    this.reason = reason;
  }
}
