package dev.muelle.services.ecs;

import static dev.muelle.services.ecs.World.CLUSTER;
import static dev.muelle.services.ecs.World.FAMILY;
import static dev.muelle.services.ecs.World.SERVICE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.services.ecs.service.Daemons;
import dev.muelle.services.ecs.service.Rollout.Health;
import dev.muelle.services.ecs.service.Rollout.Member;
import dev.muelle.services.ecs.service.Rollout.Stop;
import dev.muelle.services.ecs.state.TaskRecord;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import software.amazon.awssdk.services.ecs.model.Attribute;
import software.amazon.awssdk.services.ecs.model.ContainerInstanceStatus;
import software.amazon.awssdk.services.ecs.model.CreateServiceRequest;
import software.amazon.awssdk.services.ecs.model.LaunchType;
import software.amazon.awssdk.services.ecs.model.PlacementConstraint;
import software.amazon.awssdk.services.ecs.model.PlacementStrategy;
import software.amazon.awssdk.services.ecs.model.SchedulingStrategy;
import software.amazon.awssdk.services.ecs.model.Service;
import software.amazon.awssdk.services.ecs.model.Task;

/** DAEMON services: one task on each instance that is meant, whatever comes and goes. */
@Timeout(120)
class DaemonsTest extends OnInstances {

  private static CreateServiceRequest.Builder daemon() {
    return CreateServiceRequest.builder()
        .cluster(CLUSTER)
        .serviceName(SERVICE)
        .taskDefinition(FAMILY)
        .launchType(LaunchType.EC2)
        .schedulingStrategy(SchedulingStrategy.DAEMON)
        .networkConfiguration(Instances.net());
  }

  private void create(UnaryOperator<CreateServiceRequest.Builder> change) {
    world.ecs().createService(change.apply(daemon()).build());
  }

  /** How many of the service's tasks run on each instance. */
  private Map<String, Long> places() {
    return world.tasks().stream()
        .filter(task -> task.lastStatus().equals("RUNNING"))
        .collect(
            Collectors.groupingBy(Task::containerInstanceArn, TreeMap::new, Collectors.counting()));
  }

  private void until(Map<String, Long> places) {
    world.until(
        "on " + places,
        LONG,
        () -> places().equals(places) && world.service().desiredCount() == places.size());
  }

  @Test
  void eachInstanceHasOneTask() {
    String a = instances.register("i-a", "us-east-1a", 2);
    create(r -> r);
    until(Map.of(a, 1L));
    Service service = world.service();
    assertEquals(SchedulingStrategy.DAEMON, service.schedulingStrategy());
    assertEquals(0, service.deploymentConfiguration().minimumHealthyPercent());
    assertEquals(100, service.deploymentConfiguration().maximumPercent());
    String b = instances.register("i-b", "us-east-1b", 1);
    until(Map.of(a, 1L, b, 1L));
    world.until("steady", LONG, () -> world.saysEvent("has reached a steady state."));
    assertEquals(
        List.of(service.serviceArn()),
        world
            .ecs()
            .listServices(r -> r.cluster(CLUSTER).schedulingStrategy(SchedulingStrategy.DAEMON))
            .serviceArns());
    // One that dies comes back, where it was.
    Set<String> before = world.tasks().stream().map(Task::taskArn).collect(Collectors.toSet());
    world.engine.kill(world.runningContainers().getFirst().id());
    world.until(
        "another",
        LONG,
        () -> world.tasks().stream().anyMatch(task -> !before.contains(task.taskArn())));
    until(Map.of(a, 1L, b, 1L));
    // It is deleted without being scaled down, which it cannot be.
    world.ecs().deleteService(r -> r.cluster(CLUSTER).service(SERVICE));
    world.until("inactive", LONG, () -> world.service().status().equals("INACTIVE"));
    assertEquals(List.of(), world.engine.sandboxes());
  }

