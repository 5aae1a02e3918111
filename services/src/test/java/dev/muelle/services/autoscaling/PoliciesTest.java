package dev.muelle.services.autoscaling;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.services.AlarmActions.Transition;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.autoscaling.model.Alarm;
import software.amazon.awssdk.services.autoscaling.model.AutoScalingException;
import software.amazon.awssdk.services.autoscaling.model.CustomizedMetricSpecification;
import software.amazon.awssdk.services.autoscaling.model.MetricDimension;
import software.amazon.awssdk.services.autoscaling.model.MetricType;
import software.amazon.awssdk.services.autoscaling.model.PutScalingPolicyResponse;
import software.amazon.awssdk.services.autoscaling.model.PutScheduledUpdateGroupActionRequest;
import software.amazon.awssdk.services.autoscaling.model.ScheduledUpdateGroupActionRequest;
import software.amazon.awssdk.services.autoscaling.model.StepAdjustment;
import software.amazon.awssdk.services.autoscaling.model.TargetTrackingMetricDataQuery;
import software.amazon.awssdk.services.cloudwatch.model.Dimension;
import software.amazon.awssdk.services.cloudwatch.model.MetricAlarm;
import software.amazon.awssdk.services.cloudwatch.model.MetricDatum;
import software.amazon.awssdk.services.cloudwatch.model.StateValue;

/** Policies and scheduled actions, with the real CloudWatch. */
class PoliciesTest {

  private static final MetricDimension OF_GROUP =
      MetricDimension.builder().name("AutoScalingGroupName").value(World.GROUP).build();

  @TempDir private Path directory;
  private World world;

  @BeforeEach
  void open() {
    world = new World(directory, 7);
    world.scaling.createAutoScalingGroup(world.group(1, 10, 2).defaultInstanceWarmup(60).build());
    world.serves(2);
    world.pass(Duration.ofMinutes(6)); // all are warm, and the cooldown is over
  }

  @AfterEach
  void close() {
    world.close();
  }

  private static void refused(String message, Executable call) {
    AutoScalingException refusal = assertThrows(AutoScalingException.class, call);
    assertTrue(refusal.getMessage().contains(message), refusal.getMessage());
  }

  private PutScalingPolicyResponse track(double target) {
    return world.scaling.putScalingPolicy(r ->
        r.autoScalingGroupName(World.GROUP)
            .policyName("cpu")
            .policyType("TargetTrackingScaling")
            .targetTrackingConfiguration(t ->
                t.targetValue(target)
                    .predefinedMetricSpecification(
                        m -> m.predefinedMetricType(MetricType.ASG_AVERAGE_CPU_UTILIZATION))));
  }

  private static StepAdjustment step(@Nullable Double from, @Nullable Double to, int amount) {
    return StepAdjustment.builder()
        .metricIntervalLowerBound(from)
        .metricIntervalUpperBound(to)
        .scalingAdjustment(amount)
        .build();
  }

  /** Minutes in which there is so much to do, in instances that are wholly busy. */
  private void busy(double instances, int minutes) {
    world.load = instances;
    world.pass(Duration.ofMinutes(minutes));
  }

  private void desired(int count) {
    assertEquals(count, world.group().desiredCapacity());
  }

  @Test
  void aTargetIsTracked() {
    PutScalingPolicyResponse made = track(50);
    List<MetricAlarm> alarms = world.cloudWatch.describeAlarms(r -> {}).metricAlarms();
    assertEquals(
        made.alarms().stream().map(Alarm::alarmName).sorted().toList(),
        alarms.stream().map(MetricAlarm::alarmName).sorted().toList());
    assertTrue(alarms.stream().allMatch(a -> a.alarmName().startsWith("TargetTracking-web-Alarm")));
    assertTrue(alarms.stream().allMatch(a -> a.alarmActions().equals(List.of(made.policyARN()))));

    busy(1.9, 6);
    desired(4); // 190 / 50, rounded up
    world.serves(4);
    assertTrue(
        world.activities().stream()
            .anyMatch(a ->
                a.cause()
                    .matches(
                        ".*Z a monitor alarm TargetTracking-web-AlarmHigh-[-0-9a-f]+ in state ALARM"
                            + " triggered policy cpu changing the desired capacity from 2 to 4\\."
                            + " .*")));
    busy(1.9, 10);
    desired(4); // 47.5 % is between the thresholds
    busy(0.8, 30);
    desired(2); // 80 / 50, rounded up; and 40 % of two is below the threshold, but one were too few
    world.serves(2);

    world.scaling.deletePolicy(r -> r.autoScalingGroupName(World.GROUP).policyName("cpu"));
    assertEquals(List.of(), world.cloudWatch.describeAlarms(r -> {}).metricAlarms());
  }

