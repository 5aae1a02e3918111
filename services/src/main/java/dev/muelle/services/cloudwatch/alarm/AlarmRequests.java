package dev.muelle.services.cloudwatch.alarm;

import dev.muelle.services.AlarmActions;
import dev.muelle.services.Scope;
import dev.muelle.services.cloudwatch.math.Queries;
import dev.muelle.services.cloudwatch.series.Names;
import dev.muelle.services.cloudwatch.series.Refuse;
import dev.muelle.services.cloudwatch.series.Statistic;
import dev.muelle.services.cloudwatch.series.Units;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatch.model.ComparisonOperator;
import software.amazon.awssdk.services.cloudwatch.model.CompositeAlarm;
import software.amazon.awssdk.services.cloudwatch.model.MetricAlarm;
import software.amazon.awssdk.services.cloudwatch.model.PutCompositeAlarmRequest;
import software.amazon.awssdk.services.cloudwatch.model.PutMetricAlarmRequest;
import software.amazon.awssdk.services.cloudwatch.model.StandardUnit;
import software.amazon.awssdk.services.cloudwatch.model.StateValue;

/**
 * What an alarm may be. Pure, but for who takes actions.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html">PutMetricAlarm</a>
 */
final class AlarmRequests {

  static final String UNCHECKED = "Unchecked: Initial alarm creation";

  /** In the order of Amazon's errors. */
  static final List<StateValue> STATES =
      List.of(StateValue.INSUFFICIENT_DATA, StateValue.ALARM, StateValue.OK);

  private static final int MOST_ACTIONS = 5;
  private static final int DAY = 86_400;
  private static final int WEEK = 7 * DAY;
  private static final int LONGEST_RULE = 10_240;
  private static final int MOST_CHILDREN = 100;
  private static final int MOST_METRICS = 10; // of an expression

  private final Scope scope;
  private final Queries queries;
  private final AlarmActions actions;

  AlarmRequests(Scope scope, Queries queries, AlarmActions actions) {
    this.scope = scope;
    this.queries = queries;
    this.actions = actions;
  }

  private String arn(String name) {
    return scope.arn("cloudwatch", "alarm:" + name);
  }

  static String name(@Nullable String name, String parameter) {
    if (name == null || name.isEmpty()) {
      throw Refuse.missing(parameter);
    }
    if (name.length() > 255) {
      throw Refuse.validation(name, parameter, "Member must have length less than or equal to 255");
    }
    if (name.chars().anyMatch(c -> c < ' ')) {
      throw Refuse.value(parameter, name);
    }
    return name;
  }

  /** The alarm asked for, in its first state. */
  MetricAlarm metric(PutMetricAlarmRequest request, Instant now) {
    String name = name(request.alarmName(), "AlarmName");
    common(
        request.alarmDescription(),
        request.okActions(),
        request.alarmActions(),
        request.insufficientDataActions());
    boolean instance =
        request.dimensions().stream().anyMatch(dimension -> "InstanceId".equals(dimension.name()));
    Stream.of(request.okActions(), request.alarmActions(), request.insufficientDataActions())
        .flatMap(List::stream)
        .filter(action -> forInstances(action) && !instance)
        .findFirst()
        .ifPresent(action -> {
          throw Refuse.invalid(
              "The action " + action + " needs a metric with the dimension InstanceId.");
        });
    if (request.thresholdMetricId() != null) {
      throw Refuse.unsupported("ThresholdMetricId (anomaly detection)");
    }
    if (request.comparisonOperatorAsString() == null) {
      throw Refuse.missing("ComparisonOperator");
    }
    if (Comparison.of(request.comparisonOperator()).isEmpty()) {
      throw request.comparisonOperatorAsString().contains("Upper")
              || request.comparisonOperatorAsString().contains("Lower")
          ? Refuse.unsupported(
              "ComparisonOperator " + request.comparisonOperatorAsString() + " (anomaly detection)")
          : Refuse.noneOf(
              request.comparisonOperatorAsString(),
              "comparisonOperator",
              ComparisonOperator.knownValues());
    }
    if (request.threshold() == null) {
      throw Refuse.missing("Threshold");
    }
    if (!Double.isFinite(request.threshold())) {
      throw Refuse.value("Threshold", request.threshold());
    }
    int periods = atLeastOne(request.evaluationPeriods(), "EvaluationPeriods");
    if (request.datapointsToAlarm() != null
        && atLeastOne(request.datapointsToAlarm(), "DatapointsToAlarm") > periods) {
      throw Refuse.validation("DatapointsToAlarm must be less than or equal to EvaluationPeriods");
    }
    if (MissingData.of(request.treatMissingData()).isEmpty()) {
      throw Refuse.validation(
          "The value "
              + request.treatMissingData()
              + " is not supported for TreatMissingData parameter. Supported values are"
              + " [breaching, notBreaching, ignore, missing].");
    }
    if (request.metrics().isEmpty()) {
      oneMetric(request);
    } else {
      math(request);
    }
    MetricAlarm alarm = build(request, name, now);
    int period = Measured.period(alarm);
    long range = (long) period * periods;
    if (range > (period < 3_600 ? DAY : WEEK)) {
      throw Refuse.validation(
          periods,
          "EvaluationPeriods",
          "Metrics cannot be checked across more than "
              + (period < 3_600 ? "a day" : "seven days")
              + " (EvaluationPeriods * Period must be <= "
              + (period < 3_600 ? DAY : WEEK)
              + ").");
    }
    return alarm;
  }

