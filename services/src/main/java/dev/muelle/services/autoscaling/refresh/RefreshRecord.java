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
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.autoscaling.model.AutoScalingGroup;
import software.amazon.awssdk.services.autoscaling.model.DesiredConfiguration;
import software.amazon.awssdk.services.autoscaling.model.InstanceRefresh;
import software.amazon.awssdk.services.autoscaling.model.InstanceRefreshProgressDetails;
import software.amazon.awssdk.services.autoscaling.model.InstanceRefreshStatus;
import software.amazon.awssdk.services.autoscaling.model.MixedInstancesPolicy;

/**
 * An instance refresh as stored, under its id.
 *
 * @param stale the tokens of the instances that are to be replaced
 * @param known the tokens of all that were there when it began, or turned back
 * @param total how many of the group were to be replaced when it began, or turned back
 * @param warmTotal how many of the warm pool were
 * @param progressAt when one was last replaced
 */
public record RefreshRecord(
    InstanceRefresh refresh,
    List<String> stale,
    List<String> known,
    int total,
    int warmTotal,
    Instant progressAt) {

  public static final Table<RefreshRecord> TABLE =
      Table.of("autoscaling.refreshes", StoredJson.codec(RefreshRecord.class))
          .remember()
          .index("group", record -> record.refresh().autoScalingGroupName());

  private static final int MOST_OF_A_GROUP = 100;
  private static final int ALL = 100; // percent

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
        change.apply(refresh.toBuilder()).build(), stale, known, total, warmTotal, progressAt);
  }

  /** So many are left to be replaced, in the group and in its warm pool. */
  public RefreshRecord left(int count, int warm, Instant now) {
    boolean progress =
        !Objects.equals(refresh.instancesToUpdate(), count) || warm != warmLeft(refresh);
    InstanceRefresh next =
        refresh.toBuilder()
            .instancesToUpdate(count)
            .percentageComplete(share(total, count))
            .progressDetails(warmTotal == 0 ? null : progress(count, warm))
            .build();
    return new RefreshRecord(next, stale, known, total, warmTotal, progress ? now : progressAt);
  }

  private InstanceRefreshProgressDetails progress(int count, int warm) {
    return InstanceRefreshProgressDetails.builder()
        .livePoolProgress(p -> p.instancesToUpdate(count).percentageComplete(share(total, count)))
        .warmPoolProgress(p -> p.instancesToUpdate(warm).percentageComplete(share(warmTotal, warm)))
        .build();
  }

  private static int warmLeft(InstanceRefresh refresh) {
    return refresh.progressDetails() == null
        ? 0
        : refresh.progressDetails().warmPoolProgress().instancesToUpdate();
  }

  private static int share(int total, int left) {
    return total == 0 ? ALL : Math.max(0, total - left) * ALL / total;
  }

  /** One that begins: these are to be replaced. */
  static RefreshRecord begun(
      InstanceRefresh refresh, List<Member> members, Predicate<Member> old, Instant now) {
    List<Member> stale = members.stream().filter(m -> !m.going()).filter(old).toList();
    int warm = (int) stale.stream().filter(Member::pooled).count();
    int live = stale.size() - warm;
    return new RefreshRecord(refresh, tokens(stale), tokens(members), live, warm, now)
        .left(live, warm, now);
  }

  private static List<String> tokens(List<Member> members) {
    return members.stream().map(Member::token).toList();
  }

  /** Back to what was before it: those that came since are replaced. */
  public RefreshRecord turnedBack(String why, List<Member> members, Instant now) {
    InstanceRefresh back =
        refresh.toBuilder()
            .status(InstanceRefreshStatus.ROLLBACK_IN_PROGRESS)
            .rollbackDetails(r ->
                r.rollbackReason(why)
                    .rollbackStartTime(now)
                    .percentageCompleteOnRollback(refresh.percentageComplete())
                    .instancesToUpdateOnRollback(refresh.instancesToUpdate())
                    .progressDetailsOnRollback(refresh.progressDetails()))
            .build();
    return begun(back, members, m -> !known.contains(m.token()), now);
  }

  /** Writes it down. */
  public RefreshRecord put(Tx tx) {
    tx.put(TABLE, refresh.instanceRefreshId(), this);
    return this;
  }
}
