package dev.muelle.services.cloudwatch.alarm;

import dev.muelle.services.cloudwatch.series.Metric;
import dev.muelle.services.cloudwatch.series.Names;
import dev.muelle.services.cloudwatch.series.Refuse;
import dev.muelle.services.cloudwatch.series.Tokens;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatch.model.AlarmHistoryItem;
import software.amazon.awssdk.services.cloudwatch.model.AlarmType;
import software.amazon.awssdk.services.cloudwatch.model.CompositeAlarm;
import software.amazon.awssdk.services.cloudwatch.model.DescribeAlarmHistoryRequest;
import software.amazon.awssdk.services.cloudwatch.model.DescribeAlarmHistoryResponse;
import software.amazon.awssdk.services.cloudwatch.model.DescribeAlarmsForMetricRequest;
import software.amazon.awssdk.services.cloudwatch.model.DescribeAlarmsForMetricResponse;
import software.amazon.awssdk.services.cloudwatch.model.DescribeAlarmsRequest;
import software.amazon.awssdk.services.cloudwatch.model.DescribeAlarmsResponse;
import software.amazon.awssdk.services.cloudwatch.model.HistoryItemType;
import software.amazon.awssdk.services.cloudwatch.model.MetricAlarm;
import software.amazon.awssdk.services.cloudwatch.model.ScanBy;
import software.amazon.awssdk.services.cloudwatch.model.StateValue;

/**
 * Tells of alarms.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html">DescribeAlarms</a>
 */
public final class AlarmReading {

  private static final int PAGE = 50;
  private static final int LARGEST_PAGE = 100;

  private final Store store;

  public AlarmReading(Store store) {
    this.store = store;
  }

  private static int page(@Nullable Integer most, int byDefault) {
    if (most != null && (most < 1 || most > LARGEST_PAGE)) {
      throw Refuse.validation(most, "maxRecords", "Member must have value between 1 and 100");
    }
    return most == null ? byDefault : most;
  }

  private List<Alarm> all() {
    return store.read(tx -> tx.list(Alarm.TABLE).stream().map(Row::value).toList());
  }

  /** The metric alarm of an ARN; null if it is none. */
  public @Nullable MetricAlarm metric(String arn) {
    return store
        .read(tx -> tx.get(Alarm.TABLE, Rule.name(arn)))
        .map(row -> row.value().metric())
        .filter(alarm -> alarm.alarmArn().equals(arn))
        .orElse(null);
  }

  public DescribeAlarmsResponse describe(DescribeAlarmsRequest request) {
    int most = page(request.maxRecords(), PAGE);
    check(request);
    DescribeAlarmsRequest question = request.toBuilder().nextToken(null).maxRecords(null).build();
    String after = Tokens.position(question, request.nextToken());
    List<Alarm> all = all();
    List<Alarm> found =
        all.stream()
            .filter(wanted(request, all))
            .filter(alarm -> after == null || alarm.name().compareTo(after) > 0)
            .limit(most + 1L)
            .toList();
    boolean more = found.size() > most;
    List<Alarm> here = more ? found.subList(0, most) : found;
    boolean parents = request.parentsOfAlarmName() != null;
    boolean children = request.childrenOfAlarmName() != null;
    return DescribeAlarmsResponse.builder()
        .metricAlarms(
            here.stream()
                .map(Alarm::metric)
                .filter(alarm -> alarm != null)
                .map(alarm -> children ? brief(alarm) : alarm)
                .toList())
        .compositeAlarms(
            here.stream()
                .map(Alarm::composite)
                .filter(alarm -> alarm != null)
                .map(alarm -> children || parents ? brief(alarm, children) : alarm)
                .toList())
        .nextToken(more ? Tokens.of(question, here.getLast().name()) : null)
        .build();
  }

  private static void check(DescribeAlarmsRequest request) {
    if (request.alarmNames().size() > LARGEST_PAGE) {
      throw Refuse.validation(
          request.alarmNames().size(),
          "alarmNames",
          "Member must have length less than or equal to 100");
    }
    boolean named = !request.alarmNames().isEmpty();
    if (named && request.alarmNamePrefix() != null) {
      throw Refuse.combination(
          "The parameters AlarmNames and AlarmNamePrefix are mutually exclusive.");
    }
    boolean family = request.childrenOfAlarmName() != null || request.parentsOfAlarmName() != null;
    boolean other =
        named
            || request.alarmNamePrefix() != null
            || request.actionPrefix() != null
            || request.stateValueAsString() != null
            || !request.alarmTypes().isEmpty()
            || (request.childrenOfAlarmName() != null && request.parentsOfAlarmName() != null);
    if (family && other) {
      throw Refuse.combination(
          "ChildrenOfAlarmName and ParentsOfAlarmName can be used only with MaxRecords and"
              + " NextToken.");
    }
    if (request.stateValueAsString() != null
        && request.stateValue() == StateValue.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.noneOf(request.stateValueAsString(), "stateValue", AlarmRequests.STATES);
    }
    if (request.alarmTypes().contains(AlarmType.UNKNOWN_TO_SDK_VERSION)) {
      throw Refuse.validation(
          request.alarmTypesAsStrings(),
          "alarmTypes",
          "Member must satisfy constraint: [Member must satisfy enum value set: "
              + AlarmType.knownValues()
              + "]");
    }
  }

