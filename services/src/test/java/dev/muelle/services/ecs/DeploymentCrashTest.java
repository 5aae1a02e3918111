package dev.muelle.services.ecs;

import static dev.muelle.services.ecs.World.CLUSTER;
import static dev.muelle.services.ecs.World.CONTAINER;
import static dev.muelle.services.ecs.World.SERVICE;
import static dev.muelle.services.ecs.World.TARGETS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.engine.sim.Behaviour;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ecs.model.ConflictException;
import software.amazon.awssdk.services.ecs.model.DeploymentRolloutState;
import software.amazon.awssdk.services.ecs.model.Service;
import software.amazon.awssdk.services.ecs.model.ServiceDeploymentBrief;

/**
 * Good and bad revisions come one after the other, deployments are stopped by hand, and the server
 * dies between any two steps: what serves is always enough, the end is a good revision, and every
 * deployment that began has one end.
 */
@Timeout(300)
class DeploymentCrashTest {

  private static final List<Integer> SEEDS = Seeds.orElse(15);
  private static final Duration LONG = Duration.ofMinutes(60);

  @TempDir Path directory;

  @Test
  void whateverIsDeployedTheServiceServesAndEndsWell() throws IOException {
    int deaths = 0;
    for (int seed : SEEDS) {
      try (World world = new World(Files.createTempDirectory(directory, "world"), seed)) {
        deaths += new History(world, new Random(seed)).run();
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
      }
    }
    assertTrue(deaths > SEEDS.size(), "the server died only " + deaths + " times");
  }

  private static final class History {
    private final World world;
    private final Random chaos;
    private final int desired;
    private final Set<String> good = new HashSet<>();
    private int revision;
    private int deaths;

    History(World world, Random chaos) {
      this.world = world;
      this.chaos = chaos;
      desired = 2 + chaos.nextInt(5);
    }

    int run() {
      world.script.put(CONTAINER, Behaviour.runs().pulledIn(Duration.ofSeconds(2)));
      world.script.put(
          "broken",
          Behaviour.runs().pulledIn(Duration.ofSeconds(1)).exiting(1, Duration.ofMillis(500)));
      world.lab(desired);
      good.add(world.service().taskDefinition());
      world.until("settled first", LONG, world::settled);
      world.until("completed first", LONG, () -> completed(world.service()));
      for (int step = 0; step < 12; step++) {
        world.life().endAfter(1 + chaos.nextInt(600));
        int what = chaos.nextInt(5);
        world.persistently(() -> {
          disturb(what);
          return true;
        });
        int ticks = chaos.nextInt(400);
        for (int i = 0; i < ticks; i++) {
          revive();
          world.pass(Duration.ofMillis(100));
          if (!world.life().over()) {
            int serving = world.balancer.serving(TARGETS).size();
            assertTrue(serving >= desired, serving + " serve");
          }
        }
      }
      deaths += world.life().over() ? 1 : 0;
      world.restart(); // the last one lives
      world.until("settled at last", LONG, () -> world.settled() && completed(world.service()));
      Service service = world.service();
      assertTrue(good.contains(service.taskDefinition()), "a bad revision is left");
      List<ServiceDeploymentBrief> history =
          world
              .ecs()
              .listServiceDeployments(r -> r.cluster(CLUSTER).service(SERVICE))
              .serviceDeployments();
      for (ServiceDeploymentBrief one : history) {
        assertTrue(one.finishedAt() != null, one + " has no end");
      }
      assertEquals(service.currentServiceDeployment(), history.getFirst().serviceDeploymentArn());
      world.engine.starts().forEach((id, times) -> assertEquals(1, times, id));
      return deaths;
    }

    private static boolean completed(Service service) {
      return service.deployments().getFirst().rolloutState() == DeploymentRolloutState.COMPLETED;
    }

    private void revive() {
      if (world.life().over()) {
        deaths++;
        world.restart();
      }
    }

    private void disturb(int what) {
      revive();
      switch (what) {
        case 0, 1 -> {
          String next =
              world.register(World.container().image("registry.test/broken:" + ++revision).build());
          deploy(next);
        }
        case 2 -> {
          String next = world.register(World.container().command("serve", "" + ++revision).build());
          good.add(next);
          deploy(next);
        }
        case 3 -> {
          String arn = world.service().currentServiceDeployment();
          try {
            world.ecs().stopServiceDeployment(r -> r.serviceDeploymentArn(arn));
          } catch (ConflictException e) {
            // It was over.
          }
        }
        default -> {} // a quiet while
      }
    }

    private void deploy(String definition) {
      world
          .ecs()
          .updateService(r ->
              r.cluster(CLUSTER)
                  .service(SERVICE)
                  .taskDefinition(definition)
                  .deploymentConfiguration(
                      c -> c.deploymentCircuitBreaker(b -> b.enable(true).rollback(true))));
    }
  }
}