  private PutScalingPolicyResponse track(
      double target, Consumer<CustomizedMetricSpecification.Builder> metric) {
    return world.scaling.putScalingPolicy(r ->
        r.autoScalingGroupName(World.GROUP)
            .policyName("own")
            .policyType("TargetTrackingScaling")
            .estimatedInstanceWarmup(180) // until the count of a minute ago is the new one
            .targetTrackingConfiguration(
                t -> t.targetValue(target).customizedMetricSpecification(metric)));
  }

  private static TargetTrackingMetricDataQuery.Builder stat(
      String id, String namespace, String metric) {
    return TargetTrackingMetricDataQuery.builder()
        .id(id)
        .returnData(false)
        .metricStat(s ->
            s.metric(m -> m.namespace(namespace).metricName(metric).dimensions(OF_GROUP))
                .stat("Average"));
  }

  private MetricAlarm alarm(String which) {
    return world.cloudWatch.describeAlarms(r -> {}).metricAlarms().stream()
        .filter(a -> a.alarmName().contains(which))
        .findFirst()
        .orElseThrow();
  }

  /** What is there to do, told every so many seconds. */
  private void backlog(double value, int seconds, int times) {
    for (int i = 0; i < times; i++) {
      MetricDatum datum =
          MetricDatum.builder()
              .metricName("Backlog")
              .dimensions(
                  Dimension.builder().name("AutoScalingGroupName").value(World.GROUP).build())
              .value(value)
              .timestamp(world.time.instant())
              .storageResolution(1)
              .build();
      world.cloudWatch.putMetricData(r -> r.namespace("App").metricData(datum));
      world.pass(Duration.ofSeconds(seconds));
    }
  }

  /** The documentation's example: what waits, by the instances that there are. */
  @Test
  void anExpressionIsTracked() {
    world.scaling.enableMetricsCollection(
        r -> r.autoScalingGroupName(World.GROUP).granularity("1Minute"));
    PutScalingPolicyResponse made =
        track(
            100,
            m ->
                m.metrics(
                    stat("m1", "App", "Backlog").label("what waits").build(),
                    stat("m2", "AWS/AutoScaling", "GroupInServiceInstances").build(),
                    TargetTrackingMetricDataQuery.builder()
                        .id("e1")
                        .expression("m1 / m2")
                        .label("of each")
                        .returnData(true)
                        .build()));
    assertEquals(2, made.alarms().size());
    var metrics =
        world
            .scaling
            .describePolicies(r -> r.policyNames("own"))
            .scalingPolicies()
            .getFirst()
            .targetTrackingConfiguration()
            .customizedMetricSpecification()
            .metrics();
    assertEquals(
        List.of("m1", "m2", "e1"),
        metrics.stream().map(TargetTrackingMetricDataQuery::id).toList());
    assertEquals("m1 / m2", metrics.getLast().expression());
    assertEquals("what waits", metrics.getFirst().label());
    MetricAlarm low = alarm("AlarmLow");
    assertEquals(15, low.evaluationPeriods());
    assertEquals(60, low.metrics().getFirst().metricStat().period());
    assertEquals("m1 / m2", low.metrics().getLast().expression());

    backlog(390, 60, 7);
    desired(4);
    world.serves(4);
    backlog(390, 60, 10);
    desired(4); // 97.5 each
    backlog(150, 60, 25);
    desired(2);
  }

