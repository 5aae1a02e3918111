package dev.muelle.services.autoscaling.group;

import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.autoscaling.fleet.Observer;
import dev.muelle.services.autoscaling.fleet.Place;
import dev.muelle.services.autoscaling.hook.Hooks;
import dev.muelle.services.autoscaling.launch.MixedPolicies;
import dev.muelle.services.autoscaling.launch.Recipes;
import dev.muelle.services.autoscaling.refresh.RefreshRecord;
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
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.autoscaling.model.AutoScalingGroup;
import software.amazon.awssdk.services.autoscaling.model.AvailabilityZoneDistribution;
import software.amazon.awssdk.services.autoscaling.model.CreateAutoScalingGroupRequest;
import software.amazon.awssdk.services.autoscaling.model.CreateAutoScalingGroupResponse;
import software.amazon.awssdk.services.autoscaling.model.DeleteAutoScalingGroupRequest;
import software.amazon.awssdk.services.autoscaling.model.DeleteAutoScalingGroupResponse;
import software.amazon.awssdk.services.autoscaling.model.DescribeAutoScalingGroupsRequest;
import software.amazon.awssdk.services.autoscaling.model.DescribeAutoScalingGroupsResponse;
import software.amazon.awssdk.services.autoscaling.model.MixedInstancesPolicy;
import software.amazon.awssdk.services.autoscaling.model.SetDesiredCapacityRequest;
import software.amazon.awssdk.services.autoscaling.model.SetDesiredCapacityResponse;
import software.amazon.awssdk.services.autoscaling.model.UpdateAutoScalingGroupRequest;
import software.amazon.awssdk.services.autoscaling.model.UpdateAutoScalingGroupResponse;

/** Groups. */
public final class Groups {

  public static final int MOST = 500; // the default quota
  private static final int COOLDOWN = 300; // s
  private static final int USUAL_PAGE = 50;

  private final Scope scope;
  private final Store store;
  private final InstantSource clock;
  private final Ids ids;
  private final Recipes recipes;
  private final Observer observer;
  private final Traffic traffic;
  private final Hooks hooks;
  private final Consumer<String> wake;

  public Groups(
      Scope scope,
      Store store,
      InstantSource clock,
      Ids ids,
      Recipes recipes,
      Observer observer,
      Traffic traffic,
      Hooks hooks,
      Consumer<String> wake) {
    this.hooks = hooks;
    this.scope = scope;
    this.store = store;
    this.clock = clock;
    this.ids = ids;
    this.recipes = recipes;
    this.observer = observer;
    this.traffic = traffic;
    this.wake = wake;
  }

