package dev.muelle.services.autoscaling.refresh;

import dev.muelle.services.Ids;
import dev.muelle.services.autoscaling.launch.MixedPolicies;
import dev.muelle.services.autoscaling.launch.Recipes;
import dev.muelle.services.autoscaling.state.GroupRecord;
import dev.muelle.services.autoscaling.state.Member;
import dev.muelle.services.autoscaling.state.Pages;
import dev.muelle.services.autoscaling.state.Refuse;
import dev.muelle.store.Store;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.autoscaling.model.AutoScalingGroup;
import software.amazon.awssdk.services.autoscaling.model.CancelInstanceRefreshRequest;
import software.amazon.awssdk.services.autoscaling.model.CancelInstanceRefreshResponse;
import software.amazon.awssdk.services.autoscaling.model.DescribeInstanceRefreshesRequest;
import software.amazon.awssdk.services.autoscaling.model.DescribeInstanceRefreshesResponse;
import software.amazon.awssdk.services.autoscaling.model.DesiredConfiguration;
import software.amazon.awssdk.services.autoscaling.model.InstanceRefresh;
import software.amazon.awssdk.services.autoscaling.model.InstanceRefreshStatus;
import software.amazon.awssdk.services.autoscaling.model.LaunchTemplateSpecification;
import software.amazon.awssdk.services.autoscaling.model.MixedInstancesPolicy;
import software.amazon.awssdk.services.autoscaling.model.RefreshPreferences;
import software.amazon.awssdk.services.autoscaling.model.RollbackInstanceRefreshRequest;
import software.amazon.awssdk.services.autoscaling.model.RollbackInstanceRefreshResponse;
import software.amazon.awssdk.services.autoscaling.model.ScaleInProtectedInstances;
import software.amazon.awssdk.services.autoscaling.model.StandbyInstances;
import software.amazon.awssdk.services.autoscaling.model.StartInstanceRefreshRequest;
import software.amazon.awssdk.services.autoscaling.model.StartInstanceRefreshResponse;
import software.amazon.awssdk.services.ec2.model.LaunchTemplateVersion;

/**
 * Begins, ends and shows instance refreshes.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_StartInstanceRefresh.html">StartInstanceRefresh</a>
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/understand-instance-refresh-default-values.html">Default
 *     values</a>
 */
public final class Refreshes {

  private static final int LEAST_HEALTHY = 90; // percent
  private static final int ALL = 100; // percent
  private static final int LONGEST = 172_800; // s; 48 hours
  private static final int CHECKPOINT_DELAY = 3_600; // s
  private static final int USUAL_PAGE = 50;

  private final Store store;
  private final InstantSource clock;
  private final Ids ids;
  private final Recipes recipes;
  private final Function<GroupRecord, Optional<String>> subnet;
  private final RefreshEvents events;
  private final Consumer<List<String>> alarms;
  private final Consumer<String> wake;

  /**
   * Refreshes.
   *
   * @param subnet one that a group may launch in; a group may have named zones only
   * @param alarms refuses those with which none can begin
   */
  public Refreshes(
      Store store,
      InstantSource clock,
      Ids ids,
      Recipes recipes,
      Function<GroupRecord, Optional<String>> subnet,
      RefreshEvents events,
      Consumer<List<String>> alarms,
      Consumer<String> wake) {
    this.alarms = alarms;
    this.subnet = subnet;
    this.store = store;
    this.clock = clock;
    this.ids = ids;
    this.recipes = recipes;
    this.events = events;
    this.wake = wake;
  }

  public StartInstanceRefreshResponse start(StartInstanceRefreshRequest request) {
    if (request.strategyAsString() != null && !request.strategyAsString().equals("Rolling")) {
      throw Refuse.unsupported("Strategy with the value " + request.strategyAsString());
    }
    RefreshPreferences preferences = preferences(request.preferences());
    GroupRecord before =
        store.read(tx -> GroupRecord.changeable(tx, request.autoScalingGroupName()));
    DesiredConfiguration desired = desired(request.desiredConfiguration());
    AutoScalingGroup wanted = RefreshRecord.configured(before.group(), desired);
    recipes.check(
        wanted,
        subnet
            .apply(before)
            .orElseThrow(() -> Refuse.invalid("The group has no subnet to launch instances in.")));
    if (preferences.autoRollback()) {
      reversible(before.group(), desired);
    }
    if (preferences.alarmSpecification() != null) {
      alarms.accept(preferences.alarmSpecification().alarms());
    }
    Predicate<Member> matches = preferences.skipMatching() ? matching(wanted) : member -> false;
    Instant now = clock.instant();
    String id = ids.uuid();
    store.write(tx -> {
      GroupRecord group = GroupRecord.changeable(tx, before.name());
      if (RefreshRecord.active(tx, group.name()).isPresent()) {
        throw Refuse.refreshing();
      }
      List<Member> members = Member.of(tx, group.name());
      InstanceRefresh refresh =
          InstanceRefresh.builder()
              .instanceRefreshId(id)
              .autoScalingGroupName(group.name())
              .status(InstanceRefreshStatus.PENDING)
              .startTime(now)
              .preferences(preferences)
              .desiredConfiguration(desired)
              .strategy("Rolling")
              .build();
      RefreshRecord.forgetOld(tx, group.name());
      RefreshRecord made =
          RefreshRecord.begun(refresh, members, m -> !matches.test(m), now).put(tx);
      events.tell(tx, group, made, "Started", now);
      return made;
    });
    wake.accept(before.name());
    return StartInstanceRefreshResponse.builder().instanceRefreshId(id).build();
  }

