package dev.muelle.services.ecs;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import software.amazon.awssdk.services.cloudwatchlogs.CloudWatchLogsClient;
import software.amazon.awssdk.services.cloudwatchlogs.model.CreateLogGroupRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.CreateLogGroupResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.CreateLogStreamRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.CreateLogStreamResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.GetLogEventsRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.GetLogEventsResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.InputLogEvent;
import software.amazon.awssdk.services.cloudwatchlogs.model.InvalidParameterException;
import software.amazon.awssdk.services.cloudwatchlogs.model.OutputLogEvent;
import software.amazon.awssdk.services.cloudwatchlogs.model.PutLogEventsRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.PutLogEventsResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.ResourceAlreadyExistsException;
import software.amazon.awssdk.services.cloudwatchlogs.model.ResourceNotFoundException;

/** CloudWatch Logs, as much as its writers see of it. */
public final class FakeLogs implements CloudWatchLogsClient {

  /** What happens before events are taken; it may take its time. */
  public volatile Runnable beforePut = () -> {};

  private final TreeSet<String> groups = new TreeSet<>();
  private final Map<String, List<InputLogEvent>> streams = new LinkedHashMap<>();

  /** The lines of a stream; empty if there is no such stream. */
  public List<String> lines(String group, String stream) {
    return streams.getOrDefault(group + ":" + stream, List.of()).stream()
        .map(InputLogEvent::message)
        .toList();
  }

  List<String> streamNames() {
    return List.copyOf(streams.keySet());
  }

  void addGroup(String name) {
    groups.add(name);
  }

  @Override
  public CreateLogGroupResponse createLogGroup(CreateLogGroupRequest request) {
    if (!groups.add(request.logGroupName())) {
      throw ResourceAlreadyExistsException.builder()
          .message("The specified log group already exists")
          .build();
    }
    return CreateLogGroupResponse.builder().build();
  }

  @Override
  public CreateLogStreamResponse createLogStream(CreateLogStreamRequest request) {
    if (!groups.contains(request.logGroupName())) {
      throw missing("group");
    }
    String key = request.logGroupName() + ":" + request.logStreamName();
    if (streams.putIfAbsent(key, new ArrayList<>()) != null) {
      throw ResourceAlreadyExistsException.builder()
          .message("The specified log stream already exists")
          .build();
    }
    return CreateLogStreamResponse.builder().build();
  }

  @Override
  public PutLogEventsResponse putLogEvents(PutLogEventsRequest request) {
    beforePut.run();
    List<InputLogEvent> stream =
        streams.get(request.logGroupName() + ":" + request.logStreamName());
    if (stream == null) {
      throw missing("stream");
    }
    long last = 0;
    for (InputLogEvent event : request.logEvents()) {
      if (event.timestamp() < last) {
        throw InvalidParameterException.builder()
            .message("Log events in a single PutLogEvents request must be in chronological order.")
            .build();
      }
      last = event.timestamp();
    }
    stream.addAll(request.logEvents());
    return PutLogEventsResponse.builder().nextSequenceToken("0").build();
  }

  @Override
  public GetLogEventsResponse getLogEvents(GetLogEventsRequest request) {
    List<InputLogEvent> stream =
        streams.get(request.logGroupName() + ":" + request.logStreamName());
    if (stream == null) {
      throw missing("stream");
    }
    List<OutputLogEvent> tail =
        stream.subList(Math.max(0, stream.size() - request.limit()), stream.size()).stream()
            .map(event ->
                OutputLogEvent.builder()
                    .timestamp(event.timestamp())
                    .message(event.message())
                    .build())
            .toList();
    return GetLogEventsResponse.builder().events(tail).build();
  }

  private static ResourceNotFoundException missing(String what) {
    return ResourceNotFoundException.builder()
        .message("The specified log " + what + " does not exist.")
        .build();
  }

  @Override
  public String serviceName() {
    return SERVICE_NAME;
  }

  @Override
  public void close() {}
}