  private MetricAlarm build(PutMetricAlarmRequest request, String name, Instant now) {
    MetricAlarm.Builder alarm =
        MetricAlarm.builder()
            .alarmName(name)
            .alarmArn(arn(name))
            .alarmDescription(request.alarmDescription())
            .alarmConfigurationUpdatedTimestamp(now)
            .actionsEnabled(!Boolean.FALSE.equals(request.actionsEnabled()))
            .okActions(request.okActions())
            .alarmActions(request.alarmActions())
            .insufficientDataActions(request.insufficientDataActions())
            .stateValue(StateValue.INSUFFICIENT_DATA)
            .stateReason(UNCHECKED)
            .stateUpdatedTimestamp(now)
            .stateTransitionedTimestamp(now)
            .metricName(request.metricName())
            .namespace(request.namespace())
            .statistic(request.statisticAsString())
            .extendedStatistic(request.extendedStatistic())
            .dimensions(request.dimensions())
            .period(request.period())
            .unit(request.unitAsString())
            .evaluationPeriods(request.evaluationPeriods())
            .datapointsToAlarm(request.datapointsToAlarm())
            .threshold(request.threshold())
            .comparisonOperator(request.comparisonOperatorAsString())
            .treatMissingData(request.treatMissingData())
            .evaluateLowSampleCountPercentile(request.evaluateLowSampleCountPercentile());
    if (!request.metrics().isEmpty()) {
      alarm.metrics(request.metrics());
    }
    return alarm.build();
  }

  private void oneMetric(PutMetricAlarmRequest request) {
    Names.required(request.metricName(), "MetricName", 255);
    Names.namespace(request.namespace());
    boolean simple = request.statisticAsString() != null;
    boolean extended = request.extendedStatistic() != null;
    if (simple == extended) {
      throw Refuse.combination(
          "The parameters Statistic and ExtendedStatistic are mutually exclusive and exactly one"
              + " of them must be specified.");
    }
    String statistic = simple ? request.statisticAsString() : request.extendedStatistic();
    if (!Statistic.parse(statistic).map(s -> s.extended() == extended).orElse(false)) {
      throw simple
          ? Refuse.noneOf(statistic, "statistic", Statistic.SIMPLE)
          : Refuse.invalid(
              "The value " + statistic + " for parameter ExtendedStatistic is not supported.");
    }
    String low = request.evaluateLowSampleCountPercentile();
    if (low != null && !low.equals("evaluate") && !low.equals("ignore")) {
      throw Refuse.validation(
          "Option "
              + low
              + " is not supported. Supported options for parameter"
              + " EvaluateLowSampleCountPercentile are evaluate and ignore.");
    }
    if (low != null && !extended) {
      throw Refuse.combination(
          "The parameter EvaluateLowSampleCountPercentile needs an ExtendedStatistic.");
    }
    if (request.period() == null) {
      throw Refuse.missing("Period");
    }
    int period = request.period();
    if (period != 10 && period != 20 && period != 30 && (period < 60 || period % 60 != 0)) {
      throw Refuse.validation("Period must be 10, 20, 30 or a multiple of 60");
    }
    if (request.unitAsString() != null && !Units.ALL.contains(request.unitAsString())) {
      throw Refuse.noneOf(request.unitAsString(), "unit", StandardUnit.knownValues());
    }
    Names.dimensions(request.dimensions(), "Dimensions");
  }

