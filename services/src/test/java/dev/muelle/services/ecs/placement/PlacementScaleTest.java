package dev.muelle.services.ecs.placement;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import dev.muelle.services.ecs.placement.Verdict.Placed;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * A hundred thousand tasks on five thousand instances. What a decision takes is printed, not
 * asserted.
 */
class PlacementScaleTest {

  private static final int MACHINES = 5_000;
  private static final int TASKS = 100_000;
  private static final int MEASURED = 1_000;

  private static Fleet full() {
    Fleet fleet = new Fleet();
    Random random = new Random(3);
    for (int i = 0; i < MACHINES; i++) {
      fleet.put(
          new Machine(
              "%032x".formatted(i),
              true,
              true,
              "i-%017x".formatted(i),
              "1.89.0",
              Instant.EPOCH,
              Map.of(
                  Machine.ZONE,
                  "us-east-1" + "abc".charAt(i % 3),
                  "ecs.instance-type",
                  i % 2 == 0 ? "m5.large" : "c5.large",
                  "ecs.capability.task-eni",
                  "",
                  "ecs.capability.execution-role-awslogs",
                  "",
                  "com.amazonaws.ecs.capability.logging-driver.awslogs",
                  ""),
              new Offer(32_768, 65_536, Set.of(22, 2375, 2376, 51678), Set.of(), 60, 0)));
    }
    for (int i = 0; i < TASKS; i++) {
      fleet.book(
          "t" + i,
          new Booking(
              "%032x".formatted(random.nextInt(MACHINES)),
              "service:s" + i % 50,
              new Demand(256, 512, Set.of(), Set.of(), 1, 0)));
    }
    return fleet;
  }

  @Test
  void aDecisionAmongFiveThousandInstances() {
    Fleet fleet = full();
    Map<String, List<Strategy>> all =
        Map.of(
            "spread zone, instance",
                List.of(new Strategy.SpreadAttribute(Machine.ZONE), new Strategy.SpreadInstances()),
            "binpack memory", List.of(new Strategy.BinpackMemory()),
            "random", List.of(new Strategy.AtRandom()));
    Map<String, List<Constraint>> rules =
        Map.of(
            "no constraint", List.of(),
            "memberOf type", List.of(memberOf("attribute:ecs.instance-type =~ [mc]5\\..*")),
            "not with a group", List.of(memberOf("not(task:group == service:s1)")),
            "with groups", List.of(memberOf("task:group =~ 'service:s[0-4]?[0-9]'")),
            "distinctInstance", List.of(new Constraint.DistinctInstance()));
    all.forEach((how, strategies) ->
        rules.forEach((where, constraints) -> measure(fleet, how, strategies, where, constraints)));
    assertEquals(MACHINES, fleet.slots().size());
  }

  private static Constraint memberOf(String expression) {
    return new Constraint.MemberOf(ClusterQuery.parse(expression));
  }

  private static void measure(
      Fleet fleet,
      String how,
      List<Strategy> strategies,
      String where,
      List<Constraint> constraints) {
    Request request =
        new Request(
            "service:new",
            new Demand(256, 512, Set.of(), Set.of(), 1, 0),
            Map.of(
                "ecs.capability.task-eni", "",
                "ecs.capability.execution-role-awslogs", "",
                "com.amazonaws.ecs.capability.logging-driver.awslogs", ""),
            Set.of("us-east-1a", "us-east-1b", "us-east-1c"),
            constraints,
            strategies);
    Random random = new Random(5);
    // The thread's own time: the machine may have other things to do.
    ThreadMXBean time = ManagementFactory.getThreadMXBean();
    long[] nanos = new long[MEASURED];
    for (int i = 0; i < MEASURED; i++) {
      long start = time.getCurrentThreadCpuTime();
      Placed placed = assertInstanceOf(Placed.class, Placement.place(fleet, request, random));
      fleet.book("n" + i, new Booking(placed.machine(), request.group(), request.demand()));
      nanos[i] = time.getCurrentThreadCpuTime() - start;
    }
    for (int i = 0; i < MEASURED; i++) {
      fleet.release("n" + i);
    }
    Arrays.sort(nanos);
    System.out.printf(
        "placement, 5,000 instances, 100,000 tasks, %s, %s: median %.2f ms, p99 %.2f ms%n",
        how, where, nanos[MEASURED / 2] / 1e6, nanos[MEASURED * 99 / 100] / 1e6);
  }
}
