package dev.muelle.services.ecs.scaling;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.muelle.services.ecs.capacity.AutoScalingGroups.Group;
import dev.muelle.services.ecs.capacity.AutoScalingGroups.Life;
import dev.muelle.services.ecs.capacity.AutoScalingGroups.Member;
import dev.muelle.services.ecs.placement.Constraint;
import dev.muelle.services.ecs.placement.Demand;
import dev.muelle.services.ecs.placement.Offer;
import dev.muelle.services.ecs.placement.Reason;
import dev.muelle.services.ecs.placement.Request;
import dev.muelle.services.ecs.placement.Verdict;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.services.ecs.task.WaitingTasks;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.ecs.model.AwsVpcConfiguration;
import software.amazon.awssdk.services.ecs.model.ManagedScaling;
import software.amazon.awssdk.services.ecs.model.Task;

/** M / N × 100, and what target tracking makes of it. */
class CapacityReservationTest {

  private static final Instant NOW = Instant.parse("2026-11-21T08:00:00Z");
  private static final Offer SMALL = new Offer(2048, 2000, Set.of(22), Set.of(), 2, 0);
  private static final Offer LARGE = new Offer(8192, 16_000, Set.of(22), Set.of(), 3, 0);

  private static ManagedScaling settings(int target, int least, int most) {
    return ManagedScaling.builder()
        .targetCapacity(target)
        .minimumScalingStepSize(least)
        .maximumScalingStepSize(most)
        .instanceWarmupPeriod(300)
        .build();
  }

  private static final ManagedScaling USUAL = settings(100, 1, 10_000);

