package dev.muelle.region.simulate;

import dev.muelle.engine.sim.Behaviour;
import dev.muelle.engine.sim.SimEngine;
import dev.muelle.loop.VirtualTimers;
import dev.muelle.network.sim.SimNetwork;
import dev.muelle.services.AlarmReceivers;
import dev.muelle.services.EventOutbox;
import dev.muelle.services.Ids;
import dev.muelle.services.Measurements;
import dev.muelle.services.Measurements.Metric;
import dev.muelle.services.ObjectFiles;
import dev.muelle.services.Scope;
import dev.muelle.services.applicationautoscaling.ApplicationAutoScaling;
import dev.muelle.services.cloudwatch.CloudWatch;
import dev.muelle.services.cloudwatchlogs.CloudWatchLogs;
import dev.muelle.services.ec2.Ec2;
import dev.muelle.services.ecs.Ecs;
import dev.muelle.services.ecs.capacity.AutoScalingGroups;
import dev.muelle.services.iam.Iam;
import dev.muelle.store.SqliteStore;
import dev.muelle.store.Store;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import software.amazon.awssdk.services.applicationautoscaling.model.PredefinedMetricSpecification;
import software.amazon.awssdk.services.applicationautoscaling.model.PutScalingPolicyRequest;
import software.amazon.awssdk.services.applicationautoscaling.model.PutScheduledActionRequest;
import software.amazon.awssdk.services.applicationautoscaling.model.ScalingActivity;
import software.amazon.awssdk.services.cloudwatch.model.PutMetricAlarmRequest;
import software.amazon.awssdk.services.cloudwatch.model.StandardUnit;
import software.amazon.awssdk.services.ecs.model.LaunchType;
import software.amazon.awssdk.services.ecs.model.NetworkMode;
import software.amazon.awssdk.services.ecs.model.Service;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;

/** Replays traffic against a plan. */
public final class Simulation implements AutoCloseable {

  static final String CLUSTER = "simulation";
  static final String SERVICE = "service";
  private static final String RESOURCE = "service/" + CLUSTER + "/" + SERVICE;
  private static final String NAMESPACE = "ecs";
  private static final String DIMENSION = "ecs:service:DesiredCount";
  private static final Scope SCOPE = new Scope("000000000000", "us-east-1");
  private static final Duration STEP = Duration.ofSeconds(10);
  private static final int STEPS = 6; // in a minute
  private static final int MEASURED = 5; // at the end of this step of a minute, as ECS does
  private static final Duration TO_BEGIN = Duration.ofMinutes(30);

  private final Plan plan;
  private final Traffic traffic;
  private final VirtualTimers time;
  private final SqliteStore base;
  private final CloudWatch cloudWatch;
  private final CloudWatchLogs logs;
  private final Iam iam;
  private final Ec2 ec2;
  private final Ecs ecs;
  private final ApplicationAutoScaling scaling;
  private final Measurements.Recorder cpu;
  private final List<Measurements.Recorder> requestCounts = new ArrayList<>();

  /**
   * A minute.
   *
   * @param rate requests a second, on average
   * @param busy the mean share of the tasks' CPU that is used
   * @param latencyMillis the mean of the answered requests' estimates
   * @param waiting requests that wait at the minute's end
   * @param dollars all tasks together since the beginning
   */
  public record Minute(
      Instant at,
      double rate,
      int desired,
      int running,
      double busy,
      double latencyMillis,
      double waiting,
      double dollars) {}

  /**
   * What came of it.
   *
   * @param activities what Application Auto Scaling did, latest first
   */
  public record Outcome(List<Minute> minutes, List<ScalingActivity> activities) {
    public Outcome {
      minutes = List.copyOf(minutes);
      activities = List.copyOf(activities);
    }
  }

  /** Services have none here: a model stands in for it. */
  private static final class NoLoadBalancers implements ElasticLoadBalancingV2Client {
    @Override
    public String serviceName() {
      return SERVICE_NAME;
    }

    @Override
    public void close() {}
  }