  public CreateAutoScalingGroupResponse create(CreateAutoScalingGroupRequest request) {
    Refuse.unlessEffective(
        request,
        Set.of(
            "AutoScalingGroupName",
            "LaunchConfigurationName",
            "LaunchTemplate",
            "MixedInstancesPolicy",
            "MinSize",
            "MaxSize",
            "DesiredCapacity",
            "DefaultCooldown",
            "AvailabilityZones",
            "LoadBalancerNames",
            "TargetGroupARNs",
            "TrafficSources",
            "HealthCheckType",
            "HealthCheckGracePeriod",
            "VPCZoneIdentifier",
            "TerminationPolicies",
            "NewInstancesProtectedFromScaleIn",
            "LifecycleHookSpecificationList",
            "Tags",
            "DesiredCapacityType",
            "DefaultInstanceWarmup",
            "AvailabilityZoneDistribution"));
    String name = GroupRules.name(request.autoScalingGroupName());
    int least = Refuse.required("minSize", request.minSize());
    int most = Refuse.required("maxSize", request.maxSize());
    int desired = Objects.requireNonNullElse(request.desiredCapacity(), least);
    if (request.desiredCapacityType() != null && !request.desiredCapacityType().equals("units")) {
      throw Refuse.unsupported(
          "DesiredCapacityType with the value " + request.desiredCapacityType());
    }
    GroupRules.distribution(request.availabilityZoneDistribution());
    List<String> targets = new ArrayList<>(request.targetGroupARNs());
    targets.addAll(GroupRules.targetGroups(request.trafficSources()));
    traffic.mustExist(targets);
    ClassicLoadBalancers.mustExist(request.loadBalancerNames());
    Instant now = clock.instant();
    AutoScalingGroup asked =
        AutoScalingGroup.builder()
            .autoScalingGroupName(name)
            .autoScalingGroupARN(
                scope.arn(
                    "autoscaling",
                    "autoScalingGroup:" + ids.uuid() + ":autoScalingGroupName/" + name))
            .launchConfigurationName(request.launchConfigurationName())
            .launchTemplate(request.launchTemplate())
            .mixedInstancesPolicy(request.mixedInstancesPolicy())
            .minSize(least)
            .maxSize(most)
            .desiredCapacity(desired)
            .defaultCooldown(Objects.requireNonNullElse(request.defaultCooldown(), COOLDOWN))
            .availabilityZones(request.availabilityZones())
            .loadBalancerNames(List.of())
            .targetGroupARNs(targets.stream().distinct().toList())
            .trafficSources(Traffic.sources(targets.stream().distinct().toList()))
            .healthCheckType(Objects.requireNonNullElse(request.healthCheckType(), "EC2"))
            .healthCheckGracePeriod(Objects.requireNonNullElse(request.healthCheckGracePeriod(), 0))
            .createdTime(now)
            .suspendedProcesses(List.of())
            .vpcZoneIdentifier(Objects.requireNonNullElse(request.vpcZoneIdentifier(), ""))
            .enabledMetrics(List.of())
            .tags(GroupTags.given(name, request.tags()))
            .terminationPolicies(
                request.terminationPolicies().isEmpty()
                    ? List.of("Default")
                    : request.terminationPolicies())
            .newInstancesProtectedFromScaleIn(
                Boolean.TRUE.equals(request.newInstancesProtectedFromScaleIn()))
            .serviceLinkedRoleARN(
                scope.globalArn(
                    "iam",
                    "role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"))
            .defaultInstanceWarmup(request.defaultInstanceWarmup())
            .capacityRebalance(null)
            .availabilityZoneDistribution(
                AvailabilityZoneDistribution.builder()
                    .capacityDistributionStrategy("balanced-best-effort")
                    .build())
            .build();
    GroupRules.check(asked);
    AutoScalingGroup group = placed(settled(asked));
    hooks.check(request.lifecycleHookSpecificationList());
    store.write(tx -> {
      if (GroupRecord.find(tx, name).isPresent()) {
        throw Refuse.exists(
            "AutoScalingGroup by this name already exists - A group with the name "
                + name
                + " already exists");
      }
      if (tx.count(GroupRecord.TABLE) >= MOST) {
        throw Refuse.tooMany("You already have " + MOST + " Auto Scaling groups.");
      }
      GroupRecord made = GroupRecord.of(group);
      (desired == 0 ? made : made.because(Causes.created(now, desired))).put(tx);
      hooks.create(tx, name, request.lifecycleHookSpecificationList());
      return made;
    });
    wake.accept(name);
    return CreateAutoScalingGroupResponse.builder().build();
  }

  /** With its templates by their ids and names. */
  private AutoScalingGroup settled(AutoScalingGroup group) {
    if (group.launchTemplate() != null) {
      return group.toBuilder().launchTemplate(recipes.settled(group.launchTemplate())).build();
    }
    MixedInstancesPolicy policy = group.mixedInstancesPolicy();
    if (policy == null) {
      return group;
    }
    return group.toBuilder().mixedInstancesPolicy(MixedPolicies.settled(policy, recipes)).build();
  }

  /** With the zones of its subnets; EC2 is asked whether it would launch there. */
  private AutoScalingGroup placed(AutoScalingGroup group) {
    GroupRecord record = GroupRecord.of(group);
    List<String> subnets = record.subnets();
    if (subnets.isEmpty() && group.availabilityZones().isEmpty()) {
      throw Refuse.invalid("At least one Availability Zone or VPC Subnet is required.");
    }
    List<Place> places = observer.places(record);
    List<String> zones = places.stream().map(Place::zone).distinct().sorted().toList();
    List<String> found = places.stream().map(Place::subnet).toList();
    for (String subnet : subnets) {
      if (!found.contains(subnet)) {
        throw Refuse.invalid("The subnet ID '" + subnet + "' does not exist");
      }
    }
    for (String zone : group.availabilityZones()) {
      if (!zones.contains(zone)) {
        throw Refuse.invalid(
            subnets.isEmpty()
                ? "Invalid availability zones: [" + zone + "] has no default subnet"
                : "The availability zones of the specified subnets and the AutoScalingGroup do not"
                    + " match");
      }
    }
    recipes.check(group, places.getFirst().subnet());
    return group.toBuilder().availabilityZones(zones).build();
  }

