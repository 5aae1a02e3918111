package dev.muelle.engine.oci;

import dev.muelle.engine.oci.image.Shelf;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * What an engine keeps on the disk beyond what runs on it needs.
 *
 * @param outputBytes of each container's output that nobody has read for good yet; one that prints
 *     more waits
 * @param shelf what is kept of images
 */
public record Room(long outputBytes, Shelf shelf) {

  private static final int SHARE = 5;

  /**
   * Output for minutes of a busy container; images for a fifth of the disk, and those of the last
   * half hour in any case.
   *
   * @param directory on the disk that is meant; it need not exist yet
   */
  public static Room usual(Path directory) {
    Path there = directory.toAbsolutePath();
    while (!Files.exists(there) && there.getParent() != null) {
      there = there.getParent();
    }
    long disk = there.toFile().getTotalSpace(); // a FileStore needs a mount that this root can see
    return new Room(32L << 20, new Shelf(disk / SHARE, Duration.ofMinutes(30)));
  }
}
