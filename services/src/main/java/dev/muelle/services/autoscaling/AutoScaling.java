package dev.muelle.services.autoscaling;

import dev.muelle.loop.Loop;
import dev.muelle.loop.Timers;
import dev.muelle.services.AlarmActions;
import dev.muelle.services.EventOutbox;
import dev.muelle.services.Ids;
import dev.muelle.services.InstanceGroups;
import dev.muelle.services.Measurements;
import dev.muelle.services.Scope;
import dev.muelle.services.ServiceRole;
import dev.muelle.services.autoscaling.activity.Activities;
import dev.muelle.services.autoscaling.fleet.Departures;
import dev.muelle.services.autoscaling.fleet.DirectLaunches;
import dev.muelle.services.autoscaling.fleet.Keeper;
import dev.muelle.services.autoscaling.fleet.Observer;
import dev.muelle.services.autoscaling.fleet.Place;
import dev.muelle.services.autoscaling.fleet.RefreshAlarms;
import dev.muelle.services.autoscaling.group.ClassicLoadBalancers;
import dev.muelle.services.autoscaling.group.Facts;
import dev.muelle.services.autoscaling.group.Gauges;
import dev.muelle.services.autoscaling.group.GroupTags;
import dev.muelle.services.autoscaling.group.Groups;
import dev.muelle.services.autoscaling.group.Membership;
import dev.muelle.services.autoscaling.group.Processes;
import dev.muelle.services.autoscaling.group.Traffic;
import dev.muelle.services.autoscaling.hook.HookTopics;
import dev.muelle.services.autoscaling.hook.Hooks;
import dev.muelle.services.autoscaling.hook.Waiting;
import dev.muelle.services.autoscaling.launch.LaunchConfigurations;
import dev.muelle.services.autoscaling.launch.Recipes;
import dev.muelle.services.autoscaling.notice.Notices;
import dev.muelle.services.autoscaling.notice.Post;
import dev.muelle.services.autoscaling.policy.Policies;
import dev.muelle.services.autoscaling.policy.Scaler;
import dev.muelle.services.autoscaling.policy.Warmup;
import dev.muelle.services.autoscaling.pool.WarmPools;
import dev.muelle.services.autoscaling.refresh.RefreshEvents;
import dev.muelle.services.autoscaling.refresh.Refreshes;
import dev.muelle.services.autoscaling.schedule.ScheduledActions;
import dev.muelle.services.autoscaling.state.GroupRecord;
import dev.muelle.services.autoscaling.state.Member;
import dev.muelle.store.Store;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.autoscaling.AutoScalingClient;
import software.amazon.awssdk.services.autoscaling.model.AttachInstancesRequest;
import software.amazon.awssdk.services.autoscaling.model.AttachInstancesResponse;
import software.amazon.awssdk.services.autoscaling.model.AttachLoadBalancerTargetGroupsRequest;
import software.amazon.awssdk.services.autoscaling.model.AttachLoadBalancerTargetGroupsResponse;
import software.amazon.awssdk.services.autoscaling.model.AttachLoadBalancersRequest;
import software.amazon.awssdk.services.autoscaling.model.AttachLoadBalancersResponse;
import software.amazon.awssdk.services.autoscaling.model.AttachTrafficSourcesRequest;
import software.amazon.awssdk.services.autoscaling.model.AttachTrafficSourcesResponse;
import software.amazon.awssdk.services.autoscaling.model.BatchDeleteScheduledActionRequest;
import software.amazon.awssdk.services.autoscaling.model.BatchDeleteScheduledActionResponse;
import software.amazon.awssdk.services.autoscaling.model.BatchPutScheduledUpdateGroupActionRequest;
import software.amazon.awssdk.services.autoscaling.model.BatchPutScheduledUpdateGroupActionResponse;
import software.amazon.awssdk.services.autoscaling.model.CancelInstanceRefreshRequest;
import software.amazon.awssdk.services.autoscaling.model.CancelInstanceRefreshResponse;
import software.amazon.awssdk.services.autoscaling.model.CompleteLifecycleActionRequest;
import software.amazon.awssdk.services.autoscaling.model.CompleteLifecycleActionResponse;
import software.amazon.awssdk.services.autoscaling.model.CreateAutoScalingGroupRequest;
import software.amazon.awssdk.services.autoscaling.model.CreateAutoScalingGroupResponse;
import software.amazon.awssdk.services.autoscaling.model.CreateLaunchConfigurationRequest;
import software.amazon.awssdk.services.autoscaling.model.CreateLaunchConfigurationResponse;
import software.amazon.awssdk.services.autoscaling.model.CreateOrUpdateTagsRequest;
import software.amazon.awssdk.services.autoscaling.model.CreateOrUpdateTagsResponse;
import software.amazon.awssdk.services.autoscaling.model.DeleteAutoScalingGroupRequest;
import software.amazon.awssdk.services.autoscaling.model.DeleteAutoScalingGroupResponse;
import software.amazon.awssdk.services.autoscaling.model.DeleteLaunchConfigurationRequest;
import software.amazon.awssdk.services.autoscaling.model.DeleteLaunchConfigurationResponse;
import software.amazon.awssdk.services.autoscaling.model.DeleteLifecycleHookRequest;
import software.amazon.awssdk.services.autoscaling.model.DeleteLifecycleHookResponse;
import software.amazon.awssdk.services.autoscaling.model.DeleteNotificationConfigurationRequest;
import software.amazon.awssdk.services.autoscaling.model.DeleteNotificationConfigurationResponse;
import software.amazon.awssdk.services.autoscaling.model.DeletePolicyRequest;
import software.amazon.awssdk.services.autoscaling.model.DeletePolicyResponse;
import software.amazon.awssdk.services.autoscaling.model.DeleteScheduledActionRequest;
import software.amazon.awssdk.services.autoscaling.model.DeleteScheduledActionResponse;
import software.amazon.awssdk.services.autoscaling.model.DeleteTagsRequest;
import software.amazon.awssdk.services.autoscaling.model.DeleteTagsResponse;
import software.amazon.awssdk.services.autoscaling.model.DeleteWarmPoolRequest;
import software.amazon.awssdk.services.autoscaling.model.DeleteWarmPoolResponse;
import software.amazon.awssdk.services.autoscaling.model.DescribeAccountLimitsRequest;
import software.amazon.awssdk.services.autoscaling.model.DescribeAccountLimitsResponse;
import software.amazon.awssdk.services.autoscaling.model.DescribeAdjustmentTypesRequest;
import software.amazon.awssdk.services.autoscaling.model.DescribeAdjustmentTypesResponse;
import software.amazon.awssdk.services.autoscaling.model.DescribeAutoScalingGroupsRequest;
import software.amazon.awssdk.services.autoscaling.model.DescribeAutoScalingGroupsResponse;
import software.amazon.awssdk.services.autoscaling.model.DescribeAutoScalingInstancesRequest;
import software.amazon.awssdk.services.autoscaling.model.DescribeAutoScalingInstancesResponse;
import software.amazon.awssdk.services.autoscaling.model.DescribeAutoScalingNotificationTypesRequest;
import software.amazon.awssdk.services.autoscaling.model.DescribeAutoScalingNotificationTypesResponse;
import software.amazon.awssdk.services.autoscaling.model.DescribeInstanceRefreshesRequest;
import software.amazon.awssdk.services.autoscaling.model.DescribeInstanceRefreshesResponse;
import software.amazon.awssdk.services.autoscaling.model.DescribeLaunchConfigurationsRequest;
import software.amazon.awssdk.services.autoscaling.model.DescribeLaunchConfigurationsResponse;
import software.amazon.awssdk.services.autoscaling.model.DescribeLifecycleHookTypesRequest;
import software.amazon.awssdk.services.autoscaling.model.DescribeLifecycleHookTypesResponse;
import software.amazon.awssdk.services.autoscaling.model.DescribeLifecycleHooksRequest;
import software.amazon.awssdk.services.autoscaling.model.DescribeLifecycleHooksResponse;
import software.amazon.awssdk.services.autoscaling.model.DescribeLoadBalancerTargetGroupsRequest;
import software.amazon.awssdk.services.autoscaling.model.DescribeLoadBalancerTargetGroupsResponse;
import software.amazon.awssdk.services.autoscaling.model.DescribeLoadBalancersRequest;
import software.amazon.awssdk.services.autoscaling.model.DescribeLoadBalancersResponse;
import software.amazon.awssdk.services.autoscaling.model.DescribeMetricCollectionTypesRequest;
import software.amazon.awssdk.services.autoscaling.model.DescribeMetricCollectionTypesResponse;
import software.amazon.awssdk.services.autoscaling.model.DescribeNotificationConfigurationsRequest;
import software.amazon.awssdk.services.autoscaling.model.DescribeNotificationConfigurationsResponse;
import software.amazon.awssdk.services.autoscaling.model.DescribePoliciesRequest;
import software.amazon.awssdk.services.autoscaling.model.DescribePoliciesResponse;
import software.amazon.awssdk.services.autoscaling.model.DescribeScalingActivitiesRequest;
import software.amazon.awssdk.services.autoscaling.model.DescribeScalingActivitiesResponse;
import software.amazon.awssdk.services.autoscaling.model.DescribeScalingProcessTypesRequest;
import software.amazon.awssdk.services.autoscaling.model.DescribeScalingProcessTypesResponse;
import software.amazon.awssdk.services.autoscaling.model.DescribeScheduledActionsRequest;
import software.amazon.awssdk.services.autoscaling.model.DescribeScheduledActionsResponse;
import software.amazon.awssdk.services.autoscaling.model.DescribeTagsRequest;
import software.amazon.awssdk.services.autoscaling.model.DescribeTagsResponse;
import software.amazon.awssdk.services.autoscaling.model.DescribeTerminationPolicyTypesRequest;
import software.amazon.awssdk.services.autoscaling.model.DescribeTerminationPolicyTypesResponse;
import software.amazon.awssdk.services.autoscaling.model.DescribeTrafficSourcesRequest;
import software.amazon.awssdk.services.autoscaling.model.DescribeTrafficSourcesResponse;
import software.amazon.awssdk.services.autoscaling.model.DescribeWarmPoolRequest;
import software.amazon.awssdk.services.autoscaling.model.DescribeWarmPoolResponse;
import software.amazon.awssdk.services.autoscaling.model.DetachInstancesRequest;
import software.amazon.awssdk.services.autoscaling.model.DetachInstancesResponse;
import software.amazon.awssdk.services.autoscaling.model.DetachLoadBalancerTargetGroupsRequest;
import software.amazon.awssdk.services.autoscaling.model.DetachLoadBalancerTargetGroupsResponse;
import software.amazon.awssdk.services.autoscaling.model.DetachLoadBalancersRequest;
import software.amazon.awssdk.services.autoscaling.model.DetachLoadBalancersResponse;
import software.amazon.awssdk.services.autoscaling.model.DetachTrafficSourcesRequest;
import software.amazon.awssdk.services.autoscaling.model.DetachTrafficSourcesResponse;
import software.amazon.awssdk.services.autoscaling.model.DisableMetricsCollectionRequest;
import software.amazon.awssdk.services.autoscaling.model.DisableMetricsCollectionResponse;
import software.amazon.awssdk.services.autoscaling.model.EnableMetricsCollectionRequest;
import software.amazon.awssdk.services.autoscaling.model.EnableMetricsCollectionResponse;
import software.amazon.awssdk.services.autoscaling.model.EnterStandbyRequest;
import software.amazon.awssdk.services.autoscaling.model.EnterStandbyResponse;
import software.amazon.awssdk.services.autoscaling.model.ExecutePolicyRequest;
import software.amazon.awssdk.services.autoscaling.model.ExecutePolicyResponse;
import software.amazon.awssdk.services.autoscaling.model.ExitStandbyRequest;
import software.amazon.awssdk.services.autoscaling.model.ExitStandbyResponse;
import software.amazon.awssdk.services.autoscaling.model.GetPredictiveScalingForecastRequest;
import software.amazon.awssdk.services.autoscaling.model.GetPredictiveScalingForecastResponse;
import software.amazon.awssdk.services.autoscaling.model.LaunchInstancesRequest;
import software.amazon.awssdk.services.autoscaling.model.LaunchInstancesResponse;
import software.amazon.awssdk.services.autoscaling.model.PutLifecycleHookRequest;
import software.amazon.awssdk.services.autoscaling.model.PutLifecycleHookResponse;
import software.amazon.awssdk.services.autoscaling.model.PutNotificationConfigurationRequest;
import software.amazon.awssdk.services.autoscaling.model.PutNotificationConfigurationResponse;
import software.amazon.awssdk.services.autoscaling.model.PutScalingPolicyRequest;
import software.amazon.awssdk.services.autoscaling.model.PutScalingPolicyResponse;
import software.amazon.awssdk.services.autoscaling.model.PutScheduledUpdateGroupActionRequest;
import software.amazon.awssdk.services.autoscaling.model.PutScheduledUpdateGroupActionResponse;
import software.amazon.awssdk.services.autoscaling.model.PutWarmPoolRequest;
import software.amazon.awssdk.services.autoscaling.model.PutWarmPoolResponse;
import software.amazon.awssdk.services.autoscaling.model.RecordLifecycleActionHeartbeatRequest;
import software.amazon.awssdk.services.autoscaling.model.RecordLifecycleActionHeartbeatResponse;
import software.amazon.awssdk.services.autoscaling.model.ResumeProcessesRequest;
import software.amazon.awssdk.services.autoscaling.model.ResumeProcessesResponse;
import software.amazon.awssdk.services.autoscaling.model.RollbackInstanceRefreshRequest;
import software.amazon.awssdk.services.autoscaling.model.RollbackInstanceRefreshResponse;
import software.amazon.awssdk.services.autoscaling.model.SetDesiredCapacityRequest;
import software.amazon.awssdk.services.autoscaling.model.SetDesiredCapacityResponse;
import software.amazon.awssdk.services.autoscaling.model.SetInstanceHealthRequest;
import software.amazon.awssdk.services.autoscaling.model.SetInstanceHealthResponse;
import software.amazon.awssdk.services.autoscaling.model.SetInstanceProtectionRequest;
import software.amazon.awssdk.services.autoscaling.model.SetInstanceProtectionResponse;
import software.amazon.awssdk.services.autoscaling.model.StartInstanceRefreshRequest;
import software.amazon.awssdk.services.autoscaling.model.StartInstanceRefreshResponse;
import software.amazon.awssdk.services.autoscaling.model.SuspendProcessesRequest;
import software.amazon.awssdk.services.autoscaling.model.SuspendProcessesResponse;
import software.amazon.awssdk.services.autoscaling.model.TerminateInstanceInAutoScalingGroupRequest;
import software.amazon.awssdk.services.autoscaling.model.TerminateInstanceInAutoScalingGroupResponse;
import software.amazon.awssdk.services.autoscaling.model.UpdateAutoScalingGroupRequest;
import software.amazon.awssdk.services.autoscaling.model.UpdateAutoScalingGroupResponse;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;
import software.amazon.awssdk.services.iam.IamClient;
import software.amazon.awssdk.services.sns.SnsClient;

