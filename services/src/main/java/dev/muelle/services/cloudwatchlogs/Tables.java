package dev.muelle.services.cloudwatchlogs;

import dev.muelle.services.StoredJson;
import dev.muelle.store.Table;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatchlogs.model.MetricFilter;
import software.amazon.awssdk.services.cloudwatchlogs.model.QueryDefinition;

/** What is stored. */
final class Tables {

  /** Keyed by name. */
  static final Table<Group> GROUPS = Table.of("logs.groups", StoredJson.codec(Group.class));

  /** Keyed {@code group id/name}. */
  static final Table<Stream> STREAMS = Table.of("logs.streams", StoredJson.codec(Stream.class));

  /** Keyed {@code when to look/minute/stream id}, both in hexadecimal of fixed width. */
  static final Table<Untidy> UNTIDY = Table.of("logs.untidy", StoredJson.codec(Untidy.class));

  /** Streams that are gone and whose events are still to be deleted; keyed by stream id. */
  static final Table<Deleted> DELETED = Table.of("logs.deleted", StoredJson.codec(Deleted.class));

  /** Keyed {@code group id/name}; read with each batch that is put. */
  static final Table<MetricFilter> METRIC_FILTERS =
      Table.of("logs.metric_filters", StoredJson.codec(MetricFilter.class)).remember();

  /** Keyed by id. */
  static final Table<QueryDefinition> QUERY_DEFINITIONS =
      Table.of("logs.query_definitions", StoredJson.codec(QueryDefinition.class));

  private Tables() {}

  /**
   * A log group.
   *
   * @param id never used again, so that a deleted group's events are not a new one's
   * @param created epoch milliseconds
   * @param retentionDays null for ever
   * @param deletionProtected whether neither it nor its streams can be deleted
   */
  record Group(
      String id,
      String name,
      long created,
      @Nullable Integer retentionDays,
      Map<String, String> tags,
      boolean deletionProtected) {

    Group withRetention(@Nullable Integer days) {
      return new Group(id, name, created, days, tags, deletionProtected);
    }

    Group withTags(Map<String, String> other) {
      return new Group(
          id, name, created, retentionDays, new LinkedHashMap<>(other), deletionProtected);
    }

    Group withProtection(boolean enabled) {
      return new Group(id, name, created, retentionDays, tags, enabled);
    }

    /** Events before this time (epoch milliseconds) have expired. */
    long expiry(long now) {
      return retentionDays == null
          ? 0
          : Math.max(0, now - Duration.ofDays(retentionDays).toMillis());
    }
  }

  /**
   * A log stream.
   *
   * @param sequence how many events it ever took
   * @param firstEvent epoch milliseconds; null while it is empty
   * @param lastIngestion epoch milliseconds; never runs backwards
   * @param storedBytes 26 an event and its message in UTF-8
   */
  record Stream(
      String id,
      String group,
      String name,
      long created,
      long sequence,
      @Nullable Long firstEvent,
      @Nullable Long lastEvent,
      @Nullable Long lastIngestion,
      long storedBytes) {}

  /**
   * A stream's minute that has small packs.
   *
   * @param time in that minute, epoch milliseconds
   */
  record Untidy(String streamId, long time) {}

  /**
   * A stream that is gone.
   *
   * @param at epoch milliseconds
   */
  record Deleted(long at) {}

  static String streamKey(Group group, String name) {
    return group.id() + "/" + name;
  }
}