  private static Predicate<Alarm> wanted(DescribeAlarmsRequest request, List<Alarm> all) {
    if (request.childrenOfAlarmName() != null) {
      String parent = Rule.name(request.childrenOfAlarmName());
      return alarm ->
          all.stream()
              .anyMatch(
                  each -> each.name().equals(parent) && each.children().contains(alarm.name()));
    }
    if (request.parentsOfAlarmName() != null) {
      String child = Rule.name(request.parentsOfAlarmName());
      return alarm -> alarm.children().contains(child);
    }
    return alarm ->
        (request.alarmTypes().isEmpty()
                ? alarm.metric() != null
                : request
                    .alarmTypes()
                    .contains(
                        alarm.metric() != null
                            ? AlarmType.METRIC_ALARM
                            : AlarmType.COMPOSITE_ALARM))
            && (request.alarmNames().isEmpty() || request.alarmNames().contains(alarm.name()))
            && (request.alarmNamePrefix() == null
                || alarm.name().startsWith(request.alarmNamePrefix()))
            && (request.stateValue() == null || request.stateValue() == alarm.state())
            && (request.actionPrefix() == null
                || alarm.allActions().stream()
                    .anyMatch(action -> action.startsWith(request.actionPrefix())));
  }

  private static MetricAlarm brief(MetricAlarm alarm) {
    return MetricAlarm.builder()
        .alarmName(alarm.alarmName())
        .alarmArn(alarm.alarmArn())
        .stateValue(alarm.stateValue())
        .stateUpdatedTimestamp(alarm.stateUpdatedTimestamp())
        .build();
  }

  private static CompositeAlarm brief(CompositeAlarm alarm, boolean withState) {
    CompositeAlarm.Builder brief =
        CompositeAlarm.builder().alarmName(alarm.alarmName()).alarmArn(alarm.alarmArn());
    return withState
        ? brief
            .stateValue(alarm.stateValue())
            .stateUpdatedTimestamp(alarm.stateUpdatedTimestamp())
            .build()
        : brief.build();
  }

  /** Those of one metric; not those that compute with it. */
  public DescribeAlarmsForMetricResponse describe(DescribeAlarmsForMetricRequest request) {
    Names.required(request.metricName(), "MetricName", 255);
    Names.namespace(request.namespace());
    Names.dimensions(request.dimensions(), "Dimensions");
    Metric metric = new Metric(request.namespace(), request.metricName(), request.dimensions());
    List<MetricAlarm> found = new ArrayList<>();
    for (Alarm each : all()) {
      MetricAlarm alarm = each.metric();
      if (alarm != null
          && alarm.metricName() != null
          && metric.equals(new Metric(alarm.namespace(), alarm.metricName(), alarm.dimensions()))
          && same(request.statisticAsString(), alarm.statisticAsString())
          && same(request.extendedStatistic(), alarm.extendedStatistic())
          && same(request.unitAsString(), alarm.unitAsString())
          && same(request.period(), alarm.period())) {
        found.add(alarm);
      }
    }
    return DescribeAlarmsForMetricResponse.builder().metricAlarms(found).build();
  }

  private static boolean same(@Nullable Object asked, @Nullable Object is) {
    return asked == null || asked.equals(is);
  }

  public DescribeAlarmHistoryResponse history(DescribeAlarmHistoryRequest request) {
    int most = page(request.maxRecords(), LARGEST_PAGE);
    if (request.historyItemTypeAsString() != null
        && request.historyItemType() == HistoryItemType.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.noneOf(
          request.historyItemTypeAsString(), "historyItemType", HistoryItemType.knownValues());
    }
    if (request.scanByAsString() != null && request.scanBy() == ScanBy.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.noneOf(request.scanByAsString(), "scanBy", ScanBy.knownValues());
    }
    if (request.alarmContributorId() != null) {
      throw Refuse.unsupported("AlarmContributorId");
    }
    boolean ascending = request.scanBy() == ScanBy.TIMESTAMP_ASCENDING;
    Instant from = request.startDate() == null ? Instant.EPOCH : request.startDate();
    DescribeAlarmHistoryRequest question =
        request.toBuilder().nextToken(null).maxRecords(null).build();
    String position = Tokens.position(question, request.nextToken());
    String first = position != null && ascending ? position : History.from(from);
    String last =
        position != null && !ascending
            ? position
            : request.endDate() == null ? "~" : History.from(request.endDate().plusMillis(1));
    List<Row<AlarmHistoryItem>> found = new ArrayList<>();
    store.read(tx -> {
      found.clear();
      tx.range(History.TABLE, first, last, !ascending, Integer.MAX_VALUE).stream()
          .filter(row -> wanted(request, row.value()))
          .limit(most + 1L)
          .forEach(found::add);
      return found;
    });
    boolean more = found.size() > most;
    List<Row<AlarmHistoryItem>> here = more ? found.subList(0, most) : found;
    String next = ascending ? here.isEmpty() ? "" : here.getLast().key() + "!" : "";
    if (more && !ascending) {
      next = here.getLast().key();
    }
    return DescribeAlarmHistoryResponse.builder()
        .alarmHistoryItems(here.stream().map(Row::value).toList())
        .nextToken(more ? Tokens.of(question, next) : null)
        .build();
  }

  private static boolean wanted(DescribeAlarmHistoryRequest request, AlarmHistoryItem item) {
    boolean type =
        request.alarmTypes().isEmpty()
            ? item.alarmType() == AlarmType.METRIC_ALARM || request.alarmName() != null
            : request.alarmTypes().contains(item.alarmType());
    return type
        && same(request.alarmName(), item.alarmName())
        && same(request.historyItemType(), item.historyItemType());
  }
}