/** Amazon EC2 Auto Scaling of one account in one region. */
public final class AutoScaling implements AutoScalingClient, AutoCloseable {

  private static final String EC2_INSTANCES = "ec2.instances";
  private static final int GROUPS_AT_ONCE = 8;
  private static final int INSTANCES_AT_ONCE = 8;

  private final Store store;
  private final Post post;
  private final Notices notices;
  private final Activities activities;
  private final Hooks hooks;
  private final Waiting waiting;
  private final LaunchConfigurations configurations;
  private final Traffic traffic;
  private final ClassicLoadBalancers classic;
  private final Groups groups;
  private final Membership membership;
  private final DirectLaunches launches;
  private final GroupTags tags;
  private final Processes processes;
  private final Gauges gauges;
  private final Facts facts;
  private final Policies policies;
  private final Scaler scaler;
  private final Warmup warmup;
  private final ScheduledActions schedule;
  private final Refreshes refreshes;
  private final WarmPools pools;
  private final Loop<String> groupLoop; // by name
  private final Loop<String> scheduleLoop; // by name, too
  private final Loop<String> goneLoop; // the alarms that groups leave behind
  private final Loop<String> instanceLoop; // by id: only finds whose it is
  private Store.@Nullable Subscription changes;

  public AutoScaling(
      Scope scope,
      Store store,
      Timers timers,
      Ids ids,
      RandomGenerator random,
      Ec2Client ec2,
      ElasticLoadBalancingV2Client elb,
      CloudWatchClient cloudWatch,
      SnsClient sns,
      IamClient iam,
      EventOutbox events,
      Measurements measurements) {
    this.store = store;
    post = new Post(store, timers, ids, random, sns);
    notices = new Notices(scope, store, timers, ids, sns, post);
    activities = new Activities(scope, store, ids, events, notices);
    Recipes recipes = new Recipes(store, ec2);
    Observer observer = new Observer(ec2, elb);
    Departures departures = new Departures(activities);
    ServiceRole roles = new ServiceRole(scope, iam, "autoscaling.amazonaws.com");
    HookTopics topics = new HookTopics(scope, ids, sns, roles, post);
    hooks = new Hooks(store, timers, topics);
    waiting = new Waiting(store, timers, ids, events, topics, this::wake);
    configurations = new LaunchConfigurations(scope, store, timers, ids, recipes);
    traffic = new Traffic(store, elb, this::wake);
    classic = new ClassicLoadBalancers(store);
    groups = new Groups(scope, store, timers, ids, recipes, observer, traffic, hooks, this::wake);
    membership =
        new Membership(store, timers, ec2, observer, activities, departures, ids::uuid, this::wake);
    launches =
        new DirectLaunches(store, timers, ids, ec2, elb, observer, recipes, activities, this::wake);
    tags = new GroupTags(store);
    processes = new Processes(store, timers, this::wake);
    gauges = new Gauges(store, timers, measurements);
    facts = new Facts(store);
    policies = new Policies(scope, store, ids, elb, cloudWatch);
    scaler = new Scaler(scope, store, timers, cloudWatch, this::wake);
    warmup = new Warmup(store, timers);
    schedule = new ScheduledActions(scope, store, timers, ids, this::wakeSchedule, this::wake);
    RefreshEvents refreshEvents = new RefreshEvents(events);
    RefreshAlarms refreshAlarms = new RefreshAlarms(store, cloudWatch);
    refreshes =
        new Refreshes(
            store,
            timers,
            ids,
            recipes,
            group -> observer.places(group).stream().map(Place::subnet).findFirst(),
            refreshEvents,
            refreshAlarms::check,
            this::wake);
    pools = new WarmPools(store, this::wake);
    Keeper keeper =
        new Keeper(
            store,
            timers,
            ids,
            ec2,
            elb,
            observer,
            recipes,
            activities,
            departures,
            waiting,
            refreshEvents,
            refreshAlarms);
    groupLoop = new Loop<>("autoscaling-group", timers, random, GROUPS_AT_ONCE, keeper::look);
    scheduleLoop =
        new Loop<>("autoscaling-schedule", timers, random, GROUPS_AT_ONCE, schedule::look);
    goneLoop =
        new Loop<>(
            "autoscaling-policies",
            timers,
            random,
            1,
            group -> {
              policies.tidy();
              return null;
            });
    instanceLoop =
        new Loop<>(
            "autoscaling-instance",
            timers,
            random,
            INSTANCES_AT_ONCE,
            id -> {
              store.read(tx -> Member.find(tx, id)).ifPresent(member -> wake(member.group()));
              return null;
            });
  }

