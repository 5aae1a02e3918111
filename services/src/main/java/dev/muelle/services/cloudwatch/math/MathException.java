package dev.muelle.services.cloudwatch.math;

/** Says what is wrong with an expression. */
final class MathException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  MathException(String message) {
    super(message);
  }
}