  private static RefreshPreferences preferences(@Nullable RefreshPreferences given) {
    RefreshPreferences asked = given == null ? RefreshPreferences.builder().build() : given;
    Refuse.unlessEffective(
        asked,
        Set.of(
            "MinHealthyPercentage",
            "MaxHealthyPercentage",
            "InstanceWarmup",
            "SkipMatching",
            "AutoRollback",
            "ScaleInProtectedInstances",
            "StandbyInstances",
            "CheckpointPercentages",
            "CheckpointDelay",
            "BakeTime",
            "AlarmSpecification"));
    Refuse.unlessWithin("preferences.minHealthyPercentage", asked.minHealthyPercentage(), 0, ALL);
    Refuse.unlessWithin("preferences.instanceWarmup", asked.instanceWarmup(), 0, Integer.MAX_VALUE);
    if (asked.maxHealthyPercentage() != null && asked.minHealthyPercentage() == null) {
      throw Refuse.invalid(
          "If you specify MaxHealthyPercentage, you must also specify MinHealthyPercentage.");
    }
    Refuse.unlessWithin(
        "preferences.maxHealthyPercentage", asked.maxHealthyPercentage(), ALL, 2 * ALL);
    if (asked.maxHealthyPercentage() != null
        && asked.maxHealthyPercentage() - asked.minHealthyPercentage() > ALL) {
      throw Refuse.invalid(
          "The difference between MaxHealthyPercentage and MinHealthyPercentage cannot be greater"
              + " than 100.");
    }
    Refuse.unlessWithin("preferences.checkpointDelay", asked.checkpointDelay(), 0, LONGEST);
    Refuse.unlessWithin("preferences.bakeTime", asked.bakeTime(), 0, LONGEST);
    ascending(asked.checkpointPercentages());
    if (asked.scaleInProtectedInstances() == ScaleInProtectedInstances.UNKNOWN_TO_SDK_VERSION
        || asked.standbyInstances() == StandbyInstances.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.invalid(
          "ScaleInProtectedInstances is one of Refresh, Ignore and Wait, StandbyInstances one of"
              + " Terminate, Ignore and Wait");
    }
    return RefreshPreferences.builder()
        .minHealthyPercentage(
            Objects.requireNonNullElse(asked.minHealthyPercentage(), LEAST_HEALTHY))
        .maxHealthyPercentage(Objects.requireNonNullElse(asked.maxHealthyPercentage(), ALL))
        .checkpointPercentages(asked.checkpointPercentages())
        .checkpointDelay(
            asked.checkpointPercentages().isEmpty() || asked.checkpointDelay() != null
                ? asked.checkpointDelay()
                : Integer.valueOf(CHECKPOINT_DELAY))
        .bakeTime(asked.bakeTime())
        .alarmSpecification(asked.alarmSpecification())
        .instanceWarmup(asked.instanceWarmup())
        .skipMatching(Boolean.TRUE.equals(asked.skipMatching()))
        .autoRollback(Boolean.TRUE.equals(asked.autoRollback()))
        .scaleInProtectedInstances(
            Objects.requireNonNullElse(
                asked.scaleInProtectedInstances(), ScaleInProtectedInstances.WAIT))
        .standbyInstances(
            Objects.requireNonNullElse(asked.standbyInstances(), StandbyInstances.WAIT))
        .build();
  }

  private static void ascending(List<Integer> percentages) {
    int before = 0;
    for (int one : percentages) {
      if (one <= before || one > ALL) {
        throw Refuse.invalid(
            "CheckpointPercentages must be unique, in ascending order, and from 1 to 100: "
                + percentages);
      }
      before = one;
    }
  }

  private @Nullable DesiredConfiguration desired(@Nullable DesiredConfiguration given) {
    if (given == null) {
      return null;
    }
    LaunchTemplateSpecification template = given.launchTemplate();
    MixedInstancesPolicy policy = given.mixedInstancesPolicy();
    if ((template == null) == (policy == null)) {
      throw Refuse.invalid(
          "A desired configuration must have either a LaunchTemplate or a MixedInstancesPolicy.");
    }
    if (policy == null) {
      return DesiredConfiguration.builder().launchTemplate(recipes.settled(template)).build();
    }
    MixedPolicies.check(policy);
    return DesiredConfiguration.builder()
        .mixedInstancesPolicy(MixedPolicies.settled(policy, recipes))
        .build();
  }

