package dev.muelle.services.autoscaling.hook;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.services.EventOutbox;
import dev.muelle.services.Ids;
import dev.muelle.services.autoscaling.state.GroupRecord;
import dev.muelle.services.autoscaling.state.Member;
import dev.muelle.services.autoscaling.state.Member.Wait;
import dev.muelle.services.autoscaling.state.Refuse;
import dev.muelle.services.autoscaling.state.Way;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.autoscaling.model.CompleteLifecycleActionRequest;
import software.amazon.awssdk.services.autoscaling.model.CompleteLifecycleActionResponse;
import software.amazon.awssdk.services.autoscaling.model.LifecycleHook;
import software.amazon.awssdk.services.autoscaling.model.LifecycleState;
import software.amazon.awssdk.services.autoscaling.model.RecordLifecycleActionHeartbeatRequest;
import software.amazon.awssdk.services.autoscaling.model.RecordLifecycleActionHeartbeatResponse;

/**
 * Instances that wait at hooks, and those who let them go.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks-overview.html">How
 *     lifecycle hooks work</a>
 */
public final class Waiting {

  private final Store store;
  private final InstantSource clock;
  private final Ids ids;
  private final EventOutbox events;
  private final HookTopics topics;
  private final Consumer<String> wake;

  public Waiting(
      Store store,
      InstantSource clock,
      Ids ids,
      EventOutbox events,
      HookTopics topics,
      Consumer<String> wake) {
    this.topics = topics;
    this.store = store;
    this.clock = clock;
    this.ids = ids;
    this.events = events;
    this.wake = wake;
  }

  /** Lets an instance wait at every hook of a transition; empty if there is none. */
  public List<Wait> begin(Tx tx, GroupRecord group, Member member, String transition, Instant now) {
    List<Wait> waits = new ArrayList<>();
    for (LifecycleHook hook : Hooks.of(tx, group.name())) {
      if (hook.lifecycleTransition().equals(transition)) {
        Wait wait =
            new Wait(
                hook.lifecycleHookName(),
                ids.uuid(),
                now.plusSeconds(hook.heartbeatTimeout()),
                now.plusSeconds(hook.globalTimeout()),
                hook.heartbeatTimeout(),
                hook.defaultResult());
        waits.add(wait);
        tell(tx, group, member, hook, wait, now);
      }
    }
    return waits;
  }

  private void tell(
      Tx tx, GroupRecord group, Member member, LifecycleHook hook, Wait wait, Instant now) {
    boolean comes = hook.lifecycleTransition().equals(Hooks.LAUNCHING);
    ObjectNode detail = detail(group, member, hook, wait);
    events.put(
        tx,
        "aws.autoscaling",
        comes ? "EC2 Instance-launch Lifecycle Action" : "EC2 Instance-terminate Lifecycle Action",
        List.of(group.group().autoScalingGroupARN()),
        now,
        detail::toString);
    topics.tell(tx, hook, String.valueOf(member.id()), detail, now);
  }

  private static ObjectNode detail(
      GroupRecord group, Member member, LifecycleHook hook, Wait wait) {
    ObjectNode detail = JsonNodeFactory.instance.objectNode();
    detail.put("LifecycleActionToken", wait.token());
    detail.put("AutoScalingGroupName", group.name());
    detail.put("LifecycleHookName", wait.hook());
    detail.put("EC2InstanceId", member.id());
    detail.put("LifecycleTransition", hook.lifecycleTransition());
    if (hook.notificationMetadata() != null) {
      detail.put("NotificationMetadata", hook.notificationMetadata());
    }
    detail.put("Origin", Way.of(member).origin().toString());
    detail.put("Destination", Way.of(member).destination().toString());
    return detail;
  }

  public CompleteLifecycleActionResponse complete(CompleteLifecycleActionRequest request) {
    String result = Refuse.required("lifecycleActionResult", request.lifecycleActionResult());
    if (!result.equals(Hooks.CONTINUE) && !result.equals(Hooks.ABANDON)) {
      throw Refuse.invalid(
          "Invalid Lifecycle Action Result " + result + ", must be one of [CONTINUE, ABANDON]");
    }
    store.write(tx -> {
      Found found =
          find(
              tx,
              request.autoScalingGroupName(),
              request.lifecycleHookName(),
              request.instanceId(),
              request.lifecycleActionToken());
      return settle(found.member(), found.held(), result).put(tx);
    });
    wake.accept(request.autoScalingGroupName());
    return CompleteLifecycleActionResponse.builder().build();
  }

  /**
   * What becomes of an instance when one of its hooks has an answer. Abandoning ends the wait at
   * the others, too; one that comes is then terminated.
   */
  public static Member settle(Member member, Wait wait, String result) {
    boolean abandoned = result.equals(Hooks.ABANDON);
    List<Wait> left =
        abandoned
            ? List.of()
            : member.waits().stream().filter(other -> !other.equals(wait)).toList();
    Member next = member.waiting(left);
    if (!left.isEmpty()) {
      return next;
    }
    return switch (member.state()) {
      case TERMINATING_WAIT -> next.in(LifecycleState.TERMINATING_PROCEED);
      case WARMED_TERMINATING_WAIT -> next.in(LifecycleState.WARMED_TERMINATING_PROCEED);
      default -> {
        if (abandoned) {
          yield next.sick("a lifecycle action that was abandoned");
        }
        yield next.in(
            member.pooled()
                ? LifecycleState.WARMED_PENDING_PROCEED
                : LifecycleState.PENDING_PROCEED);
      }
    };
  }

  public RecordLifecycleActionHeartbeatResponse heartbeat(
      RecordLifecycleActionHeartbeatRequest request) {
    store.write(tx -> {
      Found found =
          find(
              tx,
              request.autoScalingGroupName(),
              request.lifecycleHookName(),
              request.instanceId(),
              request.lifecycleActionToken());
      Wait wait = found.held();
      Instant until = clock.instant().plusSeconds(wait.heartbeat());
      Wait longer =
          new Wait(
              wait.hook(),
              wait.token(),
              until.isAfter(wait.latest()) ? wait.latest() : until,
              wait.latest(),
              wait.heartbeat(),
              wait.result());
      List<Wait> waits = new ArrayList<>(found.member().waits());
      waits.replaceAll(other -> other.equals(wait) ? longer : other);
      return found.member().waiting(waits).put(tx);
    });
    return RecordLifecycleActionHeartbeatResponse.builder().build();
  }

  private record Found(Member member, Wait held) {}

  private static Found find(
      Tx tx,
      @Nullable String groupName,
      @Nullable String hookName,
      @Nullable String instance,
      @Nullable String token) {
    GroupRecord group = GroupRecord.get(tx, groupName);
    String hook = Refuse.required("lifecycleHookName", hookName);
    if (instance == null && token == null) {
      throw Refuse.invalid("Either LifecycleActionToken or InstanceId must be specified.");
    }
    for (Member member : Member.of(tx, group.name())) {
      for (Wait wait : member.waits()) {
        if (wait.hook().equals(hook)
            && (token == null || token.equals(wait.token()))
            && (instance == null || Objects.equals(instance, member.id()))) {
          return new Found(member, wait);
        }
      }
    }
    throw Refuse.invalid(
        token != null
            ? "No active Lifecycle Action found with token " + token
            : "No active Lifecycle Action found with instance ID " + instance);
  }
}
