package dev.muelle.services.applicationautoscaling;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.muelle.loop.Timers;
import dev.muelle.loop.VirtualTimers;
import dev.muelle.services.AlarmReceivers;
import dev.muelle.services.EventOutbox;
import dev.muelle.services.Ids;
import dev.muelle.services.NoLoadBalancers;
import dev.muelle.services.Scope;
import dev.muelle.services.cloudwatch.CloudWatch;
import dev.muelle.store.SqliteStore;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.cloudwatch.model.StandardUnit;

/** The machine's clock is set while a service is scaled. */
@SuppressWarnings("unchecked") // of consumers, in the SDK's variable arguments
class ClockJumpTest {

  @TempDir Path directory;

  /** Time goes on evenly; what the clock shows is another matter. */
  private static final class Clock implements Timers {
    private final VirtualTimers time;
    Duration ahead = Duration.ZERO;

    Clock(VirtualTimers time) {
      this.time = time;
    }

    @Override
    public Instant instant() {
      return time.instant().plus(ahead);
    }

    @Override
    public Cancellable after(Duration delay, Runnable work) {
      return time.after(delay, work);
    }

    @Override
    public void sleep(Duration duration) {
      time.sleep(duration);
    }

    @Override
    public void close() {}
  }

  private final VirtualTimers time = new VirtualTimers(Instant.parse("2026-11-21T12:00:00Z"));
  private final Clock clock = new Clock(time);
  private final Tasks tasks = new Tasks(clock, 4, Duration.ofSeconds(20));

  @Test
  void scalingGoesOn() {
    Scope scope = new Scope("000000000000", "us-east-1");
    Random random = new Random(3);
    Ids ids = new Ids(random);
    EventOutbox events = new EventOutbox(ids);
    AlarmReceivers receivers = new AlarmReceivers();
    try (SqliteStore base = SqliteStore.open(directory.resolve("store.db"));
        CloudWatch cloudWatch =
            new CloudWatch(scope, base.in(scope.storeScope()), clock, random, receivers, events);
        ApplicationAutoScaling scaling =
            new ApplicationAutoScaling(
                scope,
                base.in(scope.storeScope()),
                clock,
                ids,
                random,
                tasks,
                new NoLoadBalancers(),
                cloudWatch,
                events)) {
      cloudWatch.start();
      receivers.add(scaling.actions());
      scaling.start();
      scaling.registerScalableTarget(r ->
          r.serviceNamespace("ecs")
              .resourceId("service/c/s")
              .scalableDimension(TargetKey.DIMENSION)
              .minCapacity(2)
              .maxCapacity(10));
      scaling.putScalingPolicy(r ->
          r.policyName("cpu")
              .serviceNamespace("ecs")
              .resourceId("service/c/s")
              .scalableDimension(TargetKey.DIMENSION)
              .policyType("TargetTrackingScaling")
              .targetTrackingScalingPolicyConfiguration(c ->
                  c.targetValue(70.0)
                      .predefinedMetricSpecification(
                          m -> m.predefinedMetricType("ECSServiceAverageCPUUtilization"))));
      minutes(cloudWatch, 20, 2.7);
      assertEquals(4, tasks.desired);
      clock.ahead = Duration.ofHours(5);
      minutes(cloudWatch, 3, 2.7);
      assertEquals(4, tasks.desired, "hours without a measurement move nothing");
      minutes(cloudWatch, 6, 4);
      assertEquals(6, tasks.desired);
      // its cooldown began at a time that is five hours away now
      clock.ahead = Duration.ofHours(-2);
      minutes(cloudWatch, 40, 6.5);
      assertEquals(10, tasks.desired);
      minutes(cloudWatch, 60, 1);
      assertEquals(2, tasks.desired);
      scaling.putScheduledAction(r ->
          r.serviceNamespace("ecs")
              .resourceId("service/c/s")
              .scalableDimension(TargetKey.DIMENSION)
              .scheduledActionName("soon")
              .schedule("cron(0 * * * ? *)")
              .scalableTargetAction(a -> a.minCapacity(5)));
      clock.ahead = Duration.ofDays(-3);
      minutes(cloudWatch, 65, 1);
      assertEquals(5, tasks.desired, "the hour has come, whatever day it is");
      time.settle();
    }
  }

  private void minutes(CloudWatch cloudWatch, int count, double load) {
    for (int i = 0; i < count; i++) {
      time.advance(Duration.ofSeconds(50));
      cloudWatch
          .platform()
          .putMetricData(r ->
              r.namespace("AWS/ECS")
                  .metricData(d ->
                      d.metricName("CPUUtilization")
                          .dimensions(
                              x -> x.name("ClusterName").value("c"),
                              x -> x.name("ServiceName").value("s"))
                          .timestamp(clock.instant())
                          .unit(StandardUnit.PERCENT)
                          .value(Math.min(100, 100 * load / tasks.running))));
      time.advance(Duration.ofSeconds(10));
    }
  }
}
