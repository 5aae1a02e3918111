package dev.muelle.services.ecs.exec;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class WordsTest {

  private static void splits(String line, String... words) {
    assertEquals(Optional.of(List.of(words)), Words.split(line), line);
  }

  @Test
  void asAShellDoes() {
    splits("");
    splits(" \t\n");
    splits("/bin/sh", "/bin/sh");
    splits("  ls   -la  /tmp ", "ls", "-la", "/tmp");
    splits("sh -c 'echo \"$A\"; exit 3'", "sh", "-c", "echo \"$A\"; exit 3");
    splits("a\"b c\"d''", "ab cd");
    splits("'' \"\"", "", "");
    splits("a\\ b \"\\\"\" '\\'", "a b", "\"", "\\");
    splits("\"\\n\"", "\\n");
    for (String open : List.of("'", "\"", "a 'b", "\\", "\"\\\"")) {
      assertEquals(Optional.empty(), Words.split(open), open);
    }
  }
}
