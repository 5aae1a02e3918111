package dev.muelle.store;

/** The database could not do it: a full disk, a damaged file, a file that somebody else holds. */
public final class StoreException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public StoreException(String message) {
    super(message);
  }

  public StoreException(String message, Throwable cause) {
    super(message, cause);
  }
}
