package dev.muelle.services.cloudwatch.alarm;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.services.EventOutbox;
import dev.muelle.store.Tx;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatch.model.CompositeAlarm;
import software.amazon.awssdk.services.cloudwatch.model.Dimension;
import software.amazon.awssdk.services.cloudwatch.model.Metric;
import software.amazon.awssdk.services.cloudwatch.model.MetricAlarm;
import software.amazon.awssdk.services.cloudwatch.model.MetricDataQuery;
import software.amazon.awssdk.services.cloudwatch.model.MetricStat;

/**
 * What EventBridge hears of alarms, in the transaction that makes it true.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html">Alarm
 *     events and EventBridge</a>
 */
final class AlarmEvents {

  private static final String SOURCE = "aws.cloudwatch";
  private static final double MOST_EXACT = 1L << 53; // whole numbers

  private final EventOutbox outbox;

  AlarmEvents(EventOutbox outbox) {
    this.outbox = outbox;
  }

  /** An alarm is in another state, or its actions are held back by something else than before. */
  void changed(Tx tx, Alarm before, Alarm now, Instant at) {
    if (before.state() == now.state() && Objects.equals(suppressed(before), suppressed(now))) {
      return;
    }
    outbox.put(
        tx,
        SOURCE,
        "CloudWatch Alarm State Change",
        List.of(now.arn()),
        at,
        () -> {
          ObjectNode detail = Json.empty().put("alarmName", now.name());
          detail.set("state", state(now));
          detail.set("previousState", state(before));
          detail.set("configuration", watched(now));
          return Json.text(detail);
        });
  }

  private static @Nullable String suppressed(Alarm alarm) {
    return alarm.composite() == null ? null : alarm.composite().actionsSuppressedByAsString();
  }

  /**
   * An alarm is new, has another configuration, or is gone.
   *
   * @param before what it was until now; null if it is new
   * @param now what it is; null if it is gone
   */
  void configured(Tx tx, @Nullable Alarm before, @Nullable Alarm now, Instant at) {
    Alarm alarm = Objects.requireNonNull(now == null ? before : now);
    outbox.put(
        tx,
        SOURCE,
        "CloudWatch Alarm Configuration Change",
        List.of(alarm.arn()),
        at,
        () -> {
          ObjectNode detail = Json.empty().put("alarmName", alarm.name());
          detail.put("operation", now == null ? "delete" : before == null ? "create" : "update");
          detail.set("state", brief(alarm));
          detail.set("configuration", configuration(alarm));
          if (before != null && now != null) {
            detail.set("previousConfiguration", configuration(before));
          }
          return Json.text(detail);
        });
  }

  private static ObjectNode state(Alarm alarm) {
    ObjectNode state = brief(alarm).put("reason", alarm.reason());
    put(state, "reasonData", alarm.reasonData());
    if (suppressed(alarm) != null) {
      state.put("actionsSuppressedReason", alarm.isComposite().actionsSuppressedReason());
    }
    return state;
  }

  /** Without reasons, as changes of the configuration have it. */
  private static ObjectNode brief(Alarm alarm) {
    ObjectNode state = Json.empty().put("value", alarm.state().toString());
    Instant updated =
        alarm.metric() == null
            ? alarm.isComposite().stateUpdatedTimestamp()
            : alarm.metric().stateUpdatedTimestamp();
    if (updated != null) {
      state.put("timestamp", Times.data(updated));
    }
    put(state, "actionsSuppressedBy", suppressed(alarm));
    return state;
  }

  /** What an alarm looks at, which is all that a change of its state tells of it. */
  private static ObjectNode watched(Alarm alarm) {
    ObjectNode json = Json.empty();
    MetricAlarm metric = alarm.metric();
    if (metric == null) {
      CompositeAlarm composite = alarm.isComposite();
      put(json, "description", composite.alarmDescription());
      json.put("alarmRule", composite.alarmRule());
      if (composite.actionsSuppressor() != null) {
        json.put("actionsSuppressor", composite.actionsSuppressor());
        json.put("actionsSuppressorWaitPeriod", composite.actionsSuppressorWaitPeriod());
        json.put("actionsSuppressorExtensionPeriod", composite.actionsSuppressorExtensionPeriod());
      }
      return json;
    }
    put(json, "description", metric.alarmDescription());
    ArrayNode metrics = json.putArray("metrics");
    queries(metric).forEach(query -> metrics.add(query(query)));
    return json;
  }

