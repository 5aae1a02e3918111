package dev.muelle.services.applicationautoscaling;

import dev.muelle.loop.Timers;
import dev.muelle.services.AlarmActions;
import dev.muelle.services.AlarmReadings;
import dev.muelle.services.EventOutbox;
import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.store.Store;
import java.util.random.RandomGenerator;
import software.amazon.awssdk.services.applicationautoscaling.ApplicationAutoScalingClient;
import software.amazon.awssdk.services.applicationautoscaling.model.DeleteScalingPolicyRequest;
import software.amazon.awssdk.services.applicationautoscaling.model.DeleteScalingPolicyResponse;
import software.amazon.awssdk.services.applicationautoscaling.model.DeleteScheduledActionRequest;
import software.amazon.awssdk.services.applicationautoscaling.model.DeleteScheduledActionResponse;
import software.amazon.awssdk.services.applicationautoscaling.model.DeregisterScalableTargetRequest;
import software.amazon.awssdk.services.applicationautoscaling.model.DeregisterScalableTargetResponse;
import software.amazon.awssdk.services.applicationautoscaling.model.DescribeScalableTargetsRequest;
import software.amazon.awssdk.services.applicationautoscaling.model.DescribeScalableTargetsResponse;
import software.amazon.awssdk.services.applicationautoscaling.model.DescribeScalingActivitiesRequest;
import software.amazon.awssdk.services.applicationautoscaling.model.DescribeScalingActivitiesResponse;
import software.amazon.awssdk.services.applicationautoscaling.model.DescribeScalingPoliciesRequest;
import software.amazon.awssdk.services.applicationautoscaling.model.DescribeScalingPoliciesResponse;
import software.amazon.awssdk.services.applicationautoscaling.model.DescribeScheduledActionsRequest;
import software.amazon.awssdk.services.applicationautoscaling.model.DescribeScheduledActionsResponse;
import software.amazon.awssdk.services.applicationautoscaling.model.GetPredictiveScalingForecastRequest;
import software.amazon.awssdk.services.applicationautoscaling.model.GetPredictiveScalingForecastResponse;
import software.amazon.awssdk.services.applicationautoscaling.model.ListTagsForResourceRequest;
import software.amazon.awssdk.services.applicationautoscaling.model.ListTagsForResourceResponse;
import software.amazon.awssdk.services.applicationautoscaling.model.PutScalingPolicyRequest;
import software.amazon.awssdk.services.applicationautoscaling.model.PutScalingPolicyResponse;
import software.amazon.awssdk.services.applicationautoscaling.model.PutScheduledActionRequest;
import software.amazon.awssdk.services.applicationautoscaling.model.PutScheduledActionResponse;
import software.amazon.awssdk.services.applicationautoscaling.model.RegisterScalableTargetRequest;
import software.amazon.awssdk.services.applicationautoscaling.model.RegisterScalableTargetResponse;
import software.amazon.awssdk.services.applicationautoscaling.model.TagResourceRequest;
import software.amazon.awssdk.services.applicationautoscaling.model.TagResourceResponse;
import software.amazon.awssdk.services.applicationautoscaling.model.UntagResourceRequest;
import software.amazon.awssdk.services.applicationautoscaling.model.UntagResourceResponse;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.ecs.EcsClient;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;

/** Application Auto Scaling: scales ECS services. */
public final class ApplicationAutoScaling implements ApplicationAutoScalingClient {

  private final Targets targets;
  private final Policies policies;
  private final ScheduledActions scheduled;
  private final Activities activities;
  private final TargetLoop loop;
  private final AlarmActions actions;

  /**
   * The service over what is stored; nothing runs before {@link #start}.
   *
   * @param random for the delays of retries
   * @param elb asked whether it sends a service the requests that a policy counts
   * @param cloudWatch where its alarms are
   */
  public ApplicationAutoScaling(
      Scope scope,
      Store store,
      Timers timers,
      Ids ids,
      RandomGenerator random,
      EcsClient ecs,
      ElasticLoadBalancingV2Client elb,
      CloudWatchClient cloudWatch,
      EventOutbox events) {
    Capacities capacities = new Capacities(ecs, elb);
    activities = new Activities(store, ids);
    loop = new TargetLoop(store, timers, random, capacities, activities, events);
    policies = new Policies(scope, store, timers, ids, capacities, cloudWatch);
    targets = new Targets(scope, store, timers, ids, capacities, policies, loop::wake);
    scheduled = new ScheduledActions(scope, store, timers, ids, activities, loop::wake);
    actions =
        new PolicyActions(
            scope,
            store,
            timers,
            policies,
            activities,
            capacities,
            new AlarmReadings(cloudWatch),
            loop::wake);
  }

  /** Takes up the work where an earlier server left it. */
  public void start() {
    policies.complete();
    loop.start(scheduled);
  }

  /** Performs what alarms call scaling policies for. */
  public AlarmActions actions() {
    return actions;
  }

  @Override
  public String serviceName() {
    return SERVICE_NAME;
  }

  @Override
  public void close() {
    loop.close();
  }

  @Override
  public RegisterScalableTargetResponse registerScalableTarget(
      RegisterScalableTargetRequest request) {
    return targets.register(request);
  }

  @Override
  public DeregisterScalableTargetResponse deregisterScalableTarget(
      DeregisterScalableTargetRequest request) {
    return targets.deregister(request);
  }

  @Override
  public DescribeScalableTargetsResponse describeScalableTargets(
      DescribeScalableTargetsRequest request) {
    return targets.describe(request);
  }

  @Override
  public PutScalingPolicyResponse putScalingPolicy(PutScalingPolicyRequest request) {
    return policies.put(request);
  }

  @Override
  public DescribeScalingPoliciesResponse describeScalingPolicies(
      DescribeScalingPoliciesRequest request) {
    return policies.describe(request);
  }

  @Override
  public DeleteScalingPolicyResponse deleteScalingPolicy(DeleteScalingPolicyRequest request) {
    return policies.delete(request);
  }

  @Override
  public GetPredictiveScalingForecastResponse getPredictiveScalingForecast(
      GetPredictiveScalingForecastRequest request) {
    return policies.forecast(request);
  }

  @Override
  public PutScheduledActionResponse putScheduledAction(PutScheduledActionRequest request) {
    return scheduled.put(request);
  }

  @Override
  public DescribeScheduledActionsResponse describeScheduledActions(
      DescribeScheduledActionsRequest request) {
    return scheduled.describe(request);
  }

  @Override
  public DeleteScheduledActionResponse deleteScheduledAction(DeleteScheduledActionRequest request) {
    return scheduled.delete(request);
  }

  @Override
  public DescribeScalingActivitiesResponse describeScalingActivities(
      DescribeScalingActivitiesRequest request) {
    return activities.describe(request);
  }

  @Override
  public TagResourceResponse tagResource(TagResourceRequest request) {
    return targets.tag(request);
  }

  @Override
  public UntagResourceResponse untagResource(UntagResourceRequest request) {
    return targets.untag(request);
  }

  @Override
  public ListTagsForResourceResponse listTagsForResource(ListTagsForResourceRequest request) {
    return targets.tags(request);
  }
}
