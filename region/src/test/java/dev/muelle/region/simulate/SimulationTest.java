package dev.muelle.region.simulate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.region.simulate.Simulation.Minute;
import dev.muelle.region.simulate.Simulation.Outcome;
import dev.muelle.services.StoredJson;
import dev.muelle.services.ec2.image.InstanceTypes;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.core.SdkPojo;
import software.amazon.awssdk.services.applicationautoscaling.model.PutScalingPolicyRequest;
import software.amazon.awssdk.services.cloudwatch.model.PutMetricAlarmRequest;
import software.amazon.awssdk.services.ec2.model.DescribeInstanceTypesRequest;

class SimulationTest {

  /** The line of a summary that says how few and how many there were. */
  private static final Pattern TASKS = Pattern.compile("(?m)^tasks +(\\d+) to (\\d+), ");

  private static final String CPU =
      """
      {"PolicyName": "cpu", "ServiceNamespace": "ecs", "ResourceId": "service/a/b",
       "ScalableDimension": "ecs:service:DesiredCount", "PolicyType": "TargetTrackingScaling",
       "TargetTrackingScalingPolicyConfiguration": {"TargetValue": 70.0,
         "ScaleOutCooldown": 60, "ScaleInCooldown": 60,
         "PredefinedMetricSpecification": {
           "PredefinedMetricType": "ECSServiceAverageCPUUtilization"}}}
      """;

  private static final String REQUESTS =
      """
      {"PolicyName": "requests", "PolicyType": "TargetTrackingScaling",
       "TargetTrackingScalingPolicyConfiguration": {"TargetValue": 4200.0,
         "PredefinedMetricSpecification": {"PredefinedMetricType": "ALBRequestCountPerTarget",
           "ResourceLabel": "app/web/50dc6c495c0c9188/targetgroup/web/943f017f100becff"}}}
      """;

  private static final String STEPS =
      """
      {"PolicyName": "steps", "StepScalingPolicyConfiguration": {
        "AdjustmentType": "ChangeInCapacity", "Cooldown": 120,
        "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 3}]}}
      """;

  private static final String BUSY =
      """
      {"AlarmName": "busy", "Namespace": "AWS/ECS", "MetricName": "CPUUtilization",
       "Statistic": "Average", "Period": 60, "EvaluationPeriods": 1, "Threshold": 70,
       "ComparisonOperator": "GreaterThanThreshold", "AlarmActions": ["steps"]}
      """;

  /** Up within ten minutes, an hour of it, and down. */
  private static final Traffic DAY =
      Traffic.parse(
          List.of(
              "time,requests/s",
              "09:00,100",
              "09:30,100",
              "09:40,600",
              "10:40,600",
              "10:50,100",
              "12:00,100"));

  @TempDir Path directory;

  private static <T extends SdkPojo> T json(Class<T> type, String text) {
    return StoredJson.codec(type).decode(text.getBytes(StandardCharsets.UTF_8));
  }

  private static Plan plan(String policy, String... alarms) {
    return plan(null, policy, alarms);
  }

  private static Plan plan(@Nullable Hosts hosts, String policy, String... alarms) {
    return new Plan(
        2,
        10,
        0.25,
        0.5,
        Duration.ofSeconds(30),
        new Model(100, 20),
        hosts,
        new Prices(false, Map.of()),
        List.of(json(PutScalingPolicyRequest.class, policy)),
        Arrays.stream(alarms).map(alarm -> json(PutMetricAlarmRequest.class, alarm)).toList(),
        List.of());
  }

  private Outcome run(Plan plan, String name) throws Exception {
    Path here = Files.createDirectory(directory.resolve(name));
    try (Simulation simulation = new Simulation(plan, DAY, here)) {
      return simulation.run(hour -> {});
    }
  }

  @Test
  void tasksFollowTheTraffic() throws Exception {
    Plan plan = plan(CPU);
    Outcome outcome = run(plan, "one");
    List<Minute> minutes = outcome.minutes();
    assertEquals(180, minutes.size());
    assertEquals(2, minutes.get(29).running());
    assertEquals(9, minutes.get(95).running(), "600 of 100 each at 70% are 8.6");
    assertEquals(2, minutes.getLast().running());
    assertTrue(minutes.getLast().dollars() > 2 * 3 * plan.hourly());
    assertTrue(minutes.getLast().dollars() < 9 * 3 * plan.hourly());
    Report report = new Report(plan, outcome);
    assertEquals(181, report.csv().lines().count());
    var image = ImageIO.read(new ByteArrayInputStream(report.png()));
    assertEquals(1_400, image.getWidth());
    Matcher tasks = TASKS.matcher(report.summary());
    assertTrue(tasks.find(), report.summary());
    int most = Integer.parseInt(tasks.group(2));
    assertEquals(2, Integer.parseInt(tasks.group(1)), report.summary());
    assertEquals(minutes.stream().mapToInt(Minute::running).max().orElseThrow(), most);
    assertTrue(most >= 9 && most <= plan.max(), report.summary());
  }

