package dev.muelle.services.ecs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.engine.sim.Behaviour;
import dev.muelle.services.EventOutbox;
import dev.muelle.store.Row;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.applicationautoscaling.model.ObjectNotFoundException;
import software.amazon.awssdk.services.applicationautoscaling.model.PutScalingPolicyRequest;
import software.amazon.awssdk.services.applicationautoscaling.model.ResourceNotFoundException;
import software.amazon.awssdk.services.applicationautoscaling.model.ScalableTarget;
import software.amazon.awssdk.services.applicationautoscaling.model.ScalingActivity;
import software.amazon.awssdk.services.applicationautoscaling.model.ScalingActivityStatusCode;
import software.amazon.awssdk.services.applicationautoscaling.model.TargetTrackingMetricDataQuery;
import software.amazon.awssdk.services.applicationautoscaling.model.ValidationException;
import software.amazon.awssdk.services.cloudwatch.model.ComparisonOperator;
import software.amazon.awssdk.services.cloudwatch.model.MetricAlarm;
import software.amazon.awssdk.services.cloudwatch.model.StateValue;
import software.amazon.awssdk.services.cloudwatch.model.Statistic;

/** Measurements, alarms, policies, tasks: all of it real but the containers, in virtual time. */
@SuppressWarnings("unchecked") // of consumers, in the SDK's variable arguments
class ServiceScalingTest {

  @TempDir Path directory;

  @Test
  void aServiceFollowsItsLoad() {
    try (ScalingWorld s = new ScalingWorld(directory, 5, 2)) {
      s.register(2, 6);
      s.track(70, 60, 60);
      MetricAlarm high = alarm(s, "-AlarmHigh-");
      MetricAlarm low = alarm(s, "-AlarmLow-");
      assertTrue(high.alarmName().startsWith("TargetTracking-" + ScalingWorld.RESOURCE));
      assertEquals(70, high.threshold());
      assertEquals(3, high.evaluationPeriods());
      assertEquals(ComparisonOperator.GREATER_THAN_THRESHOLD, high.comparisonOperator());
      assertEquals(63, low.threshold(), 1e-9);
      assertEquals(15, low.evaluationPeriods());
      s.load = 1.3; // 65%: between the two thresholds
      s.minutes(20);
      assertEquals(2, s.desired());
      s.load = 4;
      s.minutes(3);
      assertEquals(2, s.desired(), "three minutes are not over");
      s.minutes(20);
      assertEquals(6, s.desired());
      ScalingActivity first = latest(s, "Setting desired count to 3.");
      assertEquals(
          "monitor alarm " + high.alarmName() + " in state ALARM triggered policy cpu",
          first.cause());
      assertEquals(ScalingActivityStatusCode.SUCCESSFUL, first.statusCode());
      assertEquals(
          "Successfully set desired count to 3. Change successfully fulfilled by ecs.",
          first.statusMessage());
      EventOutbox.Event event = events(s).getFirst();
      assertEquals(1, events(s).size(), "the maximum was reached once");
      assertEquals("Application Auto Scaling Scaling Activity State Change", event.detailType());
      assertEquals(List.of(), event.resources());
      String second = "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ";
      assertTrue(
          event
              .detail()
              .matches(
                  ("\\{'startTime':'%1$s','endTime':'%1$s','newDesiredCapacity':6,"
                          + "'oldDesiredCapacity':\\d,'minCapacity':2,'maxCapacity':6,'resourceId':'"
                          + ScalingWorld.RESOURCE
                          + "','scalableDimension':'ecs:service:DesiredCount',"
                          + "'serviceNamespace':'ecs','statusCode':'Successful','scaledToMax':true,"
                          + "'direction':'scale-out'}")
                      .formatted(second)
                      .replace('\'', '"')),
          event::detail);
      s.load = 7; // more than the maximum can do
      s.minutes(10);
      assertEquals(6, s.desired());
      assertEquals(
          "AlreadyAtMaxCapacity", s.activities().getFirst().notScaledReasons().getFirst().code());
      s.load = 1;
      s.minutes(14);
      assertEquals(6, s.desired(), "fifteen minutes are not over");
      s.minutes(30);
      assertEquals(2, s.desired());
      assertEquals(StateValue.ALARM, alarm(s, "-AlarmLow-").stateValue());
    }
  }

  private static MetricAlarm alarm(ScalingWorld s, String which) {
    return s.alarms().stream()
        .filter(alarm -> alarm.alarmName().contains(which))
        .findFirst()
        .orElseThrow();
  }

