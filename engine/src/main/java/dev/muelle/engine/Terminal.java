package dev.muelle.engine;

/** A further process in a container, with a terminal of its own. */
public interface Terminal extends AutoCloseable {

  /**
   * Waits for what the process prints. Only one thread at a time may read; it must not be a virtual
   * one.
   *
   * @return how much was read; -1 when the process has ended
   */
  int read(byte[] into);

  /** Types; waits while the process does not read. Nothing happens when it has ended. */
  void write(byte[] bytes);

  /** Tells the process how large the screen is, in characters. */
  void resize(int columns, int rows);

  /** Waits for the end: the process's own exit code, or 128 plus the signal that killed it. */
  int exitCode();

  /** Kills the process, so that whoever reads comes to the end. */
  void end();

  /** Ends the process if it runs, and lets go. Not while somebody reads. */
  @Override
  void close();
}