  /** What was before can be had again only if it is known, and stays the same. */
  private static void reversible(AutoScalingGroup group, @Nullable DesiredConfiguration desired) {
    if (desired == null) {
      throw Refuse.irreversible(
          "The instance refresh has no desired configuration, and can not be rolled back.");
    }
    for (Recipes.Variant one : Recipes.variants(group)) {
      if (one.template().version().startsWith("$")) {
        throw Refuse.irreversible(
            "The Auto Scaling group has a launch template of the version "
                + one.template().version()
                + ", and can not be rolled back.");
      }
    }
  }

  /** Whether an instance is as the group wants them: of a mixed group's, as any of its types is. */
  private Predicate<Member> matching(AutoScalingGroup wanted) {
    if (wanted.launchConfigurationName() != null) {
      return member ->
          wanted.launchConfigurationName().equals(member.instance().launchConfigurationName());
    }
    return Recipes.variants(wanted).stream()
        .map(this::matching)
        .reduce(member -> false, Predicate::or);
  }

  private Predicate<Member> matching(Recipes.Variant wanted) {
    LaunchTemplateVersion version = recipes.version(wanted.template());
    String number = String.valueOf(version.versionNumber());
    return member -> {
      LaunchTemplateSpecification has = member.instance().launchTemplate();
      return has != null
          && version.launchTemplateId().equals(has.launchTemplateId())
          && number.equals(has.version())
          && (wanted.type() == null || wanted.type().equals(member.instance().instanceType()));
    };
  }

  /** No more are replaced; the ones that are on their way are waited for, unless not to. */
  public CancelInstanceRefreshResponse cancel(CancelInstanceRefreshRequest request) {
    boolean waits = !Boolean.FALSE.equals(request.waitForTransitioningInstances());
    Instant now = clock.instant();
    String id =
        store.write(tx -> {
          GroupRecord group = GroupRecord.changeable(tx, request.autoScalingGroupName());
          RefreshRecord active =
              RefreshRecord.active(tx, group.name())
                  .filter(one -> one.status() != InstanceRefreshStatus.CANCELLING)
                  .orElseThrow(() -> Refuse.notRefreshing(group.name()));
          if (waits) {
            active.with(r -> r.status(InstanceRefreshStatus.CANCELLING)).put(tx);
          } else {
            RefreshRecord over =
                active.with(r -> r.status(InstanceRefreshStatus.CANCELLED).endTime(now)).put(tx);
            events.tell(tx, group, over, "Cancelled", now);
          }
          return active.refresh().instanceRefreshId();
        });
    wake.accept(request.autoScalingGroupName());
    return CancelInstanceRefreshResponse.builder().instanceRefreshId(id).build();
  }

  /** What was replaced is replaced again, by what was before. */
  public RollbackInstanceRefreshResponse rollBack(RollbackInstanceRefreshRequest request) {
    Instant now = clock.instant();
    String id =
        store.write(tx -> {
          GroupRecord group = GroupRecord.changeable(tx, request.autoScalingGroupName());
          RefreshRecord active =
              RefreshRecord.active(tx, group.name())
                  .filter(one -> one.status() != InstanceRefreshStatus.CANCELLING)
                  .filter(one -> !one.turnsBack())
                  .orElseThrow(() -> Refuse.notRefreshing(group.name()));
          reversible(group.group(), active.refresh().desiredConfiguration());
          RefreshRecord back =
              active
                  .turnedBack("Rollback requested by user.", Member.of(tx, group.name()), now)
                  .put(tx);
          events.tell(tx, group, back, "Rollback Started", now);
          return active.refresh().instanceRefreshId();
        });
    wake.accept(request.autoScalingGroupName());
    return RollbackInstanceRefreshResponse.builder().instanceRefreshId(id).build();
  }

  public DescribeInstanceRefreshesResponse describe(DescribeInstanceRefreshesRequest request) {
    List<InstanceRefresh> all =
        store.read(tx -> {
          GroupRecord group = GroupRecord.get(tx, request.autoScalingGroupName());
          return RefreshRecord.of(tx, group.name()).stream()
              .map(RefreshRecord::refresh)
              .filter(one ->
                  request.instanceRefreshIds().isEmpty()
                      || request.instanceRefreshIds().contains(one.instanceRefreshId()))
              .toList();
        });
    Pages<InstanceRefresh> page =
        Pages.of(
            all,
            InstanceRefresh::instanceRefreshId,
            request.nextToken(),
            request.maxRecords(),
            USUAL_PAGE,
            Pages.MOST);
    return DescribeInstanceRefreshesResponse.builder()
        .instanceRefreshes(page.items())
        .nextToken(page.nextToken())
        .build();
  }
}
