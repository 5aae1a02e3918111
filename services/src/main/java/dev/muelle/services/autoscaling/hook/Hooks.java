package dev.muelle.services.autoscaling.hook;

import dev.muelle.services.StoredJson;
import dev.muelle.services.autoscaling.state.GroupRecord;
import dev.muelle.services.autoscaling.state.Refuse;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.autoscaling.model.DeleteLifecycleHookRequest;
import software.amazon.awssdk.services.autoscaling.model.DeleteLifecycleHookResponse;
import software.amazon.awssdk.services.autoscaling.model.DescribeLifecycleHookTypesResponse;
import software.amazon.awssdk.services.autoscaling.model.DescribeLifecycleHooksRequest;
import software.amazon.awssdk.services.autoscaling.model.DescribeLifecycleHooksResponse;
import software.amazon.awssdk.services.autoscaling.model.LifecycleHook;
import software.amazon.awssdk.services.autoscaling.model.LifecycleHookSpecification;
import software.amazon.awssdk.services.autoscaling.model.PutLifecycleHookRequest;
import software.amazon.awssdk.services.autoscaling.model.PutLifecycleHookResponse;

/**
 * The hooks of groups. Whoever is to act is told by EventBridge, or by a topic of his.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutLifecycleHook.html">PutLifecycleHook</a>
 */
public final class Hooks {

  public static final String LAUNCHING = "autoscaling:EC2_INSTANCE_LAUNCHING";
  public static final String TERMINATING = "autoscaling:EC2_INSTANCE_TERMINATING";
  public static final String CONTINUE = "CONTINUE";
  public static final String ABANDON = "ABANDON";

