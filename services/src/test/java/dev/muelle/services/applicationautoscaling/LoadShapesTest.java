package dev.muelle.services.applicationautoscaling;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.loop.VirtualTimers;
import dev.muelle.services.AlarmReceivers;
import dev.muelle.services.EventOutbox;
import dev.muelle.services.Ids;
import dev.muelle.services.NoLoadBalancers;
import dev.muelle.services.Scope;
import dev.muelle.services.cloudwatch.CloudWatch;
import dev.muelle.store.SqliteStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.cloudwatch.model.StandardUnit;

/**
 * The feedback loop under loads of many shapes: alarms, policy and execution are real, the service
 * is a number of tasks that take their time to start.
 *
 * <p>What is asked of it, at every minute:
 *
 * <ul>
 *   <li>the capacity is within its bounds, and never above what the greatest load so far needs;
 *   <li>a scale-in leaves enough for the load of its moment, so that a scale-out after it has a
 *       load to answer that is greater: nothing swings by itself;
 *   <li>under a load that stays, it comes to rest, at or below the target, with no task too many
 *       that the two thresholds would not keep.
 * </ul>
 */
@SuppressWarnings("unchecked") // of consumers, in the SDK's variable arguments
class LoadShapesTest {

  private static final int MIN = 2;
  private static final int MAX = 20;
  private static final double TARGET = 70;
  private static final int RESTLESS = 150; // minutes
  private static final int CALM = 75;
  private static final int SETTLED = 55; // minutes of calm after which nothing moves

  @TempDir Path directory;

  @Test
  void nothingSwingsByItself() throws Exception {
    Integer one = Integer.getInteger("muelle.seed");
    List<Integer> seeds =
        one != null
            ? List.of(one)
            : IntStream.range(0, Integer.getInteger("muelle.seeds", 24)).boxed().toList();
    int moved = 0;
    for (int seed : seeds) {
      moved += run(seed, Files.createDirectories(directory.resolve("seed" + seed)));
    }
    assertTrue(moved >= seeds.size(), "the loads asked for something: " + moved);
  }

  /** How often the capacity was changed. */
  private static int run(int seed, Path here) {
    Random random = new Random(seed);
    VirtualTimers time = new VirtualTimers(Instant.parse("2026-11-21T12:00:00Z"));
    IntToDoubleFunction load = shape(random);
    int cooldown = new int[] {60, 120, 300}[random.nextInt(3)];
    Tasks tasks = new Tasks(time, MIN, Duration.ofSeconds(random.nextInt(5, 90)));
    try (SqliteStore base = SqliteStore.open(here.resolve("store.db"))) {
      Scope scope = new Scope("000000000000", "us-east-1");
      var store = base.in(scope.storeScope());
      Ids ids = new Ids(random);
      AlarmReceivers receivers = new AlarmReceivers();
      EventOutbox events = new EventOutbox(ids);
      try (CloudWatch cloudWatch = new CloudWatch(scope, store, time, random, receivers, events);
          ApplicationAutoScaling scaling =
              new ApplicationAutoScaling(
                  scope,
                  store,
                  time,
                  ids,
                  random,
                  tasks,
                  new NoLoadBalancers(),
                  cloudWatch,
                  events)) {
        cloudWatch.start();
        receivers.add(scaling.actions());
        scaling.start();
        policy(scaling, cooldown);
        int changes = watch(seed, time, tasks, cloudWatch, load);
        time.settle();
        return changes;
      }
    }
  }

