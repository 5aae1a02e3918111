package dev.muelle.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code kill -9} at random moments: what was acknowledged is there, and no half transaction. */
class KillTest {

  private static final int ROUNDS = 25;
  private static final Table<String> PAIRS = Table.of("test.pairs", SqliteStoreTest.TEXT);

  @TempDir private Path directory;

  @Test
  @Timeout(300)
  void losesNothingAcknowledged() throws Exception {
    Path file = directory.resolve("db");
    Random random = new Random(9);
    long acknowledged = -1;
    for (int round = 0; round < ROUNDS; round++) {
      Process writer =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "--enable-native-access=ALL-UNNAMED",
                  "-XX:TieredStopAtLevel=1",
                  "-cp",
                  System.getProperty("java.class.path"),
                  Writer.class.getName(),
                  file.toString())
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      try (BufferedReader said = writer.inputReader()) {
        long until = acknowledged + 1 + random.nextInt(200);
        String line = said.readLine();
        while (line != null) {
          acknowledged = Long.parseLong(line);
          if (acknowledged >= until) { // a number may be committed and never said
            writer.toHandle().destroyForcibly(); // the process would close the stream
          }
          line = said.readLine(); // also what it said before the kill reached it
        }
      }
      assertEquals(137, writer.waitFor(), "the writer ended by itself");
      check(file, acknowledged);
    }
    assertTrue(acknowledged > ROUNDS, "hardly anything was written");
  }

  private static void check(Path file, long acknowledged) {
    try (SqliteStore store = SqliteStore.open(file)) {
      List<Row<String>> rows = store.read(tx -> tx.list(PAIRS));
      long written = rows.size() / 2 - 1L;
      assertEquals(0, rows.size() % 2, "half a transaction");
      assertTrue(written >= acknowledged, written + " of " + acknowledged + " are there");
      for (Row<String> row : rows) {
        assertEquals(row.key().substring(2), row.value());
      }
    }
  }

  /** Writes pairs, one transaction each, and says the number of each when it is committed. */
  static final class Writer {
    public static void main(String[] args) {
      try (SqliteStore store = SqliteStore.open(Path.of(args[0]))) {
        long next = store.read(tx -> tx.count(PAIRS)) / 2;
        while (true) {
          String number = String.valueOf(next++);
          store.write(tx -> {
            tx.insert(PAIRS, "a-" + number, number);
            return tx.insert(PAIRS, "b-" + number, number);
          });
          System.out.println(number);
        }
      }
    }
  }
}