  @Test
  void onlyInstancesThatMeetTheConstraintsHaveOne() {
    String a = instances.register("i-a", "us-east-1a", 1);
    String b = instances.register("i-b", "us-east-1b", 1);
    stack(a, "prod");
    stack(b, "test");
    create(r ->
        r.placementConstraints(
            PlacementConstraint.builder()
                .type("memberOf")
                .expression("attribute:stack == prod")
                .build()));
    until(Map.of(a, 1L));
    stack(b, "prod");
    until(Map.of(a, 1L, b, 1L));
    // One that no longer meets them loses its task.
    stack(a, "test");
    until(Map.of(b, 1L));
  }

  private void stack(String instance, String value) {
    world
        .ecs()
        .putAttributes(r ->
            r.cluster(CLUSTER)
                .attributes(
                    Attribute.builder().name("stack").value(value).targetId(instance).build()));
  }

  @Test
  void whereThereIsNoRoomTheServiceSaysSo() {
    String a = instances.register("i-a", "us-east-1a", 1);
    String b = instances.register("i-b", "us-east-1b", 1);
    String full =
        world
            .ecs()
            .startTask(r ->
                r.cluster(CLUSTER)
                    .taskDefinition(FAMILY)
                    .containerInstances(a)
                    .networkConfiguration(Instances.net()))
            .tasks()
            .getFirst()
            .taskArn();
    create(r -> r);
    world.until("on b", LONG, () -> places().equals(Map.of(b, 1L)));
    assertEquals(2, world.service().desiredCount());
    world.until(
        "said",
        LONG,
        () ->
            world.saysEvent(
                "The closest matching (container-instance "
                    + TaskRecord.idOf(a)
                    + ") has insufficient CPU units available."));
    world.ecs().stopTask(r -> r.cluster(CLUSTER).task(full));
    until(Map.of(a, 1L, b, 1L));
  }

  @Test
  void anUpdateReplacesInPlaceAndNeverMoreThanMayBeMissing() {
    Map<String, Long> all = new HashMap<>();
    for (int i = 0; i < 6; i++) {
      all.put(instances.register("i-" + i, "us-east-1" + "abc".charAt(i % 3), 1), 1L);
    }
    create(r -> r.deploymentConfiguration(c -> c.minimumHealthyPercent(50)));
    until(all);
    String next = world.register(World.container().command("new").build());
    world.ecs().updateService(r -> r.cluster(CLUSTER).service(SERVICE).taskDefinition(next));
    world.until(
        "replaced",
        LONG,
        () -> {
          assertTrue(world.runningContainers().size() >= 3, "fewer than half run");
          return places().equals(all)
              && world.tasks().stream().allMatch(t -> t.taskDefinitionArn().equals(next))
              && world.service().deployments().size() == 1;
        });
    assertEquals("COMPLETED", world.service().deployments().getFirst().rolloutStateAsString());
  }

  @Test
  void anUpdateThatMayMissNothingIsSaidToBeBlocked() {
    String a = instances.register("i-a", "us-east-1a", 1);
    create(r -> r.deploymentConfiguration(c -> c.minimumHealthyPercent(50)));
    until(Map.of(a, 1L));
    world.ecs().updateService(r -> r.cluster(CLUSTER).service(SERVICE).forceNewDeployment(true));
    world.until("said", LONG, () -> world.saysEvent("was unable to stop or start tasks during"));
    assertEquals(2, world.service().deployments().size());
    world
        .ecs()
        .updateService(r ->
            r.cluster(CLUSTER)
                .service(SERVICE)
                .deploymentConfiguration(c -> c.minimumHealthyPercent(0)));
    world.until("replaced", LONG, () -> world.service().deployments().size() == 1);
  }

