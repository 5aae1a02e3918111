package dev.muelle.services.ecs;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.cloudwatch.model.DescribeAlarmsRequest;
import software.amazon.awssdk.services.cloudwatch.model.DescribeAlarmsResponse;
import software.amazon.awssdk.services.cloudwatch.model.MetricAlarm;
import software.amazon.awssdk.services.cloudwatch.model.PutMetricDataRequest;
import software.amazon.awssdk.services.cloudwatch.model.PutMetricDataResponse;
import software.amazon.awssdk.services.cloudwatch.model.StateValue;

/** Alarms that ring when the test says so. */
final class FakeCloudWatch implements CloudWatchClient {

  final Map<String, StateValue> alarms = new TreeMap<>();

  /** Asked instead, if there is one. */
  @Nullable CloudWatchClient real;

  /** What was published, in order: a metric's name and value. */
  final List<String> published = new CopyOnWriteArrayList<>();

  @Override
  public PutMetricDataResponse putMetricData(PutMetricDataRequest request) {
    request
        .metricData()
        .forEach(datum -> published.add(datum.metricName() + " " + Math.round(datum.value())));
    return PutMetricDataResponse.builder().build();
  }

  @Override
  public DescribeAlarmsResponse describeAlarms(DescribeAlarmsRequest request) {
    if (real != null) {
      return real.describeAlarms(request);
    }
    List<MetricAlarm> found =
        request.alarmNames().stream()
            .filter(alarms::containsKey)
            .map(name ->
                MetricAlarm.builder()
                    .alarmName(name)
                    .stateValue(alarms.get(name))
                    .period(60)
                    .evaluationPeriods(3)
                    .build())
            .toList();
    return DescribeAlarmsResponse.builder().metricAlarms(found).build();
  }

  @Override
  public String serviceName() {
    return SERVICE_NAME;
  }

  @Override
  public void close() {}
}
