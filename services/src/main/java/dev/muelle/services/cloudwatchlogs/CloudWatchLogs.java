package dev.muelle.services.cloudwatchlogs;

import dev.muelle.loop.Timers;
import dev.muelle.services.Ids;
import dev.muelle.services.LogBatch;
import dev.muelle.services.LogSink;
import dev.muelle.services.Measurements;
import dev.muelle.services.Scope;
import dev.muelle.store.Store;
import dev.muelle.wire.EventStream;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import software.amazon.awssdk.services.cloudwatch.model.PutMetricDataRequest;
import software.amazon.awssdk.services.cloudwatchlogs.CloudWatchLogsClient;
import software.amazon.awssdk.services.cloudwatchlogs.model.CreateLogGroupRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.CreateLogGroupResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.CreateLogStreamRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.CreateLogStreamResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.DeleteLogGroupRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.DeleteLogGroupResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.DeleteLogStreamRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.DeleteLogStreamResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.DeleteMetricFilterRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.DeleteMetricFilterResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.DeleteQueryDefinitionRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.DeleteQueryDefinitionResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.DeleteRetentionPolicyRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.DeleteRetentionPolicyResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.DeleteSubscriptionFilterRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.DeleteSubscriptionFilterResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.DescribeLogGroupsRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.DescribeLogGroupsResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.DescribeLogStreamsRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.DescribeLogStreamsResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.DescribeMetricFiltersRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.DescribeMetricFiltersResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.DescribeQueriesRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.DescribeQueriesResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.DescribeQueryDefinitionsRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.DescribeQueryDefinitionsResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.DescribeSubscriptionFiltersRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.DescribeSubscriptionFiltersResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.FilterLogEventsRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.FilterLogEventsResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.GetLogEventsRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.GetLogEventsResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.GetLogGroupFieldsRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.GetLogGroupFieldsResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.GetLogRecordRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.GetLogRecordResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.GetQueryResultsRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.GetQueryResultsResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.ListLogGroupsRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.ListLogGroupsResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.ListTagsForResourceRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.ListTagsForResourceResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.ListTagsLogGroupRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.ListTagsLogGroupResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.PutLogEventsRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.PutLogEventsResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.PutLogGroupDeletionProtectionRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.PutLogGroupDeletionProtectionResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.PutMetricFilterRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.PutMetricFilterResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.PutQueryDefinitionRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.PutQueryDefinitionResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.PutRetentionPolicyRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.PutRetentionPolicyResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.PutSubscriptionFilterRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.PutSubscriptionFilterResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.StartLiveTailRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.StartQueryRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.StartQueryResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.StopQueryRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.StopQueryResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.TagLogGroupRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.TagLogGroupResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.TagResourceRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.TagResourceResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.TestMetricFilterRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.TestMetricFilterResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.UntagLogGroupRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.UntagLogGroupResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.UntagResourceRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.UntagResourceResponse;

/** Amazon CloudWatch Logs of one account in one region. */
public final class CloudWatchLogs implements CloudWatchLogsClient, LogSink {

  private final Store store;
  private final Sweeper sweeper;
  private final Tidier tidier;
  private final Groups groups;
  private final Tags tags;
  private final Streams streams;
  private final Events events;
  private final Search search;
  private final Emission emission;
  private final MetricFilters metricFilters;
  private final Insights insights;
  private final QueryDefinitions definitions;
  private final Records records;
  private final LiveTails tails;
  private final SubscriptionFilters subscriptionFilters;

  /**
   * The service over what is stored; nothing runs before {@link #start}.
   *
   * @param random for the delays of retries
   * @param metrics takes what metric filters emit
   * @param measurements takes the metrics of AWS/Logs
   */
  public CloudWatchLogs(
      Scope scope,
      Store store,
      Timers timers,
      Ids ids,
      RandomGenerator random,
      Consumer<PutMetricDataRequest> metrics,
      Measurements measurements) {
    this.store = store;
    Names names = new Names(scope);
    sweeper = new Sweeper(store, timers, random);
    tidier = new Tidier(store, timers, random);
    groups = new Groups(store, timers, ids, names, sweeper);
    tags = new Tags(store, names);
    streams = new Streams(store, timers, ids, names, sweeper);
    emission = new Emission(timers, random, metrics, measurements);
    metricFilters = new MetricFilters(store, timers);
    insights = new Insights(scope, store, timers, ids, random, names);
    definitions = new QueryDefinitions(store, timers, ids);
    records = new Records(scope, store, timers, names);
    subscriptionFilters = new SubscriptionFilters(store);
    tails = new LiveTails(store, timers.machine(), ids, random, names);
    events = new Events(store, timers, names, emission, tidier, tails);
    search = new Search(store, timers, names);
  }

  /**
   * Packs what an earlier release has stored, and takes up where an earlier server left: the
   * deletion of expired and orphaned events, the merging of small packs, queries.
   */
  public void start() {
    Migration.run(store);
    tidier.start();
    sweeper.start();
    insights.start();
  }

  @Override
  public String serviceName() {
    return SERVICE_NAME;
  }

  /** What the synchronous interface of the SDK has no method for. */
  public EventStream startLiveTail(StartLiveTailRequest request) {
    return tails.start(request);
  }

  @Override
  public void close() {
    tails.close();
    insights.close();
    emission.close();
    tidier.close();
    sweeper.close();
  }

