package dev.muelle.services.cloudwatch;

import dev.muelle.loop.Timers;
import dev.muelle.services.AlarmActions;
import dev.muelle.services.EventOutbox;
import dev.muelle.services.Measurements;
import dev.muelle.services.Scope;
import dev.muelle.services.cloudwatch.alarm.AlarmReading;
import dev.muelle.services.cloudwatch.alarm.Alarms;
import dev.muelle.services.cloudwatch.math.Queries;
import dev.muelle.services.cloudwatch.series.Aging;
import dev.muelle.services.cloudwatch.series.Intake;
import dev.muelle.services.cloudwatch.series.SeriesStore;
import dev.muelle.services.cloudwatch.widget.WidgetImages;
import dev.muelle.store.Store;
import java.time.Duration;
import java.util.random.RandomGenerator;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.cloudwatch.model.DeleteAlarmsRequest;
import software.amazon.awssdk.services.cloudwatch.model.DeleteAlarmsResponse;
import software.amazon.awssdk.services.cloudwatch.model.DeleteDashboardsRequest;
import software.amazon.awssdk.services.cloudwatch.model.DeleteDashboardsResponse;
import software.amazon.awssdk.services.cloudwatch.model.DescribeAlarmHistoryRequest;
import software.amazon.awssdk.services.cloudwatch.model.DescribeAlarmHistoryResponse;
import software.amazon.awssdk.services.cloudwatch.model.DescribeAlarmsForMetricRequest;
import software.amazon.awssdk.services.cloudwatch.model.DescribeAlarmsForMetricResponse;
import software.amazon.awssdk.services.cloudwatch.model.DescribeAlarmsRequest;
import software.amazon.awssdk.services.cloudwatch.model.DescribeAlarmsResponse;
import software.amazon.awssdk.services.cloudwatch.model.DisableAlarmActionsRequest;
import software.amazon.awssdk.services.cloudwatch.model.DisableAlarmActionsResponse;
import software.amazon.awssdk.services.cloudwatch.model.EnableAlarmActionsRequest;
import software.amazon.awssdk.services.cloudwatch.model.EnableAlarmActionsResponse;
import software.amazon.awssdk.services.cloudwatch.model.GetDashboardRequest;
import software.amazon.awssdk.services.cloudwatch.model.GetDashboardResponse;
import software.amazon.awssdk.services.cloudwatch.model.GetMetricDataRequest;
import software.amazon.awssdk.services.cloudwatch.model.GetMetricDataResponse;
import software.amazon.awssdk.services.cloudwatch.model.GetMetricStatisticsRequest;
import software.amazon.awssdk.services.cloudwatch.model.GetMetricStatisticsResponse;
import software.amazon.awssdk.services.cloudwatch.model.GetMetricWidgetImageRequest;
import software.amazon.awssdk.services.cloudwatch.model.GetMetricWidgetImageResponse;
import software.amazon.awssdk.services.cloudwatch.model.ListDashboardsRequest;
import software.amazon.awssdk.services.cloudwatch.model.ListDashboardsResponse;
import software.amazon.awssdk.services.cloudwatch.model.ListMetricsRequest;
import software.amazon.awssdk.services.cloudwatch.model.ListMetricsResponse;
import software.amazon.awssdk.services.cloudwatch.model.ListTagsForResourceRequest;
import software.amazon.awssdk.services.cloudwatch.model.ListTagsForResourceResponse;
import software.amazon.awssdk.services.cloudwatch.model.PutCompositeAlarmRequest;
import software.amazon.awssdk.services.cloudwatch.model.PutCompositeAlarmResponse;
import software.amazon.awssdk.services.cloudwatch.model.PutDashboardRequest;
import software.amazon.awssdk.services.cloudwatch.model.PutDashboardResponse;
import software.amazon.awssdk.services.cloudwatch.model.PutMetricAlarmRequest;
import software.amazon.awssdk.services.cloudwatch.model.PutMetricAlarmResponse;
import software.amazon.awssdk.services.cloudwatch.model.PutMetricDataRequest;
import software.amazon.awssdk.services.cloudwatch.model.PutMetricDataResponse;
import software.amazon.awssdk.services.cloudwatch.model.SetAlarmStateRequest;
import software.amazon.awssdk.services.cloudwatch.model.SetAlarmStateResponse;
import software.amazon.awssdk.services.cloudwatch.model.TagResourceRequest;
import software.amazon.awssdk.services.cloudwatch.model.TagResourceResponse;
import software.amazon.awssdk.services.cloudwatch.model.UntagResourceRequest;
import software.amazon.awssdk.services.cloudwatch.model.UntagResourceResponse;

/** Amazon CloudWatch of one account in one region. */
public final class CloudWatch implements CloudWatchClient {

  private final Aging aging;
  private final Intake intake;
  private final PutData putData;
  private final Reading reading;
  private final Alarms alarms;
  private final AlarmReading alarmReading;
  private final Dashboards dashboards;
  private final WidgetImages images;

