package dev.muelle.store;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteConfig.JournalMode;
import org.sqlite.SQLiteConfig.SynchronousMode;

/**
 * A store in one SQLite file with a write-ahead log. One process at a time; one writer at a time;
 * readers each see the state at their first read and wait for no writer, except for the moment in
 * which it commits.
 *
 * @see <a href="https://sqlite.org/wal.html">Write-Ahead Logging</a>
 */
public final class SqliteStore implements Store {

  private static final int READERS = 4;
  private static final int BUSY_MILLIS = 10_000;

  final SharedStore shared;
  private final String scope;

  private SqliteStore(SharedStore shared, String scope) {
    this.shared = shared;
    this.scope = scope;
  }

  /**
   * Opens a store, making it if there is none.
   *
   * @throws StoreException if another process has it open, a newer Muelle wrote it, or it is
   *     damaged; the message is one sentence for a person
   */
  public static SqliteStore open(Path file) {
    return open(file, Schema.STEPS);
  }

  static SqliteStore open(Path file, List<List<String>> schema) {
    FileLock lock = lock(file);
    List<Statements> opened = new ArrayList<>();
    try {
      Statements copier = new Statements(() -> connect(file, false));
      opened.add(copier);
      Schema.migrate(copier.connection(), schema);
      Statements writer = new Statements(() -> writing(file));
      opened.add(writer);
      BlockingQueue<Statements> readers = new ArrayBlockingQueue<>(READERS);
      for (int i = 0; i < READERS; i++) {
        Statements reader = new Statements(() -> transactional(connect(file, true)));
        opened.add(reader);
        readers.add(reader);
      }
      return new SqliteStore(new SharedStore(lock, writer, copier, readers), "");
    } catch (SQLException | RuntimeException e) {
      SharedStore.closeQuietly(opened);
      SharedStore.release(lock);
      if (e instanceof StoreException known) {
        throw known;
      }
      throw new StoreException(file + " cannot be opened: " + e.getMessage(), e);
    }
  }

  private static Connection writing(Path file) throws SQLException {
    Connection connection = connect(file, false);
    Checkpoints.leaveTo(connection);
    return transactional(connection);
  }

  private static Connection transactional(Connection connection) throws SQLException {
    connection.setAutoCommit(false);
    return connection;
  }

  static Connection connect(Path file, boolean readOnly) throws SQLException {
    NativeLibrary.ready();
    SQLiteConfig config = new SQLiteConfig();
    config.setBusyTimeout(BUSY_MILLIS);
    config.setReadOnly(readOnly);
    if (!readOnly) {
      config.setJournalMode(JournalMode.WAL);
    }
    // What was committed survives the end of the process either way; see docs/decisions.
    config.setSynchronous(SynchronousMode.NORMAL);
    return config.createConnection("jdbc:sqlite:" + file);
  }

  private static FileLock lock(Path file) {
    Path path = file.resolveSibling(file.getFileName() + ".lock");
    try {
      Files.createDirectories(file.toAbsolutePath().getParent());
      FileChannel channel =
          FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      @Nullable FileLock lock;
      try {
        lock = channel.tryLock();
      } catch (OverlappingFileLockException e) {
        lock = null;
      }
      if (lock == null) {
        channel.close();
        throw new StoreException(file + " is in use by another Muelle server");
      }
      return lock;
    } catch (IOException e) {
      throw new StoreException(file + " cannot be opened: " + e.getMessage(), e);
    }
  }

  @Override
  public Store in(String other) {
    return new SqliteStore(shared, other);
  }

  @Override
  public String scope() {
    return scope;
  }

  @Override
  public <R> R read(Function<Tx, R> work) {
    try {
      return read(work, false);
    } catch (Reading.Moved e) {
      return read(work, true);
    }
  }

  private <R> R read(Function<Tx, R> work, boolean connected) {
    try (Reading session = new Reading(shared)) {
      if (connected) {
        session.statements();
      }
      SqlTx tx = new SqlTx(session, scope, false);
      try {
        return work.apply(tx);
      } finally {
        tx.close();
      }
    }
  }

  @Override
  public <R> R write(Function<Tx, R> work) {
    if (shared.writing.isHeldByCurrentThread()) {
      throw new IllegalStateException("a transaction within a transaction");
    }
    shared.writing.lock();
    try {
      shared.mustBeOpen();
      Writing session = new Writing(shared);
      SqlTx tx = new SqlTx(session, scope, true);
      R result;
      try {
        result = work.apply(tx);
        List<Change> changes = tx.close();
        shared.commit(session);
        shared.feed.publish(changes);
      } catch (SQLException | RuntimeException | Error e) {
        tx.close();
        shared.writer().rollBack();
        throw e;
      }
      return result;
    } catch (SQLException e) {
      throw new StoreException("the change could not be stored: " + e.getMessage(), e);
    } finally {
      shared.writing.unlock();
    }
  }

  @Override
  public Subscription onChange(Consumer<Change> listener) {
    return shared.feed.subscribe(scope, listener);
  }

  @Override
  public void close() {
    shared.close();
  }
}