  @Override
  public CreateLogGroupResponse createLogGroup(CreateLogGroupRequest request) {
    return groups.create(request);
  }

  @Override
  public DeleteLogGroupResponse deleteLogGroup(DeleteLogGroupRequest request) {
    DeleteLogGroupResponse response = groups.delete(request);
    emission.deleted(request.logGroupName());
    return response;
  }

  @Override
  public DescribeLogGroupsResponse describeLogGroups(DescribeLogGroupsRequest request) {
    return groups.describe(request);
  }

  @Override
  public ListLogGroupsResponse listLogGroups(ListLogGroupsRequest request) {
    return groups.list(request);
  }

  @Override
  public PutRetentionPolicyResponse putRetentionPolicy(PutRetentionPolicyRequest request) {
    return groups.retain(request);
  }

  @Override
  public DeleteRetentionPolicyResponse deleteRetentionPolicy(DeleteRetentionPolicyRequest request) {
    return groups.retainForever(request);
  }

  @Override
  public PutLogGroupDeletionProtectionResponse putLogGroupDeletionProtection(
      PutLogGroupDeletionProtectionRequest request) {
    return groups.protect(request);
  }

  @Override
  public TagResourceResponse tagResource(TagResourceRequest request) {
    return tags.tag(request);
  }

  @Override
  public UntagResourceResponse untagResource(UntagResourceRequest request) {
    return tags.untag(request);
  }

  @Override
  public ListTagsForResourceResponse listTagsForResource(ListTagsForResourceRequest request) {
    return tags.list(request);
  }

  @Override
  @Deprecated // by AWS; tools still call it
  public TagLogGroupResponse tagLogGroup(TagLogGroupRequest request) {
    return tags.tag(request);
  }

  @Override
  @Deprecated // by AWS; tools still call it
  public UntagLogGroupResponse untagLogGroup(UntagLogGroupRequest request) {
    return tags.untag(request);
  }

  @Override
  @Deprecated // by AWS; tools still call it
  public ListTagsLogGroupResponse listTagsLogGroup(ListTagsLogGroupRequest request) {
    return tags.list(request);
  }

  @Override
  public CreateLogStreamResponse createLogStream(CreateLogStreamRequest request) {
    return streams.create(request);
  }

  @Override
  public DeleteLogStreamResponse deleteLogStream(DeleteLogStreamRequest request) {
    return streams.delete(request);
  }

  @Override
  public DescribeLogStreamsResponse describeLogStreams(DescribeLogStreamsRequest request) {
    return streams.describe(request);
  }

  @Override
  public void put(String group, String stream, LogBatch batch) {
    events.put(group, stream, batch);
  }

  @Override
  public PutLogEventsResponse putLogEvents(PutLogEventsRequest request) {
    return events.put(request);
  }

  @Override
  public GetLogEventsResponse getLogEvents(GetLogEventsRequest request) {
    return events.get(request);
  }

  @Override
  public FilterLogEventsResponse filterLogEvents(FilterLogEventsRequest request) {
    return search.filter(request);
  }

  @Override
  public PutMetricFilterResponse putMetricFilter(PutMetricFilterRequest request) {
    return metricFilters.put(request);
  }

  @Override
  public DescribeMetricFiltersResponse describeMetricFilters(DescribeMetricFiltersRequest request) {
    return metricFilters.describe(request);
  }

  @Override
  public DeleteMetricFilterResponse deleteMetricFilter(DeleteMetricFilterRequest request) {
    return metricFilters.delete(request);
  }

  @Override
  public TestMetricFilterResponse testMetricFilter(TestMetricFilterRequest request) {
    return MetricFilters.test(request);
  }

  @Override
  public PutSubscriptionFilterResponse putSubscriptionFilter(PutSubscriptionFilterRequest request) {
    return subscriptionFilters.put(request);
  }

  @Override
  public DescribeSubscriptionFiltersResponse describeSubscriptionFilters(
      DescribeSubscriptionFiltersRequest request) {
    return subscriptionFilters.describe(request);
  }

  @Override
  public DeleteSubscriptionFilterResponse deleteSubscriptionFilter(
      DeleteSubscriptionFilterRequest request) {
    return subscriptionFilters.delete(request);
  }

  @Override
  public StartQueryResponse startQuery(StartQueryRequest request) {
    return insights.start(request);
  }

  @Override
  public StopQueryResponse stopQuery(StopQueryRequest request) {
    return insights.stop(request);
  }

  @Override
  public GetQueryResultsResponse getQueryResults(GetQueryResultsRequest request) {
    return insights.results(request);
  }

  @Override
  public DescribeQueriesResponse describeQueries(DescribeQueriesRequest request) {
    return insights.describe(request);
  }

  @Override
  public PutQueryDefinitionResponse putQueryDefinition(PutQueryDefinitionRequest request) {
    return definitions.put(request);
  }

  @Override
  public DescribeQueryDefinitionsResponse describeQueryDefinitions(
      DescribeQueryDefinitionsRequest request) {
    return definitions.describe(request);
  }

  @Override
  public DeleteQueryDefinitionResponse deleteQueryDefinition(DeleteQueryDefinitionRequest request) {
    return definitions.delete(request);
  }

  @Override
  public GetLogRecordResponse getLogRecord(GetLogRecordRequest request) {
    return records.record(request);
  }

  @Override
  public GetLogGroupFieldsResponse getLogGroupFields(GetLogGroupFieldsRequest request) {
    return records.fields(request);
  }
}
