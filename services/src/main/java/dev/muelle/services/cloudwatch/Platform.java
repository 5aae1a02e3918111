package dev.muelle.services.cloudwatch;

import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.cloudwatch.model.DescribeAlarmsRequest;
import software.amazon.awssdk.services.cloudwatch.model.DescribeAlarmsResponse;
import software.amazon.awssdk.services.cloudwatch.model.PutMetricDataRequest;
import software.amazon.awssdk.services.cloudwatch.model.PutMetricDataResponse;

/** CloudWatch as the region's other services see it: what they call, and no more. */
record Platform(CloudWatch cloudWatch, PutData putData) implements CloudWatchClient {

  @Override
  public String serviceName() {
    return SERVICE_NAME;
  }

  @Override
  public void close() {} // it is not theirs

  @Override
  public PutMetricDataResponse putMetricData(PutMetricDataRequest request) {
    return putData.put(request, true);
  }

  @Override
  public DescribeAlarmsResponse describeAlarms(DescribeAlarmsRequest request) {
    return cloudWatch.describeAlarms(request);
  }
}
