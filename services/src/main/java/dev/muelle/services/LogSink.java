package dev.muelle.services;

import java.util.ArrayList;
import java.util.List;
import software.amazon.awssdk.services.cloudwatchlogs.CloudWatchLogsClient;
import software.amazon.awssdk.services.cloudwatchlogs.model.InputLogEvent;

/**
 * Where the platform's own parts put what they have to log, a thousand events at once: what
 * PutLogEvents does, without an object for each event.
 */
@FunctionalInterface
public interface LogSink {

  /**
   * Puts events, at least one, which together are no more than PutLogEvents takes.
   *
   * @throws software.amazon.awssdk.services.cloudwatchlogs.model.ResourceNotFoundException if there
   *     is no such group or stream
   */
  void put(String group, String stream, LogBatch events);

  /** That of a service, or one that calls it. */
  static LogSink of(CloudWatchLogsClient client) {
    return client instanceof LogSink sink
        ? sink
        : (group, stream, events) ->
            client.putLogEvents(request ->
                request.logGroupName(group).logStreamName(stream).logEvents(all(events)));
  }

  private static List<InputLogEvent> all(LogBatch events) {
    List<InputLogEvent> all = new ArrayList<>();
    for (int i = 0; i < events.count(); i++) {
      all.add(InputLogEvent.builder().timestamp(events.time(i)).message(events.message(i)).build());
    }
    return all;
  }
}
