package dev.muelle.services.cloudwatchlogs.insights;

/** A query that is none. */
public final class QueryError extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final int from;
  private final int to;

  /**
   * Something wrong between two characters of the query.
   *
   * @param from the first character that is wrong
   * @param to after the last one
   */
  QueryError(String message, int from, int to) {
    super(message);
    this.from = from;
    this.to = to;
  }

  public int from() {
    return from;
  }

  public int to() {
    return to;
  }
}