  public UpdateAutoScalingGroupResponse update(UpdateAutoScalingGroupRequest request) {
    Refuse.unlessEffective(
        request,
        Set.of(
            "AutoScalingGroupName",
            "LaunchConfigurationName",
            "LaunchTemplate",
            "MixedInstancesPolicy",
            "MinSize",
            "MaxSize",
            "DesiredCapacity",
            "DefaultCooldown",
            "AvailabilityZones",
            "HealthCheckType",
            "HealthCheckGracePeriod",
            "VPCZoneIdentifier",
            "TerminationPolicies",
            "NewInstancesProtectedFromScaleIn",
            "DefaultInstanceWarmup",
            "AvailabilityZoneDistribution"));
    GroupRules.distribution(request.availabilityZoneDistribution());
    GroupRecord before =
        store.read(tx -> GroupRecord.changeable(tx, request.autoScalingGroupName()));
    AutoScalingGroup checked = changed(before.group(), request);
    GroupRules.check(checked);
    boolean elsewhere =
        request.vpcZoneIdentifier() != null || !request.availabilityZones().isEmpty();
    boolean otherwise =
        request.launchTemplate() != null
            || request.launchConfigurationName() != null
            || request.mixedInstancesPolicy() != null;
    AutoScalingGroup settled = otherwise ? settled(checked) : checked;
    AutoScalingGroup placed = elsewhere || otherwise ? placed(settled) : settled;
    store.write(tx -> {
      GroupRecord now = GroupRecord.changeable(tx, request.autoScalingGroupName());
      AutoScalingGroup.Builder next =
          changed(now.group(), request).toBuilder().availabilityZones(placed.availabilityZones());
      if (otherwise) {
        RefreshRecord.unlessConfiguring(tx, now.name());
        next.launchTemplate(placed.launchTemplate())
            .mixedInstancesPolicy(placed.mixedInstancesPolicy());
      }
      AutoScalingGroup wanted = next.build();
      GroupRules.check(wanted);
      return resized(now.hopeful(), wanted, "a user request", clock.instant()).put(tx);
    });
    wake.accept(before.name());
    return UpdateAutoScalingGroupResponse.builder().build();
  }

  /** A group with other bounds, or another desired capacity, and why. */
  static GroupRecord resized(GroupRecord before, AutoScalingGroup next, String who, Instant now) {
    int had = before.group().desiredCapacity();
    GroupRecord changed = before.with(g -> next.toBuilder());
    return had == next.desiredCapacity()
        ? changed
        : changed.because(
            Causes.updated(now, who, next.minSize(), next.maxSize(), next.desiredCapacity(), had));
  }

  /** What is not said stays, but that the desired capacity follows the bounds. */
  private static AutoScalingGroup changed(
      AutoScalingGroup group, UpdateAutoScalingGroupRequest request) {
    int least = Objects.requireNonNullElse(request.minSize(), group.minSize());
    int most = Objects.requireNonNullElse(request.maxSize(), group.maxSize());
    int desired =
        request.desiredCapacity() != null
            ? request.desiredCapacity()
            : Math.max(least, Math.min(most, group.desiredCapacity()));
    AutoScalingGroup.Builder next =
        group.toBuilder().minSize(least).maxSize(most).desiredCapacity(desired);
    if (request.launchConfigurationName() != null
        || request.launchTemplate() != null
        || request.mixedInstancesPolicy() != null) {
      next.launchConfigurationName(request.launchConfigurationName())
          .launchTemplate(request.launchTemplate())
          .mixedInstancesPolicy(request.mixedInstancesPolicy());
    }
    if (request.vpcZoneIdentifier() != null || !request.availabilityZones().isEmpty()) {
      next.vpcZoneIdentifier(Objects.requireNonNullElse(request.vpcZoneIdentifier(), ""))
          .availabilityZones(request.availabilityZones());
    }
    if (!request.terminationPolicies().isEmpty()) {
      next.terminationPolicies(request.terminationPolicies());
    }
    return next.defaultCooldown(or(request.defaultCooldown(), group.defaultCooldown()))
        .healthCheckType(or(request.healthCheckType(), group.healthCheckType()))
        .healthCheckGracePeriod(
            or(request.healthCheckGracePeriod(), group.healthCheckGracePeriod()))
        .newInstancesProtectedFromScaleIn(
            or(
                request.newInstancesProtectedFromScaleIn(),
                group.newInstancesProtectedFromScaleIn()))
        .defaultInstanceWarmup(
            request.defaultInstanceWarmup() == null
                ? group.defaultInstanceWarmup()
                : request.defaultInstanceWarmup())
        .build();
  }

