package dev.muelle.services.eventbridge;

import dev.muelle.services.Measurements;
import dev.muelle.services.Measurements.Metric;
import dev.muelle.services.Measurements.Recorder;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import software.amazon.awssdk.services.cloudwatch.model.StandardUnit;

/**
 * What rules measure.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html">Monitoring
 *     Amazon EventBridge</a>
 */
final class EventMetrics {

  private final Measurements measurements;
  private final Map<Metric, Recorder> recorders = new ConcurrentHashMap<>();

  EventMetrics(Measurements measurements) {
    this.measurements = measurements;
  }

  void matched() {
    count("MatchedEvents", Map.of());
  }

  void triggered(String ruleKey) {
    count("TriggeredRules", rule(ruleKey));
  }

  /** One attempt: its outcome, whether it is another one, and whether it is the last. */
  void attempted(String ruleKey, boolean successful, boolean again, boolean last) {
    count("InvocationAttempts", rule(ruleKey));
    if (again) {
      count("RetryInvocationAttempts", rule(ruleKey));
    }
    if (successful) {
      count("SuccessfulInvocationAttempts", rule(ruleKey));
    }
    if (last) {
      count("Invocations", rule(ruleKey));
      if (!successful) {
        count("FailedInvocations", rule(ruleKey));
      }
    }
  }

  private static Map<String, String> rule(String key) {
    int slash = key.indexOf('/');
    String bus = key.substring(0, slash);
    String name = key.substring(slash + 1);
    return bus.equals(Bus.DEFAULT)
        ? Map.of("RuleName", name)
        : Map.of("RuleName", name, "EventBusName", bus);
  }

  private void count(String name, Map<String, String> dimensions) {
    recorders
        .computeIfAbsent(
            new Metric("AWS/Events", name, dimensions, StandardUnit.COUNT), measurements::of)
        .record(1);
  }
}