  private void wake(String group) {
    groupLoop.wake(group);
  }

  private void wakeSchedule(String group) {
    scheduleLoop.wake(group);
  }

  /** What alarms can have done here: that scaling policies scale. */
  public AlarmActions alarmActions() {
    return scaler;
  }

  /** Whose metrics have what an instance carries. */
  public InstanceGroups instanceGroups() {
    return warmup;
  }

  /** Takes up the work where an earlier server left it. */
  public void start() {
    changes =
        store.onChange(change -> {
          if (change.table().equals(EC2_INSTANCES)) {
            instanceLoop.wake(change.key());
          } else if (change.table().equals(GroupRecord.TABLE.name()) && change.deleted()) {
            goneLoop.wake(change.key());
          }
        });
    store
        .read(tx -> tx.list(GroupRecord.TABLE))
        .forEach(row -> {
          wake(row.key());
          wakeSchedule(row.key());
        });
    policies.complete();
    goneLoop.wake("");
    gauges.start();
    post.start();
  }

  @Override
  public String serviceName() {
    return "autoscaling";
  }

  @Override
  public void close() {
    if (changes != null) {
      changes.close();
    }
    gauges.close();
    instanceLoop.close();
    post.close();
    goneLoop.close();
    scheduleLoop.close();
    groupLoop.close();
  }

