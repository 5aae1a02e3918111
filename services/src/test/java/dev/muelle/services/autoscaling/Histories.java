package dev.muelle.services.autoscaling;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Histories out of seeds, in which servers die; one that fails names its seed. */
final class Histories {

  private Histories() {}

  /** One of them. */
  interface History {
    /** Gives how often the server died. */
    int run(Path directory, int seed);
  }

  static void run(Path directory, int seeds, History history) throws IOException {
    int deaths = 0;
    for (int seed = 0; seed < seeds; seed++) {
      try {
        deaths += history.run(Files.createTempDirectory(directory, "seed" + seed), seed);
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
      }
    }
    assertTrue(deaths >= seeds, "the server died only " + deaths + " times");
  }
}
