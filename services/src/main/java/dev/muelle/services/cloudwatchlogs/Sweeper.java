package dev.muelle.services.cloudwatchlogs;

import dev.muelle.loop.Loop;
import dev.muelle.loop.Timers;
import dev.muelle.services.cloudwatchlogs.Tables.Deleted;
import dev.muelle.services.cloudwatchlogs.Tables.Group;
import dev.muelle.services.cloudwatchlogs.Tables.Stream;
import dev.muelle.services.cloudwatchlogs.packs.Packs;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Deletes for good: packs of events whose retention has run out, all of them, and those of streams
 * that were deleted. It works in small transactions, so that writers wait for none of it, and takes
 * up after a crash where it was. Readers leave expired events out by themselves; AWS takes up to
 * three days to delete them, here it is at most an hour.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html">PutRetentionPolicy</a>
 */
final class Sweeper implements AutoCloseable {

  private static final Duration OFTEN = Duration.ofMinutes(1);
  private static final Duration SELDOM = Duration.ofHours(1);
  private static final String DELETED_STREAMS = ""; // no group's name

  private final Store store;
  private final Timers timers;
  private final Loop<String> loop;

  Sweeper(Store store, Timers timers, RandomGenerator random) {
    this.store = store;
    this.timers = timers;
    loop = new Loop<>("logs-sweeper", timers, random, 1, this::sweep);
  }

  /** Takes up what an earlier server left. */
  void start() {
    loop.wake(DELETED_STREAMS);
    for (Row<Group> row : store.read(tx -> tx.list(Tables.GROUPS))) {
      if (row.value().retentionDays() != null) {
        loop.wake(row.key());
      }
    }
  }

  void retentionChanged(String group) {
    loop.wake(group);
  }

  void streamsDeleted() {
    loop.wake(DELETED_STREAMS);
  }

  private @Nullable Duration sweep(String key) {
    if (key.equals(DELETED_STREAMS)) {
      purge();
      return null;
    }
    return expire(key);
  }

  private void purge() {
    for (Row<Deleted> row : store.read(tx -> tx.list(Tables.DELETED))) {
      String streamId = row.key();
      boolean more = true;
      while (more) {
        more = store.write(tx -> purge(tx, streamId));
      }
    }
  }

  private static boolean purge(Tx tx, String streamId) {
    boolean more = Packs.delete(tx, streamId, Long.MAX_VALUE).more();
    if (!more) {
      tx.delete(Tables.DELETED, streamId);
    }
    return more;
  }

  /** Gives when to look again: when the oldest event that is left expires. */
  private @Nullable Duration expire(String name) {
    List<String> streams =
        store.read(tx ->
            tx.get(Tables.GROUPS, name).stream()
                .filter(row -> row.value().retentionDays() != null)
                .flatMap(row -> tx.list(Tables.STREAMS, row.value().id() + "/").stream())
                .map(Row::key)
                .toList());
    for (String stream : streams) {
      boolean more = true;
      while (more) {
        more = store.write(tx -> expire(tx, name, stream));
      }
    }
    return store.read(tx -> next(tx, name)).orElse(null);
  }

  private boolean expire(Tx tx, String name, String streamKey) {
    Group group = tx.get(Tables.GROUPS, name).map(Row::value).orElse(null);
    Stream stream = tx.get(Tables.STREAMS, streamKey).map(Row::value).orElse(null);
    if (group == null || stream == null || !streamKey.startsWith(group.id() + "/")) {
      return false; // deleted meanwhile, and perhaps made anew
    }
    long expiry = group.expiry(timers.millis());
    if (stream.firstEvent() == null || stream.firstEvent() >= expiry) {
      return false;
    }
    String id = stream.id();
    Packs.Swept swept = Packs.delete(tx, id, expiry);
    Long first = Packs.firstTime(tx, id).orElse(null);
    tx.put(
        Tables.STREAMS,
        streamKey,
        new Stream(
            id,
            stream.group(),
            stream.name(),
            stream.created(),
            stream.sequence(),
            first,
            first == null ? null : stream.lastEvent(),
            stream.lastIngestion(),
            stream.storedBytes() - swept.bytes()));
    return swept.more();
  }

  private Optional<Duration> next(Tx tx, String name) {
    Group group = tx.get(Tables.GROUPS, name).map(Row::value).orElse(null);
    if (group == null || group.retentionDays() == null) {
      return Optional.empty();
    }
    long expiry = group.expiry(timers.millis());
    long wait =
        tx.list(Tables.STREAMS, group.id() + "/").stream()
            .map(row -> row.value().firstEvent())
            .filter(first -> first != null)
            .mapToLong(first -> first - expiry)
            .min()
            .orElse(Long.MAX_VALUE);
    return Optional.of(Duration.ofMillis(Math.clamp(wait, OFTEN.toMillis(), SELDOM.toMillis())));
  }

  @Override
  public void close() {
    loop.close();
  }
}
