package dev.muelle.services.autoscaling;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.services.ecs.Life;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.autoscaling.model.AutoScalingException;
import software.amazon.awssdk.services.autoscaling.model.IdempotentParameterMismatchErrorException;
import software.amazon.awssdk.services.autoscaling.model.InstanceCollection;
import software.amazon.awssdk.services.autoscaling.model.LaunchInstancesRequest;
import software.amazon.awssdk.services.autoscaling.model.LaunchInstancesResponse;

/** Instances that a group launches while the caller waits. */
class LaunchInstancesTest {

  @TempDir private Path directory;
  private World world;
  private String zone;

  @BeforeEach
  void open() {
    world = new World(directory, 11);
    world.scaling.createAutoScalingGroup(world.group(0, 6, 2).build());
    world.serves(2);
    zone = world.group().availabilityZones().getFirst();
  }

  @AfterEach
  void close() {
    world.close();
  }

  private LaunchInstancesResponse launch(int count, Consumer<LaunchInstancesRequest.Builder> more) {
    LaunchInstancesRequest.Builder request =
        LaunchInstancesRequest.builder()
            .autoScalingGroupName(World.GROUP)
            .requestedCapacity(count)
            .clientToken("t");
    more.accept(request);
    return world.scaling.launchInstances(request.build());
  }

  private void refused(String said, int count, Consumer<LaunchInstancesRequest.Builder> more) {
    String message =
        assertThrows(AutoScalingException.class, () -> launch(count, more)).getMessage();
    assertTrue(message.contains(said), message);
    assertEquals(2, world.group().desiredCapacity());
  }

  @Test
  void theCallerIsToldWhichTheyAre() {
    LaunchInstancesResponse answer = launch(2, r -> r.availabilityZones(zone));
    InstanceCollection made = answer.instances().getFirst();
    assertEquals(2, new HashSet<>(made.instanceIds()).size());
    assertEquals("t3.small", made.instanceType());
    assertEquals(zone, made.availabilityZone());
    assertEquals("OnDemand", made.marketType());
    assertEquals(List.of(), answer.errors());
    assertEquals(4, world.group().desiredCapacity());
    assertTrue(world.alive().containsAll(made.instanceIds()));
    assertEquals(answer, launch(2, r -> r.availabilityZones(zone)), "under the same token");
    assertThrows(
        IdempotentParameterMismatchErrorException.class,
        () -> launch(1, r -> r.availabilityZones(zone)));
    world.serves(4);
    assertTrue(world.serving().containsAll(made.instanceIds()));
    assertTrue(
        world.activities().stream().anyMatch(a -> a.cause().contains("capacity from 2 to 4")));
  }

  @Test
  void whereToMustBeSaid() {
    refused("several Availability Zones", 1, r -> {});
    refused("none of the Auto Scaling group", 1, r -> r.availabilityZones("us-east-1z"));
    refused("At most one", 1, r -> r.subnetIds(world.subnets()));
    refused("above max value 6", 5, r -> r.availabilityZones(zone));
    refused("requestedCapacity", 0, r -> r.availabilityZones(zone));
    refused("clientToken", 1, r -> r.availabilityZones(zone).clientToken("a b"));
    refused("RetryStrategy", 1, r -> r.availabilityZones(zone).retryStrategy("often"));
    String subnet = world.subnets().get(1);
    assertEquals(subnet, launch(1, r -> r.subnetIds(subnet)).instances().getFirst().subnetId());
  }

  @Test
  void whatFailsIsToldAndNotTriedAgainUnlessThatIsWanted() {
    world.ec2.deleteLaunchTemplate(r -> r.launchTemplateName("web"));
    LaunchInstancesResponse answer = launch(1, r -> r.availabilityZones(zone));
    assertEquals(List.of(), answer.instances());
    assertEquals("InvalidLaunchTemplateId.NotFound", answer.errors().getFirst().errorCode());
    assertEquals(2, world.group().desiredCapacity());
    LaunchInstancesResponse next =
        launch(
            1,
            r ->
                r.availabilityZones(zone)
                    .clientToken("u")
                    .retryStrategy("retry-with-group-configuration"));
    assertEquals(1, next.errors().size());
    assertEquals(3, world.group().desiredCapacity());
  }

  @Test
  void aServersDeathLaunchesNoneTwice() {
    for (int steps = 1; steps <= 40; steps++) {
      int before = world.group().desiredCapacity();
      String token = "t" + steps;
      world.life().endAfter(steps);
      try {
        launch(1, r -> r.availabilityZones(zone).clientToken(token));
      } catch (Life.Killed e) {
        world.life().end();
      }
      world.restart();
      LaunchInstancesResponse answer = launch(1, r -> r.availabilityZones(zone).clientToken(token));
      String id = answer.instances().getFirst().instanceIds().getFirst();
      assertEquals(before + 1, world.group().desiredCapacity(), "after " + steps);
      world.serves(before + 1);
      assertEquals(new TreeSet<>(world.serving()), new TreeSet<>(world.alive()));
      world.scaling.terminateInstanceInAutoScalingGroup(
          r -> r.instanceId(id).shouldDecrementDesiredCapacity(true));
      world.serves(before);
    }
  }
}
