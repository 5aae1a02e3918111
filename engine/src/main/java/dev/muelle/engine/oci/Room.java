package dev.muelle.engine.oci;

/**
 * What an engine keeps on the disk beyond what runs on it needs.
 *
 * @param outputBytes of each container's output that nobody has read for good yet; one that prints
 *     more waits
 */
public record Room(long outputBytes) {

  /** Enough for minutes of a busy container, little for a disk. */
  public static Room usual() {
    return new Room(32L << 20);
  }
}
