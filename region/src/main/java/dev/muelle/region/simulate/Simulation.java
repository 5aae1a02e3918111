package dev.muelle.region.simulate;

import dev.muelle.loop.VirtualTimers;
import dev.muelle.services.Measurements;
import dev.muelle.services.Measurements.Metric;
import dev.muelle.services.RequestLabel;
import dev.muelle.services.applicationautoscaling.ApplicationAutoScaling;
import dev.muelle.services.cloudwatch.CloudWatch;
import dev.muelle.services.ecs.Ecs;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.applicationautoscaling.model.PredefinedMetricSpecification;
import software.amazon.awssdk.services.applicationautoscaling.model.PutScalingPolicyRequest;
import software.amazon.awssdk.services.applicationautoscaling.model.PutScheduledActionRequest;
import software.amazon.awssdk.services.applicationautoscaling.model.ScalingActivity;
import software.amazon.awssdk.services.cloudwatch.model.PutMetricAlarmRequest;
import software.amazon.awssdk.services.cloudwatch.model.StandardUnit;
import software.amazon.awssdk.services.ecs.model.LaunchType;
import software.amazon.awssdk.services.ecs.model.NetworkMode;
import software.amazon.awssdk.services.ecs.model.PlacementStrategyType;
import software.amazon.awssdk.services.ecs.model.Service;

/** Replays traffic against a plan. */
public final class Simulation implements AutoCloseable {

  static final String CLUSTER = "simulation";
  static final String SERVICE = "service";
  private static final String RESOURCE = "service/" + CLUSTER + "/" + SERVICE;
  private static final String NAMESPACE = "ecs";
  private static final String DIMENSION = "ecs:service:DesiredCount";
  private static final Duration STEP = Duration.ofSeconds(10);
  private static final int STEPS = 6; // in a minute
  private static final int UNITS = 1_024; // of a vCPU, and of a gigabyte
  private static final int MEASURED = 5; // at the end of this step of a minute, as ECS does
  private static final Duration TO_BEGIN = Duration.ofMinutes(30);

  private final Plan plan;
  private final Traffic traffic;
  private final VirtualTimers time;
  private final SimulatedRegion region;
  private final Ecs ecs;
  private final CloudWatch cloudWatch;
  private final ApplicationAutoScaling scaling;
  private final @Nullable Fleet fleet;
  private final Measurements.Recorder cpu;
  private final List<Measurements.Recorder> requestCounts = new ArrayList<>();

  /**
   * A minute.
   *
   * @param rate requests a second, on average
   * @param busy the mean share of the tasks' CPU that is used
   * @param latencyMillis the mean of the answered requests' estimates
   * @param waiting requests that wait at the minute's end
   * @param dollars all tasks together since the beginning, or all instances
   * @param hosts what tasks run on; null for Fargate
   */
  public record Minute(
      Instant at,
      double rate,
      int desired,
      int running,
      double busy,
      double latencyMillis,
      double waiting,
      double dollars,
      Fleet.@Nullable State hosts) {

    /** The part of the instances' CPU that tasks use, from 0 to 1. */
    double hostsBusy(double vcpu) {
      return hosts == null || hosts.vcpus() == 0 ? 0 : running * busy * vcpu / hosts.vcpus();
    }
  }

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

  /**
   * A region in which nothing runs yet.
   *
   * @param directory empty, for the store
   */
  public Simulation(Plan plan, Traffic traffic, Path directory) {
    this.plan = plan;
    this.traffic = traffic;
    Hosts hosts = plan.hosts();
    Duration booting = hosts == null ? Duration.ZERO : hosts.starting();
    region =
        new SimulatedRegion(
            directory,
            traffic.begin().minus(TO_BEGIN),
            new SimulatedRegion.Starts(plan.starting(), booting));
    time = region.time();
    ecs = region.ecs();
    cloudWatch = region.cloudWatch();
    scaling = region.scaling();
    fleet = hosts == null ? null : new Fleet(region, hosts, CLUSTER);
    cpu =
        cloudWatch
            .measurements()
            .of(
                new Metric(
                    "AWS/ECS",
                    "CPUUtilization",
                    Map.of("ClusterName", CLUSTER, "ServiceName", SERVICE),
                    StandardUnit.PERCENT));
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
        dollars += hourly(running) * STEP.toSeconds() / Duration.ofHours(1).toSeconds();
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
              dollars,
              fleet == null ? null : fleet.now()));
    }
    return new Outcome(minutes, activities());
  }

  /** What runs now, in dollars an hour. */
  private double hourly(int tasks) {
    return (fleet == null ? tasks : fleet.now().running()) * plan.hourly();
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
    String vpc = region.ec2().createVpc(r -> r.cidrBlock("10.0.0.0/16")).vpc().vpcId();
    String subnet =
        region.ec2().createSubnet(r -> r.vpcId(vpc).cidrBlock("10.0.0.0/18")).subnet().subnetId();
    ecs.createCluster(r -> r.clusterName(CLUSTER));
    String cpu = Long.toString(Math.round(plan.vcpu() * UNITS));
    String memory = Long.toString(Math.round(plan.gigabytes() * UNITS));
    boolean serverless = fleet == null;
    if (fleet != null) {
      fleet.make(subnet);
    }
    ecs.registerTaskDefinition(r ->
        r.family(SERVICE)
            .requiresCompatibilitiesWithStrings(serverless ? "FARGATE" : "EC2")
            .networkMode(serverless ? NetworkMode.AWSVPC : NetworkMode.BRIDGE)
            .cpu(cpu)
            .memory(memory)
            .containerDefinitions(c -> c.name(SERVICE).image("simulated").essential(true)));
    ecs.createService(r -> {
      r.cluster(CLUSTER).serviceName(SERVICE).taskDefinition(SERVICE).desiredCount(plan.min());
      if (serverless) {
        r.launchType(LaunchType.FARGATE)
            .networkConfiguration(n -> n.awsvpcConfiguration(v -> v.subnets(subnet)));
      } else { // packed, so that instances become empty and can go
        r.capacityProviderStrategy(s -> s.capacityProvider(Fleet.PROVIDER).weight(1))
            .placementStrategy(s -> s.type(PlacementStrategyType.BINPACK).field("memory"));
      }
    });
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
        Optional<RequestLabel> asked = RequestLabel.parse(metric.resourceLabel());
        asked.ifPresent(label -> {
          region.front().sendsTo(label);
          requestCounts.add(
              cloudWatch
                  .measurements()
                  .of(
                      new Metric(
                          "AWS/ApplicationELB",
                          "RequestCountPerTarget",
                          Map.of(
                              "LoadBalancer", label.loadBalancer(),
                              "TargetGroup", label.targetGroup()),
                          StandardUnit.COUNT)));
        });
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
    region.close();
  }
}