  private static ScalingActivity latest(ScalingWorld s, String description) {
    return s.activities().stream()
        .filter(activity -> activity.description().equals(description))
        .findFirst()
        .orElseThrow(() -> new AssertionError(s.activities()));
  }

  private static List<EventOutbox.Event> events(ScalingWorld s) {
    return s.stored().read(tx -> tx.list(EventOutbox.TABLE)).stream().map(Row::value).toList();
  }

  @Test
  void aMetricThatStopsMovesNothing() {
    try (ScalingWorld s = new ScalingWorld(directory, 6, 4)) {
      s.register(2, 10);
      s.track(70, 60, 60);
      s.load = 2.7;
      s.minutes(20);
      s.silent = true;
      s.minutes(60);
      assertEquals(4, s.desired());
      assertEquals(List.of(), s.activities());
      assertEquals(StateValue.INSUFFICIENT_DATA, alarm(s, "-AlarmLow-").stateValue());
      s.silent = false;
      s.load = 0.1;
      s.minutes(30);
      assertEquals(2, s.desired());
    }
  }

  @Test
  void aDeploymentIsNotScaledInUnder() {
    try (ScalingWorld s = new ScalingWorld(directory, 7, 4)) {
      s.register(2, 10);
      s.track(70, 60, 60);
      s.load = 0.4;
      s.minutes(14);
      s.world.script.put(World.CONTAINER, Behaviour.runs().startedIn(Duration.ofMinutes(10)));
      s.world
          .ecs()
          .updateService(
              r -> r.cluster(World.CLUSTER).service(World.SERVICE).forceNewDeployment(true));
      s.minutes(4);
      assertEquals(4, s.desired());
      assertEquals(
          "TargetServicePutResourceAsUnscalable",
          s.activities().getFirst().notScaledReasons().getFirst().code());
      s.world.until("deployed", Duration.ofMinutes(60), s.world::stable);
      s.minutes(20);
      assertEquals(2, s.desired());
    }
  }

  /** Killed at any moment, it does each step once. */
  @Test
  void killedBetweenDecisionAndExecution() throws Exception {
    for (int seed : Seeds.orElse(12)) {
      Path here = Files.createDirectories(directory.resolve("seed" + seed));
      try (ScalingWorld s = new ScalingWorld(here, seed, 2)) {
        s.register(1, 10);
        String policy = step(s, 2, 120); // else a minute from before could call again
        s.metrics.putMetricAlarm(r ->
            r.alarmName("busy")
                .namespace("AWS/ECS")
                .metricName("CPUUtilization")
                .dimensions(
                    d -> d.name("ClusterName").value(World.CLUSTER),
                    d -> d.name("ServiceName").value(World.SERVICE))
                .statistic(Statistic.AVERAGE)
                .period(60)
                .evaluationPeriods(1)
                .threshold(70.0)
                .comparisonOperator(ComparisonOperator.GREATER_THAN_THRESHOLD)
                .alarmActions(policy));
        s.load = 1.5; // 75% of two, 37% of four
        Random when = new Random(seed);
        for (int minute = 0; minute < 6; minute++) {
          s.life().endAfter(1 + when.nextInt(30));
          s.minutes(1);
          s.restart();
        }
        s.minutes(5);
        assertEquals(4, s.desired(), "seed " + seed);
      }
    }
  }

  private static String step(ScalingWorld s, int change, int cooldown) {
    return s.scaling
        .putScalingPolicy(r ->
            r.policyName("step")
                .serviceNamespace("ecs")
                .resourceId(ScalingWorld.RESOURCE)
                .scalableDimension(ScalingWorld.DIMENSION)
                .stepScalingPolicyConfiguration(c ->
                    c.adjustmentType("ChangeInCapacity")
                        .cooldown(cooldown)
                        .stepAdjustments(a ->
                            a.metricIntervalLowerBound(change > 0 ? 0.0 : null)
                                .metricIntervalUpperBound(change > 0 ? null : 0.0)
                                .scalingAdjustment(change))))
        .policyARN();
  }

