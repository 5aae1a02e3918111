package dev.muelle.region.server;

import java.lang.management.ManagementFactory;
import java.lang.management.MemoryNotificationInfo;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.util.List;
import java.util.Optional;
import javax.management.ListenerNotFoundException;
import javax.management.Notification;
import javax.management.NotificationEmitter;
import javax.management.NotificationListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has the old generation collected when it holds twice of what was alive in it. The serial
 * collector would let it grow to a quarter of the machine first, and what outlives the small young
 * generation by chance would make a server large within the hour.
 *
 * @see <a
 *     href="https://docs.oracle.com/en/java/javase/25/docs/api/java.management/java/lang/management/MemoryPoolMXBean.html">
 *     MemoryPoolMXBean, usage threshold monitoring</a>
 */
public final class OldGeneration implements AutoCloseable {

  /** So much it may always hold, in bytes: a collection stops the server for a moment. */
  public static final long ROOM = 128L << 20;

  private static final Logger LOG = LoggerFactory.getLogger(OldGeneration.class);

  private final MemoryPoolMXBean pool;
  private final long room;
  private final Runnable collect;
  private final NotificationEmitter emitter =
      (NotificationEmitter) ManagementFactory.getMemoryMXBean();
  private final NotificationListener listener = (notification, handback) -> heard(notification);

  private OldGeneration(MemoryPoolMXBean pool, long room, Runnable collect) {
    this.pool = pool;
    this.room = room;
    this.collect = collect;
  }

  /**
   * Watches this JVM's until it is closed.
   *
   * @param room bytes that it may always hold
   * @param collect collects all of the heap
   * @return nothing where the collector has no such generation
   */
  public static Optional<OldGeneration> watch(long room, Runnable collect) {
    List<MemoryPoolMXBean> pools = ManagementFactory.getMemoryPoolMXBeans();
    return pools.stream()
        .filter(pool -> pool.getType() == MemoryType.HEAP && pool.isUsageThresholdSupported())
        .findFirst()
        .map(pool -> {
          OldGeneration watched = new OldGeneration(pool, room, collect);
          watched.emitter.addNotificationListener(watched.listener, null, null);
          watched.settle();
          return watched;
        });
  }

  private void heard(Notification notification) {
    if (!notification.getType().equals(MemoryNotificationInfo.MEMORY_THRESHOLD_EXCEEDED)) {
      return;
    }
    long before = pool.getUsage().getUsed();
    collect.run();
    settle();
    LOG.debug("old generation: {} bytes, of which {} are alive", before, pool.getUsage().getUsed());
  }

  /** What is there now is alive. */
  private void settle() {
    long most = pool.getUsage().getMax();
    long next = Math.max(room, 2 * pool.getUsage().getUsed());
    pool.setUsageThreshold(most < 0 ? next : Math.min(next, most));
  }

  @Override
  public void close() {
    try {
      emitter.removeNotificationListener(listener);
    } catch (ListenerNotFoundException e) {
      throw new IllegalStateException("closed twice", e);
    }
    pool.setUsageThreshold(0); // none
  }
}
