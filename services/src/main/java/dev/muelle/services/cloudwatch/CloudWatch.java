package dev.muelle.services.cloudwatch;

import dev.muelle.loop.Timers;
import dev.muelle.services.Measurements;
import dev.muelle.services.Scope;
import dev.muelle.services.cloudwatch.math.Queries;
import dev.muelle.services.cloudwatch.series.Aging;
import dev.muelle.services.cloudwatch.series.Intake;
import dev.muelle.services.cloudwatch.series.SeriesStore;
import dev.muelle.store.Store;
import java.util.random.RandomGenerator;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.cloudwatch.model.GetMetricDataRequest;
import software.amazon.awssdk.services.cloudwatch.model.GetMetricDataResponse;
import software.amazon.awssdk.services.cloudwatch.model.GetMetricStatisticsRequest;
import software.amazon.awssdk.services.cloudwatch.model.GetMetricStatisticsResponse;
import software.amazon.awssdk.services.cloudwatch.model.ListMetricsRequest;
import software.amazon.awssdk.services.cloudwatch.model.ListMetricsResponse;
import software.amazon.awssdk.services.cloudwatch.model.PutMetricDataRequest;
import software.amazon.awssdk.services.cloudwatch.model.PutMetricDataResponse;

/** Amazon CloudWatch of one account in one region. */
public final class CloudWatch implements CloudWatchClient {

  private final Aging aging;
  private final Intake intake;
  private final PutData putData;
  private final Reading reading;

  /**
   * The service over what is stored; nothing runs before {@link #start}.
   *
   * @param random for the delays of retries
   */
  public CloudWatch(Scope scope, Store store, Timers timers, RandomGenerator random) {
    SeriesStore series = new SeriesStore(store, timers);
    Queries queries = new Queries(series, timers, scope);
    aging = new Aging(series, timers, random);
    intake = new Intake(series, timers);
    putData = new PutData(series, timers);
    reading = new Reading(series, queries, timers, scope);
  }

  /** Takes up the work where an earlier server left it. */
  public void start() {
    aging.start();
    intake.start();
  }

  /** Where the platform's own parts leave what they measure. */
  public Measurements measurements() {
    return intake;
  }

  @Override
  public String serviceName() {
    return SERVICE_NAME;
  }

  @Override
  public void close() {
    intake.close();
    aging.close();
  }

  @Override
  public PutMetricDataResponse putMetricData(PutMetricDataRequest request) {
    return putData.put(request);
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
}