  @Test
  void boundsMoveByTheClockAndTakeTheCapacityAlong() {
    try (ScalingWorld s = new ScalingWorld(directory, 8, 2)) {
      s.register(2, 6);
      Instant now = s.world.time.instant();
      String soon = now.plus(Duration.ofMinutes(10)).toString().substring(0, 19);
      schedule(s, "up", "at(" + soon + ")", 5, 8);
      schedule(s, "down", "rate(30 minutes)", 1, 3);
      s.minutes(12);
      assertEquals(5, s.desired());
      assertEquals(
          "minimum capacity was set to 5", latest(s, "Setting desired count to 5.").cause());
      ScalingActivity up = latest(s, "Setting min capacity to 5 and max capacity to 8");
      assertEquals("scheduled action name up was triggered", up.cause());
      assertEquals("Successfully set min capacity to 5 and max capacity to 8", up.statusMessage());
      assertEquals(
          1,
          s.scaling
              .describeScheduledActions(r -> r.serviceNamespace("ecs"))
              .scheduledActions()
              .size(),
          "what is done once is forgotten");
      s.restart();
      s.minutes(25);
      assertEquals(3, s.desired());
      assertEquals(
          "maximum capacity was set to 3", latest(s, "Setting desired count to 3.").cause());
      s.scaling.registerScalableTarget(r ->
          r.serviceNamespace("ecs")
              .resourceId(ScalingWorld.RESOURCE)
              .scalableDimension(ScalingWorld.DIMENSION)
              .maxCapacity(9)
              .suspendedState(x -> x.scheduledScalingSuspended(true)));
      s.minutes(60);
      assertEquals(9, target(s).maxCapacity(), "suspended");
      assertEquals(1, target(s).minCapacity());
    }
  }

  private static ScalableTarget target(ScalingWorld s) {
    return s.scaling
        .describeScalableTargets(r -> r.serviceNamespace("ecs"))
        .scalableTargets()
        .getFirst();
  }

  private static void schedule(ScalingWorld s, String name, String when, int min, int max) {
    s.scaling.putScheduledAction(r ->
        r.serviceNamespace("ecs")
            .resourceId(ScalingWorld.RESOURCE)
            .scalableDimension(ScalingWorld.DIMENSION)
            .scheduledActionName(name)
            .schedule(when)
            .scalableTargetAction(a -> a.minCapacity(min).maxCapacity(max)));
  }

  @Test
  void policiesComeAndGoWithTheirAlarms() {
    try (ScalingWorld s = new ScalingWorld(directory, 9, 2)) {
      assertThrows(ObjectNotFoundException.class, () -> s.track(70, 60, 60));
      s.register(2, 6);
      s.track(70, 60, 60);
      assertEquals(2, s.alarms().size());
      String name = alarm(s, "-AlarmHigh-").alarmName();
      s.track(50, 60, 60);
      assertEquals(name, alarm(s, "-AlarmHigh-").alarmName());
      assertEquals(50, alarm(s, "-AlarmHigh-").threshold());
      PutScalingPolicyRequest onlyOut =
          PutScalingPolicyRequest.builder()
              .policyName("cpu")
              .serviceNamespace("ecs")
              .resourceId(ScalingWorld.RESOURCE)
              .scalableDimension(ScalingWorld.DIMENSION)
              .policyType("TargetTrackingScaling")
              .targetTrackingScalingPolicyConfiguration(c ->
                  c.targetValue(50.0)
                      .disableScaleIn(true)
                      .predefinedMetricSpecification(
                          m -> m.predefinedMetricType("ECSServiceAverageCPUUtilization")))
              .build();
      s.scaling.putScalingPolicy(onlyOut);
      assertEquals(1, s.alarms().size(), "no scaling in, no alarm for it");
      ValidationException twice =
          assertThrows(
              ValidationException.class,
              () -> s.scaling.putScalingPolicy(onlyOut.toBuilder().policyName("too").build()));
      assertTrue(twice.getMessage().startsWith("Only one TargetTrackingScaling policy"));
      String balancer = "app/lb/0123456789abcdef";
      String targets = World.TARGETS.substring(World.TARGETS.indexOf("targetgroup/"));
      refused(
          "Target group not attached to the ECS service",
          () -> s.scaling.putScalingPolicy(requests(balancer + "/targetgroup/t/6d0ecf831eec9f09")));
      refused(
          "The load balancer does not route traffic to the target group",
          () -> s.scaling.putScalingPolicy(requests("app/web/50dc6c495c0c9188/" + targets)));
      assertEquals(1, s.alarms().size(), "of what is refused nothing is left");
      s.scaling.putScalingPolicy(requests(balancer + "/" + targets));
      MetricAlarm requests =
          s.alarms().stream()
              .filter(alarm -> "RequestCountPerTarget".equals(alarm.metricName()))
              .findFirst()
              .orElseThrow();
      assertEquals(Statistic.SUM, requests.statistic());
      assertEquals(balancer, requests.dimensions().getFirst().value());
      assertEquals(targets, requests.dimensions().getLast().value());
      assertThrows(
          ValidationException.class, () -> s.scaling.putScalingPolicy(requests("app/web/x")));
      s.scaling.deregisterScalableTarget(r ->
          r.serviceNamespace("ecs")
              .resourceId(ScalingWorld.RESOURCE)
              .scalableDimension(ScalingWorld.DIMENSION));
      assertEquals(List.of(), s.alarms());
      assertTrue(
          s.scaling
              .describeScalingPolicies(r -> r.serviceNamespace("ecs"))
              .scalingPolicies()
              .isEmpty());
    }
  }

