package dev.muelle.services.cloudwatchlogs;

import dev.muelle.services.StoredJson;
import dev.muelle.store.Table;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What is stored. */
final class Tables {

  /** Keyed by name. */
  static final Table<Group> GROUPS = Table.of("logs.groups", StoredJson.codec(Group.class));

  /** Keyed {@code group id/name}. */
  static final Table<Stream> STREAMS = Table.of("logs.streams", StoredJson.codec(Stream.class));

  /** Keyed {@code stream id/time/sequence}, both in hexadecimal of fixed width. */
  static final Table<Event> EVENTS = Table.of("logs.events", StoredJson.codec(Event.class));

  private Tables() {}

  /**
   * @param id never used again, so that a deleted group's events are not a new one's
   * @param created epoch milliseconds
   * @param retentionDays null for ever
   */
  record Group(
      String id,
      String name,
      long created,
      @Nullable Integer retentionDays,
      Map<String, String> tags) {}

  /**
   * @param sequence how many events it ever took
   * @param firstEvent epoch milliseconds; null while it is empty
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

  /** Times in epoch milliseconds. */
  record Event(long time, long ingested, String message) {}

  static String streamKey(Group group, String name) {
    return group.id() + "/" + name;
  }

  static String eventKey(String streamId, long time, long sequence) {
    return streamId + "/" + "%016x/%012x".formatted(time, sequence);
  }

  /** The first key of a stream's events at or after a time. */
  static String from(String streamId, long time) {
    return streamId + "/" + "%016x".formatted(Math.max(0, time));
  }
}
