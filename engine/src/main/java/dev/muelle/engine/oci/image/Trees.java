package dev.muelle.engine.oci.image;

import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.EnumSet;
import org.jspecify.annotations.Nullable;

/** Whole directories. */
public final class Trees {

  /** So deep we walk at once: each level is an open file, and a path may have 4,096 bytes only. */
  private static final int DEPTH = 14; // names have 255 bytes at most

  private Trees() {}

  /**
   * Removes a file, or a directory with all that is in it; links are removed, not followed.
   *
   * <p>However deep it is: a container can make directories below each other until no path is short
   * enough to name them. What is too deep is moved up, and removed from there.
   */
  public static void delete(Path path) throws IOException {
    boolean done = false;
    while (!done) {
      Delete delete = new Delete(path);
      try {
        Files.walkFileTree(path, EnumSet.noneOf(FileVisitOption.class), DEPTH, delete);
      } catch (NoSuchFileException e) {
        // gone already
      }
      done = delete.moved == 0;
    }
  }

  private static final class Delete extends SimpleFileVisitor<Path> {
    private final Path root;
    private int moved;

    Delete(Path root) {
      this.root = root;
    }

    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
      try {
        Files.deleteIfExists(file);
      } catch (DirectoryNotEmptyException e) { // where we go no deeper
        moveUp(file);
      }
      return FileVisitResult.CONTINUE;
    }

    private void moveUp(Path directory) throws IOException {
      try {
        Files.move(directory, free());
        moved++;
      } catch (NoSuchFileException e) {
        // somebody else was quicker
      }
    }

    private Path free() {
      int number = moved;
      Path place;
      do {
        place = root.resolve("deep-" + number++);
      } while (Files.exists(place, LinkOption.NOFOLLOW_LINKS));
      return place;
    }

    @Override
    public FileVisitResult visitFileFailed(Path file, IOException failure) throws IOException {
      if (failure instanceof NoSuchFileException) {
        return FileVisitResult.CONTINUE; // somebody else was quicker
      }
      throw failure;
    }

    @Override
    public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException failure)
        throws IOException {
      if (failure != null) {
        throw failure;
      }
      if (!directory.equals(root) || moved == 0) {
        Files.deleteIfExists(directory);
      }
      return FileVisitResult.CONTINUE;
    }
  }
}