  @Test
  void aMetricIsWatchedEveryTenSeconds() {
    track(
        100,
        m ->
            m.namespace("App")
                .metricName("Backlog")
                .dimensions(OF_GROUP)
                .statistic("Average")
                .period(10));
    MetricAlarm high = alarm("AlarmHigh");
    assertEquals(List.of(10, 3), List.of(high.period(), high.evaluationPeriods()));
    assertEquals(90, alarm("AlarmLow").evaluationPeriods()); // a quarter of an hour, as ever
    backlog(190, 5, 9);
    desired(4); // within a minute
  }

  @Test
  void anExpressionIsWatchedEveryTenSeconds() {
    track(
        100,
        m ->
            m.metrics(
                stat("m1", "App", "Backlog").period(10).build(),
                TargetTrackingMetricDataQuery.builder().id("e1").expression("m1 * 2").build()));
    assertEquals(90, alarm("AlarmLow").evaluationPeriods());
    assertEquals(10, alarm("AlarmHigh").metrics().getFirst().metricStat().period());
    backlog(95, 5, 9);
    desired(4);
  }

  @Test
  void whatIsWrongInQueriesIsRefused() {
    refused(
        "Period 20 is not valid. Valid values are 10, 30 and 60.",
        () -> track(1, m -> m.namespace("a").metricName("b").statistic("Sum").period(20)));
    refused(
        "cannot be combined",
        () -> track(1, m -> m.namespace("a").metrics(stat("m1", "a", "b").build())));
    refused(
        "Period 5 is not valid",
        () -> track(1, m -> m.metrics(stat("m1", "a", "b").period(5).build())));
    refused(
        "Exactly one element of the metrics list should return data",
        () -> track(1, m -> m.metrics(stat("m1", "a", "b").build())));
    refused(
        "Undefined ID 'm2'",
        () ->
            track(
                1,
                m ->
                    m.metrics(
                        stat("m1", "a", "b").build(),
                        TargetTrackingMetricDataQuery.builder()
                            .id("e1")
                            .expression("m1 / m2")
                            .build())));
    refused(
        "metrics.metricStat.metric",
        () ->
            track(
                1,
                m ->
                    m.metrics(
                        TargetTrackingMetricDataQuery.builder()
                            .id("m1")
                            .metricStat(s -> s.stat("Sum"))
                            .build())));
    assertEquals(List.of(), world.scaling.describePolicies(r -> {}).scalingPolicies());
    assertEquals(List.of(), world.cloudWatch.describeAlarms(r -> {}).metricAlarms());
  }

  @Test
  void stepsAreTakenByHandAndByAlarm() {
    String arn =
        world
            .scaling
            .putScalingPolicy(r ->
                r.autoScalingGroupName(World.GROUP)
                    .policyName("steps")
                    .policyType("StepScaling")
                    .adjustmentType("ChangeInCapacity")
                    .stepAdjustments(step(0.0, 20.0, 1), step(20.0, null, 3)))
            .policyARN();
    world.scaling.executePolicy(r ->
        r.autoScalingGroupName(World.GROUP)
            .policyName("steps")
            .metricValue(65.0)
            .breachThreshold(60.0));
    desired(3);
    world.scaling.executePolicy(r ->
        r.autoScalingGroupName(World.GROUP)
            .policyName("steps")
            .metricValue(85.0)
            .breachThreshold(60.0));
    desired(5); // what warms up counts: three of the base, not of what was added already
    world.serves(5);
    world.pass(Duration.ofMinutes(6));
    world.cloudWatch.putMetricAlarm(r ->
        r.alarmName("busy")
            .namespace("AWS/EC2")
            .metricName("CPUUtilization")
            .dimensions(Dimension.builder().name("AutoScalingGroupName").value(World.GROUP).build())
            .statistic("Average")
            .period(60)
            .evaluationPeriods(1)
            .threshold(60.0)
            .comparisonOperator("GreaterThanOrEqualToThreshold")
            .alarmActions(arn));
    assertEquals(
        "busy",
        world
            .scaling
            .describePolicies(r -> r.policyNames("steps"))
            .scalingPolicies()
            .getFirst()
            .alarms()
            .getFirst()
            .alarmName());
    world.load = 3.5; // 70 % of five
    world.until("a step", () -> world.group().desiredCapacity() == 6);
  }

