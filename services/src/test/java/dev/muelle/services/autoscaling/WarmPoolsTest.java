package dev.muelle.services.autoscaling;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.muelle.services.EventOutbox;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.autoscaling.model.AutoScalingException;
import software.amazon.awssdk.services.autoscaling.model.DescribeWarmPoolResponse;
import software.amazon.awssdk.services.autoscaling.model.Instance;
import software.amazon.awssdk.services.autoscaling.model.InstanceRefresh;
import software.amazon.awssdk.services.autoscaling.model.InstanceRefreshStatus;
import software.amazon.awssdk.services.autoscaling.model.LifecycleState;
import software.amazon.awssdk.services.autoscaling.model.Tag;
import software.amazon.awssdk.services.autoscaling.model.WarmPoolState;
import software.amazon.awssdk.services.ec2.model.InstanceStateName;

/** Warm pools. */
class WarmPoolsTest {

  @TempDir private Path directory;
  private World world;

  @BeforeEach
  void open() {
    world = new World(directory, 5);
  }

  @AfterEach
  void close() {
    world.close();
  }

  private void group(int most, int desired) {
    world.scaling.createAutoScalingGroup(world.group(0, most, desired).build());
    world.serves(desired);
  }

  private DescribeWarmPoolResponse pool() {
    return world.scaling.describeWarmPool(r -> r.autoScalingGroupName(World.GROUP));
  }

  private Set<String> warm(LifecycleState state) {
    Set<String> ids = new TreeSet<>();
    pool().instances().stream()
        .filter(one -> one.lifecycleState() == state)
        .map(Instance::instanceId)
        .forEach(ids::add);
    return ids;
  }

  private void warmed(LifecycleState state, int count) {
    world.until(
        count + " are " + state,
        () -> warm(state).size() == count && pool().instances().size() == count);
  }

  private void desire(int count) {
    world.scaling.setDesiredCapacity(
        r -> r.autoScalingGroupName(World.GROUP).desiredCapacity(count));
  }

  private void refused(String words, Executable call) {
    AutoScalingException e = assertThrows(AutoScalingException.class, call);
    assertTrue(e.awsErrorDetails().errorMessage().contains(words), e::getMessage);
  }

  /** From where to where instances were said to go, each time that one waited at a hook. */
  private List<String> ways() {
    return world.events().stream()
        .filter(event -> event.detailType().endsWith("Lifecycle Action"))
        .map(WarmPoolsTest::way)
        .toList();
  }