  @Test
  void anUpdateWaitsForAProtectedTaskAndReplacesTheOthers() {
    String a = instances.register("i-a", "us-east-1a", 1);
    String b = instances.register("i-b", "us-east-1b", 1);
    create(r -> r.deploymentConfiguration(c -> c.minimumHealthyPercent(50)));
    until(Map.of(a, 1L, b, 1L));
    String kept = world.tasks().getFirst().taskArn();
    world.ecs().updateTaskProtection(r -> r.cluster(CLUSTER).tasks(kept).protectionEnabled(true));
    String next = world.register(World.container().command("new").build());
    world.ecs().updateService(r -> r.cluster(CLUSTER).service(SERVICE).taskDefinition(next));
    world.until(
        "the other is replaced",
        LONG,
        () ->
            world.tasks().size() == 2
                && world.tasks().stream()
                    .allMatch(t ->
                        t.taskArn().equals(kept) != t.taskDefinitionArn().equals(next)
                            && t.lastStatus().equals("RUNNING")));
    world.pass(Duration.ofMinutes(10));
    assertEquals("RUNNING", world.task(kept).lastStatus());
    world.ecs().updateTaskProtection(r -> r.cluster(CLUSTER).tasks(kept).protectionEnabled(false));
    world.until(
        "all are replaced",
        LONG,
        () ->
            places().equals(Map.of(a, 1L, b, 1L))
                && world.tasks().stream().allMatch(t -> t.taskDefinitionArn().equals(next)));
  }

  @Test
  void onADrainingInstanceItIsTheLastToGo() {
    String a = instances.register("i-a", "us-east-1a", 3);
    create(r -> r);
    until(Map.of(a, 1L));
    world
        .ecs()
        .createService(r ->
            r.cluster(CLUSTER)
                .serviceName("replica")
                .taskDefinition(FAMILY)
                .launchType(LaunchType.EC2)
                .desiredCount(1)
                .networkConfiguration(Instances.net()));
    world.until("both", LONG, () -> instances.describe(a).runningTasksCount() == 2);
    world
        .ecs()
        .updateContainerInstancesState(
            r -> r.cluster(CLUSTER).containerInstances(a).status(ContainerInstanceStatus.DRAINING));
    // The replica cannot move: there is nowhere to go, and it may not be missing.
    world.pass(Duration.ofMinutes(2));
    assertEquals(2, instances.describe(a).runningTasksCount());
    String b = instances.register("i-b", "us-east-1b", 3);
    world.until("moved", LONG, () -> instances.describe(a).runningTasksCount() == 0);
    until(Map.of(b, 1L));
  }

  @Test
  void whatADaemonCannotHaveIsRefused() {
    assertEquals(
        "DAEMON scheduling strategy is not supported for FARGATE launch type.",
        refused(() -> create(r -> r.launchType(LaunchType.FARGATE))));
    assertTrue(
        refused(() -> create(r -> r.desiredCount(2)))
            .startsWith("The daemon scheduling strategy does not support a desired count"));
    assertTrue(
        refused(() ->
                create(
                    r -> r.placementStrategy(PlacementStrategy.builder().type("random").build())))
            .startsWith("The daemon scheduling strategy does not support a placement strategy"));
    assertTrue(
        refused(() -> create(r -> r.deploymentConfiguration(c -> c.maximumPercent(150))))
            .contains("maximumPercent above 100"));
    create(r -> r);
    assertTrue(
        refused(() ->
                world.ecs().updateService(r -> r.cluster(CLUSTER).service(SERVICE).desiredCount(1)))
            .startsWith("The daemon scheduling strategy does not support a desired count"));
  }

  /** Instances come and go, tasks change, updates begin: the bounds hold, and it converges. */
  @Test
  void noHistoryBreaksTheBounds() {
    for (int seed = 0; seed < 2000; seed++) {
      new History(seed).run();
    }
  }

  private static final class History {
    private final String name;
    private final Random random;
    private final Set<String> machines = new HashSet<>();
    private final Map<String, List<Member>> members = new TreeMap<>();
    private int minimum;
    private int tasks;
    private int deployment = 1;

    History(int seed) {
      name = "seed " + seed;
      random = new Random(seed);
      minimum = random.nextInt(100);
      for (int i = 0; i < random.nextInt(10); i++) {
        machines.add("m" + i);
      }
    }