  private static List<WaitingTasks.Unplaced> waiting(
      int count, Demand demand, List<Constraint> constraints, @Nullable Reason why) {
    Verdict.Rejection closest = why == null ? null : new Verdict.Rejection("m", why);
    Request request = new Request("g", demand, Map.of(), Set.of(), constraints, List.of(), "cp");
    TaskRecord task =
        new TaskRecord(
            Task.builder().build(),
            null,
            AwsVpcConfiguration.builder().build(),
            "",
            List.of(),
            "",
            null,
            null);
    List<WaitingTasks.Unplaced> all = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      all.add(
          new WaitingTasks.Unplaced(task, "cp", request, new Verdict.Refused(closest, List.of())));
    }
    return all;
  }

  private static List<WaitingTasks.Unplaced> waiting(int count, int cpu) {
    return waiting(count, Demand.of(cpu, 10), List.of(), null);
  }

  private static double percent(
      int present,
      int used,
      List<WaitingTasks.Unplaced> waiting,
      List<Offer> types,
      ManagedScaling settings) {
    return CapacityReservation.of(present, used, waiting, types, settings).percent();
  }

  @Test
  void withoutTasksThatWaitItIsTheShareOfInstancesInUse() {
    assertEquals(100, percent(0, 0, List.of(), List.of(SMALL), USUAL));
    assertEquals(100, percent(4, 4, List.of(), List.of(SMALL), USUAL));
    assertEquals(75, percent(4, 3, List.of(), List.of(SMALL), USUAL));
    assertEquals(0, percent(4, 0, List.of(), List.of(SMALL), USUAL));
  }

  @Test
  void tasksThatWaitArePackedOntoNewInstances() {
    assertEquals(200, percent(0, 0, waiting(50, 1024), List.of(SMALL), USUAL));
    assertEquals(200, percent(3, 3, waiting(6, 1024), List.of(SMALL), USUAL), "3 more");
    assertEquals(200, percent(3, 0, waiting(5, 1024), List.of(SMALL), USUAL), "3 more");
    // Those with other needs are counted for themselves, and the greatest need counts.
    List<WaitingTasks.Unplaced> mixed = waiting(4, 1024);
    mixed.addAll(waiting(2, 2048));
    assertEquals(150, percent(4, 4, mixed, List.of(SMALL), USUAL));
    // The largest type says how many are needed, the smallest whether it can be at all.
    assertEquals(150, percent(2, 2, waiting(8, 1024), List.of(SMALL, LARGE), USUAL));
    assertEquals(100, percent(2, 2, waiting(8, 4096), List.of(SMALL, LARGE), USUAL));
    assertEquals(100, percent(0, 0, waiting(8, 4096), List.of(SMALL, LARGE), USUAL));
  }

  @Test
  void interfacesPortsAndConstraintsCount() {
    Demand own = new Demand(1, 1, Set.of(), Set.of(), 1, 0);
    assertEquals(300, percent(1, 1, waiting(4, own, List.of(), null), List.of(SMALL), USUAL));
    Demand port = new Demand(1, 1, Set.of(80), Set.of(), 0, 0);
    assertEquals(500, percent(1, 1, waiting(4, port, List.of(), null), List.of(SMALL), USUAL));
    Demand ssh = new Demand(1, 1, Set.of(22), Set.of(), 0, 0);
    assertEquals(100, percent(1, 1, waiting(4, ssh, List.of(), null), List.of(SMALL), USUAL));
    Demand gpu = new Demand(1, 1, Set.of(), Set.of(), 0, 1);
    assertEquals(100, percent(1, 1, waiting(4, gpu, List.of(), null), List.of(SMALL), USUAL));
    List<Constraint> distinct = List.of(new Constraint.DistinctInstance());
    assertEquals(
        500, percent(1, 1, waiting(4, Demand.of(1, 1), distinct, null), List.of(SMALL), USUAL));
    // What no instance like those that are there satisfies is no reason for more of them.
    assertEquals(
        100,
        percent(
            1, 1, waiting(4, Demand.of(1, 1), List.of(), Reason.MEMBER_OF), List.of(SMALL), USUAL));
  }

  @Test
  void stepsAreAsLargeAsTheyMayBe() {
    assertEquals(150, percent(10, 10, waiting(2, 1024), List.of(SMALL), settings(100, 5, 100)));
    assertEquals(130, percent(10, 10, waiting(200, 1024), List.of(SMALL), settings(100, 1, 3)));
  }

  private static Group group(int desired, int inService, Duration age) {
    List<Member> members = new ArrayList<>();
    for (int i = 0; i < inService; i++) {
      members.add(new Member("i-" + i, Life.IN_SERVICE, false, NOW.minus(age)));
    }
    return new Group("arn", "g", 0, 100, desired, false, true, true, List.of("t3.small"), members);
  }

  private static OptionalInt decide(
      int needed, int present, Duration age, ManagedScaling settings, @Nullable Duration low) {
    return ScalingState.decide(
            low == null ? null : new ScalingState(NOW.minusSeconds(60), NOW.minus(low)),
            new CapacityReservation(needed, present),
            group(present, present, age),
            settings,
            NOW)
        .desired();
  }

  private static final Duration OLD = Duration.ofHours(1);

  @Test
  void moreIsAskedForAtOnceAndNotWhileInstancesWarmUp() {
    assertEquals(OptionalInt.of(2), decide(1, 0, OLD, USUAL, null), "from zero");
    assertEquals(OptionalInt.of(7), decide(7, 4, OLD, USUAL, null));
    assertEquals(OptionalInt.empty(), decide(7, 4, Duration.ofSeconds(299), USUAL, null));
    assertEquals(OptionalInt.of(7), decide(7, 4, Duration.ofSeconds(300), USUAL, null));
    assertEquals(OptionalInt.of(100), decide(170, 4, OLD, USUAL, null), "the group's maximum");
    // Spare capacity: of ten instances, nine are to be in use.
    assertEquals(OptionalInt.of(10), decide(9, 9, OLD, settings(90, 1, 10), null));
    assertEquals(OptionalInt.empty(), decide(9, 10, OLD, settings(90, 1, 10), OLD));
    assertEquals(OptionalInt.empty(), decide(0, 0, OLD, settings(90, 1, 10), null));
  }

  @Test
  void lessIsAskedForAfterAQuarterOfAnHourAndByHalves() {
    Duration quarter = Duration.ofMinutes(15);
    assertEquals(OptionalInt.empty(), decide(2, 10, OLD, USUAL, null));
    assertEquals(OptionalInt.empty(), decide(2, 10, OLD, USUAL, quarter.minusSeconds(1)));
    assertEquals(OptionalInt.of(5), decide(2, 10, OLD, USUAL, quarter), "half of them");
    assertEquals(OptionalInt.of(8), decide(8, 10, OLD, USUAL, quarter));
    assertEquals(OptionalInt.of(0), decide(0, 1, OLD, USUAL, quarter), "the last one");
    ScalingState.Decision interrupted =
        ScalingState.decide(
            new ScalingState(NOW.minusSeconds(60), NOW.minus(OLD)),
            new CapacityReservation(10, 10),
            group(10, 10, OLD),
            USUAL,
            NOW);
    assertEquals(new ScalingState(NOW, null), interrupted.next(), "it starts anew");
  }
}