  private static void refused(String message, Executable call) {
    assertEquals(message, assertThrows(ValidationException.class, call).getMessage());
  }

  private static PutScalingPolicyRequest requests(String label) {
    return PutScalingPolicyRequest.builder()
        .policyName("requests")
        .serviceNamespace("ecs")
        .resourceId(ScalingWorld.RESOURCE)
        .scalableDimension(ScalingWorld.DIMENSION)
        .policyType("TargetTrackingScaling")
        .targetTrackingScalingPolicyConfiguration(c ->
            c.targetValue(1000.0)
                .predefinedMetricSpecification(
                    m -> m.predefinedMetricType("ALBRequestCountPerTarget").resourceLabel(label)))
        .build();
  }

  @Test
  void aStepDoesNotTakeWhatATargetNeeds() {
    try (ScalingWorld s = new ScalingWorld(directory, 11, 3)) {
      s.register(1, 6);
      s.track(70, 60, 60);
      calm(s, step(s, -1, 60));
      s.load = 1.6; // 53% of three, 80% of two
      s.minutes(8);
      assertEquals(3, s.desired());
      assertEquals(
          "AutoScalingAnticipatedFlapping",
          s.activities().getFirst().notScaledReasons().getFirst().code());
      assertEquals(1, s.activities().size(), "said once");
      s.load = 1;
      s.minutes(4);
      assertEquals(2, s.desired());
    }
  }

  /** An alarm at less than 60%. */
  private static void calm(ScalingWorld s, String policy) {
    s.metrics.putMetricAlarm(r ->
        r.alarmName("calm")
            .namespace("AWS/ECS")
            .metricName("CPUUtilization")
            .dimensions(
                d -> d.name("ClusterName").value(World.CLUSTER),
                d -> d.name("ServiceName").value(World.SERVICE))
            .statistic(Statistic.AVERAGE)
            .period(60)
            .evaluationPeriods(1)
            .threshold(60.0)
            .comparisonOperator(ComparisonOperator.LESS_THAN_THRESHOLD)
            .alarmActions(policy));
  }

  @Test
  void allTargetsAgreeBeforeItScalesIn() {
    try (ScalingWorld s = new ScalingWorld(directory, 12, 4)) {
      s.register(1, 6);
      s.track(70, 60, 60);
      s.scaling.putScalingPolicy(r ->
          r.policyName("jobs")
              .serviceNamespace("ecs")
              .resourceId(ScalingWorld.RESOURCE)
              .scalableDimension(ScalingWorld.DIMENSION)
              .policyType("TargetTrackingScaling")
              .targetTrackingScalingPolicyConfiguration(c ->
                  c.targetValue(10.0)
                      .scaleInCooldown(60)
                      .customizedMetricSpecification(m ->
                          m.metrics(
                              q ->
                                  q.id("jobs")
                                      .returnData(false)
                                      .metricStat(x ->
                                          x.stat("Average")
                                              .metric(y -> y.namespace("App").metricName("Jobs"))),
                              q -> q.id("each").expression("jobs / 4").returnData(true)))));
      s.load = 0.4;
      s.minutes(25);
      assertEquals(4, s.desired(), "of the jobs nothing is known");
      for (int minute = 0; minute < 20 && s.desired() == 4; minute++) {
        s.metrics.putMetricData(r ->
            r.namespace("App")
                .metricData(
                    d -> d.metricName("Jobs").value(20.0).timestamp(s.world.time.instant())));
        s.minutes(1);
      }
      assertEquals(
          2, s.desired(), "5 jobs each of four are 10 each of two; the CPU alone needs one");
    }
  }

