package dev.muelle.services.sns;

import dev.muelle.loop.Timers;
import dev.muelle.services.AlarmActions;
import dev.muelle.services.Ids;
import dev.muelle.services.Measurements;
import dev.muelle.services.Scope;
import dev.muelle.store.Store;
import java.util.random.RandomGenerator;
import software.amazon.awssdk.services.cloudwatchlogs.CloudWatchLogsClient;
import software.amazon.awssdk.services.sns.SnsClient;
import software.amazon.awssdk.services.sns.model.ConfirmSubscriptionRequest;
import software.amazon.awssdk.services.sns.model.ConfirmSubscriptionResponse;
import software.amazon.awssdk.services.sns.model.CreateTopicRequest;
import software.amazon.awssdk.services.sns.model.CreateTopicResponse;
import software.amazon.awssdk.services.sns.model.DeleteTopicRequest;
import software.amazon.awssdk.services.sns.model.DeleteTopicResponse;
import software.amazon.awssdk.services.sns.model.GetSubscriptionAttributesRequest;
import software.amazon.awssdk.services.sns.model.GetSubscriptionAttributesResponse;
import software.amazon.awssdk.services.sns.model.GetTopicAttributesRequest;
import software.amazon.awssdk.services.sns.model.GetTopicAttributesResponse;
import software.amazon.awssdk.services.sns.model.ListSubscriptionsByTopicRequest;
import software.amazon.awssdk.services.sns.model.ListSubscriptionsByTopicResponse;
import software.amazon.awssdk.services.sns.model.ListSubscriptionsRequest;
import software.amazon.awssdk.services.sns.model.ListSubscriptionsResponse;
import software.amazon.awssdk.services.sns.model.ListTagsForResourceRequest;
import software.amazon.awssdk.services.sns.model.ListTagsForResourceResponse;
import software.amazon.awssdk.services.sns.model.ListTopicsRequest;
import software.amazon.awssdk.services.sns.model.ListTopicsResponse;
import software.amazon.awssdk.services.sns.model.PublishBatchRequest;
import software.amazon.awssdk.services.sns.model.PublishBatchResponse;
import software.amazon.awssdk.services.sns.model.PublishRequest;
import software.amazon.awssdk.services.sns.model.PublishResponse;
import software.amazon.awssdk.services.sns.model.SetSubscriptionAttributesRequest;
import software.amazon.awssdk.services.sns.model.SetSubscriptionAttributesResponse;
import software.amazon.awssdk.services.sns.model.SetTopicAttributesRequest;
import software.amazon.awssdk.services.sns.model.SetTopicAttributesResponse;
import software.amazon.awssdk.services.sns.model.SubscribeRequest;
import software.amazon.awssdk.services.sns.model.SubscribeResponse;
import software.amazon.awssdk.services.sns.model.TagResourceRequest;
import software.amazon.awssdk.services.sns.model.TagResourceResponse;
import software.amazon.awssdk.services.sns.model.UnsubscribeRequest;
import software.amazon.awssdk.services.sns.model.UnsubscribeResponse;
import software.amazon.awssdk.services.sns.model.UntagResourceRequest;
import software.amazon.awssdk.services.sns.model.UntagResourceResponse;

/** Amazon SNS of one account in one region. */
public final class Sns implements SnsClient {

  private final Topics topics;
  private final Subscriptions subscriptions;
  private final Published published;
  private final Deliveries deliveries;
  private final Tags tags;
  private final AlarmActions alarmActions;

  /**
   * The service over what is stored; nothing is delivered before {@link #start}.
   *
   * @param random for the delays of retries, and samples
   * @param logs where topics log what was delivered
   */
  public Sns(
      Scope scope,
      Store store,
      Timers timers,
      Ids ids,
      RandomGenerator random,
      Senders senders,
      CloudWatchLogsClient logs,
      Measurements measurements) {
    TopicMetrics metrics = new TopicMetrics(measurements);
    deliveries =
        new Deliveries(
            scope,
            store,
            timers.machine(), // receivers do not come back any sooner
            random,
            senders,
            new DeliveryLog(scope, logs, timers, ids, random),
            metrics);
    topics = new Topics(scope, store);
    subscriptions =
        new Subscriptions(
            scope, store, timers.machine(), ids, new SubscriptionRules(senders), deliveries::wake);
    published = new Published(store, timers, ids, metrics, deliveries::wake);
    tags = new Tags(store);
    alarmActions = new AlarmMessages(scope, this);
  }

  /** Takes up the deliveries that an earlier server left. */
  public void start() {
    deliveries.start();
  }

  /** What alarms ask of topics. */
  public AlarmActions alarmActions() {
    return alarmActions;
  }

  /** Confirms for somebody who follows a link, and does not sign. */
  public ConfirmSubscriptionResponse visited(ConfirmSubscriptionRequest request) {
    return subscriptions.confirm(request, false);
  }

  /** Ends for somebody who follows a link, and does not sign. */
  public UnsubscribeResponse visited(UnsubscribeRequest request) {
    return subscriptions.end(request, false);
  }

  @Override
  public String serviceName() {
    return SERVICE_NAME;
  }

  @Override
  public void close() {
    deliveries.close();
  }

  @Override
  public CreateTopicResponse createTopic(CreateTopicRequest request) {
    return topics.create(request);
  }

  @Override
  public DeleteTopicResponse deleteTopic(DeleteTopicRequest request) {
    return topics.delete(request);
  }

  @Override
  public ListTopicsResponse listTopics(ListTopicsRequest request) {
    return topics.list(request);
  }

  @Override
  public GetTopicAttributesResponse getTopicAttributes(GetTopicAttributesRequest request) {
    return topics.get(request);
  }

  @Override
  public SetTopicAttributesResponse setTopicAttributes(SetTopicAttributesRequest request) {
    return topics.set(request);
  }

  @Override
  public SubscribeResponse subscribe(SubscribeRequest request) {
    return subscriptions.make(request);
  }

  @Override
  public ConfirmSubscriptionResponse confirmSubscription(ConfirmSubscriptionRequest request) {
    return subscriptions.confirm(request, true);
  }

  @Override
  public UnsubscribeResponse unsubscribe(UnsubscribeRequest request) {
    return subscriptions.end(request, true);
  }

  @Override
  public ListSubscriptionsResponse listSubscriptions(ListSubscriptionsRequest request) {
    return subscriptions.list(request);
  }

  @Override
  public ListSubscriptionsByTopicResponse listSubscriptionsByTopic(
      ListSubscriptionsByTopicRequest request) {
    return subscriptions.list(request);
  }

  @Override
  public GetSubscriptionAttributesResponse getSubscriptionAttributes(
      GetSubscriptionAttributesRequest request) {
    return subscriptions.get(request);
  }

  @Override
  public SetSubscriptionAttributesResponse setSubscriptionAttributes(
      SetSubscriptionAttributesRequest request) {
    return subscriptions.set(request);
  }

  @Override
  public PublishResponse publish(PublishRequest request) {
    return published.publish(request);
  }

  @Override
  public PublishBatchResponse publishBatch(PublishBatchRequest request) {
    return published.publish(request);
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
}
