package dev.muelle.services.autoscaling;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.services.EventOutbox;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.autoscaling.model.ActiveInstanceRefreshNotFoundException;
import software.amazon.awssdk.services.autoscaling.model.Activity;
import software.amazon.awssdk.services.autoscaling.model.AutoScalingException;
import software.amazon.awssdk.services.autoscaling.model.Instance;
import software.amazon.awssdk.services.autoscaling.model.InstanceRefresh;
import software.amazon.awssdk.services.autoscaling.model.InstanceRefreshInProgressException;
import software.amazon.awssdk.services.autoscaling.model.InstanceRefreshStatus;
import software.amazon.awssdk.services.autoscaling.model.IrreversibleInstanceRefreshException;
import software.amazon.awssdk.services.autoscaling.model.LaunchTemplateOverrides;
import software.amazon.awssdk.services.autoscaling.model.LifecycleState;
import software.amazon.awssdk.services.autoscaling.model.MixedInstancesPolicy;
import software.amazon.awssdk.services.autoscaling.model.RefreshPreferences;

/** Instance refreshes. */
class RefreshTest {

  @TempDir private Path directory;
  private World world;

  @BeforeEach
  void open() {
    world = new World(directory, 7);
    world.ec2.createLaunchTemplateVersion(r ->
        r.launchTemplateName("web")
            .sourceVersion("1")
            .launchTemplateData(d -> d.instanceType("t3.micro")));
    world.scaling.createAutoScalingGroup(
        world
            .group(0, 8, 4)
            .launchTemplate(t -> t.launchTemplateName("web").version("1"))
            .defaultInstanceWarmup(60)
            .build());
    world.serves(4);
    world.pass(Duration.ofMinutes(2));
  }

  @AfterEach
  void close() {
    world.close();
  }

  private InstanceRefresh refresh() {
    return world
        .scaling
        .describeInstanceRefreshes(r -> r.autoScalingGroupName(World.GROUP))
        .instanceRefreshes()
        .getFirst();
  }

  private void ends(InstanceRefreshStatus status) {
    for (int i = 0; i < 20_000 && refresh().endTime() == null; i++) {
      world.time.advance(Duration.ofMillis(500));
    }
    assertEquals(status, refresh().status(), refresh()::toString);
  }

  private void toVersionTwo(int leastHealthy) {
    world.scaling.startInstanceRefresh(r ->
        r.autoScalingGroupName(World.GROUP)
            .desiredConfiguration(
                d -> d.launchTemplate(t -> t.launchTemplateName("web").version("2")))
            .preferences(p -> p.minHealthyPercentage(leastHealthy)));
  }

  private List<String> types() {
    return world.group().instances().stream().map(Instance::instanceType).toList();
  }

  private Set<String> ids() {
    return new TreeSet<>(world.group().instances().stream().map(Instance::instanceId).toList());
  }

  private List<String> events() {
    return world.events().stream()
        .map(EventOutbox.Event::detailType)
        .filter(type -> type.contains("Refresh"))
        .toList();
  }

  @Test
  void aGroupIsReplacedAFewAtATime() {
    Set<String> before = ids();
    toVersionTwo(50);
    assertEquals(4, refresh().instancesToUpdate());
    ends(InstanceRefreshStatus.SUCCESSFUL);
    List<Instant> launched =
        world.activities().stream()
            .filter(a -> a.cause().endsWith("in response to an instance refresh."))
            .filter(a -> a.description().startsWith("Launching"))
            .map(Activity::startTime)
            .sorted()
            .toList();
    assertEquals(4, launched.size());
    assertTrue(
        Duration.between(launched.get(1), launched.get(2)).toSeconds() >= 60,
        "two of four at a time: " + launched);
    assertEquals(100, refresh().percentageComplete());
    assertEquals(0, refresh().instancesToUpdate());
    assertEquals(List.of("t3.micro", "t3.micro", "t3.micro", "t3.micro"), types());
    assertEquals("2", world.group().launchTemplate().version());
    assertTrue(ids().stream().noneMatch(before::contains));
    assertTrue(
        world.activities().stream()
            .anyMatch(a ->
                a.cause()
                    .endsWith(
                        "an instance was taken out of service in response to an instance"
                            + " refresh.")));
    assertTrue(
        world.activities().stream()
            .anyMatch(a ->
                a.cause()
                    .endsWith("an instance was launched in response to an instance refresh.")));
    assertEquals(
        List.of(
            "EC2 Auto Scaling Instance Refresh Started",
            "EC2 Auto Scaling Instance Refresh Succeeded"),
        events());
    // the last two had their warm-up
    assertTrue(
        Duration.between(refresh().startTime(), refresh().endTime()).toSeconds() >= 120,
        refresh()::toString);
  }

