package dev.muelle.services.autoscaling.hook;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.ServiceRole;
import dev.muelle.services.autoscaling.notice.Post;
import dev.muelle.services.autoscaling.state.GroupRecord;
import dev.muelle.services.autoscaling.state.Refuse;
import dev.muelle.store.Tx;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.autoscaling.model.LifecycleHook;
import software.amazon.awssdk.services.sns.SnsClient;
import software.amazon.awssdk.services.sns.model.SnsException;

/**
 * The topics that hooks tell of instances that wait.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/prepare-for-lifecycle-notifications.html">Prepare
 *     to add a lifecycle hook</a>
 */
public final class HookTopics {

  private final Scope scope;
  private final Ids ids;
  private final SnsClient sns;
  private final ServiceRole roles;
  private final Post post;

  public HookTopics(Scope scope, Ids ids, SnsClient sns, ServiceRole roles, Post post) {
    this.scope = scope;
    this.ids = ids;
    this.sns = sns;
    this.roles = roles;
    this.post = post;
  }

  /** Refuses a target that could not be told anything; none, and an empty one, are no fault. */
  void check(@Nullable String target, @Nullable String role) {
    if (target == null || target.isEmpty()) {
      return;
    }
    if (target.startsWith("arn:aws:sqs:")) {
      throw Refuse.unsupported("NotificationTargetARN with a queue of Amazon SQS");
    }
    boolean may = role != null && roles.mayBeAssumed(role);
    if (!may || !there(target)) {
      throw Refuse.invalid(
          "Unable to publish test message to notification target "
              + target
              + " using IAM role "
              + role
              + ". Please check your target and role configuration and try to put lifecycle hook"
              + " again.");
    }
  }

  private boolean there(String topic) {
    try {
      sns.getTopicAttributes(r -> r.topicArn(topic));
      return true;
    } catch (SnsException e) {
      return false;
    }
  }

  /** What a hook's target is sent when it is put. */
  void test(Tx tx, GroupRecord group, String topic, Instant now) {
    ObjectNode message = JsonNodeFactory.instance.objectNode();
    message.put("AutoScalingGroupName", group.name());
    message.put("AutoScalingGroupARN", group.group().autoScalingGroupARN());
    message.put("Event", "autoscaling:TEST_NOTIFICATION");
    String subject = "Auto Scaling: test notification for group \"" + group.name() + "\"";
    send(tx, topic, subject, message, now);
  }

  /**
   * An instance waits at a hook.
   *
   * @param detail what the event bus is told, too
   */
  void tell(Tx tx, LifecycleHook hook, String instance, ObjectNode detail, Instant now) {
    if (hook.notificationTargetARN() != null) {
      String what =
          hook.lifecycleTransition().equals(Hooks.LAUNCHING) ? "LAUNCHING" : "TERMINATING";
      String subject =
          "Auto Scaling:  Lifecycle action '"
              + what
              + "' for instance "
              + instance
              + " in progress.";
      send(tx, hook.notificationTargetARN(), subject, detail, now);
    }
  }

  private void send(Tx tx, String topic, String subject, ObjectNode detail, Instant now) {
    ObjectNode message = detail.deepCopy();
    message.put("AccountId", scope.account());
    message.put("RequestId", ids.uuid());
    message.put("Service", "AWS Auto Scaling");
    message.put("Time", now.toString());
    post.put(tx, new Post.Letter(topic, Post.subject(subject), message.toString()), now);
  }
}
