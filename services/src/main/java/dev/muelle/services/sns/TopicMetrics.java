package dev.muelle.services.sns;

import dev.muelle.services.Measurements;
import dev.muelle.services.Measurements.Metric;
import dev.muelle.services.Measurements.Recorder;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import software.amazon.awssdk.services.cloudwatch.model.StandardUnit;

/**
 * What topics measure.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html">Monitoring
 *     topics using CloudWatch</a>
 */
final class TopicMetrics {

  private static final String FILTERED = "NumberOfNotificationsFilteredOut";

  private final Measurements measurements;
  private final Map<Metric, Recorder> recorders = new ConcurrentHashMap<>();

  TopicMetrics(Measurements measurements) {
    this.measurements = measurements;
  }

  void published(String topic, int bytes) {
    count("NumberOfMessagesPublished", topic);
    recorder("PublishSize", topic, StandardUnit.BYTES).record(bytes);
  }

  void delivered(String topic) {
    count("NumberOfNotificationsDelivered", topic);
  }

  void failed(String topic) {
    count("NumberOfNotificationsFailed", topic);
  }

  void filteredOut(String topic, FilterPolicy.Scope scope, boolean hasAttributes) {
    count(FILTERED, topic);
    switch (scope) {
      case ATTRIBUTES ->
          count(FILTERED + (hasAttributes ? "-MessageAttributes" : "-NoMessageAttributes"), topic);
      case BODY -> count(FILTERED + "-MessageBody", topic);
    }
  }

  private void count(String name, String topic) {
    recorder(name, topic, StandardUnit.COUNT).record(1);
  }

  private Recorder recorder(String name, String topic, StandardUnit unit) {
    return recorders.computeIfAbsent(
        new Metric("AWS/SNS", name, Map.of("TopicName", topic), unit), measurements::of);
  }
}