  @Test
  void whatWasReplacedIsReplacedBack() {
    Set<String> before = ids();
    toVersionTwo(75);
    world.until("two are new", () -> types().stream().filter("t3.micro"::equals).count() == 2);
    world.scaling.rollbackInstanceRefresh(r -> r.autoScalingGroupName(World.GROUP));
    assertEquals(InstanceRefreshStatus.ROLLBACK_IN_PROGRESS, refresh().status());
    ends(InstanceRefreshStatus.ROLLBACK_SUCCESSFUL);
    assertEquals(List.of("t3.small", "t3.small", "t3.small", "t3.small"), types());
    assertEquals("1", world.group().launchTemplate().version());
    assertEquals(2, ids().stream().filter(before::contains).count(), "those that were there");
    assertEquals(50, refresh().rollbackDetails().percentageCompleteOnRollback());
  }

  @Test
  void aRefreshIsCancelled() {
    toVersionTwo(75);
    world.until("one is new", () -> types().contains("t3.micro"));
    world.scaling.cancelInstanceRefresh(r -> r.autoScalingGroupName(World.GROUP));
    ends(InstanceRefreshStatus.CANCELLED);
    world.serves(4);
    List<String> after = types();
    world.pass(Duration.ofMinutes(10));
    assertEquals(after, types());
    assertTrue(after.contains("t3.small"));
    assertEquals("1", world.group().launchTemplate().version());
    assertThrows(
        ActiveInstanceRefreshNotFoundException.class,
        () -> world.scaling.cancelInstanceRefresh(r -> r.autoScalingGroupName(World.GROUP)));
  }

  @Test
  void whatMatchesIsSkipped() {
    Set<String> before = ids();
    world.scaling.startInstanceRefresh(
        r -> r.autoScalingGroupName(World.GROUP).preferences(p -> p.skipMatching(true)));
    ends(InstanceRefreshStatus.SUCCESSFUL);
    assertEquals(before, ids());
  }

  @Test
  void protectionIsWaitedForAnHour() {
    String safe = world.serving().getFirst();
    world.scaling.setInstanceProtection(
        r -> r.autoScalingGroupName(World.GROUP).instanceIds(safe).protectedFromScaleIn(true));
    toVersionTwo(0);
    assertThrows(InstanceRefreshInProgressException.class, () -> toVersionTwo(0));
    ends(InstanceRefreshStatus.FAILED);
    assertEquals(1, refresh().instancesToUpdate());
    assertEquals(75, refresh().percentageComplete());
    assertTrue(world.serving().contains(safe));
    assertEquals("1", world.group().launchTemplate().version());
    world.scaling.startInstanceRefresh(r ->
        r.autoScalingGroupName(World.GROUP)
            .preferences(p -> p.scaleInProtectedInstances("Ignore").minHealthyPercentage(0)));
    ends(InstanceRefreshStatus.SUCCESSFUL);
    assertTrue(world.serving().contains(safe));
    world.scaling.startInstanceRefresh(r ->
        r.autoScalingGroupName(World.GROUP)
            .preferences(p -> p.scaleInProtectedInstances("Refresh").minHealthyPercentage(0)));
    ends(InstanceRefreshStatus.SUCCESSFUL);
    assertTrue(!ids().contains(safe));
  }