  /** One whose region measures by the minute. */
  public CloudWatch(
      Scope scope,
      Store store,
      Timers timers,
      RandomGenerator random,
      AlarmActions actions,
      EventOutbox events) {
    this(scope, store, timers, random, actions, events, Duration.ofMinutes(1));
  }

  /**
   * The service over what is stored; nothing runs before {@link #start}.
   *
   * @param random for the delays of retries
   * @param actions who does what alarms ask for
   * @param events who is told of alarms
   * @param resolution how finely the region measures: whole seconds that divide a minute
   */
  public CloudWatch(
      Scope scope,
      Store store,
      Timers timers,
      RandomGenerator random,
      AlarmActions actions,
      EventOutbox events,
      Duration resolution) {
    SeriesStore series = new SeriesStore(store, timers);
    Queries queries = new Queries(series, timers, scope);
    aging = new Aging(series, timers, random);
    intake = new Intake(series, timers, resolution);
    putData = new PutData(series, timers);
    reading = new Reading(series, queries, timers, scope);
    alarms = new Alarms(scope, store, timers, random, queries, actions, events);
    alarmReading = new AlarmReading(store);
    dashboards = new Dashboards(scope, store, timers);
    images = new WidgetImages(queries, timers, scope, alarmReading::metric);
  }

  /** Takes up the work where an earlier server left it. */
  public void start() {
    aging.start();
    intake.start();
    alarms.start();
  }

  /** Where the platform's own parts leave what they measure. */
  public Measurements measurements() {
    return intake;
  }

  /** What other services of this region call: for them the namespaces AWS/… are open. */
  public CloudWatchClient platform() {
    return new Platform(this, putData);
  }

  @Override
  public String serviceName() {
    return SERVICE_NAME;
  }

  @Override
  public void close() {
    alarms.close();
    intake.close();
    aging.close();
  }

  @Override
  public PutMetricDataResponse putMetricData(PutMetricDataRequest request) {
    return putData.put(request, false);
  }

  @Override
  public ListMetricsResponse listMetrics(ListMetricsRequest request) {
    return reading.list(request);
  }

  @Override
  public GetMetricStatisticsResponse getMetricStatistics(GetMetricStatisticsRequest request) {
    return reading.statistics(request);
  }

  @Override
  public GetMetricDataResponse getMetricData(GetMetricDataRequest request) {
    return reading.data(request);
  }

  @Override
  public GetMetricWidgetImageResponse getMetricWidgetImage(GetMetricWidgetImageRequest request) {
    return images.draw(request);
  }

  @Override
  public DeleteAlarmsResponse deleteAlarms(DeleteAlarmsRequest request) {
    return alarms.delete(request);
  }

  @Override
  public DescribeAlarmHistoryResponse describeAlarmHistory(DescribeAlarmHistoryRequest request) {
    return alarmReading.history(request);
  }

  @Override
  public DescribeAlarmsResponse describeAlarms(DescribeAlarmsRequest request) {
    return alarmReading.describe(request);
  }

  @Override
  public DescribeAlarmsForMetricResponse describeAlarmsForMetric(
      DescribeAlarmsForMetricRequest request) {
    return alarmReading.describe(request);
  }

  @Override
  public DisableAlarmActionsResponse disableAlarmActions(DisableAlarmActionsRequest request) {
    return alarms.disable(request);
  }

  @Override
  public EnableAlarmActionsResponse enableAlarmActions(EnableAlarmActionsRequest request) {
    return alarms.enable(request);
  }

  @Override
  public PutCompositeAlarmResponse putCompositeAlarm(PutCompositeAlarmRequest request) {
    return alarms.put(request);
  }

  @Override
  public PutMetricAlarmResponse putMetricAlarm(PutMetricAlarmRequest request) {
    return alarms.put(request);
  }

  @Override
  public SetAlarmStateResponse setAlarmState(SetAlarmStateRequest request) {
    return alarms.set(request);
  }

  @Override
  public ListTagsForResourceResponse listTagsForResource(ListTagsForResourceRequest request) {
    return alarms.tags(request);
  }

  @Override
  public TagResourceResponse tagResource(TagResourceRequest request) {
    return alarms.tag(request);
  }

  @Override
  public UntagResourceResponse untagResource(UntagResourceRequest request) {
    return alarms.untag(request);
  }

  @Override
  public PutDashboardResponse putDashboard(PutDashboardRequest request) {
    return dashboards.put(request);
  }

  @Override
  public GetDashboardResponse getDashboard(GetDashboardRequest request) {
    return dashboards.get(request);
  }

  @Override
  public ListDashboardsResponse listDashboards(ListDashboardsRequest request) {
    return dashboards.list(request);
  }

  @Override
  public DeleteDashboardsResponse deleteDashboards(DeleteDashboardsRequest request) {
    return dashboards.delete(request);
  }
}
