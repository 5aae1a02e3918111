package dev.muelle.services.sns;

/**
 * What became of an attempt.
 *
 * @param status of HTTP; 0 if there was none
 * @param said by the other side, or why there was nobody
 */
record Outcome(Result result, int status, String said) {

  /** Whether a message arrived, may arrive later, or never will. */
  enum Result {
    DELIVERED,
    AGAIN,
    NEVER
  }

  static Outcome failed(Throwable why) {
    String message = why.getMessage();
    return new Outcome(Result.AGAIN, 0, message == null ? why.getClass().getSimpleName() : message);
  }
}