  @Override
  public CreateAutoScalingGroupResponse createAutoScalingGroup(
      CreateAutoScalingGroupRequest request) {
    return groups.create(request);
  }

  @Override
  public UpdateAutoScalingGroupResponse updateAutoScalingGroup(
      UpdateAutoScalingGroupRequest request) {
    return groups.update(request);
  }

  @Override
  public DeleteAutoScalingGroupResponse deleteAutoScalingGroup(
      DeleteAutoScalingGroupRequest request) {
    return groups.delete(request);
  }

  @Override
  public DescribeAutoScalingGroupsResponse describeAutoScalingGroups(
      DescribeAutoScalingGroupsRequest request) {
    return groups.describe(request);
  }

  @Override
  public SetDesiredCapacityResponse setDesiredCapacity(SetDesiredCapacityRequest request) {
    return groups.setDesired(request);
  }

  @Override
  public CreateLaunchConfigurationResponse createLaunchConfiguration(
      CreateLaunchConfigurationRequest request) {
    return configurations.create(request);
  }

  @Override
  public DeleteLaunchConfigurationResponse deleteLaunchConfiguration(
      DeleteLaunchConfigurationRequest request) {
    return configurations.delete(request);
  }

  @Override
  public DescribeLaunchConfigurationsResponse describeLaunchConfigurations(
      DescribeLaunchConfigurationsRequest request) {
    return configurations.describe(request);
  }

