package dev.muelle.services.cloudwatchlogs;

import dev.muelle.services.Scope;
import dev.muelle.store.Store;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import software.amazon.awssdk.services.cloudwatchlogs.model.GetLogGroupFieldsRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.GetLogGroupFieldsResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.GetLogRecordRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.GetLogRecordResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.LogGroupField;

/**
 * Single events with all that they have, and what events of a group have in common.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogGroupFields.html">GetLogGroupFields</a>
 */
final class Records {

  private static final int MOST_FIELDS = 200; // of JSON, as Insights discovers
  private static final Duration LATELY = Duration.ofMinutes(15);
  private static final Duration AROUND = Duration.ofMinutes(8);

  private final Scope scope;
  private final Store store;
  private final InstantSource clock;
  private final Names names;

  Records(Scope scope, Store store, InstantSource clock, Names names) {
    this.scope = scope;
    this.store = store;
    this.clock = clock;
    this.names = names;
  }

  GetLogRecordResponse record(GetLogRecordRequest request) {
    if (Boolean.TRUE.equals(request.unmask())) {
      throw Refuse.unsupported("unmask");
    }
    if (request.logRecordPointer() == null) {
      throw Refuse.constraint(null, "logRecordPointer", "Member must not be null");
    }
    Pointer pointer = Pointer.read(request.logRecordPointer());
    return GetLogRecordResponse.builder()
        .logRecord(store.read(tx -> pointer.row(tx, scope, clock.millis()).all(MOST_FIELDS)))
        .build();
  }

  /** Of the events of fifteen minutes, the newest thousands: how many have which field. */
  GetLogGroupFieldsResponse fields(GetLogGroupFieldsRequest request) {
    String group = names.meant(request.logGroupName(), request.logGroupIdentifier());
    long now = clock.millis();
    long from = now - LATELY.toMillis();
    long to = Long.MAX_VALUE;
    if (request.time() != null) {
      long around = Names.time(request.time(), "time", 0) * 1_000;
      from = around - AROUND.toMillis();
      to = around + AROUND.toMillis();
    }
    List<Scan.Found> some = new Scan(store, List.of(group), from, to, now).next();
    Map<String, Integer> counts = new TreeMap<>();
    for (Scan.Found found : some) {
      Pointer.of(found)
          .row(scope, found.event())
          .all(MOST_FIELDS)
          .keySet()
          .forEach(name -> counts.merge(name, 1, Integer::sum));
    }
    counts.remove("@ptr");
    return GetLogGroupFieldsResponse.builder()
        .logGroupFields(
            counts.entrySet().stream()
                .map(field ->
                    LogGroupField.builder()
                        .name(field.getKey())
                        .percent(field.getValue() * 100 / some.size())
                        .build())
                .toList())
        .build();
  }
}
