package dev.muelle.services.autoscaling.notice;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.StoredJson;
import dev.muelle.services.autoscaling.state.GroupRecord;
import dev.muelle.services.autoscaling.state.Pages;
import dev.muelle.services.autoscaling.state.Refuse;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import software.amazon.awssdk.services.autoscaling.model.DeleteNotificationConfigurationRequest;
import software.amazon.awssdk.services.autoscaling.model.DeleteNotificationConfigurationResponse;
import software.amazon.awssdk.services.autoscaling.model.DescribeAutoScalingNotificationTypesResponse;
import software.amazon.awssdk.services.autoscaling.model.DescribeNotificationConfigurationsRequest;
import software.amazon.awssdk.services.autoscaling.model.DescribeNotificationConfigurationsResponse;
import software.amazon.awssdk.services.autoscaling.model.NotificationConfiguration;
import software.amazon.awssdk.services.autoscaling.model.PutNotificationConfigurationRequest;
import software.amazon.awssdk.services.autoscaling.model.PutNotificationConfigurationResponse;
import software.amazon.awssdk.services.sns.SnsClient;
import software.amazon.awssdk.services.sns.model.SnsException;

/**
 * Which topics a group tells of what.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-sns-notifications.html">Amazon
 *     SNS notification options</a>
 */
public final class Notices {

  private static final String TEST = "autoscaling:TEST_NOTIFICATION";
  private static final List<String> TYPES =
      List.of(
          "autoscaling:EC2_INSTANCE_LAUNCH",
          "autoscaling:EC2_INSTANCE_LAUNCH_ERROR",
          "autoscaling:EC2_INSTANCE_TERMINATE",
          "autoscaling:EC2_INSTANCE_TERMINATE_ERROR",
          TEST);
  private static final int MOST_TOPICS = 10; // of a group; the quota
  private static final int USUAL_PAGE = 50;

  /** By group and topic. */
  private static final Table<Interest> TABLE =
      Table.of("autoscaling.notices", StoredJson.codec(Interest.class))
          .remember()
          .index("group", Interest::group);

  private final Scope scope;
  private final Store store;
  private final InstantSource clock;
  private final Ids ids;
  private final SnsClient sns;
  private final Post post;

  record Interest(String group, String topic, Set<String> types) {
    Interest {
      types = Set.copyOf(types);
    }
  }

  public Notices(Scope scope, Store store, InstantSource clock, Ids ids, SnsClient sns, Post post) {
    this.scope = scope;
    this.store = store;
    this.clock = clock;
    this.ids = ids;
    this.sns = sns;
    this.post = post;
  }

  /** A topic is told of these types, and no others; of the test, at once. */
  public PutNotificationConfigurationResponse put(PutNotificationConfigurationRequest request) {
    String topic = Refuse.required("topicARN", request.topicARN());
    Set<String> types = new TreeSet<>(request.notificationTypes());
    if (types.isEmpty()) {
      throw Refuse.invalid("At least one notification type must be specified.");
    }
    types.stream()
        .filter(type -> !TYPES.contains(type))
        .findFirst()
        .ifPresent(type -> {
          throw Refuse.invalid(
              "Notification type \"" + type + "\" is not valid. Valid types are " + TYPES + ".");
        });
    try {
      sns.getTopicAttributes(r -> r.topicArn(topic));
    } catch (SnsException e) {
      throw Refuse.invalid(
          "Unable to publish test message to notification target "
              + topic
              + ". Please check your target configuration and try to put notification"
              + " configuration again.");
    }
    Instant now = clock.instant();
    store.write(tx -> {
      GroupRecord group = GroupRecord.changeable(tx, request.autoScalingGroupName());
      String key = key(group.name(), topic);
      if (tx.get(TABLE, key).isEmpty() && of(tx, group.name()).size() >= MOST_TOPICS) {
        throw Refuse.tooMany("A group has at most " + MOST_TOPICS + " topics.");
      }
      tx.put(TABLE, key, new Interest(group.name(), topic, types));
      if (types.contains(TEST)) {
        ObjectNode message = JsonNodeFactory.instance.objectNode();
        message.put("RequestId", ids.uuid());
        post.put(
            tx,
            new Post.Letter(
                topic, subject("test notification", group), told(group, TEST, message, now)),
            now);
      }
      return true;
    });
    return PutNotificationConfigurationResponse.builder().build();
  }

  private static String key(String group, String topic) {
    return group + " " + topic;
  }

  private static List<Interest> of(Tx tx, String group) {
    return tx.find(TABLE, "group", group).stream().map(Row::value).toList();
  }

  /**
   * Tells the topics that want to know.
   *
   * @param subject what happened, as in {@code launch}
   * @param detail of the message, beside what every message has
   */
  public void tell(
      Tx tx, GroupRecord group, String type, String subject, ObjectNode detail, Instant now) {
    for (Interest one : of(tx, group.name())) {
      if (one.types().contains(type)) {
        post.put(
            tx,
            new Post.Letter(one.topic(), subject(subject, group), told(group, type, detail, now)),
            now);
      }
    }
  }

  private static String subject(String what, GroupRecord group) {
    return Post.subject("Auto Scaling: " + what + " for group \"" + group.name() + "\"");
  }

  private String told(GroupRecord group, String type, ObjectNode detail, Instant now) {
    ObjectNode message = detail.deepCopy();
    message.put("Service", "AWS Auto Scaling");
    message.put("Time", now.toString());
    message.put("Event", type);
    message.put("AccountId", scope.account());
    message.put("AutoScalingGroupName", group.name());
    message.put("AutoScalingGroupARN", group.group().autoScalingGroupARN());
    return message.toString();
  }

  /** May be repeated. */
  public DeleteNotificationConfigurationResponse delete(
      DeleteNotificationConfigurationRequest request) {
    String topic = Refuse.required("topicARN", request.topicARN());
    store.write(tx -> {
      GroupRecord group = GroupRecord.get(tx, request.autoScalingGroupName());
      return tx.delete(TABLE, key(group.name(), topic));
    });
    return DeleteNotificationConfigurationResponse.builder().build();
  }

  /** Of a group that is gone. */
  public static void forget(Tx tx, String group) {
    tx.find(TABLE, "group", group).forEach(row -> tx.delete(TABLE, row.key()));
  }

  public DescribeNotificationConfigurationsResponse describe(
      DescribeNotificationConfigurationsRequest request) {
    List<NotificationConfiguration> all =
        store.read(tx -> {
          request.autoScalingGroupNames().forEach(name -> GroupRecord.get(tx, name));
          return tx.list(TABLE).stream()
              .map(Row::value)
              .filter(one ->
                  request.autoScalingGroupNames().isEmpty()
                      || request.autoScalingGroupNames().contains(one.group()))
              .flatMap(one ->
                  one.types().stream()
                      .sorted()
                      .map(type ->
                          NotificationConfiguration.builder()
                              .autoScalingGroupName(one.group())
                              .topicARN(one.topic())
                              .notificationType(type)
                              .build()))
              .toList();
        });
    Pages<NotificationConfiguration> page =
        Pages.of(
            all,
            one -> key(one.autoScalingGroupName(), one.topicARN()) + " " + one.notificationType(),
            request.nextToken(),
            request.maxRecords(),
            USUAL_PAGE,
            Pages.MOST);
    return DescribeNotificationConfigurationsResponse.builder()
        .notificationConfigurations(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  public DescribeAutoScalingNotificationTypesResponse types() {
    return DescribeAutoScalingNotificationTypesResponse.builder()
        .autoScalingNotificationTypes(TYPES)
        .build();
  }
}
