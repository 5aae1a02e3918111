package dev.muelle.engine.oci;

import dev.muelle.linux.Command;
import dev.muelle.linux.DiskImage;
import dev.muelle.linux.MountPoints;
import dev.muelle.linux.Syscalls;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * File systems of limited size for what sandboxes' containers write: ext4 in a sparse file, so that
 * it takes only what is written. It has no journal, because it does not outlive the sandbox, and no
 * copies of its description, because nobody repairs it. One of each size is made by mkfs; the
 * others are copies of the few blocks that mkfs wrote.
 */
final class Disks implements AutoCloseable {

  private static final int MOUNTED_AT_ONCE = 4;

  /** Each waits for a grace period of the kernel's, which those who wait at the same time share. */
  private static final int UNMOUNTED_AT_ONCE = 16;

  private static final long IDLE_SECONDS = 10;
  private static final long SMALLEST = 16L << 20;

  /**
   * Without the first two the kernel has a thread that writes all tables of inodes, hundreds of
   * megabytes, and one that reads all bitmaps. With barriers each disk that is unmounted, and each
   * fsync(2) of a container's, would wait until the machine's own disk has everything, for the day
   * that the machine loses its power; but then the containers are gone, and their disks with them.
   * See ext4(5).
   */
  private static final String OPTIONS = "noinit_itable,no_prefetch_block_bitmaps,nobarrier";

  private final Layout layout;
  private final Map<Long, List<Block>> empty = new ConcurrentHashMap<>();
  private final ReentrantLock formatting = new ReentrantLock();

  /** Sandboxes that have, or are about to have, one mounted. */
  private final Set<String> mounted = new HashSet<>();

  /** Mounting blocks in the kernel: on threads that nobody else needs meanwhile. */
  private final ExecutorService mounting = threads("disks", MOUNTED_AT_ONCE);

  private final ExecutorService unmounting = threads("disks-gone", UNMOUNTED_AT_ONCE);

  private record Block(long offset, byte[] bytes) {}

  Disks(Layout layout) {
    this.layout = layout;
  }

  private static ExecutorService threads(String name, int most) {
    ThreadPoolExecutor threads =
        new ThreadPoolExecutor(
            most,
            most,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            work -> Thread.ofPlatform().daemon().name(name).unstarted(work));
    threads.allowCoreThreadTimeOut(true);
    return threads;
  }

  /** Makes and mounts one. */
  void create(String sandboxId, long bytes) throws IOException {
    adopt(sandboxId);
    Path image = layout.diskImage(sandboxId);
    Path target = Files.createDirectories(layout.disk(sandboxId));
    long size = Math.max(SMALLEST, bytes);
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(size);
    }
    List<Block> blocks = blocks(image, size);
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      for (Block block : blocks) {
        file.seek(block.offset());
        file.write(block.bytes());
      }
    }
    long flags = Syscalls.MS_NODEV | Syscalls.MS_NOATIME;
    on(mounting, () -> DiskImage.mount(image, target, "ext4", flags, OPTIONS));
  }

  /**
   * What mkfs writes to a disk of this size. The first who asks has it run, on its own image, and
   * others who come meanwhile wait for that.
   */
  private List<Block> blocks(Path image, long size) throws IOException {
    List<Block> known = empty.get(size);
    if (known != null) {
      return known;
    }
    formatting.lock();
    try {
      List<Block> meanwhile = empty.get(size);
      if (meanwhile != null) {
        return meanwhile;
      }
      format(image);
      List<Block> written = read(image);
      empty.put(size, written);
      return written;
    } finally {
      formatting.unlock();
    }
  }

  private static void on(ExecutorService threads, Runnable work) {
    try {
      threads.submit(work).get();
    } catch (ExecutionException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /**
   * Two groups of blocks share a place for their descriptions (-G): the kernel reads the bitmaps of
   * all groups that do when the first block is taken, and with all of them at one place that would
   * be most of what a start of a small container costs.
   */
  private static void format(Path image) {
    Command.run(
        "mkfs.ext4",
        "-q",
        "-F",
        "-m",
        "0",
        "-O",
        "^has_journal,^resize_inode,sparse_super2",
        "-G",
        "2",
        "-E",
        "nodiscard,lazy_itable_init=1,num_backup_sb=0,packed_meta_blocks=1",
        image.toString());
  }

  private static List<Block> read(Path image) throws IOException {
    List<Block> blocks = new ArrayList<>();
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "r")) {
      for (DiskImage.Piece piece : DiskImage.pieces(image)) {
        byte[] bytes = new byte[Math.toIntExact(piece.length())];
        file.seek(piece.offset());
        file.readFully(bytes);
        blocks.add(new Block(piece.offset(), bytes));
      }
    }
    return List.copyOf(blocks);
  }

  /**
   * Knows of a sandbox that has one. Their mounts are kept below a mount that nobody else is told
   * of: other mount namespaces would otherwise be given each of them, and copy them all.
   */
  synchronized void adopt(String sandboxId) throws IOException {
    if (mounted.isEmpty()) {
      MountPoints.make(layout.mounted(), false);
    }
    mounted.add(sandboxId);
  }

  /** Unmounts a sandbox's disk, if it has one; every other one is known by now. */
  void remove(String sandboxId) {
    Path target = layout.disk(sandboxId);
    if (Files.exists(target)) {
      on(unmounting, () -> MountPoints.unmount(target));
    }
    forget(sandboxId);
  }

  private synchronized void forget(String sandboxId) {
    mounted.remove(sandboxId);
    if (mounted.isEmpty()) {
      MountPoints.unmount(layout.mounted());
    }
  }

  @Override
  public void close() {
    mounting.shutdown();
    unmounting.shutdown();
  }
}