  @Test
  void whatFailsIsTurnedBackIfThatIsWanted() {
    String safe = world.serving().getFirst();
    world.scaling.setInstanceProtection(
        r -> r.autoScalingGroupName(World.GROUP).instanceIds(safe).protectedFromScaleIn(true));
    world.scaling.startInstanceRefresh(r ->
        r.autoScalingGroupName(World.GROUP)
            .desiredConfiguration(
                d -> d.launchTemplate(t -> t.launchTemplateName("web").version("2")))
            .preferences(p -> p.minHealthyPercentage(0).autoRollback(true)));
    world.until("three are new", () -> types().stream().filter("t3.micro"::equals).count() == 3);
    ends(InstanceRefreshStatus.ROLLBACK_SUCCESSFUL);
    assertEquals(List.of("t3.small", "t3.small", "t3.small", "t3.small"), types());
    assertTrue(ids().contains(safe));
    assertEquals(75, refresh().rollbackDetails().percentageCompleteOnRollback());
    assertTrue(
        events().contains("EC2 Auto Scaling Instance Refresh Rollback Started"),
        events()::toString);
  }

  @Test
  void whatStandsByIsIgnoredOrWaitedForOrTerminated() {
    String standing = world.serving().getFirst();
    world.scaling.enterStandby(r ->
        r.autoScalingGroupName(World.GROUP)
            .instanceIds(standing)
            .shouldDecrementDesiredCapacity(true));
    world.until("stands by", () -> world.in(LifecycleState.STANDBY).equals(List.of(standing)));
    Set<String> before = ids();
    withStanding("Ignore");
    ends(InstanceRefreshStatus.SUCCESSFUL);
    assertEquals(List.of(standing), ids().stream().filter(before::contains).toList());
    withStanding("Wait");
    ends(InstanceRefreshStatus.FAILED);
    assertEquals(1, refresh().instancesToUpdate());
    assertEquals(List.of(standing), world.in(LifecycleState.STANDBY));
    withStanding("Terminate");
    ends(InstanceRefreshStatus.SUCCESSFUL);
    assertEquals(3, ids().size());
    assertTrue(!ids().contains(standing));
  }

  private void withStanding(String what) {
    world.scaling.startInstanceRefresh(r ->
        r.autoScalingGroupName(World.GROUP)
            .preferences(p -> p.standbyInstances(what).minHealthyPercentage(0)));
  }

  @Test
  void nothingIsReplacedWhileThatIsSuspended() {
    Set<String> before = ids();
    world.scaling.suspendProcesses(
        r -> r.autoScalingGroupName(World.GROUP).scalingProcesses("InstanceRefresh"));
    toVersionTwo(0);
    world.pass(Duration.ofMinutes(5));
    assertEquals(before, ids());
    world.scaling.resumeProcesses(
        r -> r.autoScalingGroupName(World.GROUP).scalingProcesses("InstanceRefresh"));
    ends(InstanceRefreshStatus.SUCCESSFUL);
    assertTrue(ids().stream().noneMatch(before::contains));
  }

  @Test
  void whatARefreshIsToChangeNobodyElseChanges() {
    toVersionTwo(50);
    refused(
        "An active instance refresh with a desired configuration exists.",
        () ->
            world.scaling.updateAutoScalingGroup(r ->
                r.autoScalingGroupName(World.GROUP)
                    .launchTemplate(t -> t.launchTemplateName("web").version("1"))));
    world.scaling.updateAutoScalingGroup(
        r -> r.autoScalingGroupName(World.GROUP).desiredCapacity(6));
    ends(InstanceRefreshStatus.SUCCESSFUL);
    assertEquals(Set.of("t3.micro"), new TreeSet<>(types()));
    assertEquals(6, types().size());
    world.scaling.updateAutoScalingGroup(r ->
        r.autoScalingGroupName(World.GROUP)
            .launchTemplate(t -> t.launchTemplateName("web").version("1")));
    assertEquals("1", world.group().launchTemplate().version());
  }