  @Test
  void aCallIsAnsweredOnce() {
    world.scaling.setDesiredCapacity(r -> r.autoScalingGroupName(World.GROUP).desiredCapacity(4));
    world.serves(4);
    world.pass(Duration.ofMinutes(2)); // they are warm
    String arn =
        world
            .scaling
            .putScalingPolicy(r ->
                r.autoScalingGroupName(World.GROUP)
                    .policyName("fewer")
                    .policyType("StepScaling")
                    .adjustmentType("ChangeInCapacity")
                    .stepAdjustments(step(null, 0.0, -1)))
            .policyARN();
    world.cloudWatch.putMetricAlarm(r ->
        r.alarmName("idle") // it calls nobody: the test does
            .namespace("App")
            .metricName("Jobs")
            .statistic("Average")
            .period(60)
            .evaluationPeriods(1)
            .threshold(5.0)
            .comparisonOperator("LessThanThreshold"));
    MetricDatum few =
        MetricDatum.builder().metricName("Jobs").value(1.0).timestamp(world.time.instant()).build();
    world.cloudWatch.putMetricData(r -> r.namespace("App").metricData(few));
    world.until(
        "an alarm",
        () ->
            world.cloudWatch.describeAlarms(r -> r.alarmNames("idle")).metricAlarms().stream()
                .anyMatch(a -> a.stateValue() == StateValue.ALARM));
    Transition call = call("idle", world.time.instant());
    world.scaling.alarmActions().perform(arn, call);
    desired(3);
    world.scaling.alarmActions().perform(arn, call); // after a server's death
    desired(3);
    world.scaling.alarmActions().perform(arn, call("idle", world.time.instant().plusMillis(1)));
    desired(3); // the fourth, which still terminates, counts
    world.serves(3);
    world.scaling.suspendProcesses(
        r -> r.autoScalingGroupName(World.GROUP).scalingProcesses("AlarmNotification"));
    world.scaling.alarmActions().perform(arn, call("idle", world.time.instant()));
    desired(3);
    world.scaling.resumeProcesses(
        r -> r.autoScalingGroupName(World.GROUP).scalingProcesses("AlarmNotification"));
    world.scaling.alarmActions().perform(arn, call("idle", world.time.instant().plusMillis(1)));
    desired(2);
  }

  private static Transition call(String alarm, Instant at) {
    return new Transition(alarm, "arn", "{}", StateValue.OK, StateValue.ALARM, "", "", at);
  }

  @Test
  void aSimplePolicyWaitsForItsCooldown() {
    world.scaling.putScalingPolicy(r ->
        r.autoScalingGroupName(World.GROUP)
            .policyName("more")
            .adjustmentType("PercentChangeInCapacity")
            .scalingAdjustment(50)
            .cooldown(120));
    Executable honour =
        () ->
            world.scaling.executePolicy(
                r -> r.autoScalingGroupName(World.GROUP).policyName("more").honorCooldown(true));
    world.scaling.executePolicy(
        r -> r.autoScalingGroupName(World.GROUP).policyName("more").honorCooldown(true));
    desired(3);
    refused("cooldown", honour);
    world.serves(3);
    refused("cooldown", honour);
    world.pass(Duration.ofMinutes(3));
    world.scaling.executePolicy(
        r -> r.autoScalingGroupName(World.GROUP).policyName("more").honorCooldown(true));
    desired(4);
  }