  /**
   * A region in which nothing runs yet.
   *
   * @param directory empty, for the store
   */
  public Simulation(Plan plan, Traffic traffic, Path directory) {
    this.plan = plan;
    this.traffic = traffic;
    time = new VirtualTimers(traffic.begin().minus(TO_BEGIN));
    SplittableRandom random = new SplittableRandom(1);
    base = SqliteStore.open(directory.resolve("store.db"));
    Store store = base.in(SCOPE.storeScope());
    Ids ids = new Ids(random);
    EventOutbox events = new EventOutbox(ids);
    AlarmReceivers receivers = new AlarmReceivers();
    SimNetwork network = new SimNetwork(time);
    cloudWatch = new CloudWatch(SCOPE, store, time, random, receivers, events);
    logs = new CloudWatchLogs(SCOPE, store, time, ids, random, metrics -> {}, Measurements.NONE);
    iam = new Iam(SCOPE, base.in(SCOPE.account()), time, ids);
    ec2 = new Ec2(SCOPE, store, time, ids, random, iam, network);
    ecs =
        new Ecs(
            SCOPE,
            store,
            time,
            ids,
            random,
            ec2,
            new NoLoadBalancers(),
            logs,
            iam,
            cloudWatch.platform(),
            Measurements.NONE, // how busy tasks are, the model says
            events,
            new ObjectFiles(directory, time, random, "localhost"),
            AutoScalingGroups.NONE,
            new SimEngine(time, image -> Behaviour.runs().startedIn(plan.starting())),
            network,
            (vpc, address, port, handler) -> () -> {},
            "localhost");
    scaling = new ApplicationAutoScaling(SCOPE, store, time, ids, random, ecs, cloudWatch, events);
    receivers.add(scaling.actions());
    cpu =
        cloudWatch
            .measurements()
            .of(
                new Metric(
                    "AWS/ECS",
                    "CPUUtilization",
                    Map.of("ClusterName", CLUSTER, "ServiceName", SERVICE),
                    StandardUnit.PERCENT));
    cloudWatch.start();
    logs.start();
    ec2.start();
    ecs.start();
    scaling.start();
  }

  /**
   * Runs it all.
   *
   * @param progress told the virtual time each hour
   */
  public Outcome run(Consumer<Instant> progress) {
    service();
    policies();
    Instant begin = time.instant();
    while (now().runningCount() < plan.min()) {
      if (time.instant().isAfter(begin.plus(TO_BEGIN))) {
        throw new IllegalStateException("the service did not start: " + now().events());
      }
      time.advance(STEP);
    }
    while (time.instant().isBefore(traffic.begin())) {
      time.advance(STEP);
    }
    List<Minute> minutes = new ArrayList<>();
    Model.State state = Model.State.IDLE;
    double dollars = 0;
    while (time.instant().isBefore(traffic.end())) {
      Instant at = time.instant();
      if (at.getEpochSecond() % 3_600 == 0) {
        progress.accept(at);
      }
      double asked = 0;
      double busy = 0;
      double latency = 0;
      double answered = 0;
      double counted = 0;
      int running = 0;
      for (int step = 1; step <= STEPS; step++) {
        running = now().runningCount();
        double rate = traffic.at(time.instant());
        state = plan.model().after(state, running, rate, (double) STEP.toSeconds());
        asked += rate / STEPS;
        busy += state.busy() / STEPS;
        answered += state.answered();
        latency += state.answered() == 0 ? 0 : state.answered() * state.latencyMillis();
        counted += running == 0 ? 0 : rate * STEP.toSeconds() / running;
        dollars += running * plan.hourly() * STEP.toSeconds() / Duration.ofHours(1).toSeconds();
        if (step == MEASURED) {
          measure(running, 100 * busy * STEPS / step, counted);
        }
        time.advance(STEP);
      }
      Service now = now();
      minutes.add(
          new Minute(
              at,
              asked,
              now.desiredCount(),
              running,
              busy,
              answered == 0 ? state.latencyMillis() : latency / answered,
              state.waiting(),
              dollars));
    }
    return new Outcome(minutes, activities());
  }

  /** Each task is a sample of the metric, as ECS has it. */
  private void measure(int running, double percent, double perTask) {
    if (running > 0) {
      cpu.record(percent, running);
      // what is counted in five sixths of a minute
      requestCounts.forEach(count -> count.record(perTask * STEPS / MEASURED));
    }
  }

  private Service now() {
    return ecs.describeServices(r -> r.cluster(CLUSTER).services(SERVICE)).services().getFirst();
  }