  @Test
  void targetsHaveTags() {
    try (ScalingWorld s = new ScalingWorld(directory, 13, 1)) {
      s.scaling.registerScalableTarget(r ->
          r.serviceNamespace("ecs")
              .resourceId(ScalingWorld.RESOURCE)
              .scalableDimension(ScalingWorld.DIMENSION)
              .minCapacity(1)
              .maxCapacity(2)
              .roleARN("arn:aws:iam::000000000000:role/mine")
              .tags(Map.of("team", "web")));
      String arn = target(s).scalableTargetARN();
      s.scaling.tagResource(r -> r.resourceARN(arn).tags(Map.of("stage", "test")));
      s.scaling.untagResource(r -> r.resourceARN(arn).tagKeys("team"));
      assertEquals(
          Map.of("stage", "test"), s.scaling.listTagsForResource(r -> r.resourceARN(arn)).tags());
      assertTrue(
          target(s).roleARN().endsWith("AWSServiceRoleForApplicationAutoScaling_ECSService"));
      assertThrows(
          ResourceNotFoundException.class,
          () -> s.scaling.listTagsForResource(r -> r.resourceARN(arn + "0")));
    }
  }

  @Test
  void whatIsRefused() {
    try (ScalingWorld s = new ScalingWorld(directory, 10, 1)) {
      assertEquals(
          "ECS service doesn't exist: service/none/none",
          refused(() ->
              s.scaling.registerScalableTarget(r ->
                  r.serviceNamespace("ecs")
                      .resourceId("service/none/none")
                      .scalableDimension(ScalingWorld.DIMENSION)
                      .minCapacity(1)
                      .maxCapacity(2))));
      assertEquals(
          "Maximum capacity cannot be less than minimum capacity", refused(() -> s.register(3, 2)));
      assertEquals(
          "Unsupported service namespace, resource type or scalable dimension",
          refused(() ->
              s.scaling.registerScalableTarget(r ->
                  r.serviceNamespace("ecs")
                      .resourceId("table/mine")
                      .scalableDimension(ScalingWorld.DIMENSION)
                      .minCapacity(1)
                      .maxCapacity(2))));
      assertEquals(
          "The service namespace dynamodb is not supported by this region yet.",
          refused(() -> s.scaling.describeScalableTargets(r -> r.serviceNamespace("dynamodb"))));
      s.register(1, 5);
      assertTrue(
          refused(() ->
                  s.scaling.putScalingPolicy(r ->
                      r.policyName("foreseen")
                          .serviceNamespace("ecs")
                          .resourceId(ScalingWorld.RESOURCE)
                          .scalableDimension(ScalingWorld.DIMENSION)
                          .policyType("PredictiveScaling")))
              .startsWith("Predictive scaling"));
      assertTrue(
          refused(() ->
                  s.scaling.getPredictiveScalingForecast(r ->
                      r.policyName("foreseen")
                          .serviceNamespace("ecs")
                          .resourceId(ScalingWorld.RESOURCE)
                          .scalableDimension(ScalingWorld.DIMENSION)
                          .startTime(Instant.EPOCH)
                          .endTime(Instant.EPOCH.plusSeconds(3_600))))
              .startsWith("No scaling policy found for"));
      assertEquals(
          "Invalid timezone: Mars/Olympus",
          refused(() ->
              s.scaling.putScheduledAction(r ->
                  r.serviceNamespace("ecs")
                      .resourceId(ScalingWorld.RESOURCE)
                      .scalableDimension(ScalingWorld.DIMENSION)
                      .scheduledActionName("nowhere")
                      .schedule("cron(0 9 * * ? *)")
                      .timezone("Mars/Olympus")
                      .scalableTargetAction(a -> a.minCapacity(1)))));
      assertEquals(
          "Failed to create CloudWatch alarms: SEARCH is not supported on Metric Alarms.",
          refused(() ->
              s.scaling.putScalingPolicy(r ->
                  r.policyName("found")
                      .serviceNamespace("ecs")
                      .resourceId(ScalingWorld.RESOURCE)
                      .scalableDimension(ScalingWorld.DIMENSION)
                      .policyType("TargetTrackingScaling")
                      .targetTrackingScalingPolicyConfiguration(c ->
                          c.targetValue(1.0)
                              .customizedMetricSpecification(m ->
                                  m.metrics(
                                      TargetTrackingMetricDataQuery.builder()
                                          .id("e1")
                                          .expression("SEARCH('{A,B} C', 'Sum', 60)")
                                          .build()))))));
      assertEquals(
          List.of(),
          s.scaling.describeScalingPolicies(r -> r.serviceNamespace("ecs")).scalingPolicies());
      assertFalse(s.activities().iterator().hasNext());
    }
  }

  private static String refused(Runnable call) {
    return assertThrows(ValidationException.class, call::run).getMessage();
  }
}