  @Test
  void anAlarmOfAPolicyThatIsGoneSaysSo() {
    String arn = track(50).policyARN();
    assertTrue(world.scaling.alarmActions().takes(arn));
    world.scaling.deletePolicy(r -> r.policyName(arn));
    Transition transition = call("a", world.time.instant());
    assertThrows(
        IllegalStateException.class, () -> world.scaling.alarmActions().perform(arn, transition));
  }

  @Test
  void actionsAreScheduled() {
    Instant soon = world.time.instant().plus(Duration.ofMinutes(5));
    world.scaling.putScheduledUpdateGroupAction(r ->
        r.autoScalingGroupName(World.GROUP)
            .scheduledActionName("once")
            .startTime(soon)
            .minSize(3)
            .maxSize(6));
    world.scaling.putScheduledUpdateGroupAction(r ->
        r.autoScalingGroupName(World.GROUP)
            .scheduledActionName("daily")
            .recurrence("30 9 * * *")
            .timeZone("Europe/Madrid") // 8:30 UTC in November
            .desiredCapacity(5));
    world.pass(Duration.ofMinutes(6));
    desired(3);
    assertEquals(6, world.group().maxSize());
    world.pass(Duration.ofMinutes(30));
    desired(5);
    world.serves(5);
    assertTrue(
        world.activities().stream()
            .anyMatch(a -> a.cause().contains("a scheduled action update of AutoScalingGroup")));
    assertEquals(
        List.of("daily"),
        world.scaling.describeScheduledActions(r -> {}).scheduledUpdateGroupActions().stream()
            .map(a -> a.scheduledActionName())
            .toList());
    assertEquals(
        "ValidationError",
        world
            .scaling
            .batchPutScheduledUpdateGroupAction(r ->
                r.autoScalingGroupName(World.GROUP)
                    .scheduledUpdateGroupActions(
                        ScheduledUpdateGroupActionRequest.builder()
                            .scheduledActionName("bad")
                            .recurrence("every day")
                            .minSize(1)
                            .build()))
            .failedScheduledUpdateGroupActions()
            .getFirst()
            .errorCode());
  }

  private void schedule(Consumer<PutScheduledUpdateGroupActionRequest.Builder> action) {
    world.scaling.putScheduledUpdateGroupAction(r ->
        r.autoScalingGroupName(World.GROUP)
            .scheduledActionName("one")
            .minSize(1)
            .applyMutation(action));
  }

  @Test
  void actionsThatCannotBeAreRefused() {
    Instant soon = world.time.instant().plus(Duration.ofMinutes(5));
    schedule(r -> r.startTime(soon));
    schedule(r -> r.startTime(soon).maxSize(5)); // itself may keep its time
    refused(
        "one already has the start time",
        () -> schedule(r -> r.scheduledActionName("two").startTime(soon)));
    refused(
        "Desired capacity:9 must be between the specified min size:1 and max size:5",
        () -> schedule(r -> r.startTime(soon).maxSize(5).desiredCapacity(9)));
    refused(
        "less than or equal to 255",
        () -> schedule(r -> r.scheduledActionName("x".repeat(256)).startTime(soon)));
    refused(
        "Given time zone: +02:00 is invalid",
        () -> schedule(r -> r.recurrence("0 9 * * *").timeZone("+02:00")));
    assertEquals(
        1,
        world
            .scaling
            .describeScheduledActions(
                r -> r.scheduledActionNames("one").startTime(soon.plusSeconds(60)))
            .scheduledUpdateGroupActions()
            .size(),
        "where names are given, times are not looked at");
  }

  @Test
  void anotherGroupOfTheNameBeginsAnew() {
    track(50);
    world.scaling.putScheduledUpdateGroupAction(r ->
        r.autoScalingGroupName(World.GROUP)
            .scheduledActionName("daily")
            .recurrence("30 9 * * *")
            .desiredCapacity(5));
    world.scaling.deleteAutoScalingGroup(
        r -> r.autoScalingGroupName(World.GROUP).forceDelete(true));
    world.until(
        "the group is gone",
        () -> {
          try {
            world.scaling.createAutoScalingGroup(world.group(1, 10, 2).build());
            return true;
          } catch (AutoScalingException e) {
            return false; // it is being deleted
          }
        });
    assertEquals(List.of(), world.scaling.describePolicies(r -> {}).scalingPolicies());
    assertEquals(
        List.of(), world.scaling.describeScheduledActions(r -> {}).scheduledUpdateGroupActions());
    world.until(
        "no alarms", () -> world.cloudWatch.describeAlarms(r -> {}).metricAlarms().isEmpty());
  }