  private static <T> T or(@Nullable T asked, T before) {
    return asked == null ? before : asked;
  }

  /** By hand, or by a service that manages the group. */
  public SetDesiredCapacityResponse setDesired(SetDesiredCapacityRequest request) {
    int desired = Refuse.required("desiredCapacity", request.desiredCapacity());
    store.write(tx -> {
      GroupRecord group = GroupRecord.changeable(tx, request.autoScalingGroupName());
      Instant now = clock.instant();
      AutoScalingGroup g = group.group();
      if (desired > g.maxSize()) {
        throw Refuse.invalid(
            "New SetDesiredCapacity value "
                + desired
                + " is above max value "
                + g.maxSize()
                + " for the AutoScalingGroup.");
      }
      if (desired < g.minSize()) {
        throw Refuse.invalid(
            "New SetDesiredCapacity value "
                + desired
                + " is below min value "
                + g.minSize()
                + " for the AutoScalingGroup.");
      }
      if (Boolean.TRUE.equals(request.honorCooldown()) && group.cools(tx, now)) {
        throw Refuse.inProgress(
            "The group "
                + group.name()
                + " is in its cooldown period: its last activity is not over"
                + " since "
                + group.cooldownSeconds()
                + " seconds.");
      }
      return desired == g.desiredCapacity()
          ? group
          : group
              .with(b -> b.desiredCapacity(desired))
              .because(Causes.asked(now, g.desiredCapacity(), desired))
              .put(tx);
    });
    wake.accept(request.autoScalingGroupName());
    return SetDesiredCapacityResponse.builder().build();
  }

  public DeleteAutoScalingGroupResponse delete(DeleteAutoScalingGroupRequest request) {
    String name =
        store.write(tx -> {
          GroupRecord group = GroupRecord.get(tx, request.autoScalingGroupName());
          List<Member> members = Member.of(tx, group.name());
          if (!Boolean.TRUE.equals(request.forceDelete())) {
            if (group.group().desiredCapacity() > 0 || members.stream().anyMatch(m -> !m.going())) {
              throw Refuse.inUse(
                  "You cannot delete an AutoScalingGroup while there are instances or pending Spot"
                      + " instance request(s) still in the group.");
            }
            if (!members.isEmpty()) {
              throw Refuse.inProgress(
                  "You cannot delete an AutoScalingGroup while there are scaling activities in"
                      + " progress for that group.");
            }
          }
          group.deleted().put(tx);
          return group.name();
        });
    wake.accept(name);
    return DeleteAutoScalingGroupResponse.builder().build();
  }

  public DescribeAutoScalingGroupsResponse describe(DescribeAutoScalingGroupsRequest request) {
    boolean withInstances = !Boolean.FALSE.equals(request.includeInstances());
    List<AutoScalingGroup> all =
        store.read(tx ->
            tx.list(GroupRecord.TABLE).stream()
                .map(Row::value)
                .filter(group ->
                    request.autoScalingGroupNames().isEmpty()
                        || request.autoScalingGroupNames().contains(group.name()))
                .filter(group -> GroupTags.match(group.group().tags(), request.filters()))
                .map(group -> shown(tx, group, withInstances))
                .toList());
    Pages<AutoScalingGroup> page =
        Pages.of(
            all,
            AutoScalingGroup::autoScalingGroupName,
            request.nextToken(),
            request.maxRecords(),
            USUAL_PAGE,
            Pages.MOST);
    return DescribeAutoScalingGroupsResponse.builder()
        .autoScalingGroups(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  private static AutoScalingGroup shown(Tx tx, GroupRecord group, boolean withInstances) {
    AutoScalingGroup.Builder shown = group.group().toBuilder();
    if (group.group().warmPoolConfiguration() != null) {
      shown.warmPoolSize(Member.inPool(tx, group.name()));
    }
    if (withInstances) {
      shown.instances(
          Member.live(tx, group.name()).stream()
              .filter(member -> member.id() != null)
              .map(Member::instance)
              .toList());
    }
    return shown.build();
  }
}
