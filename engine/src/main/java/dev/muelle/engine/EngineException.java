package dev.muelle.engine;

/**
 * The engine could not do what was asked; the message is one that a user of ECS may read as a
 * stopped reason.
 */
public class EngineException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public EngineException(String message) {
    super(message);
  }

  public EngineException(String message, Throwable cause) {
    super(message, cause);
  }
}
