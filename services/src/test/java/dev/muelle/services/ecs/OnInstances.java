package dev.muelle.services.ecs;

import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ecs.model.EcsException;

/**
 * How a test begins whose tasks run on container instances: a cluster, a task definition, no
 * instance.
 */
abstract class OnInstances {

  static final Duration LONG = Duration.ofMinutes(10);

  @TempDir Path directory;
  World world;
  Instances instances;

  @BeforeEach
  void open() {
    world = new World(directory, 1);
    instances = new Instances(world);
    world.createCluster();
    world.register(World.container().build());
  }

  @AfterEach
  void close() {
    world.close();
  }

  static String refused(Executable call) {
    return assertThrows(EcsException.class, call).getMessage();
  }
}