  @Override
  public DescribeAutoScalingInstancesResponse describeAutoScalingInstances(
      DescribeAutoScalingInstancesRequest request) {
    return membership.describe(request);
  }

  @Override
  public SetInstanceProtectionResponse setInstanceProtection(SetInstanceProtectionRequest request) {
    return membership.protect(request);
  }

  @Override
  public SetInstanceHealthResponse setInstanceHealth(SetInstanceHealthRequest request) {
    return membership.setHealth(request);
  }

  @Override
  public TerminateInstanceInAutoScalingGroupResponse terminateInstanceInAutoScalingGroup(
      TerminateInstanceInAutoScalingGroupRequest request) {
    return membership.terminate(request);
  }

  @Override
  public LaunchInstancesResponse launchInstances(LaunchInstancesRequest request) {
    return launches.launch(request);
  }

  @Override
  public AttachInstancesResponse attachInstances(AttachInstancesRequest request) {
    return membership.attach(request);
  }

  @Override
  public DetachInstancesResponse detachInstances(DetachInstancesRequest request) {
    return membership.detach(request);
  }

  @Override
  public EnterStandbyResponse enterStandby(EnterStandbyRequest request) {
    return membership.enterStandby(request);
  }

  @Override
  public ExitStandbyResponse exitStandby(ExitStandbyRequest request) {
    return membership.exitStandby(request);
  }

