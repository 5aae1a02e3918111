package dev.muelle.services.sns;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.services.AlarmActions;
import dev.muelle.services.Scope;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.regions.RegionMetadata;
import software.amazon.awssdk.services.sns.SnsClient;

/**
 * Publishes what alarms do to the topics that they name, as CloudWatch does.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html">Notifying
 *     users on alarm changes</a>
 */
final class AlarmMessages implements AlarmActions {

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSxx").withZone(ZoneOffset.UTC);
  private static final int MAX_SUBJECT = 100;

  private final Scope scope;
  private final SnsClient sns;

  AlarmMessages(Scope scope, SnsClient sns) {
    this.scope = scope;
    this.sns = sns;
  }

  @Override
  public boolean takes(String action) {
    return action.startsWith(scope.arn("sns", ""));
  }

  @Override
  public void perform(String action, Transition transition) {
    String region = regionName();
    String subject = "%s: \"%s\" in %s".formatted(transition.to(), transition.alarmName(), region);
    String shortened =
        subject.length() <= MAX_SUBJECT ? subject : subject.substring(0, MAX_SUBJECT - 3) + "...";
    sns.publish(publish ->
        publish.topicArn(action).subject(line(shortened)).message(text(transition, region)));
  }

  /** A subject has no control characters; what else an alarm's name has, it keeps. */
  private static String line(String subject) {
    return subject.replaceAll("\\p{Cntrl}", " ");
  }

  private String regionName() {
    RegionMetadata metadata = RegionMetadata.of(Region.of(scope.region()));
    return metadata == null ? scope.region() : metadata.description();
  }

  private String text(Transition transition, String region) {
    JsonNode alarm = Json.tree(transition.configuration()).orElseGet(Json::object);
    ObjectNode told = Json.object().put("AlarmName", transition.alarmName());
    told.set("AlarmDescription", or(alarm, "AlarmDescription"));
    told.put("AWSAccountId", scope.account());
    String updated = alarm.path("AlarmConfigurationUpdatedTimestamp").asText("");
    if (!updated.isEmpty()) {
      told.put("AlarmConfigurationUpdatedTimestamp", TIME.format(Instant.parse(updated)));
    }
    told.put("NewStateValue", transition.to().toString())
        .put("NewStateReason", transition.reason())
        .put("StateChangeTime", TIME.format(transition.at()))
        .put("Region", region)
        .put("AlarmArn", transition.alarmArn())
        .put("OldStateValue", transition.from().toString());
    for (String list : new String[] {"OKActions", "AlarmActions", "InsufficientDataActions"}) {
      told.set(list, alarm.path(list).isArray() ? alarm.get(list) : told.arrayNode());
    }
    if (alarm.hasNonNull("AlarmRule")) {
      told.set("AlarmRule", alarm.get("AlarmRule"));
      String reason = transition.reasonData();
      told.set(
          "TriggeringChildren",
          Json.tree(reason)
              .map(data -> data.path("triggeringAlarms"))
              .filter(JsonNode::isArray)
              .orElseGet(told::arrayNode));
    } else {
      told.set("Trigger", trigger(alarm));
    }
    return told.toString();
  }

  private static ObjectNode trigger(JsonNode alarm) {
    ObjectNode trigger = Json.object();
    if (alarm.path("Metrics").isEmpty()) {
      trigger.set("MetricName", or(alarm, "MetricName"));
      trigger.set("Namespace", or(alarm, "Namespace"));
      boolean extended = alarm.hasNonNull("ExtendedStatistic");
      trigger.put("StatisticType", extended ? "ExtendedStatistic" : "Statistic");
      if (extended) {
        trigger.set("ExtendedStatistic", alarm.get("ExtendedStatistic"));
      } else {
        trigger.put("Statistic", alarm.path("Statistic").asText("").toUpperCase(Locale.ROOT));
      }
      trigger.set("Unit", or(alarm, "Unit"));
      ArrayNode dimensions = trigger.putArray("Dimensions");
      alarm
          .path("Dimensions")
          .forEach(one ->
              dimensions
                  .addObject()
                  .put("value", one.path("Value").asText())
                  .put("name", one.path("Name").asText()));
      trigger.set("Period", or(alarm, "Period"));
    }
    trigger.set("EvaluationPeriods", or(alarm, "EvaluationPeriods"));
    if (alarm.hasNonNull("DatapointsToAlarm")) {
      trigger.set("DatapointsToAlarm", alarm.get("DatapointsToAlarm"));
    }
    trigger.set("ComparisonOperator", or(alarm, "ComparisonOperator"));
    trigger.set("Threshold", or(alarm, "Threshold"));
    trigger.put("TreatMissingData", alarm.path("TreatMissingData").asText("missing"));
    trigger.put(
        "EvaluateLowSampleCountPercentile",
        alarm.path("EvaluateLowSampleCountPercentile").asText(""));
    if (!alarm.path("Metrics").isEmpty()) {
      trigger.set("Metrics", alarm.get("Metrics"));
    }
    return trigger;
  }

  private static JsonNode or(JsonNode alarm, String member) {
    return alarm.hasNonNull(member) ? alarm.get(member) : Json.object().nullNode();
  }
}
