package dev.muelle.services.ecs.placement;

/**
 * Text that can be read only so often, so that a pattern that backtracks without end (as {@code
 * (a+)+b} does) cannot hold up the scheduler.
 */
final class Patient implements CharSequence {

  private static final int MOST_READS = 100_000;

  private final String text;
  private int reads;

  Patient(String text) {
    this.text = text;
  }

  @Override
  public int length() {
    return text.length();
  }

  @Override
  public char charAt(int index) {
    if (++reads > MOST_READS) {
      throw new GaveUp();
    }
    return text.charAt(index);
  }

  @Override
  public CharSequence subSequence(int start, int end) {
    return text.substring(start, end);
  }

  @Override
  public String toString() {
    return text;
  }

  static final class GaveUp extends RuntimeException {
    private static final long serialVersionUID = 1L;

    GaveUp() {
      super("a pattern read its text more than " + MOST_READS + " times", null, false, false);
    }
  }
}