  private static String way(EventOutbox.Event event) {
    try {
      JsonNode detail = new ObjectMapper().readTree(event.detail());
      return detail.path("LifecycleTransition").asText().replaceFirst(".*_", "")
          + " "
          + detail.path("Origin").asText()
          + " "
          + detail.path("Destination").asText();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void whatIsMissingToTheMaximumIsPreparedAndStopped() {
    group(4, 2);
    world.scaling.putWarmPool(r -> r.autoScalingGroupName(World.GROUP));
    warmed(LifecycleState.WARMED_STOPPED, 2);
    assertEquals(WarmPoolState.STOPPED, pool().warmPoolConfiguration().poolState());
    for (String each : warm(LifecycleState.WARMED_STOPPED)) {
      assertEquals(InstanceStateName.STOPPED, world.state(each));
    }
    String id = warm(LifecycleState.WARMED_STOPPED).iterator().next();
    assertEquals(Optional.of("Warmed:Stopped"), world.scaling.instanceGroups().target(id));
    assertEquals(
        Optional.of("InService"),
        world.scaling.instanceGroups().target(world.serving().getFirst()));
    assertEquals(2, world.group().warmPoolSize());
    assertEquals(0, world.group().warmPoolConfiguration().minSize());
    assertEquals(2, world.group().instances().size(), "the pool is no part of the group");
    assertTrue(
        world.scaling.describeAutoScalingInstances().autoScalingInstances().stream()
            .anyMatch(one -> one.lifecycleState().equals("Warmed:Stopped")));
    assertTrue(
        world.activities().stream()
            .anyMatch(a -> a.description().startsWith("Launching a new EC2 instance into warm")));
  }

  @Test
  void aGroupGrowsOutOfItsPoolFirst() {
    group(5, 1);
    world.scaling.putWarmPool(r -> r.autoScalingGroupName(World.GROUP).maxGroupPreparedCapacity(3));
    warmed(LifecycleState.WARMED_STOPPED, 2);
    Set<String> prepared = warm(LifecycleState.WARMED_STOPPED);
    Set<String> before = new TreeSet<>(world.alive());
    desire(4);
    world.serves(4);
    assertTrue(world.serving().containsAll(prepared));
    assertEquals(
        1,
        world.serving().stream()
            .filter(id -> !prepared.contains(id) && !before.contains(id))
            .count(),
        "one was launched anew");
    assertEquals(
        2,
        world.activities().stream()
            .filter(a -> a.description().startsWith("Launching a new EC2 instance from warm pool"))
            .count());
    assertEquals(List.of(), pool().instances(), "3 are prepared, and all of them serve");
    desire(2);
    world.serves(2);
    warmed(LifecycleState.WARMED_STOPPED, 1);
  }

  @Test
  void instancesThatRunAndAMinimum() {
    group(4, 4);
    world.scaling.putWarmPool(
        r -> r.autoScalingGroupName(World.GROUP).minSize(2).poolState(WarmPoolState.RUNNING));
    warmed(LifecycleState.WARMED_RUNNING, 2);
    for (String id : warm(LifecycleState.WARMED_RUNNING)) {
      assertEquals(InstanceStateName.RUNNING, world.state(id));
    }
    world.scaling.putWarmPool(
        r -> r.autoScalingGroupName(World.GROUP).minSize(1).maxGroupPreparedCapacity(4));
    warmed(LifecycleState.WARMED_RUNNING, 1);
    assertEquals(
        WarmPoolState.RUNNING,
        pool().warmPoolConfiguration().poolState(),
        "what is not said stays");
    world.scaling.putWarmPool(
        r -> r.autoScalingGroupName(World.GROUP).maxGroupPreparedCapacity(-1).minSize(0));
    warmed(LifecycleState.WARMED_RUNNING, 0);
    assertNull(pool().warmPoolConfiguration().maxGroupPreparedCapacity());
  }

  @Test
  void whatIsNotNeededGoesBack() {
    String targets = world.balancer.group("web");
    world.scaling.createAutoScalingGroup(world.group(0, 2, 2).targetGroupARNs(targets).build());
    world.serves(2);
    Set<String> all = new TreeSet<>(world.serving());
    world.scaling.putWarmPool(
        r -> r.autoScalingGroupName(World.GROUP).instanceReusePolicy(p -> p.reuseOnScaleIn(true)));
    desire(1);
    world.until("it drains", () -> warm(LifecycleState.WARMED_PENDING).size() == 1);
    world.pass(Duration.ofSeconds(20));
    assertEquals(1, warm(LifecycleState.WARMED_PENDING).size(), "the balancer lets it go first");
    world.balancer.drained();
    warmed(LifecycleState.WARMED_STOPPED, 1);
    assertTrue(all.containsAll(warm(LifecycleState.WARMED_STOPPED)));
    desire(2);
    world.serves(2);
    assertEquals(all, new TreeSet<>(world.serving()));
    assertEquals(all, world.balancer.groups.get(targets).keySet());
  }

  @Test
  void hooksAreMetOnEveryWay() {
    group(2, 1);
    for (String transition : List.of("LAUNCHING", "TERMINATING")) {
      world.scaling.putLifecycleHook(r ->
          r.autoScalingGroupName(World.GROUP)
              .lifecycleHookName(transition.toLowerCase(java.util.Locale.ROOT))
              .lifecycleTransition("autoscaling:EC2_INSTANCE_" + transition)
              .heartbeatTimeout(60)
              .defaultResult("CONTINUE"));
    }
    world.scaling.putWarmPool(
        r -> r.autoScalingGroupName(World.GROUP).instanceReusePolicy(p -> p.reuseOnScaleIn(true)));
    world.until("it waits", () -> warm(LifecycleState.WARMED_PENDING_WAIT).size() == 1);
    String id = warm(LifecycleState.WARMED_PENDING_WAIT).iterator().next();
    assertEquals(InstanceStateName.RUNNING, world.state(id), "the hook has it before it stops");
    world.scaling.completeLifecycleAction(r ->
        r.autoScalingGroupName(World.GROUP)
            .lifecycleHookName("launching")
            .instanceId(id)
            .lifecycleActionResult("CONTINUE"));
    warmed(LifecycleState.WARMED_STOPPED, 1);
    desire(2);
    world.until("it waits again", () -> world.in(LifecycleState.PENDING_WAIT).contains(id));
    world.serves(2);
    desire(1);
    warmed(LifecycleState.WARMED_STOPPED, 1);
    world.scaling.deleteWarmPool(r -> r.autoScalingGroupName(World.GROUP));
    world.until("the pool is gone", () -> pool().warmPoolConfiguration() == null);
    assertEquals(
        List.of(
            "LAUNCHING EC2 WarmPool",
            "LAUNCHING WarmPool AutoScalingGroup",
            "TERMINATING AutoScalingGroup WarmPool",
            "TERMINATING WarmPool EC2"),
        ways());
  }

  @Test
  void anAbandonedOneIsReplaced() {
    group(1, 0);
    world.scaling.putLifecycleHook(r ->
        r.autoScalingGroupName(World.GROUP)
            .lifecycleHookName("prepare")
            .lifecycleTransition("autoscaling:EC2_INSTANCE_LAUNCHING"));
    world.scaling.putWarmPool(r -> r.autoScalingGroupName(World.GROUP));
    world.until("it waits", () -> warm(LifecycleState.WARMED_PENDING_WAIT).size() == 1);
    String bad = warm(LifecycleState.WARMED_PENDING_WAIT).iterator().next();
    world.scaling.completeLifecycleAction(r ->
        r.autoScalingGroupName(World.GROUP)
            .lifecycleHookName("prepare")
            .instanceId(bad)
            .lifecycleActionResult("ABANDON"));
    world.until(
        "another waits",
        () -> warm(LifecycleState.WARMED_PENDING_WAIT).stream().anyMatch(id -> !id.equals(bad)));
    world.until(
        "it is gone",
        () -> pool().instances().stream().noneMatch(one -> one.instanceId().equals(bad)));
    assertEquals(InstanceStateName.TERMINATED, world.state(bad));
  }

  @Test
  void whatIsLostInThePoolIsReplaced() {
    group(3, 1);
    world.scaling.putWarmPool(r -> r.autoScalingGroupName(World.GROUP));
    warmed(LifecycleState.WARMED_STOPPED, 2);
    String lost = warm(LifecycleState.WARMED_STOPPED).iterator().next();
    world.ec2.terminateInstances(r -> r.instanceIds(lost));
    world.until("it is gone", () -> !warm(LifecycleState.WARMED_STOPPED).contains(lost));
    warmed(LifecycleState.WARMED_STOPPED, 2);
    assertEquals(1, world.serving().size());
  }

  @Test
  void anInstanceThatIsStoppedByHandIsReplaced() {
    group(1, 1);
    String id = world.serving().getFirst();
    world.ec2.stopInstances(r -> r.instanceIds(id));
    world.until(
        "another serves", () -> !world.serving().contains(id) && world.serving().size() == 1);
    world.until("it ends", () -> world.state(id) == InstanceStateName.TERMINATED);
    world.serves(1);
  }

  @Test
  void aPoolIsDeleted() {
    group(2, 1);
    world.scaling.putWarmPool(r -> r.autoScalingGroupName(World.GROUP));
    warmed(LifecycleState.WARMED_STOPPED, 1);
    refused(
        "is in a warm pool",
        () ->
            world.scaling.terminateInstanceInAutoScalingGroup(r ->
                r.instanceId(pool().instances().getFirst().instanceId())
                    .shouldDecrementDesiredCapacity(false)));
    String id = pool().instances().getFirst().instanceId();
    world.scaling.deleteWarmPool(r -> r.autoScalingGroupName(World.GROUP));
    assertEquals("PendingDelete", pool().warmPoolConfiguration().statusAsString());
    refused(
        "pending delete",
        () -> world.scaling.putWarmPool(r -> r.autoScalingGroupName(World.GROUP)));
    world.until("it is gone", () -> pool().warmPoolConfiguration() == null);
    assertEquals(InstanceStateName.TERMINATED, world.state(id));
    refused(
        "No warm pool found",
        () -> world.scaling.deleteWarmPool(r -> r.autoScalingGroupName(World.GROUP)));
    world.scaling.putWarmPool(r -> r.autoScalingGroupName(World.GROUP));
    warmed(LifecycleState.WARMED_STOPPED, 1);
    world.scaling.deleteAutoScalingGroup(
        r -> r.autoScalingGroupName(World.GROUP).forceDelete(true));
    world.until(
        "gone", () -> world.scaling.describeAutoScalingGroups().autoScalingGroups().isEmpty());
    assertEquals(List.of(), world.alive());
  }

  @Test
  void whatIsNotDoneIsRefused() {
    group(1, 0);
    refused(
        "PoolState with the value Hibernated",
        () ->
            world.scaling.putWarmPool(
                r -> r.autoScalingGroupName(World.GROUP).poolState(WarmPoolState.HIBERNATED)));
    refused(
        "maxGroupPreparedCapacity",
        () ->
            world.scaling.putWarmPool(
                r -> r.autoScalingGroupName(World.GROUP).maxGroupPreparedCapacity(-2)));
    world.scaling.createOrUpdateTags(r ->
        r.tags(Tag.builder().resourceId(World.GROUP).key("AmazonECSManaged").value("").build()));
    refused(
        "ReuseOnScaleIn",
        () ->
            world.scaling.putWarmPool(r ->
                r.autoScalingGroupName(World.GROUP)
                    .instanceReusePolicy(p -> p.reuseOnScaleIn(true))));
  }

  @Test
  void aRefreshReplacesThePoolToo() {
    group(3, 1);
    world.scaling.putWarmPool(r -> r.autoScalingGroupName(World.GROUP));
    warmed(LifecycleState.WARMED_STOPPED, 2);
    Set<String> before = warm(LifecycleState.WARMED_STOPPED);
    before.addAll(world.serving());
    world.scaling.startInstanceRefresh(
        r -> r.autoScalingGroupName(World.GROUP).preferences(p -> p.instanceWarmup(0)));
    world.until("it is over", () -> refresh().endTime() != null);
    assertEquals(InstanceRefreshStatus.SUCCESSFUL, refresh().status());
    assertEquals(100, refresh().progressDetails().warmPoolProgress().percentageComplete());
    assertEquals(100, refresh().progressDetails().livePoolProgress().percentageComplete());
    Set<String> after = warm(LifecycleState.WARMED_STOPPED);
    after.addAll(world.serving());
    assertEquals(3, after.size());
    after.retainAll(before);
    assertEquals(Set.of(), after);
  }

  private InstanceRefresh refresh() {
    return world
        .scaling
        .describeInstanceRefreshes(r -> r.autoScalingGroupName(World.GROUP))
        .instanceRefreshes()
        .getFirst();
  }

  @Test
  void metrics() {
    group(4, 1);
    world.scaling.enableMetricsCollection(
        r -> r.autoScalingGroupName(World.GROUP).granularity("1Minute"));
    world.pass(Duration.ofMinutes(2));
    assertNull(world.measured.get("WarmPoolTotalCapacity"), "there is no pool");
    world.scaling.putWarmPool(
        r -> r.autoScalingGroupName(World.GROUP).minSize(1).maxGroupPreparedCapacity(3));
    warmed(LifecycleState.WARMED_STOPPED, 2);
    world.pass(Duration.ofMinutes(2));
    assertEquals(1.0, world.measured.get("WarmPoolMinSize"));
    assertEquals(2.0, world.measured.get("WarmPoolDesiredCapacity"));
    assertEquals(2.0, world.measured.get("WarmPoolWarmedCapacity"));
    assertEquals(0.0, world.measured.get("WarmPoolPendingCapacity"));
    assertEquals(1.0, world.measured.get("GroupTotalInstances"));
    assertEquals(3.0, world.measured.get("GroupAndWarmPoolDesiredCapacity"));
    assertEquals(3.0, world.measured.get("GroupAndWarmPoolTotalCapacity"));
  }
}