  @Override
  public AttachLoadBalancerTargetGroupsResponse attachLoadBalancerTargetGroups(
      AttachLoadBalancerTargetGroupsRequest request) {
    return traffic.attach(request);
  }

  @Override
  public DetachLoadBalancerTargetGroupsResponse detachLoadBalancerTargetGroups(
      DetachLoadBalancerTargetGroupsRequest request) {
    return traffic.detach(request);
  }

  @Override
  public DescribeLoadBalancerTargetGroupsResponse describeLoadBalancerTargetGroups(
      DescribeLoadBalancerTargetGroupsRequest request) {
    return traffic.describe(request);
  }

  @Override
  public AttachLoadBalancersResponse attachLoadBalancers(AttachLoadBalancersRequest request) {
    return classic.attach(request);
  }

  @Override
  public DetachLoadBalancersResponse detachLoadBalancers(DetachLoadBalancersRequest request) {
    return classic.detach(request);
  }

  @Override
  public DescribeLoadBalancersResponse describeLoadBalancers(DescribeLoadBalancersRequest request) {
    return classic.describe(request);
  }

  @Override
  public AttachTrafficSourcesResponse attachTrafficSources(AttachTrafficSourcesRequest request) {
    return traffic.attach(request);
  }

  @Override
  public DetachTrafficSourcesResponse detachTrafficSources(DetachTrafficSourcesRequest request) {
    return traffic.detach(request);
  }

