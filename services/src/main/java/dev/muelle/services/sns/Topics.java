package dev.muelle.services.sns;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.services.Scope;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import software.amazon.awssdk.services.sns.model.CreateTopicRequest;
import software.amazon.awssdk.services.sns.model.CreateTopicResponse;
import software.amazon.awssdk.services.sns.model.DeleteTopicRequest;
import software.amazon.awssdk.services.sns.model.DeleteTopicResponse;
import software.amazon.awssdk.services.sns.model.GetTopicAttributesRequest;
import software.amazon.awssdk.services.sns.model.GetTopicAttributesResponse;
import software.amazon.awssdk.services.sns.model.ListTopicsRequest;
import software.amazon.awssdk.services.sns.model.ListTopicsResponse;
import software.amazon.awssdk.services.sns.model.SetTopicAttributesRequest;
import software.amazon.awssdk.services.sns.model.SetTopicAttributesResponse;
import software.amazon.awssdk.services.sns.model.TopicLimitExceededException;

/** Topics and their attributes. */
final class Topics {

  private static final int MAX_TOPICS = 100_000;
  private static final List<String> OWNER_MAY =
      List.of(
          "SNS:GetTopicAttributes",
          "SNS:SetTopicAttributes",
          "SNS:AddPermission",
          "SNS:RemovePermission",
          "SNS:DeleteTopic",
          "SNS:Subscribe",
          "SNS:ListSubscriptionsByTopic",
          "SNS:Publish");

  private final Scope scope;
  private final Store store;

  Topics(Scope scope, Store store) {
    this.scope = scope;
    this.store = store;
  }

  /**
   * Makes a topic; one that is there already, and the same, is given.
   *
   * @see <a href="https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html">CreateTopic</a>
   */
  CreateTopicResponse create(CreateTopicRequest request) {
    String name = TopicRules.name(request.name());
    TopicRules.check(request.attributes());
    Map<String, String> tags = Tags.read(request.tags());
    if (request.dataProtectionPolicy() != null) {
      TopicRules.check("DataProtectionPolicy", request.dataProtectionPolicy());
    }
    Topic wanted =
        new Topic(name, scope.arn("sns", name), set(Map.of(), request.attributes()), tags, 0);
    store.write(tx -> {
      Optional<Topic> there = tx.get(Topic.TABLE, wanted.arn()).map(Row::value);
      if (there.isEmpty()) {
        if (tx.count(Topic.TABLE) >= MAX_TOPICS) {
          throw TopicLimitExceededException.builder()
              .message("Topic limit exceeded: " + MAX_TOPICS)
              .build();
        }
        tx.insert(Topic.TABLE, wanted.arn(), wanted);
        return wanted;
      }
      Map<String, String> has = there.get().attributes();
      if (!wanted.attributes().entrySet().stream()
          .allMatch(one -> one.getValue().equals(has.get(one.getKey())))) {
        throw Refuse.invalid("Attributes Reason: Topic already exists with different attributes");
      }
      if (request.hasTags() && !tags.equals(there.get().tags())) {
        throw Refuse.invalid("Tags Reason: Topic already exists with different tags");
      }
      return wanted;
    });
    return CreateTopicResponse.builder().topicArn(wanted.arn()).build();
  }

  /** Attributes with others set; one without a value is as if it had never been set. */
  private static Map<String, String> set(Map<String, String> now, Map<String, String> changed) {
    Map<String, String> all = new LinkedHashMap<>(now);
    changed.forEach((name, value) -> {
      if (value.isEmpty() || name.equals("FifoTopic") || name.equals("TracingConfig")) {
        all.remove(name); // it says what holds anyway
      } else {
        all.put(name, value);
      }
    });
    return all;
  }

  /** Deletes a topic with its subscriptions, and what has not been delivered; again is no error. */
  DeleteTopicResponse delete(DeleteTopicRequest request) {
    String arn = Arns.check("TopicArn", request.topicArn());
    store.write(tx -> {
      for (Row<Subscription> row : Subscriptions.of(tx, arn)) {
        Delivery.endAll(tx, row.key());
        tx.delete(Subscription.TABLE, row.key());
      }
      return tx.delete(Topic.TABLE, arn);
    });
    return DeleteTopicResponse.builder().build();
  }

  ListTopicsResponse list(ListTopicsRequest request) {
    Page<Topic> page = store.read(tx -> Page.of(tx, Topic.TABLE, "", request.nextToken()));
    return ListTopicsResponse.builder()
        .topics(
            page.rows().stream()
                .map(row ->
                    software.amazon.awssdk.services.sns.model.Topic.builder()
                        .topicArn(row.key())
                        .build())
                .toList())
        .nextToken(page.next())
        .build();
  }

  SetTopicAttributesResponse set(SetTopicAttributesRequest request) {
    String name = request.attributeName() == null ? "" : request.attributeName();
    String value = request.attributeValue() == null ? "" : request.attributeValue();
    if (name.equals("Policy") && value.equals(policy(request.topicArn()))) {
      store.read(tx -> Topic.of(tx, request.topicArn()));
      return SetTopicAttributesResponse.builder().build(); // as it is
    }
    TopicRules.check(name, value);
    store.write(tx -> {
      Topic topic = Topic.of(tx, request.topicArn());
      Map<String, String> all = set(topic.attributes(), Map.of(name, value));
      return tx.put(
          Topic.TABLE,
          topic.arn(),
          new Topic(topic.name(), topic.arn(), all, topic.tags(), topic.deleted()));
    });
    return SetTopicAttributesResponse.builder().build();
  }

  GetTopicAttributesResponse get(GetTopicAttributesRequest request) {
    return store.read(tx -> {
      Topic topic = Topic.of(tx, request.topicArn());
      return GetTopicAttributesResponse.builder().attributes(told(tx, topic)).build();
    });
  }

  private Map<String, String> told(Tx tx, Topic topic) {
    List<Row<Subscription>> subscriptions = Subscriptions.of(tx, topic.arn());
    long pending = subscriptions.stream().filter(row -> row.value().pending()).count();
    String policy = topic.attribute(TopicRules.DELIVERY_POLICY, "");
    Map<String, String> told = new LinkedHashMap<>();
    told.put("TopicArn", topic.arn());
    told.put("Owner", scope.account());
    told.put("DisplayName", "");
    told.put("Policy", policy(topic.arn()));
    told.put("SubscriptionsConfirmed", String.valueOf(subscriptions.size() - pending));
    told.put("SubscriptionsPending", String.valueOf(pending));
    told.put("SubscriptionsDeleted", String.valueOf(topic.deleted()));
    told.put(
        "EffectiveDeliveryPolicy",
        policy.isEmpty()
            ? DeliveryPolicy.HTTP.toldOfTopic(false)
            : DeliveryPolicy.ofTopic(policy).toldOfTopic(DeliveryPolicy.overridesDisabled(policy)));
    told.putAll(topic.attributes());
    return told;
  }

  /** The policy that every topic has until somebody sets another: its owner may do everything. */
  private String policy(String topicArn) {
    ObjectNode statement =
        Json.object().put("Sid", "__default_statement_ID").put("Effect", "Allow");
    statement.putObject("Principal").put("AWS", "*");
    ArrayNode actions = statement.putArray("Action");
    OWNER_MAY.forEach(actions::add);
    statement.put("Resource", topicArn);
    statement
        .putObject("Condition")
        .putObject("StringEquals")
        .put("AWS:SourceOwner", scope.account());
    ObjectNode policy = Json.object().put("Version", "2008-10-17").put("Id", "__default_policy_ID");
    policy.putArray("Statement").add(statement);
    return policy.toString();
  }
}