  @Test
  void whatIsWrongIsRefused() {
    refused(
        "you must also specify MinHealthyPercentage", preferring(p -> p.maxHealthyPercentage(100)));
    refused(
        "cannot be greater than 100",
        preferring(p -> p.minHealthyPercentage(50).maxHealthyPercentage(160)));
    refused(
        "maxHealthyPercentage",
        preferring(p -> p.minHealthyPercentage(100).maxHealthyPercentage(201)));
    refused("ascending order", preferring(p -> p.checkpointPercentages(50, 20)));
    refused("ascending order", preferring(p -> p.checkpointPercentages(0, 101)));
    refused("bakeTime", preferring(p -> p.bakeTime(172_801)));
    refused(
        "alarm nobody does not exist",
        preferring(p -> p.alarmSpecification(a -> a.alarms("nobody"))));
    assertThrows(
        IrreversibleInstanceRefreshException.class,
        () ->
            world.scaling.startInstanceRefresh(
                r -> r.autoScalingGroupName(World.GROUP).preferences(p -> p.autoRollback(true))));
    refused(
        "must use a valid fully-formed launch template",
        () ->
            world.scaling.startInstanceRefresh(r ->
                r.autoScalingGroupName(World.GROUP)
                    .desiredConfiguration(
                        d -> d.launchTemplate(t -> t.launchTemplateName("web").version("9")))));
    assertThrows(
        ActiveInstanceRefreshNotFoundException.class,
        () -> world.scaling.rollbackInstanceRefresh(r -> r.autoScalingGroupName(World.GROUP)));
  }

  private Executable preferring(Consumer<RefreshPreferences.Builder> preferences) {
    return () ->
        world.scaling.startInstanceRefresh(
            r -> r.autoScalingGroupName(World.GROUP).preferences(preferences));
  }

  private void toVersionTwo(Consumer<RefreshPreferences.Builder> preferences) {
    world.scaling.startInstanceRefresh(r ->
        r.autoScalingGroupName(World.GROUP)
            .desiredConfiguration(
                d -> d.launchTemplate(t -> t.launchTemplateName("web").version("2")))
            .preferences(preferences));
  }

  private long renewed() {
    return types().stream().filter("t3.micro"::equals).count();
  }

  private static MixedInstancesPolicy mixed(String template, String version, String... types) {
    return MixedInstancesPolicy.builder()
        .launchTemplate(t ->
            t.launchTemplateSpecification(s -> s.launchTemplateName(template).version(version))
                .overrides(
                    Stream.of(types)
                        .map(type -> LaunchTemplateOverrides.builder().instanceType(type).build())
                        .toList()))
        .build();
  }

  private void toMixed(
      MixedInstancesPolicy policy, Consumer<RefreshPreferences.Builder> preferences) {
    world.scaling.startInstanceRefresh(r ->
        r.autoScalingGroupName(World.GROUP)
            .desiredConfiguration(d -> d.mixedInstancesPolicy(policy))
            .preferences(preferences));
  }

  @Test
  void aRefreshMayBringAMixedInstancesPolicy() {
    toMixed(mixed("web", "1", "t3.medium", "t3.large"), p -> p.minHealthyPercentage(50));
    assertNull(world.group().mixedInstancesPolicy());
    ends(InstanceRefreshStatus.SUCCESSFUL);
    assertEquals(List.of("t3.medium", "t3.medium", "t3.medium", "t3.medium"), types());
    assertNull(world.group().launchTemplate());
    MixedInstancesPolicy has = world.group().mixedInstancesPolicy();
    assertEquals("prioritized", has.instancesDistribution().onDemandAllocationStrategy());
    assertNotNull(has.launchTemplate().launchTemplateSpecification().launchTemplateId());
  }

  @Test
  void ofAMixedGroupWhatIsOfAnyOfItsTypesMatches() {
    Set<String> before = ids();
    toMixed(mixed("web", "1", "t3.medium", "t3.small"), p -> p.skipMatching(true));
    assertEquals(0, refresh().instancesToUpdate());
    ends(InstanceRefreshStatus.SUCCESSFUL);
    assertEquals(before, ids());
    toMixed(mixed("web", "2", "t3.medium", "t3.small"), p -> p.skipMatching(true));
    assertEquals(4, refresh().instancesToUpdate());
    ends(InstanceRefreshStatus.SUCCESSFUL);
    toMixed(mixed("web", "2", "t3.micro"), p -> p.skipMatching(true));
    assertEquals(4, refresh().instancesToUpdate());
  }

