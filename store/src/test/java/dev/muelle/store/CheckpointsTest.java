package dev.muelle.store;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class CheckpointsTest {

  private static final int PIECE = 20_000; // bytes

  @TempDir private Path directory;

  @Test
  @Timeout(60)
  void theLogBeginsAnewAlthoughItIsWrittenAllTheTime() throws Exception {
    Path file = directory.resolve("db");
    Path log = directory.resolve("db-wal");
    ReentrantLock writing = new ReentrantLock();
    try (Statements writer = statements(file)) {
      Checkpoints.leaveTo(writer.connection());
      writer.run("CREATE TABLE pieces (piece BLOB)", PreparedStatement::executeUpdate);
      int count = 0;
      try (Checkpoints checkpoints = new Checkpoints(statements(file), writing, 10 * PIECE, 100)) {
        do {
          writing.lock();
          try {
            writer.run(
                "INSERT INTO pieces VALUES (?)", PreparedStatement::executeUpdate, new byte[PIECE]);
          } finally {
            writing.unlock();
          }
          checkpoints.wrote(PIECE);
          count++;
        } while (Files.size(log) >= (long) count * PIECE); // which never shrinks
      }
      int there =
          writer.run(
              "SELECT count(*) FROM pieces WHERE length(piece) = " + PIECE,
              statement -> {
                try (ResultSet result = statement.executeQuery()) {
                  return result.getInt(1);
                }
              });
      assertEquals(count, there);
    }
  }

  private static Statements statements(Path file) throws SQLException {
    return new Statements(() -> SqliteStore.connect(file, false));
  }
}
