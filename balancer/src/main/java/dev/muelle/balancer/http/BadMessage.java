package dev.muelle.balancer.http;

/** A message that must not be passed on. Carries no stack: it is thrown at every probe. */
public final class BadMessage extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public final int status;

  /** In the words of ALB's access logs. */
  public final String reason;

  /**
   * Says what was wrong.
   *
   * @param status what a client that sent it is answered
   */
  public BadMessage(int status, String why) {
    this(status, why, "BadHeader");
  }

  public BadMessage(int status, String why, String reason) {
    super(why, null, false, false);
    this.status = status;
    this.reason = reason;
  }
}