  @Test
  void tasksFollowTheRequestsOfAnyTargetGroup() throws Exception {
    assertEquals(
        9, run(plan(REQUESTS), "requests").minutes().get(95).running(), "70 a second each");
  }

  @Test
  void instancesFollowTheTasks() throws Exception {
    Hosts hosts = new Hosts("t3.small", 1, 6, 100, Duration.ofSeconds(90));
    Plan plan = plan(hosts, CPU);
    Outcome outcome = run(plan, "hosts");
    List<Minute> minutes = outcome.minutes();
    assertEquals(1, minutes.get(29).hosts().running(), "two tasks of three that there is room for");
    assertEquals(9, minutes.get(95).running());
    int most = minutes.get(95).hosts().running();
    assertTrue(most >= 3, "of three tasks each: " + minutes.get(95));
    assertEquals(9 * 512.0 / (most * 1_966), minutes.get(95).hosts().reserved(), 0.01);
    assertEquals(2, minutes.getLast().running());
    int left = minutes.getLast().hosts().running();
    assertTrue(left <= 2, "those without tasks have gone: " + minutes.getLast());
    double hours = minutes.stream().mapToInt(one -> one.hosts().running()).sum() / 60.0;
    assertEquals(hours * 0.0208, minutes.getLast().dollars(), 0.01);
    Report report = new Report(plan, outcome);
    assertTrue(report.csv().lines().findFirst().orElseThrow().endsWith(",instance_cpu_percent"));
    assertTrue(report.summary().contains("instances         1 to "), report.summary());
    assertEquals(6 * 360, ImageIO.read(new ByteArrayInputStream(report.png())).getHeight());
    Hosts unknown = new Hosts("t9.huge", 1, 6, 100, Duration.ZERO);
    assertThrows(IllegalArgumentException.class, () -> plan(unknown, CPU));
  }

  @Test
  void everythingHasAPriceAndAUsersComesFirst() {
    Prices listed = new Prices(false, Map.of());
    assertEquals(0.04048 + 2 * 0.004445, listed.fargate(1, 2), 1e-9);
    assertEquals(0.03238 + 2 * 0.00356, new Prices(true, Map.of()).fargate(1, 2), 1e-9);
    Prices own = new Prices(true, Map.of("gb", 0.01, "c5.large", 0.03));
    assertEquals(0.03238 + 2 * 0.01, own.fargate(1, 2), 1e-9);
    assertEquals(0.03, own.of("c5.large"));
    InstanceTypes.describe(DescribeInstanceTypesRequest.builder().build())
        .instanceTypes()
        .forEach(type -> assertTrue(listed.of(type.instanceTypeAsString()) > 0));
    for (Map<String, Double> wrong :
        List.of(Map.of("t9.huge", 1.0), Map.of("gb", -1.0), Map.of("gb", Double.NaN))) {
      assertThrows(IllegalArgumentException.class, () -> new Prices(false, wrong));
    }
  }

  @Test
  void stepsAreCalledByAlarms() throws Exception {
    Outcome outcome = run(plan(STEPS, BUSY), "steps");
    assertEquals(
        "monitor alarm busy in state ALARM triggered policy steps",
        outcome.activities().getLast().cause());
    assertEquals("Setting desired count to 5.", outcome.activities().getLast().description());
    assertThrows(
        IllegalArgumentException.class,
        () -> run(plan(STEPS, BUSY.replace("[\"steps\"]", "[\"others\"]")), "unknown"));
  }

  @Test
  void theModel() {
    Model model = new Model(100, 20);
    Model.State half = model.after(Model.State.IDLE, 2, 100, 10);
    assertEquals(0.5, half.busy(), 1e-9);
    assertEquals(40, half.latencyMillis(), 1e-9);
    assertEquals(0, half.waiting(), 1e-9);
    Model.State over = model.after(Model.State.IDLE, 2, 300, 10);
    assertEquals(1, over.busy(), 1e-9);
    assertEquals(1_000, over.waiting(), 1e-9);
    assertEquals(2_000 + 5_000, over.latencyMillis(), 1e-6);
    Model.State after = model.after(over, 4, 100, 10);
    assertEquals(2_000, after.answered(), 1e-9, "those that waited are answered, too");
    assertEquals(0.5, after.busy(), 1e-9);
    assertTrue(Double.isInfinite(model.after(Model.State.IDLE, 0, 1, 10).latencyMillis()));
  }

  @Test
  void whatCannotBeReadIsNamed() {
    assertTrue(refused("09:00,1", "08:00,2").contains("row 2"));
    assertTrue(refused("09:00,1", "10:00,-2").contains("row 2"));
    assertTrue(refused("09:00,1", "10:00").contains("two columns"));
    assertTrue(refused("09:00,1", "tomorrow,2").contains("row 2"));
    assertTrue(refused("09:00,1").contains("two rows"));
    assertEquals(150, DAY.at(DAY.begin().plusSeconds(31 * 60)), 1e-9);
  }

  private static String refused(String... lines) {
    return String.valueOf(
        assertThrows(IllegalArgumentException.class, () -> Traffic.parse(List.of(lines)))
            .getMessage());
  }
}
