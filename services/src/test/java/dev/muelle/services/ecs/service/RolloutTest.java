package dev.muelle.services.ecs.service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.services.ecs.service.Rollout.Health;
import dev.muelle.services.ecs.service.Rollout.Member;
import dev.muelle.services.ecs.service.Rollout.Plan;
import dev.muelle.services.ecs.service.Rollout.Stop;
import dev.muelle.services.ecs.service.Rollout.Want;
import dev.muelle.services.ecs.state.Throttle;
import dev.muelle.services.ecs.task.Networks;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class RolloutTest {

  private static final Instant NOW = Instant.EPOCH;

  private static Member member(String id, String deployment, Health health) {
    return new Member(
        id, deployment, "a", health, health == Health.UNHEALTHY ? "failed checks" : "", NOW);
  }

  private static Set<String> ids(Plan plan) {
    return plan.stop().stream().map(Stop::taskId).collect(Collectors.toSet());
  }

  @Test
  void aNewServiceStartsAllItsTasks() {
    assertEquals(
        new Plan(2, List.of(), false), Rollout.plan(new Want(2, 100, 200, "d1", false), List.of()));
  }

  @Test
  void theLabRollsWithNeverFewerThanTwoHealthy() {
    Want want = new Want(2, 100, 200, "new", false);
    Member oldA = member("a", "old", Health.HEALTHY);
    Member oldB = member("b", "old", Health.HEALTHY);
    assertEquals(new Plan(2, List.of(), false), Rollout.plan(want, List.of(oldA, oldB)));
    Member waiting = member("c", "new", Health.WAITING);
    Member healthy = member("d", "new", Health.HEALTHY);
    assertEquals(
        new Plan(0, List.of(), false),
        Rollout.plan(want, List.of(oldA, oldB, waiting, member("d", "new", Health.WAITING))));
    Plan one = Rollout.plan(want, List.of(oldA, oldB, waiting, healthy));
    assertEquals(
        new Plan(
            0, List.of(new Stop("a", "Scaling activity initiated by (deployment old)")), false),
        one);
    assertTrue(Rollout.plan(want, List.of(member("c", "new", Health.HEALTHY), healthy)).settled());
  }

  @Test
  void afterARestartWhatMayServeStaysUntilItIsKnownWhatServes() {
    Want want = new Want(2, 100, 200, "new", false);
    List<Member> checked =
        List.of(
            member("a", "old", Health.CHECKING),
            member("b", "old", Health.CHECKING),
            member("c", "new", Health.CHECKING),
            member("d", "new", Health.CHECKING));
    assertEquals(new Plan(0, List.of(), false), Rollout.plan(want, checked));
  }

  @Test
  void percentagesRoundSoThatTheyNeverPermitMore() {
    assertEquals(2, new Want(3, 50, 200, "d", false).minimum());
    assertEquals(1, new Want(1, 50, 200, "d", false).minimum());
    assertEquals(0, new Want(1, 0, 200, "d", false).minimum());
    assertEquals(4, new Want(3, 50, 150, "d", false).maximum());
    assertEquals(1, new Want(1, 50, 199, "d", false).maximum());
    assertEquals(0, new Want(0, 100, 200, "d", false).maximum());
  }

  @Test
  void anUnhealthyTaskGoesWithItsReasonAndIsReplaced() {
    Plan plan =
        Rollout.plan(
            new Want(2, 100, 200, "d", false),
            List.of(member("a", "d", Health.UNHEALTHY), member("b", "d", Health.HEALTHY)));
    assertEquals(new Plan(1, List.of(new Stop("a", "failed checks")), false), plan);
  }

  @Test
  void scalingInLeavesTheFullestZoneAndFirstWhatServesNobody() {
    Member waiting = new Member("a", "d", "z1", Health.WAITING, "", NOW);
    Member second = new Member("b", "d", "z2", Health.HEALTHY, "", NOW);
    Member third = new Member("c", "d", "z2", Health.HEALTHY, "", NOW.plusSeconds(1));
    Member first = new Member("d", "d", "z1", Health.HEALTHY, "", NOW.minusSeconds(1));
    Want want = new Want(2, 100, 200, "d", false);
    assertEquals(Set.of("a", "b"), ids(Rollout.plan(want, List.of(waiting, second, third, first))));
  }

  @Test
  void packedTasksGoWhereThereIsMostRoomWhateverTheZoneAndTheirAge() {
    Want want = new Want(2, 100, 200, "d", false);
    List<Member> members =
        List.of(
            new Member("a", "d", "z1", Health.HEALTHY, "", NOW).packed(100),
            new Member("b", "d", "z1", Health.HEALTHY, "", NOW.plusSeconds(1)).packed(100),
            new Member("c", "d", "z2", Health.HEALTHY, "", NOW.plusSeconds(2)).packed(300),
            new Member("e", "d", "z2", Health.HEALTHY, "", NOW.plusSeconds(3)).packed(300));
    assertEquals(Set.of("c", "e"), ids(Rollout.plan(want, members)));
    assertEquals(
        Set.of("c"), ids(Rollout.plan(new Want(3, 100, 200, "d", false), members)), "the oldest");
  }

  @Test
  void whatCannotBeReplacedStaysButNoMoreOfItThanIsWanted() {
    List<Member> old =
        List.of(
            member("a", "old", Health.HEALTHY),
            member("b", "old", Health.HEALTHY),
            member("c", "old", Health.HEALTHY));
    assertEquals(
        new Plan(0, List.of(), false), Rollout.plan(new Want(3, 0, 200, "new", true), old));
    Plan less = Rollout.plan(new Want(1, 100, 200, "new", true), old);
    assertEquals(2, less.stop().size());
    assertEquals(0, less.start());
  }

  @Test
  void repeatedFailuresAreThrottledEverMore() {
    assertNull(Throttle.notBefore(0, NOW));
    assertNull(Throttle.notBefore(2, NOW));
    Instant before = NOW;
    for (int failures = 3; failures < 40; failures++) {
      Instant next = Throttle.notBefore(failures, NOW);
      assertFalse(next.isBefore(before));
      assertFalse(next.isAfter(NOW.plus(Duration.ofMinutes(15))));
      before = next;
    }
    assertEquals(NOW.plus(Duration.ofMinutes(15)), before);
  }

  @Test
  void theBreakerTripsAtHalfOfTheTasksWithinItsBounds() {
    assertEquals(3, Rollout.breakerThreshold(1));
    assertEquals(3, Rollout.breakerThreshold(6));
    assertEquals(4, Rollout.breakerThreshold(7));
    assertEquals(13, Rollout.breakerThreshold(25));
    assertEquals(200, Rollout.breakerThreshold(1000));
  }

  @Test
  void tasksSpreadOverSubnets() {
    List<String> subnets = List.of("s1", "s2", "s3");
    List<String> taken = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      taken.add(Networks.subnet(subnets, taken));
    }
    assertEquals(List.of("s1", "s2", "s3", "s1", "s2", "s3"), taken);
  }

  @Test
  void noHistoryEverBreaksTheBoundsAndEveryOneConverges() {
    for (int seed = 0; seed < 3000; seed++) {
      new History(seed).run();
    }
  }

  /** A service, its tasks, and what happens to them; all from one seed. */
  private static final class History {
    private final String name;
    private final Random random;
    private List<Member> members = new ArrayList<>();
    private Want want;
    private int tasks;
    private int deployments = 1;

    History(int seed) {
      name = "seed " + seed;
      random = new Random(seed);
      want = want(random.nextInt(12));
    }

    /** Percentages with which a rolling update can move at all. */
    private Want want(int desired) {
      while (true) {
        int minimum = random.nextInt(5) == 0 ? 100 : random.nextInt(101);
        int maximum = 100 + random.nextInt(101);
        Want next = new Want(desired, minimum, maximum, "d" + deployments, false);
        if (desired == 0 || next.minimum() < desired || next.maximum() > desired) {
          return next;
        }
      }
    }

    void run() {
      for (int step = 0; step < 60; step++) {
        disturb();
        members =
            members.stream()
                .map(this::change)
                .filter(m -> random.nextInt(40) != 0)
                .collect(Collectors.toCollection(ArrayList::new));
        apply();
      }
      want =
          new Want(
              want.desired(), want.minimumPercent(), want.maximumPercent(), want.primary(), false);
      for (int step = 0; step < 200; step++) {
        if (apply().settled()) {
          assertEquals(want.desired(), members.size(), name);
          assertTrue(members.stream().allMatch(m -> m.deployment().equals(want.primary())), name);
          return;
        }
        members =
            members.stream().map(this::recover).collect(Collectors.toCollection(ArrayList::new));
      }
      throw new AssertionError(name + " does not converge: " + want + " " + members);
    }

    private void disturb() {
      switch (random.nextInt(12)) {
        case 0 -> {
          deployments++;
          want = want(want.desired());
        }
        case 1 -> want = want(random.nextInt(12));
        case 2 ->
            want =
                new Want(
                    want.desired(),
                    want.minimumPercent(),
                    want.maximumPercent(),
                    want.primary(),
                    !want.held());
        default -> {}
      }
    }

    private Member change(Member member) {
      return switch (random.nextInt(6)) {
        case 0, 1 -> health(member, Health.HEALTHY);
        case 3 -> health(member, Health.CHECKING);
        case 2 -> random.nextInt(5) == 0 ? health(member, Health.UNHEALTHY) : member;
        default -> member;
      };
    }

    private Member recover(Member member) {
      return random.nextBoolean() ? health(member, Health.HEALTHY) : member;
    }

    private static Member health(Member member, Health health) {
      return new Member(
          member.id(),
          member.deployment(),
          member.zone(),
          health,
          health == Health.UNHEALTHY ? "failed checks" : "",
          member.createdAt());
    }

    private Plan apply() {
      Plan plan = Rollout.plan(want, List.copyOf(members));
      Set<String> stopped = ids(plan);
      assertEquals(stopped.size(), plan.stop().size(), name + ": stopped twice");
      int before = healthy();
      members.removeIf(member -> stopped.contains(member.id()));
      assertTrue(
          healthy() >= Math.min(before, want.minimum()),
          () -> name + ": " + before + " were healthy, " + healthy() + " are left: " + want);
      for (int i = 0; i < plan.start(); i++) {
        members.add(
            new Member(
                "t" + tasks++,
                want.primary(),
                "z" + random.nextInt(3),
                Health.WAITING,
                "",
                NOW.plusSeconds(tasks)));
      }
      assertTrue(
          plan.start() == 0 || members.size() <= want.maximum(),
          () -> name + ": " + members.size() + " tasks: " + want);
      assertTrue(plan.start() == 0 || !want.held(), name + ": started although held");
      return plan;
    }

    private int healthy() {
      return (int) members.stream().filter(m -> m.health() == Health.HEALTHY).count();
    }
  }
}
