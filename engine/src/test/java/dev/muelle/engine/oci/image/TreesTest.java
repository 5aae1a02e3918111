package dev.muelle.engine.oci.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TreesTest {

  private static final int LEVELS = 15; // at once, with names of 200 bytes
  private static final int TIMES = 20;

  @TempDir Path directory;

  /** A directory below which there are so many others that no path can name the last one. */
  private Path deep() throws IOException {
    Path deep = directory.resolve("bottom");
    Files.writeString(Files.createDirectory(deep).resolve("file"), "x");
    for (int time = 0; time < TIMES; time++) {
      Path top = directory.resolve("top" + time);
      Path place = top;
      for (int level = 0; level < LEVELS; level++) {
        place = place.resolve("n".repeat(200));
      }
      Files.createDirectories(place);
      Files.move(deep, place.resolve("deep-0"));
      deep = top;
    }
    return deep;
  }

  @Test
  void whatIsTooDeepForAPathGoesToo() throws IOException {
    Path deep = deep();
    Path kept = Files.writeString(directory.resolve("kept"), "still here");
    Files.createSymbolicLink(deep.resolve("link"), kept);
    Files.writeString(deep.resolve("deep-0"), "a name that is wanted");
    Trees.delete(deep);
    assertFalse(Files.exists(deep));
    assertEquals("still here", Files.readString(kept));
  }

  @Test
  void aFileGoesAndWhatIsNotThereIsNoMatter() throws IOException {
    Path file = Files.writeString(directory.resolve("file"), "x");
    Trees.delete(file);
    Trees.delete(file);
    assertFalse(Files.exists(file));
  }
}