  @SuppressWarnings("unchecked") // the SDK builders take generic varargs
  private void service() {
    String vpc = ec2.createVpc(r -> r.cidrBlock("10.0.0.0/16")).vpc().vpcId();
    String subnet =
        ec2.createSubnet(r -> r.vpcId(vpc).cidrBlock("10.0.0.0/18")).subnet().subnetId();
    ecs.createCluster(r -> r.clusterName(CLUSTER));
    ecs.registerTaskDefinition(r ->
        r.family(SERVICE)
            .requiresCompatibilitiesWithStrings("FARGATE")
            .networkMode(NetworkMode.AWSVPC)
            .cpu(Long.toString(Math.round(plan.vcpu() * 1_024)))
            .memory(Long.toString(Math.round(plan.gigabytes() * 1_024)))
            .containerDefinitions(c -> c.name(SERVICE).image("simulated").essential(true)));
    ecs.createService(r ->
        r.cluster(CLUSTER)
            .serviceName(SERVICE)
            .taskDefinition(SERVICE)
            .launchType(LaunchType.FARGATE)
            .desiredCount(plan.min())
            .networkConfiguration(n -> n.awsvpcConfiguration(v -> v.subnets(subnet))));
    scaling.registerScalableTarget(r ->
        r.serviceNamespace(NAMESPACE)
            .resourceId(RESOURCE)
            .scalableDimension(DIMENSION)
            .minCapacity(plan.min())
            .maxCapacity(plan.max()));
  }

  /** The plan's policies, whatever service they were written for, for this one. */
  @SuppressWarnings("unchecked") // as above
  private void policies() {
    Map<String, String> arns = new HashMap<>();
    for (PutScalingPolicyRequest policy : plan.policies()) {
      counted(policy);
      PutScalingPolicyRequest here =
          policy.toBuilder()
              .serviceNamespace(NAMESPACE)
              .resourceId(RESOURCE)
              .scalableDimension(DIMENSION)
              .build();
      arns.put(policy.policyName(), scaling.putScalingPolicy(here).policyARN());
    }
    for (PutMetricAlarmRequest alarm : plan.alarms()) {
      cloudWatch.putMetricAlarm(
          alarm.toBuilder()
              .dimensions(
                  d -> d.name("ClusterName").value(CLUSTER),
                  d -> d.name("ServiceName").value(SERVICE))
              .alarmActions(alarm.alarmActions().stream().map(name -> called(name, arns)).toList())
              .build());
    }
    for (PutScheduledActionRequest action : plan.scheduled()) {
      scaling.putScheduledAction(
          action.toBuilder()
              .serviceNamespace(NAMESPACE)
              .resourceId(RESOURCE)
              .scalableDimension(DIMENSION)
              .build());
    }
  }

  /** A policy by its name, or by an ARN that ends with it. */
  private static String called(String action, Map<String, String> arns) {
    String name = action.substring(action.lastIndexOf('/') + 1);
    String arn = arns.get(name);
    if (arn == null) {
      throw new IllegalArgumentException(
          "an alarm calls " + action + ", but there is no policy " + name);
    }
    return arn;
  }

  /** Measures what a policy asks for, or refuses what there is no model of. */
  private void counted(PutScalingPolicyRequest policy) {
    var tracking = policy.targetTrackingScalingPolicyConfiguration();
    PredefinedMetricSpecification metric =
        tracking == null ? null : tracking.predefinedMetricSpecification();
    if (metric == null) {
      if (tracking != null) {
        throw new IllegalArgumentException(
            "policy " + policy.policyName() + ": there is no model of a customized metric");
      }
      return;
    }
    switch (metric.predefinedMetricType()) {
      case ECS_SERVICE_AVERAGE_CPU_UTILIZATION -> {}
      case ALB_REQUEST_COUNT_PER_TARGET -> {
        String label = String.valueOf(metric.resourceLabel());
        int group = label.indexOf("/targetgroup/");
        if (group > 0) {
          requestCounts.add(
              cloudWatch
                  .measurements()
                  .of(
                      new Metric(
                          "AWS/ApplicationELB",
                          "RequestCountPerTarget",
                          Map.of(
                              "LoadBalancer", label.substring(0, group),
                              "TargetGroup", label.substring(group + 1)),
                          StandardUnit.COUNT)));
        }
      }
      default ->
          throw new IllegalArgumentException(
              "policy "
                  + policy.policyName()
                  + ": there is no model of "
                  + metric.predefinedMetricTypeAsString());
    }
  }

  private List<ScalingActivity> activities() {
    List<ScalingActivity> all = new ArrayList<>();
    scaling.describeScalingActivitiesPaginator(r -> r.serviceNamespace(NAMESPACE)).stream()
        .forEach(page -> all.addAll(page.scalingActivities()));
    return all;
  }

  @Override
  public void close() {
    time.settle();
    scaling.close();
    ecs.close();
    ec2.close();
    logs.close();
    cloudWatch.close();
    iam.close();
    base.close();
  }
}