  @Override
  public DescribeTrafficSourcesResponse describeTrafficSources(
      DescribeTrafficSourcesRequest request) {
    return traffic.describe(request);
  }

  @Override
  public CreateOrUpdateTagsResponse createOrUpdateTags(CreateOrUpdateTagsRequest request) {
    return tags.put(request);
  }

  @Override
  public DeleteTagsResponse deleteTags(DeleteTagsRequest request) {
    return tags.delete(request);
  }

  @Override
  public DescribeTagsResponse describeTags(DescribeTagsRequest request) {
    return tags.describe(request);
  }

  @Override
  public SuspendProcessesResponse suspendProcesses(SuspendProcessesRequest request) {
    return processes.suspend(request);
  }

  @Override
  public ResumeProcessesResponse resumeProcesses(ResumeProcessesRequest request) {
    return processes.resume(request);
  }

  @Override
  public DescribeScalingProcessTypesResponse describeScalingProcessTypes(
      DescribeScalingProcessTypesRequest request) {
    return processes.types();
  }

  @Override
  public EnableMetricsCollectionResponse enableMetricsCollection(
      EnableMetricsCollectionRequest request) {
    return gauges.enable(request);
  }

  @Override
  public DisableMetricsCollectionResponse disableMetricsCollection(
      DisableMetricsCollectionRequest request) {
    return gauges.disable(request);
  }

  @Override
  public DescribeMetricCollectionTypesResponse describeMetricCollectionTypes(
      DescribeMetricCollectionTypesRequest request) {
    return gauges.types();
  }

  @Override
  public PutLifecycleHookResponse putLifecycleHook(PutLifecycleHookRequest request) {
    return hooks.put(request);
  }

  @Override
  public DeleteLifecycleHookResponse deleteLifecycleHook(DeleteLifecycleHookRequest request) {
    return hooks.delete(request);
  }

  @Override
  public DescribeLifecycleHooksResponse describeLifecycleHooks(
      DescribeLifecycleHooksRequest request) {
    return hooks.describe(request);
  }

  @Override
  public DescribeLifecycleHookTypesResponse describeLifecycleHookTypes(
      DescribeLifecycleHookTypesRequest request) {
    return hooks.types();
  }

  @Override
  public CompleteLifecycleActionResponse completeLifecycleAction(
      CompleteLifecycleActionRequest request) {
    return waiting.complete(request);
  }

  @Override
  public RecordLifecycleActionHeartbeatResponse recordLifecycleActionHeartbeat(
      RecordLifecycleActionHeartbeatRequest request) {
    return waiting.heartbeat(request);
  }

  @Override
  public DescribeScalingActivitiesResponse describeScalingActivities(
      DescribeScalingActivitiesRequest request) {
    return activities.describe(request);
  }

