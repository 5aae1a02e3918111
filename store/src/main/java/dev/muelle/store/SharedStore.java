package dev.muelle.store;

import java.io.IOException;
import java.nio.channels.FileLock;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/** What all scopes of one file share: its connections, and what is remembered of it. */
final class SharedStore implements AutoCloseable {

  final ReentrantLock writing = new ReentrantLock();
  final ChangeFeed feed = new ChangeFeed();

  private final FileLock lock;
  private final Statements writer;
  private final BlockingQueue<Statements> readers;
  private final int readerCount;
  private final AtomicReference<Images> images = new AtomicReference<>(Images.NONE);

  /** Keeps readers from seeing a commit in the file and not yet in the images, or the reverse. */
  private final ReentrantReadWriteLock turn = new ReentrantReadWriteLock();

  private final Set<String> written = ConcurrentHashMap.newKeySet();
  private final Checkpoints checkpoints;
  private volatile boolean closed;

  SharedStore(
      FileLock lock, Statements writer, Statements copier, BlockingQueue<Statements> readers) {
    this.lock = lock;
    this.writer = writer;
    this.readers = readers;
    readerCount = readers.size();
    checkpoints = new Checkpoints(copier, writing, Checkpoints.STEP, Checkpoints.MOST);
  }

  void mustBeOpen() {
    if (closed) {
      throw new StoreException("the store is closed");
    }
  }

  Statements writer() {
    return writer;
  }

  Statements takeReader() {
    mustBeOpen();
    try {
      return readers.take();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StoreException("interrupted while waiting for a reader", e);
    }
  }

  void giveBack(Statements reader) {
    readers.add(reader);
  }

  Images images() {
    return images.get();
  }

  /** Begins a reader's snapshot; gives the images of the same moment. */
  Images snapshot(Statements reader) {
    turn.readLock().lock();
    try {
      reader.run(
          "SELECT 1 FROM sqlite_schema LIMIT 1",
          statement -> {
            try (ResultSet result = statement.executeQuery()) {
              return result.next();
            }
          });
      return images.get();
    } finally {
      turn.readLock().unlock();
    }
  }

  /** Lets others have what a reader had to load, unless somebody has committed since. */
  void share(Images before, Images more) {
    images.compareAndSet(before, more);
  }

  boolean wasWritten(Table<?> table) {
    return written.contains(table.name());
  }

  void commit(Writing session) throws SQLException {
    turn.writeLock().lock();
    try {
      writer.connection().commit();
      images.set(session.images());
    } finally {
      turn.writeLock().unlock();
    }
    written.addAll(session.written());
    checkpoints.wrote(session.bytes());
  }

  @Override
  public void close() {
    checkpoints.close();
    writing.lock();
    try {
      if (closed) {
        return;
      }
      closed = true;
      for (int i = 0; i < readerCount; i++) {
        closeQuietly(readers.take());
      }
      closeQuietly(writer);
      feed.close();
      release(lock);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      writing.unlock();
    }
  }

  static void closeQuietly(List<Statements> all) {
    all.forEach(SharedStore::closeQuietly);
  }

  static void closeQuietly(Statements statements) {
    try {
      statements.close();
    } catch (SQLException e) {
      // It is being given up anyway.
    }
  }

  static void release(FileLock lock) {
    try {
      lock.acquiredBy().close();
    } catch (IOException e) {
      throw new StoreException("the lock cannot be released", e);
    }
  }
}