  private void math(PutMetricAlarmRequest request) {
    if (request.metricName() != null
        || request.namespace() != null
        || request.statisticAsString() != null
        || request.extendedStatistic() != null
        || request.period() != null
        || request.unitAsString() != null
        || request.hasDimensions()) {
      throw Refuse.combination(
          "The parameter Metrics is mutually exclusive with MetricName, Namespace, Dimensions,"
              + " Statistic, ExtendedStatistic, Period and Unit.");
    }
    if (request.evaluateLowSampleCountPercentile() != null) {
      throw Refuse.combination(
          "The parameter EvaluateLowSampleCountPercentile needs an ExtendedStatistic.");
    }
    queries.check(request.metrics(), "Metrics");
    long metrics = request.metrics().stream().filter(q -> q.metricStat() != null).count();
    if (metrics > MOST_METRICS) {
      throw Refuse.validation(
          metrics, "Metrics", "An alarm can watch at most " + MOST_METRICS + " metrics");
    }
    long returned =
        request.metrics().stream()
            .filter(query -> !Boolean.FALSE.equals(query.returnData()))
            .count();
    if (returned != 1) {
      throw Refuse.invalid("Exactly one element of the metrics list should return data.");
    }
    queries.checkWatched(request.metrics());
  }

  /** The alarm asked for, in its first state. */
  CompositeAlarm composite(PutCompositeAlarmRequest request, Instant now) {
    String name = name(request.alarmName(), "AlarmName");
    common(
        request.alarmDescription(),
        request.okActions(),
        request.alarmActions(),
        request.insufficientDataActions());
    if (request.alarmRule() == null || request.alarmRule().isEmpty()) {
      throw Refuse.missing("AlarmRule");
    }
    if (request.alarmRule().length() > LONGEST_RULE) {
      throw Refuse.validation(
          request.alarmRule(),
          "alarmRule",
          "Member must have length less than or equal to " + LONGEST_RULE);
    }
    if (Rule.parse(request.alarmRule()).alarms().size() > MOST_CHILDREN) {
      throw Refuse.invalid("AlarmRule must not contain more than 100 alarms.");
    }
    boolean suppressed = request.actionsSuppressor() != null;
    boolean wait = request.actionsSuppressorWaitPeriod() != null;
    boolean extension = request.actionsSuppressorExtensionPeriod() != null;
    if (suppressed != wait || suppressed != extension) {
      throw Refuse.combination(
          "The parameters ActionsSuppressor, ActionsSuppressorWaitPeriod and"
              + " ActionsSuppressorExtensionPeriod must be specified together.");
    }
    if (suppressed) {
      period(request.actionsSuppressorWaitPeriod(), "ActionsSuppressorWaitPeriod");
      period(request.actionsSuppressorExtensionPeriod(), "ActionsSuppressorExtensionPeriod");
    }
    for (String action : request.alarmActions()) {
      if (action.contains(":autoscaling:") || forInstances(action)) {
        throw Refuse.invalid("Composite alarms do not support the action " + action + ".");
      }
    }
    return CompositeAlarm.builder()
        .alarmName(name)
        .alarmArn(arn(name))
        .alarmDescription(request.alarmDescription())
        .alarmRule(request.alarmRule())
        .alarmConfigurationUpdatedTimestamp(now)
        .actionsEnabled(!Boolean.FALSE.equals(request.actionsEnabled()))
        .okActions(request.okActions())
        .alarmActions(request.alarmActions())
        .insufficientDataActions(request.insufficientDataActions())
        .stateValue(StateValue.INSUFFICIENT_DATA)
        .stateReason(UNCHECKED)
        .stateUpdatedTimestamp(now)
        .stateTransitionedTimestamp(now)
        .actionsSuppressor(request.actionsSuppressor())
        .actionsSuppressorWaitPeriod(request.actionsSuppressorWaitPeriod())
        .actionsSuppressorExtensionPeriod(request.actionsSuppressorExtensionPeriod())
        .build();
  }

  private static boolean forInstances(String action) {
    return action.startsWith("arn:aws:automate:") || action.startsWith("arn:aws:swf:");
  }

  private static void period(int seconds, String parameter) {
    if (seconds < 0 || seconds > DAY) {
      throw Refuse.value(parameter, seconds);
    }
  }

  private static int atLeastOne(@Nullable Integer value, String parameter) {
    if (value == null) {
      throw Refuse.missing(parameter);
    }
    if (value < 1) {
      throw Refuse.validation(
          value, parameter, "Member must have value greater than or equal to 1");
    }
    return value;
  }

  @SafeVarargs
  private final void common(@Nullable String description, List<String>... all) {
    if (description != null && description.length() > 1_024) {
      throw Refuse.validation(
          description, "alarmDescription", "Member must have length less than or equal to 1024");
    }
    for (List<String> each : all) {
      if (each.size() > MOST_ACTIONS) {
        throw Refuse.validation(
            each, "actions", "Member must have length less than or equal to " + MOST_ACTIONS);
      }
      for (String action : each) {
        if (!action.startsWith("arn:")) {
          throw Refuse.invalid("Invalid arn syntax: " + action);
        }
        if (!actions.takes(action)) {
          throw Refuse.unsupported("The action " + action);
        }
      }
    }
  }
}