  private static ObjectNode configuration(Alarm alarm) {
    ObjectNode json = watched(alarm);
    json.put("alarmName", alarm.name());
    MetricAlarm metric = alarm.metric();
    Instant updated;
    if (metric == null) {
      updated = alarm.isComposite().alarmConfigurationUpdatedTimestamp();
    } else {
      updated = metric.alarmConfigurationUpdatedTimestamp();
      threshold(json, metric.threshold());
      json.put("comparisonOperator", metric.comparisonOperatorAsString());
      json.put("evaluationPeriods", metric.evaluationPeriods());
      if (metric.datapointsToAlarm() != null) {
        json.put("datapointsToAlarm", metric.datapointsToAlarm());
      }
      put(json, "treatMissingData", metric.treatMissingData());
      put(json, "evaluateLowSampleCountPercentile", metric.evaluateLowSampleCountPercentile());
    }
    json.put("actionsEnabled", alarm.actionsEnabled());
    json.put("timestamp", Times.data(updated));
    for (var list : Alarm.LISTS.entrySet()) {
      ArrayNode actions = json.putArray(list.getValue());
      alarm.actions(list.getKey()).forEach(actions::add);
    }
    return json;
  }

  /** An alarm on one metric is told like one with a query, under an id that stays. */
  private static List<MetricDataQuery> queries(MetricAlarm alarm) {
    if (alarm.metricName() == null) {
      return alarm.metrics();
    }
    String id =
        UUID.nameUUIDFromBytes(
                (alarm.alarmArn() + alarm.namespace() + alarm.metricName())
                    .getBytes(StandardCharsets.UTF_8))
            .toString();
    Metric metric =
        Metric.builder()
            .namespace(alarm.namespace())
            .metricName(alarm.metricName())
            .dimensions(alarm.dimensions())
            .build();
    MetricStat stat =
        MetricStat.builder()
            .metric(metric)
            .period(alarm.period())
            .stat(
                alarm.statisticAsString() == null
                    ? alarm.extendedStatistic()
                    : alarm.statisticAsString())
            .unit(alarm.unit())
            .build();
    return List.of(MetricDataQuery.builder().id(id).metricStat(stat).returnData(true).build());
  }

  private static ObjectNode query(MetricDataQuery query) {
    ObjectNode json = Json.empty().put("id", query.id());
    MetricStat stat = query.metricStat();
    if (stat != null) {
      ObjectNode into = json.putObject("metricStat");
      ObjectNode metric = into.putObject("metric");
      ObjectNode dimensions = metric.putObject("dimensions");
      for (Dimension dimension : stat.metric().dimensions()) {
        dimensions.put(dimension.name(), dimension.value());
      }
      metric.put("name", stat.metric().metricName());
      metric.put("namespace", stat.metric().namespace());
      into.put("period", stat.period());
      into.put("stat", stat.stat());
      put(into, "unit", stat.unitAsString());
    }
    put(json, "expression", query.expression());
    put(json, "label", query.label());
    if (query.period() != null) {
      json.put("period", query.period());
    }
    json.put("returnData", !Boolean.FALSE.equals(query.returnData()));
    return json;
  }

  /** 80, not 80.0. */
  private static void threshold(ObjectNode json, double value) {
    if (value == Math.rint(value) && Math.abs(value) < MOST_EXACT) {
      json.put("threshold", (long) value);
    } else {
      json.put("threshold", value);
    }
  }

  private static void put(ObjectNode json, String name, @Nullable String value) {
    if (value != null) {
      json.put(name, value);
    }
  }
}