  private void forecast(String policy) {
    world.scaling.getPredictiveScalingForecast(r ->
        r.autoScalingGroupName(World.GROUP)
            .policyName(policy)
            .startTime(world.time.instant())
            .endTime(world.time.instant().plusSeconds(3_600)));
  }

  @Test
  void whatIsWrongIsRefused() {
    refused(
        "PredictiveScaling is not supported",
        () ->
            world.scaling.putScalingPolicy(r ->
                r.autoScalingGroupName(World.GROUP)
                    .policyName("p")
                    .policyType("PredictiveScaling")));
    refused("Policy not found: p", () -> forecast("p"));
    refused(
        "gap",
        () ->
            world.scaling.putScalingPolicy(r ->
                r.autoScalingGroupName(World.GROUP)
                    .policyName("p")
                    .policyType("StepScaling")
                    .adjustmentType("ChangeInCapacity")
                    .stepAdjustments(step(0.0, 10.0, 1), step(20.0, null, 3))));
    track(50);
    refused(
        "is not a predictive scaling policy",
        () ->
            forecast(
                world.scaling.describePolicies(r -> {}).scalingPolicies().getFirst().policyName()));
    refused(
        "Only one TargetTrackingScaling policy",
        () ->
            world.scaling.putScalingPolicy(r ->
                r.autoScalingGroupName(World.GROUP)
                    .policyName("again")
                    .policyType("TargetTrackingScaling")
                    .targetTrackingConfiguration(t ->
                        t.targetValue(20.0)
                            .predefinedMetricSpecification(
                                m -> m.predefinedMetricType("ASGAverageCPUUtilization")))));
    refused(
        "Value null at 'scalingAdjustment' failed to satisfy constraint: Member must not be null",
        () ->
            world.scaling.putScalingPolicy(r ->
                r.autoScalingGroupName(World.GROUP)
                    .policyName("bare")
                    .adjustmentType("ChangeInCapacity")));
    refused(
        "Policy not found",
        () ->
            world.scaling.executePolicy(r -> r.autoScalingGroupName(World.GROUP).policyName("no")));
  }

  private void countRequests(String label) {
    world.scaling.putScalingPolicy(r ->
        r.autoScalingGroupName(World.GROUP)
            .policyName("requests")
            .policyType("TargetTrackingScaling")
            .targetTrackingConfiguration(t ->
                t.targetValue(20.0)
                    .predefinedMetricSpecification(m ->
                        m.predefinedMetricType("ALBRequestCountPerTarget").resourceLabel(label))));
  }

  @Test
  void requestsAreThoseOfAGroupsOwnTargets() {
    String arn = world.balancer.group("web");
    String balancer = "app/web/50dc6c495c0c9188";
    String targets = arn.substring(arn.indexOf("targetgroup/"));
    refused(
        "Target group not attached to the Auto Scaling group",
        () -> countRequests(balancer + "/" + targets));
    world.scaling.attachLoadBalancerTargetGroups(
        r -> r.autoScalingGroupName(World.GROUP).targetGroupARNs(arn));
    refused(
        "The load balancer does not route traffic to the target group",
        () -> countRequests("app/other/50dc6c495c0c9188/" + targets));
    countRequests(balancer + "/" + targets);
    assertEquals(
        List.of(balancer, targets),
        world
            .cloudWatch
            .describeAlarms(r -> r.alarmNamePrefix("TargetTracking-web-AlarmHigh-"))
            .metricAlarms()
            .getFirst()
            .dimensions()
            .stream()
            .map(d -> d.value())
            .toList());
  }
}
