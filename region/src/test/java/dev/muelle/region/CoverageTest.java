package dev.muelle.region;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.muelle.wire.Coverage;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** {@code docs/coverage.md} is what the code says: written here, and to be committed as written. */
class CoverageTest {

  @Test
  void theDocumentSaysWhatTheCodeHas() throws Exception {
    Path document = Path.of("../docs/coverage.md");
    String before = Files.exists(document) ? Files.readString(document) : "";
    String now = Coverage.markdown(Mounted.coverage());
    if (!now.equals(before)) {
      Files.writeString(document, now);
    }
    assertEquals(now, before, "docs/coverage.md was out of date and is rewritten now: commit it");
  }
}