  private static int watch(
      int seed, VirtualTimers time, Tasks tasks, CloudWatch cloudWatch, IntToDoubleFunction load) {
    double greatest = 0;
    double sinceScaleIn = Double.POSITIVE_INFINITY; // the greatest load since then
    double atScaleIn = 0;
    double last = 0;
    int changes = 0;
    int before = tasks.desired;
    for (int minute = 0; minute < RESTLESS + CALM; minute++) {
      String at = "seed " + seed + ", minute " + minute;
      double now = load.applyAsDouble(Math.min(minute, RESTLESS));
      time.advance(Duration.ofSeconds(50));
      put(cloudWatch, time.instant(), Math.min(100, 100 * now / tasks.running));
      time.advance(Duration.ofSeconds(10));
      // what is decided now is decided by the minutes before
      int desired = tasks.desired;
      assertEquals(Math.clamp(desired, MIN, MAX), desired, at);
      int most = Math.clamp((int) Math.ceil(greatest * 100 / TARGET - 1e-6), MIN, MAX);
      assertTrue(desired <= most, at + ": " + desired + " tasks for a load of " + greatest);
      if (desired < before) {
        assertTrue(
            desired >= Math.clamp((int) Math.ceil(last * 100 / TARGET - 1e-6), MIN, MAX),
            at + ": too few");
        atScaleIn = last;
        sinceScaleIn = 0;
      } else if (desired > before) {
        assertTrue(sinceScaleIn > atScaleIn, at + ": scaled out again under the same load");
      }
      if (desired != before) {
        changes++;
        assertTrue(minute < RESTLESS + SETTLED, at + ": still moving");
      }
      before = desired;
      sinceScaleIn = Math.max(sinceScaleIn, now);
      greatest = Math.max(greatest, now);
      last = now;
    }
    double busy = 100 * last / tasks.running;
    String end = "seed " + seed + " ends with " + tasks.running + " tasks, " + busy + "% busy";
    assertEquals(tasks.desired, tasks.running, end);
    assertTrue(busy <= TARGET + 1e-6 || tasks.running == MAX, end);
    boolean needed = 100 * last / (tasks.running - 1) > TARGET;
    assertTrue(busy >= 0.9 * TARGET - 1e-6 || needed || tasks.running == MIN, end);
    return changes;
  }

  private static void policy(ApplicationAutoScaling scaling, int cooldown) {
    scaling.registerScalableTarget(r ->
        r.serviceNamespace("ecs")
            .resourceId("service/c/s")
            .scalableDimension(TargetKey.DIMENSION)
            .minCapacity(MIN)
            .maxCapacity(MAX));
    scaling.putScalingPolicy(r ->
        r.policyName("cpu")
            .serviceNamespace("ecs")
            .resourceId("service/c/s")
            .scalableDimension(TargetKey.DIMENSION)
            .policyType("TargetTrackingScaling")
            .targetTrackingScalingPolicyConfiguration(c ->
                c.targetValue(TARGET)
                    .scaleOutCooldown(cooldown)
                    .scaleInCooldown(cooldown)
                    .predefinedMetricSpecification(
                        m -> m.predefinedMetricType("ECSServiceAverageCPUUtilization"))));
  }

  private static void put(CloudWatch cloudWatch, Instant at, double percent) {
    cloudWatch
        .platform()
        .putMetricData(r ->
            r.namespace("AWS/ECS")
                .metricData(d ->
                    d.metricName("CPUUtilization")
                        .dimensions(
                            x -> x.name("ClusterName").value("c"),
                            x -> x.name("ServiceName").value("s"))
                        .timestamp(at)
                        .unit(StandardUnit.PERCENT)
                        .value(percent)));
  }

  /** A load in busy tasks by the minute: steps, ramps, waves, bursts; some of it noisy. */
  private static IntToDoubleFunction shape(Random random) {
    double low = random.nextDouble(0.2, 4);
    double high = random.nextDouble(low, 18);
    int period = random.nextInt(4, 90);
    IntToDoubleFunction plain =
        switch (random.nextInt(5)) {
          case 0 -> minute -> minute / period % 2 == 0 ? low : high;
          case 1 -> minute -> low + (high - low) * (minute % period) / period;
          case 2 ->
              minute -> low + (high - low) * (1 + Math.sin(2 * Math.PI * minute / period)) / 2;
          case 3 -> minute -> minute % period < 4 ? high : low;
          default -> minute -> minute < period ? low : high;
        };
    double noise = random.nextBoolean() ? 0 : random.nextDouble(0, 0.4);
    double[] factors = random.doubles(RESTLESS + 1, 1 - noise, 1.0001).toArray();
    return minute -> plain.applyAsDouble(minute) * factors[minute];
  }
}
