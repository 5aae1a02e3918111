package dev.muelle.services.ecs;

import static dev.muelle.services.ecs.World.CLUSTER;
import static dev.muelle.services.ecs.World.CONTAINER;
import static dev.muelle.services.ecs.World.SERVICE;
import static dev.muelle.services.ecs.World.TARGETS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.DeploymentRolloutState;
import software.amazon.awssdk.services.ecs.model.LaunchType;
import software.amazon.awssdk.services.ecs.model.LoadBalancer;
import software.amazon.awssdk.services.ecs.model.PortMapping;

/**
 * A service behind two target groups: its application, and a second container's own port.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/register-multiple-targetgroups.html">Registering
 *     multiple target groups with a service</a>
 */
@Timeout(60)
class TargetGroupsTest {

  private static final String ADMIN = TARGETS.replace("target-group/1", "admin/2");
  private static final int PORT = 9090;
  private static final Duration LONG = Duration.ofMinutes(10);

  @TempDir Path directory;
  private World world;

  @BeforeEach
  void open() {
    world = new World(directory, 1);
    world.balancer.addGroup(ADMIN, FakeEc2.VPC, true);
    world.createCluster();
    register("1");
  }

  @AfterEach
  void close() {
    world.close();
  }

  private String register(String revision) {
    return world.register(
        World.container().command("serve", revision).cpu(512).memoryReservation(1024).build(),
        ContainerDefinition.builder()
            .name("admin")
            .image("registry.test/admin:1")
            .portMappings(PortMapping.builder().containerPort(PORT).build())
            .build());
  }

  private void create() {
    world
        .ecs()
        .createService(r ->
            r.cluster(CLUSTER)
                .serviceName(SERVICE)
                .taskDefinition(World.FAMILY)
                .launchType(LaunchType.FARGATE)
                .desiredCount(2)
                .healthCheckGracePeriodSeconds(3600)
                .loadBalancers(
                    World.loadBalancer(),
                    LoadBalancer.builder()
                        .targetGroupArn(ADMIN)
                        .containerName("admin")
                        .containerPort(PORT)
                        .build())
                .networkConfiguration(World.net()));
  }

  private DeploymentRolloutState state() {
    return world.service().deployments().getFirst().rolloutState();
  }

  private int serving(String group) {
    return world.balancer.serving(group).size();
  }

  private void completed() {
    world.until("completed", LONG, () -> state() == DeploymentRolloutState.COMPLETED);
  }

  @Test
  void aTaskIsHealthyWhenItIsInEveryGroup() {
    world.balancer.deaf.add(PORT);
    create();
    world.until("half healthy", LONG, () -> serving(TARGETS) == 2);
    world.pass(Duration.ofMinutes(5));
    assertEquals(DeploymentRolloutState.IN_PROGRESS, state());
    assertEquals(2, world.service().runningCount());
    world.balancer.deaf.clear();
    completed();
    assertEquals(2, serving(ADMIN));
    assertEquals(
        Set.copyOf(world.balancer.serving(TARGETS)), Set.copyOf(world.balancer.serving(ADMIN)));
  }

  @Test
  void neitherGroupIsLeftWithTooFewWhileTasksAreReplaced() {
    create();
    completed();
    String second = register("2");
    world.ecs().updateService(r -> r.cluster(CLUSTER).service(SERVICE).taskDefinition(second));
    world.until(
        "rolled",
        LONG,
        () -> {
          assertTrue(serving(TARGETS) >= 2, "fewer than two in the first group");
          assertTrue(serving(ADMIN) >= 2, "fewer than two in the second group");
          return state() == DeploymentRolloutState.COMPLETED
              && world.service().deployments().size() == 1;
        });
    assertEquals(2, world.service().runningCount());

    world.ecs().updateService(r -> r.cluster(CLUSTER).service(SERVICE).desiredCount(1));
    world.until("one left", LONG, () -> serving(TARGETS) == 1 && serving(ADMIN) == 1);
    assertEquals(world.balancer.serving(TARGETS), world.balancer.serving(ADMIN));

    world.ecs().deleteService(r -> r.cluster(CLUSTER).service(SERVICE).force(true));
    world.until("gone", LONG, () -> world.service().status().equals("INACTIVE"));
    assertEquals(List.of(), world.balancer.serving(TARGETS));
    assertEquals(List.of(), world.balancer.serving(ADMIN));
    assertEquals(List.of(), world.engine.sandboxes());
  }

  @Test
  void aTaskThatFailsInOneGroupIsReplaced() {
    create();
    completed();
    world
        .ecs()
        .updateService(r -> r.cluster(CLUSTER).service(SERVICE).healthCheckGracePeriodSeconds(0));
    List<String> before = world.balancer.serving(TARGETS);
    world.balancer.deaf.add(PORT);
    world.until(
        "noticed",
        LONG,
        () -> world.saysEvent("(port " + PORT + ") is unhealthy in (target-group"));
    world.balancer.deaf.clear();
    world.until("settled", LONG, () -> serving(TARGETS) == 2 && serving(ADMIN) == 2);
    assertTrue(
        world.balancer.serving(TARGETS).stream().anyMatch(address -> !before.contains(address)),
        CONTAINER + " was not replaced");
  }
}
