package dev.muelle.engine.oci;

import dev.muelle.linux.Command;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A file system of limited size for what a sandbox's containers write: ext4 in a sparse file, so
 * that it takes only what is written. It has no journal, because it does not outlive the sandbox.
 */
final class Disk {

  private static final long SMALLEST = 16L << 20;

  private Disk() {}

  static void create(Path image, Path target, long bytes) throws IOException {
    Files.createDirectories(target);
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(Math.max(SMALLEST, bytes));
    }
    Command.run(
        "mkfs.ext4",
        "-q",
        "-F",
        "-m",
        "0",
        "-O",
        "^has_journal",
        "-E",
        "nodiscard,lazy_itable_init=1",
        image.toString());
    // The loop device goes with the mount.
    Command.run("mount", "-o", "loop,nodev,noatime", image.toString(), target.toString());
  }
}
