package dev.muelle.store;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Copies what the write-ahead log has into the database, on a thread and a connection of its own:
 * the disk is waited for meanwhile, and within a commit every reader and writer would wait, too.
 * While it copies, more is written; so once in a while the writer is held, after all but the last
 * moments' has been copied, and with the rest copied the log begins anew.
 *
 * @see <a href="https://sqlite.org/wal.html#checkpointing">Checkpointing</a>
 */
final class Checkpoints implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Checkpoints.class);

  /** In bytes: as often as that was written. */
  static final long STEP = 4 << 20;

  /** How many pages of 4 KiB the log may have before it begins anew. */
  static final int MOST = 16_384;

  private final long step;
  private final int most;
  private final Statements copier;
  private final ReentrantLock writing;
  private final AtomicLong bytes = new AtomicLong();
  private final Semaphore due = new Semaphore(0);
  private final Thread thread;
  private volatile boolean closed;

  /**
   * Begins to.
   *
   * @param copier a connection that nobody else uses; closed with this
   * @param writing held by who writes
   * @param step see {@link #STEP}
   * @param most see {@link #MOST}
   */
  Checkpoints(Statements copier, ReentrantLock writing, long step, int most) {
    this.copier = copier;
    this.writing = writing;
    this.step = step;
    this.most = most;
    thread = Thread.ofPlatform().daemon().name("store-checkpoints").start(this::run);
  }

  /** A connection that writes shall not do it itself. */
  static void leaveTo(Connection writer) throws SQLException {
    try (Statement statement = writer.createStatement()) {
      statement.execute("PRAGMA wal_autocheckpoint = 0");
    }
  }

  /** About so many bytes were committed. */
  void wrote(long some) {
    if (bytes.addAndGet(some) >= step) {
      bytes.set(0);
      due.release();
    }
  }

  private void run() {
    while (true) {
      due.acquireUninterruptibly();
      due.drainPermits();
      if (closed) {
        return;
      }
      try {
        if (copy() > most) {
          copyLast();
        }
      } catch (SQLException | StoreException e) {
        LOG.warn("what was written stays in the log for now: {}", e.getMessage());
      }
    }
  }

  private void copyLast() throws SQLException {
    writing.lock();
    try {
      copy();
    } finally {
      writing.unlock();
    }
  }

  /** As much as can be copied now; gives how many pages the log has, copied or not. */
  private int copy() throws SQLException {
    return copier.run(
        "PRAGMA wal_checkpoint(PASSIVE)",
        statement -> {
          try (ResultSet result = statement.executeQuery()) {
            return result.next() ? result.getInt(2) : 0;
          }
        });
  }

  /** When what it is doing is done. */
  @Override
  public void close() {
    closed = true;
    due.release();
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    SharedStore.closeQuietly(copier);
  }
}
