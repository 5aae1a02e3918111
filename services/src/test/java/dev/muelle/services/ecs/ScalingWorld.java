package dev.muelle.services.ecs;

import dev.muelle.loop.Timers;
import dev.muelle.services.AlarmActions;
import dev.muelle.services.AlarmReceivers;
import dev.muelle.services.EventOutbox;
import dev.muelle.services.Ids;
import dev.muelle.services.applicationautoscaling.ApplicationAutoScaling;
import dev.muelle.services.cloudwatch.CloudWatch;
import dev.muelle.store.SqliteStore;
import dev.muelle.store.Store;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import software.amazon.awssdk.services.applicationautoscaling.model.ScalingActivity;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.cloudwatch.model.MetricAlarm;
import software.amazon.awssdk.services.cloudwatch.model.StandardUnit;
import software.amazon.awssdk.services.ecs.EcsClient;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;

/**
 * The whole loop in virtual time: ECS in a simulated region, CloudWatch and Application Auto
 * Scaling over a store of their own, which can die and come back while ECS goes on.
 */
@SuppressWarnings("unchecked") // of consumers, in the SDK's variable arguments
final class ScalingWorld implements AutoCloseable {

  static final String RESOURCE = "service/" + World.CLUSTER + "/" + World.SERVICE;
  static final String DIMENSION = "ecs:service:DesiredCount";

  final World world;
  private final SqliteStore base;
  private final Random random;
  final CloudWatch metrics;
  private Life life = new Life();
  private StoreInStep store;
  ApplicationAutoScaling scaling;
  private final AlarmReceivers receivers = new AlarmReceivers();

  /** What the service has to do, in tasks that are wholly busy. */
  double load;

  /** Whether nobody measures. */
  boolean silent;

  ScalingWorld(Path directory, long seed, int tasks) {
    world = new World(directory, seed);
    random = new Random(seed + 2);
    base = SqliteStore.open(directory.resolve("scaling.db"));
    world.lab(tasks);
    world.until("a first deployment", Duration.ofMinutes(30), world::settled);
    metrics =
        new CloudWatch(
            World.SCOPE, stored(), world.time, random, receivers, new EventOutbox(ids()));
    metrics.start();
    boot();
    connect();
    long into = Math.floorMod(world.time.millis(), 60_000L);
    world.pass(Duration.ofMillis(60_000 - into)); // minutes here are CloudWatch's
  }

  private Ids ids() {
    return new Ids(random);
  }

  Store stored() {
    return base.in(World.SCOPE.storeScope());
  }

  private void boot() {
    life = new Life();
    store = new StoreInStep(stored(), life);
    Timers timers = life.guard(world.time);
    EventOutbox events = new EventOutbox(ids());
    events.listen((source, type) -> true);
    scaling =
        new ApplicationAutoScaling(
            World.SCOPE,
            store,
            timers,
            ids(),
            random,
            life.guard(EcsClient.class, world.ecs()),
            life.guard(ElasticLoadBalancingV2Client.class, world.balancer),
            life.guard(CloudWatchClient.class, metrics),
            events);
    scaling.start();
  }

  /** CloudWatch calls whoever lives. */
  private void connect() {
    receivers.add(
        new AlarmActions() {
          @Override
          public boolean takes(String action) {
            return scaling.actions().takes(action);
          }

          @Override
          public void perform(String action, Transition transition) {
            while (true) {
              try {
                scaling.actions().perform(action, transition);
                return;
              } catch (Life.Killed e) {
                restart(); // and CloudWatch calls again
              }
            }
          }
        });
  }

  Life life() {
    return life;
  }

  /** {@code kill -9}, and a new server. */
  void restart() {
    life.end();
    store.close();
    boot();
  }

  void register(int min, int max) {
    scaling.registerScalableTarget(r ->
        r.serviceNamespace("ecs")
            .resourceId(RESOURCE)
            .scalableDimension(DIMENSION)
            .minCapacity(min)
            .maxCapacity(max));
  }

  /** A policy that tracks the average CPU utilization. */
  void track(double target, int outCooldown, int inCooldown) {
    scaling.putScalingPolicy(r ->
        r.policyName("cpu")
            .serviceNamespace("ecs")
            .resourceId(RESOURCE)
            .scalableDimension(DIMENSION)
            .policyType("TargetTrackingScaling")
            .targetTrackingScalingPolicyConfiguration(c ->
                c.targetValue(target)
                    .scaleOutCooldown(outCooldown)
                    .scaleInCooldown(inCooldown)
                    .predefinedMetricSpecification(
                        m -> m.predefinedMetricType("ECSServiceAverageCPUUtilization"))));
  }

  /** Lets minutes pass, at the end of each of which is measured how busy the tasks are. */
  void minutes(int count) {
    for (int i = 0; i < count; i++) {
      world.pass(Duration.ofSeconds(50));
      int running = world.service().runningCount();
      if (!silent && running > 0) {
        double percent = Math.min(100, 100 * load / running);
        metrics
            .platform()
            .putMetricData(r ->
                r.namespace("AWS/ECS")
                    .metricData(d ->
                        d.metricName("CPUUtilization")
                            .dimensions(
                                x -> x.name("ClusterName").value(World.CLUSTER),
                                x -> x.name("ServiceName").value(World.SERVICE))
                            .timestamp(world.time.instant())
                            .unit(StandardUnit.PERCENT)
                            .value(percent)));
      }
      world.pass(Duration.ofSeconds(10));
    }
  }

  int desired() {
    return world.service().desiredCount();
  }

  List<ScalingActivity> activities() {
    return scaling
        .describeScalingActivities(r -> r.serviceNamespace("ecs").includeNotScaledActivities(true))
        .scalingActivities();
  }

  List<MetricAlarm> alarms() {
    return metrics.describeAlarms(r -> r.alarmNamePrefix("TargetTracking-")).metricAlarms();
  }

  @Override
  public void close() {
    world.time.settle();
    life.end();
    store.close();
    metrics.close();
    base.close();
    world.close();
  }
}
