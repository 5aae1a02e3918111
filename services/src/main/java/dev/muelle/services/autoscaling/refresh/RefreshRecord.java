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
import software.amazon.awssdk.services.autoscaling.model.AlarmSpecification;
import software.amazon.awssdk.services.autoscaling.model.AutoScalingGroup;
import software.amazon.awssdk.services.autoscaling.model.DesiredConfiguration;
import software.amazon.awssdk.services.autoscaling.model.InstanceRefresh;
import software.amazon.awssdk.services.autoscaling.model.InstanceRefreshProgressDetails;
import software.amazon.awssdk.services.autoscaling.model.InstanceRefreshStatus;
import software.amazon.awssdk.services.autoscaling.model.RefreshPreferences;

/**
 * An instance refresh as stored, under its id.
 *
 * @param stale the tokens of the instances that are to be replaced
 * @param known the tokens of all that were there when it began, or turned back
 * @param total how many of the group were to be replaced when it began, or turned back
 * @param warmTotal how many of the warm pool were
 * @param progressAt when one was last replaced
 * @param reached how many checkpoints were reached
 * @param heldSince when the last one was, or when it began to bake; null if it does not wait
 */
public record RefreshRecord(
    InstanceRefresh refresh,
    List<String> stale,
    List<String> known,
    int total,
    int warmTotal,
    Instant progressAt,
    int reached,
    @Nullable Instant heldSince) {

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
      case PENDING, IN_PROGRESS, BAKING, CANCELLING, ROLLBACK_IN_PROGRESS -> true;
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
                || one.status() == InstanceRefreshStatus.IN_PROGRESS
                || one.status() == InstanceRefreshStatus.BAKING)
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
            .launchTemplate(desired.launchTemplate())
            .launchConfigurationName(null)
            .mixedInstancesPolicy(desired.mixedInstancesPolicy())
            .build();
  }

  public RefreshRecord with(UnaryOperator<InstanceRefresh.Builder> change) {
    InstanceRefresh changed = change.apply(refresh.toBuilder()).build();
    return new RefreshRecord(
        changed, stale, known, total, warmTotal, progressAt, reached, heldSince);
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
    return new RefreshRecord(
        next, stale, known, total, warmTotal, progress ? now : progressAt, reached, heldSince);
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
    return new RefreshRecord(refresh, tokens(stale), tokens(members), live, warm, now, 0, null)
        .left(live, warm, now);
  }

  private static List<String> tokens(List<Member> members) {
    return members.stream().map(Member::token).toList();
  }

  /** It waits from now on: at a checkpoint, or because all is replaced and has to bake. */
  public RefreshRecord held(int checkpoints, Instant now) {
    return new RefreshRecord(refresh, stale, known, total, warmTotal, progressAt, checkpoints, now);
  }

  /** It has waited long enough. */
  public RefreshRecord released(Instant now) {
    return new RefreshRecord(refresh, stale, known, total, warmTotal, now, reached, null);
  }

  /** The percentages at which it waits; turned back, it waits nowhere. */
  private List<Integer> checkpoints() {
    return turnsBack() ? List.of() : refresh.preferences().checkpointPercentages();
  }

  /** Whether there is a checkpoint that it has not reached. */
  public boolean hasCheckpoint() {
    return reached < checkpoints().size();
  }

  /** The percentage of the checkpoint that it has reached last. */
  int checkpoint() {
    return checkpoints().get(reached - 1);
  }

  /** Whether it is over when it has reached so many checkpoints, though not all is replaced. */
  public boolean endsAt(int checkpoint) {
    return checkpoint == checkpoints().size();
  }

  /**
   * How many more may be replaced before it waits.
   *
   * @param left how many are yet to be replaced
   */
  public int untilCheckpoint(int left) {
    return hasCheckpoint()
        ? Math.max(0, Math.ceilDiv(total * checkpoints().get(reached), ALL) - (total - left))
        : left;
  }

  /** Until when it waits; empty if it does not. */
  public Optional<Instant> heldUntil() {
    RefreshPreferences how = refresh.preferences();
    Integer seconds =
        status() == InstanceRefreshStatus.BAKING ? how.bakeTime() : how.checkpointDelay();
    return Optional.ofNullable(heldSince)
        .map(since -> since.plusSeconds(Objects.requireNonNullElse(seconds, 0)));
  }

  /**
   * By how many a group may be larger than desired, so that instances serve before others go.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_RefreshPreferences.html">RefreshPreferences</a>
   */
  public int spare(int desired) {
    int most = Objects.requireNonNullElse(refresh.preferences().maxHealthyPercentage(), ALL);
    boolean rolls = status() == InstanceRefreshStatus.IN_PROGRESS || turnsBack();
    return rolls && most > ALL ? Math.max(1, desired * (most - ALL) / ALL) : 0;
  }

  /** Alarms that end it when they ring. */
  public List<String> alarms() {
    AlarmSpecification watched = refresh.preferences().alarmSpecification();
    boolean watches = status() != InstanceRefreshStatus.CANCELLING && !turnsBack();
    return watched == null || !watches ? List.of() : watched.alarms();
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