  private static final List<String> TRANSITIONS = List.of(LAUNCHING, TERMINATING);
  private static final List<String> RESULTS = List.of(CONTINUE, ABANDON);
  private static final int MOST_OF_A_GROUP = 50;
  private static final int HEARTBEAT = 3_600; // s
  private static final int LEAST_HEARTBEAT = 30;
  private static final int MOST_HEARTBEAT = 7_200;
  private static final int LONGEST = 172_800; // s; 48 hours
  private static final int HEARTBEATS = 100;
  private static final int LONGEST_METADATA = 4_000; // characters
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9\\-_/]{1,255}");

  private static final Table<LifecycleHook> TABLE =
      Table.of("autoscaling.hooks", StoredJson.codec(LifecycleHook.class))
          .remember()
          .index("group", LifecycleHook::autoScalingGroupName);

  private final Store store;
  private final InstantSource clock;
  private final HookTopics topics;

  public Hooks(Store store, InstantSource clock, HookTopics topics) {
    this.store = store;
    this.clock = clock;
    this.topics = topics;
  }

  private static String key(String group, String hook) {
    return hook + " " + group; // a hook's name has no blank
  }

  /** A group's hooks, by name. */
  public static List<LifecycleHook> of(Tx tx, String group) {
    return tx.find(TABLE, "group", group).stream().map(Row::value).toList();
  }

  static LifecycleHook get(Tx tx, String group, @Nullable String name) {
    String hook = Refuse.required("lifecycleHookName", name);
    return tx.get(TABLE, key(group, hook))
        .map(Row::value)
        .orElseThrow(() ->
            Refuse.invalid("No Lifecycle Hook found with name: " + hook + " in group " + group));
  }

  /** A group is gone. */
  public static void forget(Tx tx, String group) {
    of(tx, group).forEach(hook -> tx.delete(TABLE, key(group, hook.lifecycleHookName())));
  }

  /** Refuses hooks of a new group that could tell nobody. */
  public void check(List<LifecycleHookSpecification> given) {
    given.forEach(one -> topics.check(one.notificationTargetARN(), one.roleARN()));
  }

  /** The hooks that a new group brings; they have been {@linkplain #check checked}. */
  public void create(Tx tx, String group, List<LifecycleHookSpecification> given) {
    for (LifecycleHookSpecification one : given) {
      put(
          tx,
          PutLifecycleHookRequest.builder()
              .autoScalingGroupName(group)
              .lifecycleHookName(one.lifecycleHookName())
              .lifecycleTransition(one.lifecycleTransition())
              .notificationMetadata(one.notificationMetadata())
              .heartbeatTimeout(one.heartbeatTimeout())
              .defaultResult(one.defaultResult())
              .notificationTargetARN(one.notificationTargetARN())
              .roleARN(one.roleARN())
              .build());
    }
  }

  public PutLifecycleHookResponse put(PutLifecycleHookRequest request) {
    @Nullable String before =
        store
            .read(tx -> {
              GroupRecord group = GroupRecord.changeable(tx, request.autoScalingGroupName());
              String name = Refuse.required("lifecycleHookName", request.lifecycleHookName());
              return tx.get(TABLE, key(group.name(), name));
            })
            .map(row -> row.value().roleARN())
            .orElse(null);
    topics.check(
        request.notificationTargetARN(), request.roleARN() == null ? before : request.roleARN());
    store.write(tx -> {
      GroupRecord.changeable(tx, request.autoScalingGroupName());
      put(tx, request);
      return true;
    });
    return PutLifecycleHookResponse.builder().build();
  }

  private void put(Tx tx, PutLifecycleHookRequest request) {
    Refuse.unlessEffective(
        request,
        Set.of(
            "AutoScalingGroupName",
            "LifecycleHookName",
            "LifecycleTransition",
            "NotificationMetadata",
            "HeartbeatTimeout",
            "DefaultResult",
            "NotificationTargetARN",
            "RoleARN"));
    String name = Refuse.required("lifecycleHookName", request.lifecycleHookName());
    if (!NAME.matcher(name).matches()) {
      throw Refuse.invalid(
          "1 validation error detected: Value '"
              + name
              + "' at 'lifecycleHookName' failed to satisfy constraint: Member must satisfy regular"
              + " expression pattern: [A-Za-z0-9\\-_\\/]+");
    }
    Refuse.unlessWithin(
        "heartbeatTimeout", request.heartbeatTimeout(), LEAST_HEARTBEAT, MOST_HEARTBEAT);
    String group = request.autoScalingGroupName();
    LifecycleHook before = tx.get(TABLE, key(group, name)).map(Row::value).orElse(null);
    String transition =
        request.lifecycleTransition() == null && before != null
            ? before.lifecycleTransition()
            : Refuse.required("lifecycleTransition", request.lifecycleTransition());
    if (!TRANSITIONS.contains(transition)) {
      throw Refuse.invalid(
          "Invalid Lifecycle Transition " + transition + ", must be one of " + TRANSITIONS);
    }
    String result =
        request.defaultResult() != null
            ? request.defaultResult()
            : before == null ? ABANDON : before.defaultResult();
    if (!RESULTS.contains(result)) {
      throw Refuse.invalid(
          "Invalid Lifecycle Hook Default Result " + result + ", must be one of " + RESULTS);
    }
    if (before == null && of(tx, group).size() >= MOST_OF_A_GROUP) {
      throw Refuse.tooMany("A group has at most " + MOST_OF_A_GROUP + " lifecycle hooks.");
    }
    int heartbeat =
        request.heartbeatTimeout() != null
            ? request.heartbeatTimeout()
            : before == null ? HEARTBEAT : before.heartbeatTimeout();
    String metadata =
        request.notificationMetadata() == null && before != null
            ? before.notificationMetadata()
            : request.notificationMetadata();
    if (metadata != null && metadata.length() > LONGEST_METADATA) {
      throw Refuse.invalid(
          "1 validation error detected: Value at 'notificationMetadata' failed to satisfy"
              + " constraint: Member must have length less than or equal to "
              + LONGEST_METADATA);
    }
    String target =
        request.notificationTargetARN() == null && before != null
            ? before.notificationTargetARN()
            : request.notificationTargetARN();
    boolean told = target != null && !target.isEmpty(); // an empty one takes it back
    String role =
        request.roleARN() == null && before != null ? before.roleARN() : request.roleARN();
    if (told && request.notificationTargetARN() != null) {
      topics.test(tx, GroupRecord.get(tx, group), target, clock.instant());
    }
    tx.put(
        TABLE,
        key(group, name),
        LifecycleHook.builder()
            .lifecycleHookName(name)
            .autoScalingGroupName(group)
            .lifecycleTransition(transition)
            .notificationMetadata(metadata)
            .heartbeatTimeout(heartbeat)
            .globalTimeout((int) Math.min(LONGEST, (long) HEARTBEATS * heartbeat))
            .defaultResult(result)
            .notificationTargetARN(told ? target : null)
            .roleARN(told ? role : null)
            .build());
  }

  /** Instances that wait there wait on, until their time is over. */
  public DeleteLifecycleHookResponse delete(DeleteLifecycleHookRequest request) {
    store.write(tx -> {
      GroupRecord group = GroupRecord.changeable(tx, request.autoScalingGroupName());
      LifecycleHook hook = get(tx, group.name(), request.lifecycleHookName());
      return tx.delete(TABLE, key(group.name(), hook.lifecycleHookName()));
    });
    return DeleteLifecycleHookResponse.builder().build();
  }

  public DescribeLifecycleHooksResponse describe(DescribeLifecycleHooksRequest request) {
    return store.read(tx -> {
      GroupRecord group = GroupRecord.get(tx, request.autoScalingGroupName());
      List<String> names = request.lifecycleHookNames();
      return DescribeLifecycleHooksResponse.builder()
          .lifecycleHooks(
              of(tx, group.name()).stream()
                  .filter(h -> names.isEmpty() || names.contains(h.lifecycleHookName()))
                  .toList())
          .build();
    });
  }

  public DescribeLifecycleHookTypesResponse types() {
    return DescribeLifecycleHookTypesResponse.builder().lifecycleHookTypes(TRANSITIONS).build();
  }
}