  @Test
  void aMixedGroupIsTurnedBackToWhatItWas() {
    toMixed(mixed("web", "1", "t3.medium"), p -> p.minHealthyPercentage(0));
    ends(InstanceRefreshStatus.SUCCESSFUL);
    toMixed(mixed("web", "2", "t3.large"), p -> p.minHealthyPercentage(50));
    world.until("one is new", () -> types().contains("t3.large"));
    world.scaling.rollbackInstanceRefresh(r -> r.autoScalingGroupName(World.GROUP));
    ends(InstanceRefreshStatus.ROLLBACK_SUCCESSFUL);
    assertEquals(Set.of("t3.medium"), new TreeSet<>(types()));
    world.scaling.updateAutoScalingGroup(r ->
        r.autoScalingGroupName(World.GROUP)
            .mixedInstancesPolicy(mixed("web", "$Latest", "t3.medium")));
    assertThrows(
        IrreversibleInstanceRefreshException.class,
        () -> toMixed(mixed("web", "2", "t3.large"), p -> p.autoRollback(true)));
    refused(
        "either a LaunchTemplate or a MixedInstancesPolicy",
        () ->
            world.scaling.startInstanceRefresh(
                r -> r.autoScalingGroupName(World.GROUP).desiredConfiguration(d -> {})));
  }

  @Test
  void othersServeBeforeAnInstanceGoes() {
    toVersionTwo(p -> p.minHealthyPercentage(100).maxHealthyPercentage(125));
    int most = 0;
    while (refresh().endTime() == null) {
      assertTrue(world.serving().size() >= 4, () -> world.group().toString());
      List<Instance> present =
          world.group().instances().stream()
              .filter(one -> !one.lifecycleStateAsString().startsWith("Terminating"))
              .toList();
      most = Math.max(most, present.size());
      world.time.advance(Duration.ofMillis(500));
    }
    assertEquals(InstanceRefreshStatus.SUCCESSFUL, refresh().status());
    assertEquals(5, most, "a quarter more");
    world.serves(4);
    assertEquals(4, renewed());
  }

  @Test
  void oneAtATimeWhereAllAreToBeHealthy() {
    toVersionTwo(100);
    while (refresh().endTime() == null) {
      assertTrue(world.serving().size() >= 3, () -> world.group().toString());
      world.time.advance(Duration.ofMillis(500));
    }
    assertEquals(InstanceRefreshStatus.SUCCESSFUL, refresh().status());
    assertEquals(4, renewed());
  }

  @Test
  void itWaitsAtItsCheckpoints() {
    toVersionTwo(p ->
        p.minHealthyPercentage(0)
            .instanceWarmup(0)
            .checkpointPercentages(25, 50, 100)
            .checkpointDelay(600));
    world.until("one is new", () -> renewed() == 1 && refresh().percentageComplete() == 25);
    world.pass(Duration.ofMinutes(8));
    assertEquals(1, renewed());
    world.until("two are new", () -> renewed() == 2);
    world.pass(Duration.ofMinutes(8));
    assertEquals(2, renewed());
    ends(InstanceRefreshStatus.SUCCESSFUL);
    assertEquals(4, renewed());
    String told =
        "{\"InstanceRefreshId\":\"%s\",\"AutoScalingGroupName\":\"web\","
            + "\"CheckpointPercentage\":\"%d\",\"CheckpointDelay\":\"600\"}";
    assertEquals(
        IntStream.of(25, 50, 100)
            .mapToObj(percent -> told.formatted(refresh().instanceRefreshId(), percent))
            .toList(),
        world.events().stream()
            .filter(
                e -> e.detailType().equals("EC2 Auto Scaling Instance Refresh Checkpoint Reached"))
            .map(EventOutbox.Event::detail)
            .toList());
  }

