package dev.muelle.services.autoscaling.state;

import dev.muelle.services.StoredJson;
import dev.muelle.store.Row;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.autoscaling.model.Instance;
import software.amazon.awssdk.services.autoscaling.model.LifecycleState;
import software.amazon.awssdk.services.ec2.model.RunInstancesRequest;

/**
 * An instance of a group, from the decision to launch it until it is gone.
 *
 * @param token EC2's client token for the launch: however often that is asked for, it makes one
 *     instance
 * @param instance what is described of it; without an id as long as EC2 did not answer
 * @param subnet where it is, or is to be
 * @param since when it was decided, or attached
 * @param inServiceAt when it was last put in service; null if it never was
 * @param launch what EC2 is asked for; null as long as that is not known, and for instances that
 *     were attached
 * @param activity what is being done to it; null if nothing
 * @param extra whether it was launched before another one goes, so that it counts only when it is
 *     in service
 * @param waits at which hooks it waits
 * @param sick why it is unhealthy, as a cause says it; null if it is not
 * @param from where it comes from if that is its group or the warm pool; null if it is EC2
 */
public record Member(
    String token,
    String group,
    Instance instance,
    String subnet,
    Instant since,
    @Nullable Instant inServiceAt,
    @Nullable RunInstancesRequest launch,
    @Nullable String activity,
    boolean extra,
    List<Wait> waits,
    @Nullable String sick,
    @Nullable Side from) {

  /** By token. */
  public static final Table<Member> TABLE =
      Table.of("autoscaling.members", StoredJson.codec(Member.class))
          .remember()
          .index("group", Member::group)
          .index("instance", member -> member.instance().instanceId());

  public static final String HEALTHY = "Healthy";
  public static final String UNHEALTHY = "Unhealthy";

  public Member {
    waits = List.copyOf(waits);
  }

  /**
   * An instance that waits at a hook.
   *
   * @param until when it waits no longer
   * @param latest beyond which no heartbeat helps
   * @param result what happens then: CONTINUE or ABANDON
   */
  public record Wait(
      String hook, String token, Instant until, Instant latest, int heartbeat, String result) {}

  /** A group's instances, the oldest first. */
  public static List<Member> of(Tx tx, String group) {
    return tx.find(TABLE, "group", group).stream()
        .map(Row::value)
        .sorted(Comparator.comparing(Member::since).thenComparing(Member::token))
        .toList();
  }

  /** A group's instances but for those of its warm pool, the oldest first. */
  public static List<Member> live(Tx tx, String group) {
    return of(tx, group).stream().filter(member -> !member.pooled()).toList();
  }

  /** How many a group's warm pool has, those on their way into it among them. */
  public static int inPool(Tx tx, String group) {
    return (int) of(tx, group).stream().filter(m -> m.pooled() && !m.going()).count();
  }

  /** The instance of a group with an id. */
  public static Optional<Member> find(Tx tx, String instanceId) {
    return tx.find(TABLE, "instance", instanceId).stream().map(Row::value).findFirst();
  }

  /** The instance of a request. */
  public static Member get(Tx tx, @Nullable String instanceId) {
    String id = Refuse.required("instanceId", instanceId);
    return find(tx, id)
        .orElseThrow(() ->
            Refuse.invalid(
                "Instance Id not found - No managed instance found for instance ID: " + id));
  }

  /** The instance of a request that names its group. */
  public static Member get(Tx tx, String group, String instanceId) {
    Member found = get(tx, instanceId);
    if (!found.group().equals(group)) {
      throw Refuse.invalid(
          "The instance " + instanceId + " is not part of Auto Scaling group " + group + ".");
    }
    return found;
  }

  public @Nullable String id() {
    return instance.instanceId();
  }

  public LifecycleState state() {
    return instance.lifecycleState();
  }

  public String zone() {
    return instance.availabilityZone();
  }

  public boolean isProtected() {
    return Boolean.TRUE.equals(instance.protectedFromScaleIn());
  }

  public boolean healthy() {
    return HEALTHY.equals(instance.healthStatus());
  }

  public boolean inService() {
    return state() == LifecycleState.IN_SERVICE;
  }

  /** Whether it is on its way into service. */
  public boolean coming() {
    return switch (state()) {
      case PENDING, PENDING_WAIT, PENDING_PROCEED -> true;
      default -> false;
    };
  }

  /** Whether it is in the warm pool, or on its way there, or out of it for good. */
  public boolean pooled() {
    return instance.lifecycleStateAsString().startsWith("Warmed:");
  }

  /** Whether it waits in the warm pool to be taken. */
  public boolean warm() {
    return (state() == LifecycleState.WARMED_STOPPED || state() == LifecycleState.WARMED_RUNNING)
        && sick == null;
  }

  /** Whether it is on its way out, for good. */
  public boolean going() {
    return switch (state()) {
      case TERMINATING, TERMINATING_WAIT, TERMINATING_PROCEED, TERMINATED, DETACHING, DETACHED ->
          true;
      case WARMED_TERMINATING,
          WARMED_TERMINATING_WAIT,
          WARMED_TERMINATING_PROCEED,
          WARMED_TERMINATED ->
          true;
      default -> false;
    };
  }

  /** Whether it is one of those that the desired capacity counts. */
  public boolean counts() {
    return inService() || (coming() && !extra);
  }

  public Member with(UnaryOperator<Instance.Builder> change) {
    return changed(draft -> draft.describe(change));
  }

  public Member in(LifecycleState state) {
    return with(i -> i.lifecycleState(state));
  }

  public Member served(Instant at) {
    return changed(draft -> {
      draft.describe(i -> i.lifecycleState(LifecycleState.IN_SERVICE));
      draft.inServiceAt = at;
      draft.activity = null;
      draft.extra = false;
      draft.waits = List.of();
      draft.sick = null;
      draft.from = null;
    });
  }

  public Member launching(RunInstancesRequest request) {
    return changed(draft -> draft.launch = request);
  }

  public Member doing(@Nullable String other) {
    return changed(draft -> draft.activity = other);
  }

  public Member waiting(List<Wait> others) {
    return changed(draft -> draft.waits = others);
  }

  /** Found to be unhealthy. */
  public Member sick(String why) {
    return changed(draft -> {
      draft.describe(i -> i.healthStatus(UNHEALTHY));
      draft.sick = why;
    });
  }

  public Member well() {
    return changed(draft -> {
      draft.describe(i -> i.healthStatus(HEALTHY));
      draft.sick = null;
    });
  }

  /** On its way from the group to the warm pool, or the other way; null if it is at rest. */
  public Member comingFrom(@Nullable Side whence) {
    return changed(draft -> draft.from = whence);
  }

  /** As it is, but for what a change sets. */
  private Member changed(Consumer<Draft> change) {
    Draft draft = new Draft(this);
    change.accept(draft);
    return new Member(
        token,
        group,
        draft.instance,
        subnet,
        since,
        draft.inServiceAt,
        draft.launch,
        draft.activity,
        draft.extra,
        draft.waits,
        draft.sick,
        draft.from);
  }

  /** What of a member changes, while it does. */
  private static final class Draft {
    private Instance instance;
    private @Nullable Instant inServiceAt;
    private @Nullable RunInstancesRequest launch;
    private @Nullable String activity;
    private boolean extra;
    private List<Wait> waits;
    private @Nullable String sick;
    private @Nullable Side from;

    Draft(Member before) {
      instance = before.instance;
      inServiceAt = before.inServiceAt;
      launch = before.launch;
      activity = before.activity;
      extra = before.extra;
      waits = before.waits;
      sick = before.sick;
      from = before.from;
    }

    void describe(UnaryOperator<Instance.Builder> change) {
      instance = change.apply(instance.toBuilder()).build();
    }
  }

  /** Writes it down. */
  public Member put(Tx tx) {
    tx.put(TABLE, token, this);
    return this;
  }
}
