package dev.muelle.services.cloudwatch.alarm;

import dev.muelle.services.StoredJson;
import dev.muelle.store.Row;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicInteger;
import software.amazon.awssdk.services.cloudwatch.model.AlarmHistoryItem;
import software.amazon.awssdk.services.cloudwatch.model.AlarmType;
import software.amazon.awssdk.services.cloudwatch.model.HistoryItemType;

/** What became of alarms, for 30 days, also of those that are gone. */
final class History {

  /** Keyed {@code time/number}. */
  static final Table<AlarmHistoryItem> TABLE =
      Table.of("cloudwatch.history", StoredJson.codec(AlarmHistoryItem.class));

  private static final Duration KEPT = Duration.ofDays(30);
  private static final int SWEPT = 20; // with each that is added

  private final AtomicInteger number = new AtomicInteger();

  void add(Tx tx, Alarm alarm, HistoryItemType type, String summary, String data, Instant at) {
    for (Row<AlarmHistoryItem> old : tx.range(TABLE, "", from(at.minus(KEPT)), false, SWEPT)) {
      tx.delete(TABLE, old.key());
    }
    tx.put(
        TABLE,
        from(at) + "/%08x".formatted(number.getAndIncrement()),
        AlarmHistoryItem.builder()
            .alarmName(alarm.name())
            .alarmType(alarm.metric() == null ? AlarmType.COMPOSITE_ALARM : AlarmType.METRIC_ALARM)
            .timestamp(at)
            .historyItemType(type)
            .historySummary(summary)
            .historyData(data)
            .build());
  }

  /** Before all that happened then or later. */
  static String from(Instant at) {
    return "%016x".formatted(Math.max(0, at.toEpochMilli()));
  }
}
