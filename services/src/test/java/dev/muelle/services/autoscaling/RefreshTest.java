package dev.muelle.services.autoscaling;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.services.EventOutbox;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
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
import software.amazon.awssdk.services.autoscaling.model.LifecycleState;

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
    refused("MinHealthyPercentage with the value 100 is not supported", () -> toVersionTwo(100));
    refused(
        "you must also specify MinHealthyPercentage",
        () ->
            world.scaling.startInstanceRefresh(r ->
                r.autoScalingGroupName(World.GROUP).preferences(p -> p.maxHealthyPercentage(100))));
    refused(
        "CheckpointPercentages is not supported",
        () ->
            world.scaling.startInstanceRefresh(r ->
                r.autoScalingGroupName(World.GROUP)
                    .preferences(p -> p.checkpointPercentages(50, 100))));
    refused(
        "BakeTime is not supported",
        () ->
            world.scaling.startInstanceRefresh(
                r -> r.autoScalingGroupName(World.GROUP).preferences(p -> p.bakeTime(60))));
    refused(
        "MaxHealthyPercentage with the value 110 is not supported",
        () ->
            world.scaling.startInstanceRefresh(r ->
                r.autoScalingGroupName(World.GROUP)
                    .preferences(p -> p.minHealthyPercentage(50).maxHealthyPercentage(110))));
    refused(
        "CheckpointDelay is not supported",
        () ->
            world.scaling.startInstanceRefresh(
                r -> r.autoScalingGroupName(World.GROUP).preferences(p -> p.checkpointDelay(60))));
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

  private static void refused(String message, Executable call) {
    AutoScalingException refusal = assertThrows(AutoScalingException.class, call);
    assertTrue(refusal.getMessage().contains(message), refusal.getMessage());
  }
}