    void run() {
      for (int step = 0; step < 40; step++) {
        switch (random.nextInt(8)) {
          case 0 -> deployment++;
          case 1 -> machines.add("m" + random.nextInt(10));
          case 2 -> machines.remove("m" + random.nextInt(10));
          case 3 -> minimum = random.nextInt(100);
          default -> {}
        }
        members.values().forEach(list -> list.replaceAll(this::change));
        apply(random.nextInt(5) == 0);
      }
      while (Math.ceilDiv(machines.size() * minimum, 100) == machines.size() && minimum > 0) {
        minimum /= 2; // nothing may be missing: an update is blocked
      }
      for (int step = 0; step < 100; step++) {
        if (apply(false)) {
          assertEquals(machines, members.keySet(), name);
          members
              .values()
              .forEach(list -> {
                assertEquals(1, list.size(), name);
                assertEquals("d" + deployment, list.getFirst().deployment(), name);
              });
          return;
        }
        members.values().forEach(list -> list.replaceAll(m -> health(m, Health.HEALTHY)));
      }
      throw new AssertionError(name + " does not converge");
    }

    private Member change(Member member) {
      return switch (random.nextInt(6)) {
        case 0, 1 -> health(member, Health.HEALTHY);
        case 2 -> random.nextInt(4) == 0 ? health(member, Health.UNHEALTHY) : member;
        default -> member;
      };
    }

    private static Member health(Member member, Health health) {
      return new Member(
          member.id(),
          member.deployment(),
          member.zone(),
          health,
          health == Health.UNHEALTHY ? "failed" : "",
          member.createdAt());
    }

    private int healthy() {
      return (int)
          members.entrySet().stream()
              .filter(entry -> machines.contains(entry.getKey()))
              .flatMap(entry -> entry.getValue().stream())
              .filter(member -> member.health() == Health.HEALTHY)
              .count();
    }

    private boolean apply(boolean held) {
      Set<String> busy = new HashSet<>();
      if (random.nextInt(4) == 0 && !machines.isEmpty()) {
        busy.add(machines.iterator().next());
      }
      Daemons.Want want =
          new Daemons.Want(Set.copyOf(machines), busy, minimum, "d" + deployment, held);
      Map<String, List<Member>> seen = new TreeMap<>();
      members.forEach((machine, list) -> seen.put(machine, List.copyOf(list)));
      Set<String> shielded =
          held || random.nextInt(3) > 0
              ? Set.of()
              : members.values().stream()
                  .flatMap(List::stream)
                  .filter(member -> member.id().hashCode() % 3 == 0)
                  .map(Member::id)
                  .collect(Collectors.toSet());
      Daemons.Plan plan = Daemons.plan(want, seen, shielded);
      int before = healthy();
      Set<String> stopped = plan.stop().stream().map(Stop::taskId).collect(Collectors.toSet());
      assertEquals(stopped.size(), plan.stop().size(), name + ": stopped twice");
      members.values().stream()
          .flatMap(List::stream)
          .filter(member -> shielded.contains(member.id()))
          .filter(member -> member.health() != Health.UNHEALTHY)
          .forEach(member ->
              assertTrue(!stopped.contains(member.id()), name + ": a protected one was stopped"));
      members.values().forEach(list -> list.removeIf(member -> stopped.contains(member.id())));
      members.values().removeIf(List::isEmpty);
      assertTrue(healthy() >= Math.min(before, want.minimum()), name + ": too few are left");
      assertTrue(!held || plan.start().isEmpty(), name + ": started although held");
      for (String machine : plan.start()) {
        assertTrue(!busy.contains(machine), name + ": started beside one that stops");
        List<Member> there = members.computeIfAbsent(machine, m -> new ArrayList<>());
        there.add(
            new Member("t" + tasks++, want.primary(), "z", Health.WAITING, "", Instant.EPOCH));
        assertEquals(1, there.size(), name + ": two on one instance");
      }
      return plan.settled();
    }
  }
}
