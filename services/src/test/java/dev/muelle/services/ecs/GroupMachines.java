package dev.muelle.services.ecs;

import dev.muelle.services.ecs.capacity.AutoScalingGroups.Life;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.Instance;

/** Instances of a world's real EC2. */
final class GroupMachines implements SimGroups.Machines {

  private final Ec2World world;

  GroupMachines(Ec2World world) {
    this.world = world;
  }

  @Override
  public List<String> launch(String type, int count) {
    return world.ec2.runInstances(world.launch(type, count).build()).instances().stream()
        .map(Instance::instanceId)
        .toList();
  }

  @Override
  public void terminate(String id) {
    world.ec2.terminateInstances(r -> r.instanceIds(id));
  }

  @Override
  public @Nullable Life life(String id) {
    return switch (world.instance(id).state().name()) {
      case PENDING -> Life.PENDING;
      case RUNNING -> Life.IN_SERVICE;
      case TERMINATED -> null;
      default -> Life.TERMINATING;
    };
  }

  @Override
  public Instant launchedAt(String id) {
    return world.instance(id).launchTime();
  }
}
