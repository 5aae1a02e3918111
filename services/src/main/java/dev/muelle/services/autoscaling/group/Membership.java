package dev.muelle.services.autoscaling.group;

import dev.muelle.services.autoscaling.activity.Activities;
import dev.muelle.services.autoscaling.activity.Kind;
import dev.muelle.services.autoscaling.fleet.Departures;
import dev.muelle.services.autoscaling.fleet.Observer;
import dev.muelle.services.autoscaling.fleet.Place;
import dev.muelle.services.autoscaling.launch.Recipes;
import dev.muelle.services.autoscaling.state.Causes;
import dev.muelle.services.autoscaling.state.GroupRecord;
import dev.muelle.services.autoscaling.state.Member;
import dev.muelle.services.autoscaling.state.Pages;
import dev.muelle.services.autoscaling.state.Refuse;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.autoscaling.model.Activity;
import software.amazon.awssdk.services.autoscaling.model.AttachInstancesRequest;
import software.amazon.awssdk.services.autoscaling.model.AttachInstancesResponse;
import software.amazon.awssdk.services.autoscaling.model.AutoScalingInstanceDetails;
import software.amazon.awssdk.services.autoscaling.model.DescribeAutoScalingInstancesRequest;
import software.amazon.awssdk.services.autoscaling.model.DescribeAutoScalingInstancesResponse;
import software.amazon.awssdk.services.autoscaling.model.DetachInstancesRequest;
import software.amazon.awssdk.services.autoscaling.model.DetachInstancesResponse;
import software.amazon.awssdk.services.autoscaling.model.EnterStandbyRequest;
import software.amazon.awssdk.services.autoscaling.model.EnterStandbyResponse;
import software.amazon.awssdk.services.autoscaling.model.ExitStandbyRequest;
import software.amazon.awssdk.services.autoscaling.model.ExitStandbyResponse;
import software.amazon.awssdk.services.autoscaling.model.LifecycleState;
import software.amazon.awssdk.services.autoscaling.model.SetInstanceHealthRequest;
import software.amazon.awssdk.services.autoscaling.model.SetInstanceHealthResponse;
import software.amazon.awssdk.services.autoscaling.model.SetInstanceProtectionRequest;
import software.amazon.awssdk.services.autoscaling.model.SetInstanceProtectionResponse;
import software.amazon.awssdk.services.autoscaling.model.TerminateInstanceInAutoScalingGroupRequest;
import software.amazon.awssdk.services.autoscaling.model.TerminateInstanceInAutoScalingGroupResponse;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ec2.model.InstanceStateName;

/** Single instances of groups: attached, detached, in standby, protected, ill, terminated. */
public final class Membership {

  private static final int MOST_OF_A_REQUEST = 20;
  private static final int USUAL_PAGE = 50;
  private static final int PROTECTED_AT_ONCE = 50;

  private final Store store;
  private final InstantSource clock;
  private final Ec2Client ec2;
  private final Observer observer;
  private final Activities activities;
  private final Departures departures;
  private final Supplier<String> tokens;
  private final Consumer<String> wake;

  /**
   * Instances of groups.
   *
   * @param tokens makes unique names
   */
  public Membership(
      Store store,
      InstantSource clock,
      Ec2Client ec2,
      Observer observer,
      Activities activities,
      Departures departures,
      Supplier<String> tokens,
      Consumer<String> wake) {
    this.store = store;
    this.clock = clock;
    this.ec2 = ec2;
    this.observer = observer;
    this.activities = activities;
    this.departures = departures;
    this.tokens = tokens;
    this.wake = wake;
  }

