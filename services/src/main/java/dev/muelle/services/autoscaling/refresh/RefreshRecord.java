package dev.muelle.services.autoscaling.refresh;

import dev.muelle.services.StoredJson;
import dev.muelle.services.autoscaling.state.Member;
import dev.muelle.services.autoscaling.state.Refuse;
import dev.muelle.store.Row;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.autoscaling.model.AutoScalingGroup;
import software.amazon.awssdk.services.autoscaling.model.DesiredConfiguration;
import software.amazon.awssdk.services.autoscaling.model.InstanceRefresh;
import software.amazon.awssdk.services.autoscaling.model.InstanceRefreshStatus;
import software.amazon.awssdk.services.autoscaling.model.MixedInstancesPolicy;

/**
 * An instance refresh as stored, under its id.
 *
 * @param stale the tokens of the instances that are to be replaced
 * @param known the tokens of all that were there when it began, or turned back
 * @param total how many were to be replaced when it began, or turned back
 * @param progressAt when one was last replaced
 */
public record RefreshRecord(
    InstanceRefresh refresh,
    List<String> stale,
    List<String> known,
    int total,
    Instant progressAt) {

  public static final Table<RefreshRecord> TABLE =
      Table.of("autoscaling.refreshes", StoredJson.codec(RefreshRecord.class))
          .remember()
          .index("group", record -> record.refresh().autoScalingGroupName());

  private static final int MOST_OF_A_GROUP = 100;

  public RefreshRecord {
    stale = List.copyOf(stale);
    known = List.copyOf(known);
  }

  /** A group's, the latest first. */
  static List<RefreshRecord> of(Tx tx, String group) {
    return tx.find(TABLE, "group", group).stream()
        .map(Row::value)
        .sorted(
            Comparator.<RefreshRecord, Instant>comparing(one -> one.refresh().startTime())
                .reversed())
        .toList();
  }

  /** The one that is not over. */
  public static Optional<RefreshRecord> active(Tx tx, String group) {
    return of(tx, group).stream().filter(RefreshRecord::isActive).findFirst();
  }

  /** Of a group that is gone. */
  public static void forget(Tx tx, String group) {
    tx.find(TABLE, "group", group).forEach(row -> tx.delete(TABLE, row.key()));
  }

  /** But for the latest. */
  static void forgetOld(Tx tx, String group) {
    of(tx, group).stream()
        .skip(MOST_OF_A_GROUP)
        .forEach(one -> tx.delete(TABLE, one.refresh().instanceRefreshId()));
  }

  public InstanceRefreshStatus status() {
    return refresh.status();
  }

  private boolean isActive() {
    return switch (status()) {
      case PENDING, IN_PROGRESS, CANCELLING, ROLLBACK_IN_PROGRESS -> true;
      default -> false;
    };
  }

  public boolean turnsBack() {
    return status() == InstanceRefreshStatus.ROLLBACK_IN_PROGRESS;
  }

  /** Whether an instance is to be replaced, if nothing else forbids it. */
  public boolean concerns(Member member) {
    return stale.contains(member.token());
  }

  /** Whether an instance serves, and has had its time to warm up if it is new. */
  public boolean isReady(Member member, Duration warmup, Instant now) {
    Instant since = member.inServiceAt();
    return member.inService()
        && (known.contains(member.token()) || since == null || !now.isBefore(since.plus(warmup)));
  }

  /** A group as new instances are to be launched. */
  public static AutoScalingGroup configured(Tx tx, AutoScalingGroup group) {
    return active(tx, group.autoScalingGroupName())
        .filter(one ->
            one.status() == InstanceRefreshStatus.PENDING
                || one.status() == InstanceRefreshStatus.IN_PROGRESS)
        .map(one -> configured(group, one.refresh().desiredConfiguration()))
        .orElse(group);
  }

  /**
   * Refuses to change what a refresh is about to change.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-overview.html#instance-refresh-limitations">Limitations</a>
   */
  public static void unlessConfiguring(Tx tx, String group) {
    if (active(tx, group).filter(one -> one.refresh().desiredConfiguration() != null).isPresent()) {
      throw Refuse.invalid(
          "An active instance refresh with a desired configuration exists. All configuration"
              + " options derived from the desired configuration are not available for update"
              + " while the instance refresh is active.");
    }
  }

  public static AutoScalingGroup configured(
      AutoScalingGroup group, @Nullable DesiredConfiguration desired) {
    return desired == null
        ? group
        : group.toBuilder()
            .launchTemplate(Objects.requireNonNull(desired.launchTemplate()))
            .launchConfigurationName(null)
            .mixedInstancesPolicy((MixedInstancesPolicy) null)
            .build();
  }

  public RefreshRecord with(UnaryOperator<InstanceRefresh.Builder> change) {
    return new RefreshRecord(
        change.apply(refresh.toBuilder()).build(), stale, known, total, progressAt);
  }

  /** So many are left to be replaced. */
  public RefreshRecord left(int count, Instant now) {
    boolean progress = !Objects.equals(refresh.instancesToUpdate(), count);
    int done = total == 0 ? 100 : Math.max(0, total - count) * 100 / total;
    return new RefreshRecord(
        refresh.toBuilder().instancesToUpdate(count).percentageComplete(done).build(),
        stale,
        known,
        total,
        progress ? now : progressAt);
  }

  /** Back to what was before it: those that came since are replaced. */
  public RefreshRecord turnedBack(String why, List<Member> members, Instant now) {
    List<String> came =
        members.stream()
            .filter(m -> !m.going())
            .map(Member::token)
            .filter(token -> !known.contains(token))
            .toList();
    InstanceRefresh back =
        refresh.toBuilder()
            .status(InstanceRefreshStatus.ROLLBACK_IN_PROGRESS)
            .rollbackDetails(r ->
                r.rollbackReason(why)
                    .rollbackStartTime(now)
                    .percentageCompleteOnRollback(refresh.percentageComplete())
                    .instancesToUpdateOnRollback(refresh.instancesToUpdate()))
            .instancesToUpdate(came.size())
            .percentageComplete(0)
            .build();
    return new RefreshRecord(
        back, came, members.stream().map(Member::token).toList(), came.size(), now);
  }

  /** Writes it down. */
  public RefreshRecord put(Tx tx) {
    tx.put(TABLE, refresh.instanceRefreshId(), this);
    return this;
  }
}