  @Test
  void itEndsAtTheLastCheckpoint() {
    toVersionTwo(p -> p.minHealthyPercentage(0).checkpointPercentages(50));
    assertEquals(3_600, refresh().preferences().checkpointDelay());
    ends(InstanceRefreshStatus.SUCCESSFUL);
    assertEquals(2, renewed());
    assertEquals(2, refresh().instancesToUpdate());
  }

  @Test
  void itBakesAndIsTurnedBackByAnAlarm() {
    world.cloudWatch.putMetricAlarm(r ->
        r.alarmName("faults")
            .namespace("App")
            .metricName("Faults")
            .statistic("Sum")
            .period(60)
            .evaluationPeriods(1)
            .threshold(1.0)
            .treatMissingData("ignore")
            .comparisonOperator("GreaterThanThreshold"));
    toVersionTwo(p ->
        p.minHealthyPercentage(0)
            .bakeTime(1_800)
            .autoRollback(true)
            .alarmSpecification(a -> a.alarms("faults")));
    world.until("it bakes", () -> refresh().status() == InstanceRefreshStatus.BAKING);
    assertEquals(4, renewed());
    assertEquals(100, refresh().percentageComplete());
    assertEquals("1", world.group().launchTemplate().version(), "it is not over");
    world.pass(Duration.ofMinutes(20));
    assertEquals(InstanceRefreshStatus.BAKING, refresh().status());
    world.cloudWatch.setAlarmState(
        r -> r.alarmName("faults").stateValue("ALARM").stateReason("by hand"));
    world.until("it turns back", () -> refresh().rollbackDetails() != null);
    assertTrue(refresh().rollbackDetails().rollbackReason().contains("faults"));
    ends(InstanceRefreshStatus.ROLLBACK_SUCCESSFUL);
    assertEquals(0, renewed());
    refused("is in ALARM", preferring(p -> p.alarmSpecification(a -> a.alarms("faults"))));
  }

  @Test
  void afterBakingItIsOver() {
    toVersionTwo(p -> p.minHealthyPercentage(0).instanceWarmup(0).bakeTime(600));
    world.until("it bakes", () -> refresh().status() == InstanceRefreshStatus.BAKING);
    Instant since = world.time.instant();
    ends(InstanceRefreshStatus.SUCCESSFUL);
    assertTrue(Duration.between(since, refresh().endTime()).toSeconds() >= 590);
    assertEquals("2", world.group().launchTemplate().version());
    assertEquals(
        List.of("Started", "Started Baking", "Succeeded"),
        events().stream()
            .map(type -> type.replace("EC2 Auto Scaling Instance Refresh ", ""))
            .sorted() // two of one moment are in no order
            .toList());
  }

  @Test
  void aGroupThatNamesZonesIsReplacedToo() {
    world.scaling.createAutoScalingGroup(
        world
            .group(0, 2, 0)
            .autoScalingGroupName("zones")
            .vpcZoneIdentifier(null)
            .availabilityZones("us-east-1a")
            .build());
    world.scaling.startInstanceRefresh(r -> r.autoScalingGroupName("zones"));
    world.until(
        "it is over",
        () ->
            world
                    .scaling
                    .describeInstanceRefreshes(r -> r.autoScalingGroupName("zones"))
                    .instanceRefreshes()
                    .getFirst()
                    .status()
                == InstanceRefreshStatus.SUCCESSFUL);
  }

  @Test
  void cancellingNeedNotWait() {
    toVersionTwo(50);
    world.until("two go", () -> refresh().instancesToUpdate() == 2);
    world.scaling.cancelInstanceRefresh(
        r -> r.autoScalingGroupName(World.GROUP).waitForTransitioningInstances(false));
    assertEquals(InstanceRefreshStatus.CANCELLED, refresh().status());
    world.serves(4);
  }

  private static void refused(String message, Executable call) {
    AutoScalingException refusal = assertThrows(AutoScalingException.class, call);
    assertTrue(refusal.getMessage().contains(message), refusal.getMessage());
  }
}