  @Override
  public DescribeTerminationPolicyTypesResponse describeTerminationPolicyTypes(
      DescribeTerminationPolicyTypesRequest request) {
    return facts.terminationPolicies();
  }

  @Override
  public DescribeAccountLimitsResponse describeAccountLimits(DescribeAccountLimitsRequest request) {
    return facts.limits();
  }

  @Override
  public PutScalingPolicyResponse putScalingPolicy(PutScalingPolicyRequest request) {
    return policies.put(request);
  }

  @Override
  public DeletePolicyResponse deletePolicy(DeletePolicyRequest request) {
    return policies.delete(request);
  }

  @Override
  public DescribePoliciesResponse describePolicies(DescribePoliciesRequest request) {
    return policies.describe(request);
  }

  @Override
  public DescribeAdjustmentTypesResponse describeAdjustmentTypes(
      DescribeAdjustmentTypesRequest request) {
    return policies.adjustmentTypes();
  }

  @Override
  public ExecutePolicyResponse executePolicy(ExecutePolicyRequest request) {
    return scaler.execute(request);
  }

  @Override
  public GetPredictiveScalingForecastResponse getPredictiveScalingForecast(
      GetPredictiveScalingForecastRequest request) {
    return policies.forecast(request);
  }

  @Override
  public PutScheduledUpdateGroupActionResponse putScheduledUpdateGroupAction(
      PutScheduledUpdateGroupActionRequest request) {
    return schedule.put(request);
  }

  @Override
  public BatchPutScheduledUpdateGroupActionResponse batchPutScheduledUpdateGroupAction(
      BatchPutScheduledUpdateGroupActionRequest request) {
    return schedule.put(request);
  }

  @Override
  public DeleteScheduledActionResponse deleteScheduledAction(DeleteScheduledActionRequest request) {
    return schedule.delete(request);
  }

  @Override
  public BatchDeleteScheduledActionResponse batchDeleteScheduledAction(
      BatchDeleteScheduledActionRequest request) {
    return schedule.delete(request);
  }

  @Override
  public DescribeScheduledActionsResponse describeScheduledActions(
      DescribeScheduledActionsRequest request) {
    return schedule.describe(request);
  }

  @Override
  public PutNotificationConfigurationResponse putNotificationConfiguration(
      PutNotificationConfigurationRequest request) {
    return notices.put(request);
  }

  @Override
  public DeleteNotificationConfigurationResponse deleteNotificationConfiguration(
      DeleteNotificationConfigurationRequest request) {
    return notices.delete(request);
  }

  @Override
  public DescribeNotificationConfigurationsResponse describeNotificationConfigurations(
      DescribeNotificationConfigurationsRequest request) {
    return notices.describe(request);
  }

  @Override
  public DescribeAutoScalingNotificationTypesResponse describeAutoScalingNotificationTypes(
      DescribeAutoScalingNotificationTypesRequest request) {
    return notices.types();
  }

  @Override
  public StartInstanceRefreshResponse startInstanceRefresh(StartInstanceRefreshRequest request) {
    return refreshes.start(request);
  }

  @Override
  public CancelInstanceRefreshResponse cancelInstanceRefresh(CancelInstanceRefreshRequest request) {
    return refreshes.cancel(request);
  }

  @Override
  public RollbackInstanceRefreshResponse rollbackInstanceRefresh(
      RollbackInstanceRefreshRequest request) {
    return refreshes.rollBack(request);
  }

  @Override
  public DescribeInstanceRefreshesResponse describeInstanceRefreshes(
      DescribeInstanceRefreshesRequest request) {
    return refreshes.describe(request);
  }

  @Override
  public PutWarmPoolResponse putWarmPool(PutWarmPoolRequest request) {
    return pools.put(request);
  }

  @Override
  public DescribeWarmPoolResponse describeWarmPool(DescribeWarmPoolRequest request) {
    return pools.describe(request);
  }

  @Override
  public DeleteWarmPoolResponse deleteWarmPool(DeleteWarmPoolRequest request) {
    return pools.delete(request);
  }
}