  public DescribeAutoScalingInstancesResponse describe(
      DescribeAutoScalingInstancesRequest request) {
    List<AutoScalingInstanceDetails> all =
        store.read(tx -> tx.list(Member.TABLE)).stream()
            .map(Row::value)
            .filter(member -> member.id() != null)
            .filter(member ->
                request.instanceIds().isEmpty() || request.instanceIds().contains(member.id()))
            .map(Membership::details)
            .sorted(Comparator.comparing(AutoScalingInstanceDetails::instanceId))
            .toList();
    Pages<AutoScalingInstanceDetails> page =
        Pages.of(
            all,
            AutoScalingInstanceDetails::instanceId,
            request.nextToken(),
            request.maxRecords(),
            USUAL_PAGE,
            USUAL_PAGE);
    return DescribeAutoScalingInstancesResponse.builder()
        .autoScalingInstances(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  private static AutoScalingInstanceDetails details(Member member) {
    var instance = member.instance();
    return AutoScalingInstanceDetails.builder()
        .instanceId(instance.instanceId())
        .instanceType(instance.instanceType())
        .autoScalingGroupName(member.group())
        .availabilityZone(instance.availabilityZone())
        .lifecycleState(instance.lifecycleStateAsString())
        .healthStatus(instance.healthStatus().toUpperCase(java.util.Locale.ROOT))
        .launchConfigurationName(instance.launchConfigurationName())
        .launchTemplate(instance.launchTemplate())
        .protectedFromScaleIn(instance.protectedFromScaleIn())
        .build();
  }

  private static List<String> some(List<String> ids, int most) {
    if (ids.isEmpty()) {
      throw Refuse.invalid("At least one instance ID must be specified.");
    }
    if (ids.size() > most) {
      throw Refuse.invalid("At most " + most + " instance IDs can be specified.");
    }
    return ids.stream().distinct().toList();
  }

  public SetInstanceProtectionResponse protect(SetInstanceProtectionRequest request) {
    boolean wanted = Refuse.required("protectedFromScaleIn", request.protectedFromScaleIn());
    List<String> ids = some(request.instanceIds(), PROTECTED_AT_ONCE);
    store.write(tx -> {
      GroupRecord group = GroupRecord.changeable(tx, request.autoScalingGroupName());
      for (String id : ids) {
        Member member = Member.get(tx, group.name(), id);
        if (member.pooled()) {
          throw Refuse.invalid(
              "The instance " + id + " is not in InService or EnteringStandby or Standby.");
        }
        member.with(i -> i.protectedFromScaleIn(wanted)).put(tx);
      }
      return true;
    });
    wake.accept(request.autoScalingGroupName());
    return SetInstanceProtectionResponse.builder().build();
  }

  public SetInstanceHealthResponse setHealth(SetInstanceHealthRequest request) {
    String health = Refuse.required("healthStatus", request.healthStatus());
    if (!health.equals(Member.HEALTHY) && !health.equals(Member.UNHEALTHY)) {
      throw Refuse.invalid(
          health + " is not a valid health status. Valid values are Healthy and Unhealthy.");
    }
    boolean graceful = !Boolean.FALSE.equals(request.shouldRespectGracePeriod());
    String group =
        store.write(tx -> {
          Member member = Member.get(tx, request.instanceId());
          GroupRecord of = GroupRecord.get(tx, member.group());
          Instant from = member.inServiceAt() == null ? member.since() : member.inServiceAt();
          boolean young =
              clock.instant().isBefore(from.plusSeconds(of.group().healthCheckGracePeriod()));
          if (health.equals(Member.HEALTHY)) {
            member.well().put(tx);
          } else if (!(young && graceful)) {
            member.sick("a user health-check").put(tx);
          }
          return member.group();
        });
    wake.accept(group);
    return SetInstanceHealthResponse.builder().build();
  }

  public TerminateInstanceInAutoScalingGroupResponse terminate(
      TerminateInstanceInAutoScalingGroupRequest request) {
    boolean fewer =
        Refuse.required("shouldDecrementDesiredCapacity", request.shouldDecrementDesiredCapacity());
    Instant now = clock.instant();
    Activity activity =
        store.write(tx -> {
          Member member = Member.get(tx, request.instanceId());
          if (member.pooled()) {
            throw Refuse.invalid(
                "The instance "
                    + member.id()
                    + " is in a warm pool, and cannot be terminated by this operation.");
          }
          if (member.going()) {
            throw Refuse.inProgress(
                "The instance "
                    + member.id()
                    + " is already "
                    + member.instance().lifecycleStateAsString());
          }
          GroupRecord group = GroupRecord.changeable(tx, member.group());
          String cause =
              Causes.at(
                  now,
                  "instance "
                      + member.id()
                      + " was taken out of service in response to a user request"
                      + (fewer && member.counts()
                          ? ", shrinking the capacity from "
                              + group.group().desiredCapacity()
                              + " to "
                              + (group.group().desiredCapacity() - 1)
                          : "")
                      + ".");
          GroupRecord next =
              fewer && member.counts()
                  ? less(group, 1, "terminating instance without replacement").put(tx)
                  : group;
          Member gone = departures.terminate(tx, next, member, cause, now);
          return activities.get(tx, String.valueOf(gone.activity()));
        });
    wake.accept(activity.autoScalingGroupName());
    return TerminateInstanceInAutoScalingGroupResponse.builder().activity(activity).build();
  }

  private static GroupRecord less(GroupRecord group, int count, String what) {
    int desired = group.group().desiredCapacity();
    int least = group.group().minSize();
    if (desired - count < least) {
      throw Refuse.invalid(
          "Currently, desiredSize equals "
              + desired
              + " and minSize equals "
              + least
              + ". "
              + Character.toUpperCase(what.charAt(0))
              + what.substring(1)
              + " will violate group's min size constraint. Either set"
              + " shouldDecrementDesiredCapacity flag to false or lower group's min size.");
    }
    return group.with(g -> g.desiredCapacity(desired - count));
  }

  /** Puts running instances into a group, which then desires so many more. */
  public AttachInstancesResponse attach(AttachInstancesRequest request) {
    List<String> ids = some(request.instanceIds(), MOST_OF_A_REQUEST);
    GroupRecord before =
        store.read(tx -> GroupRecord.changeable(tx, request.autoScalingGroupName()));
    List<Instance> instances = running(ids);
    List<String> zones = observer.places(before).stream().map(Place::zone).toList();
    for (Instance one : instances) {
      if (!zones.contains(one.placement().availabilityZone())) {
        throw Refuse.invalid(
            "The availability zone "
                + one.placement().availabilityZone()
                + " of the instance "
                + one.instanceId()
                + " is not part of Auto Scaling group "
                + before.name()
                + ".");
      }
    }
    Instant now = clock.instant();
    store.write(tx -> {
      GroupRecord group = GroupRecord.changeable(tx, before.name());
      int had = group.group().desiredCapacity();
      int desired = had + instances.size();
      if (desired > group.group().maxSize()) {
        throw Refuse.invalid(
            "AutoScalingGroup "
                + group.name()
                + " has min-size="
                + group.group().minSize()
                + ", max-size="
                + group.group().maxSize()
                + ", and desired-size="
                + had
                + ". To attach "
                + instances.size()
                + " more instance, please update the AutoScalingGroup sizes appropriately.");
      }
      group.with(g -> g.desiredCapacity(desired)).put(tx);
      for (Instance one : instances) {
        Member.find(tx, one.instanceId())
            .ifPresent(member -> {
              throw Refuse.invalid(
                  "Instance "
                      + one.instanceId()
                      + " is already part of AutoScalingGroup:"
                      + member.group());
            });
        Member member = attached(group, one, now);
        String cause =
            Causes.at(
                now,
                "an instance was attached in response to a user request, increasing the capacity"
                    + " from "
                    + had
                    + " to "
                    + desired
                    + ".");
        member.doing(activities.begin(tx, group, member, Kind.ATTACH, cause, now)).put(tx);
      }
      return true;
    });
    Recipes.onOwnBehalf(
        () -> ec2.createTags(r -> r.resources(ids).tags(Recipes.groupTag(before.name()))));
    wake.accept(before.name());
    return AttachInstancesResponse.builder().build();
  }

  private List<Instance> running(List<String> ids) {
    List<Instance> found = new ArrayList<>();
    try {
      ec2.describeInstances(r -> r.instanceIds(ids))
          .reservations()
          .forEach(one -> found.addAll(one.instances()));
    } catch (Ec2Exception e) {
      throw Refuse.invalid("Invalid Instance ID(s): " + ids + " specified");
    }
    for (Instance one : found) {
      if (one.state().name() != InstanceStateName.RUNNING) {
        throw Refuse.invalid(
            "Instance "
                + one.instanceId()
                + " is not in correct state. Instance(s) must be in"
                + " 'running' state.");
      }
    }
    return found;
  }

  private Member attached(GroupRecord group, Instance one, Instant now) {
    return new Member(
        tokens.get(),
        group.name(),
        software.amazon.awssdk.services.autoscaling.model.Instance.builder()
            .instanceId(one.instanceId())
            .instanceType(one.instanceTypeAsString())
            .availabilityZone(one.placement().availabilityZone())
            .lifecycleState(LifecycleState.PENDING)
            .healthStatus(Member.HEALTHY)
            .protectedFromScaleIn(group.group().newInstancesProtectedFromScaleIn())
            .build(),
        one.subnetId(),
        now,
        null,
        null,
        null,
        false,
        List.of(),
        null,
        null);
  }

  /** Changes one member, and says which activity that is. */
  private interface Move {
    Activity of(Tx tx, GroupRecord group, Member member);
  }

  private static List<Activity> each(
      Tx tx, GroupRecord group, List<String> ids, Set<LifecycleState> from, Move move) {
    List<Activity> begun = new ArrayList<>();
    for (String id : ids) {
      Member member = Member.get(tx, group.name(), id);
      if (!from.contains(member.state())) {
        throw Refuse.invalid(
            "The instance "
                + id
                + " is in "
                + member.instance().lifecycleStateAsString()
                + ", and must be in one of "
                + from
                + ".");
      }
      begun.add(move.of(tx, group, member));
    }
    return begun;
  }

  private Activity begin(
      Tx tx, GroupRecord group, Member member, Kind kind, LifecycleState to, String cause) {
    Instant now = clock.instant();
    Member next = member.in(to);
    String id = activities.begin(tx, group, next, kind, Causes.at(now, cause), now);
    next.doing(id).put(tx);
    return activities.get(tx, id);
  }

  private static String changing(String what, int before, int after) {
    return what
        + " in response to a user request"
        + (before == after
            ? "."
            : ", "
                + (after < before ? "shrinking" : "increasing")
                + " the capacity from "
                + before
                + " to "
                + after
                + ".");
  }

  /** Lets instances go on without their group. */
  public DetachInstancesResponse detach(DetachInstancesRequest request) {
    Exit exit =
        new Exit(
            Kind.DETACH,
            LifecycleState.DETACHING,
            Set.of(LifecycleState.IN_SERVICE, LifecycleState.STANDBY),
            "detaching instances",
            "instances were detached");
    return DetachInstancesResponse.builder()
        .activities(
            leave(
                exit,
                request.autoScalingGroupName(),
                request.instanceIds(),
                request.shouldDecrementDesiredCapacity()))
        .build();
  }

  /** Takes instances out of service for a while. */
  public EnterStandbyResponse enterStandby(EnterStandbyRequest request) {
    Exit exit =
        new Exit(
            Kind.STANDBY,
            LifecycleState.ENTERING_STANDBY,
            Set.of(LifecycleState.IN_SERVICE),
            "entering standby",
            "instances were moved to standby");
    return EnterStandbyResponse.builder()
        .activities(
            leave(
                exit,
                request.autoScalingGroupName(),
                request.instanceIds(),
                request.shouldDecrementDesiredCapacity()))
        .build();
  }

  /**
   * A way out of service on which an instance goes on.
   *
   * @param from the states from which it leads
   * @param doing in the refusal of a group that would become too small
   * @param done in the activities' causes
   */
  private record Exit(
      Kind kind, LifecycleState to, Set<LifecycleState> from, String doing, String done) {}

  private List<Activity> leave(
      Exit exit, String name, List<String> instances, @Nullable Boolean decrement) {
    boolean fewer = Refuse.required("shouldDecrementDesiredCapacity", decrement);
    List<String> ids = some(instances, MOST_OF_A_REQUEST);
    List<Activity> begun =
        store.write(tx -> {
          GroupRecord group = GroupRecord.changeable(tx, name);
          GroupRecord next =
              fewer ? less(group, counted(tx, group, ids), exit.doing()).put(tx) : group;
          String cause =
              changing(
                  exit.done(), group.group().desiredCapacity(), next.group().desiredCapacity());
          return each(
              tx,
              next,
              ids,
              exit.from(),
              (t, g, m) -> begin(t, g, m, exit.kind(), exit.to(), cause));
        });
    wake.accept(name);
    return begun;
  }

  private static int counted(Tx tx, GroupRecord group, List<String> ids) {
    return (int) ids.stream().filter(id -> Member.get(tx, group.name(), id).counts()).count();
  }

  /** Puts instances back into service; the group desires so many more. */
  public ExitStandbyResponse exitStandby(ExitStandbyRequest request) {
    List<String> ids = some(request.instanceIds(), MOST_OF_A_REQUEST);
    List<Activity> begun =
        store.write(tx -> {
          GroupRecord group = GroupRecord.changeable(tx, request.autoScalingGroupName());
          int had = group.group().desiredCapacity();
          int desired = had + ids.size();
          if (desired > group.group().maxSize()) {
            throw Refuse.invalid(
                "AutoScalingGroup "
                    + group.name()
                    + " has max-size="
                    + group.group().maxSize()
                    + " and desired-size="
                    + had
                    + ". To exit standby with "
                    + ids.size()
                    + " instances, please update the AutoScalingGroup sizes appropriately.");
          }
          GroupRecord next = group.with(g -> g.desiredCapacity(desired)).put(tx);
          String cause = changing("instances were moved out of standby", had, desired);
          return each(
              tx,
              next,
              ids,
              Set.of(LifecycleState.STANDBY),
              (t, g, m) -> begin(t, g, m, Kind.SERVE, LifecycleState.PENDING, cause));
        });
    wake.accept(request.autoScalingGroupName());
    return ExitStandbyResponse.builder().activities(begun).build();
  }
}
