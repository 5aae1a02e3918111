package dev.muelle.services.ecs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.services.Measurements;
import dev.muelle.services.ecs.agent.Utilization;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ecs.model.ClusterSetting;

/** The metrics of Container Insights. */
@Timeout(60)
class InsightsTest {

  private static final String CLUSTER = "{ClusterName=" + World.CLUSTER + "}";
  private static final String SERVICE =
      "{ClusterName=" + World.CLUSTER + ", ServiceName=" + World.SERVICE + "}";
  private static final String FAMILY =
      "{ClusterName=" + World.CLUSTER + ", TaskDefinitionFamily=" + World.FAMILY + "}";

  @TempDir Path directory;
  private final Map<String, List<Double>> seen = new TreeMap<>();

  private void note(Measurements.Metric metric, double value) {
    if (metric.namespace().equals("ECS/ContainerInsights")) {
      seen.computeIfAbsent(
              metric.name() + new TreeMap<>(metric.dimensions()), any -> new ArrayList<>())
          .add(value);
    }
  }

  private static void set(World world, String value) {
    world
        .ecs()
        .updateClusterSettings(r ->
            r.cluster(World.CLUSTER)
                .settings(ClusterSetting.builder().name("containerInsights").value(value).build()));
  }

  @Test
  void anEnabledClustersTasksAndServicesAreMeasured() {
    try (World world = new World(directory, 5);
        Utilization utilization =
            new Utilization(
                world.stored(),
                world.time,
                world.engine,
                metric -> (value, times) -> note(metric, value))) {
      world.lab(2);
      world.until("up", Duration.ofMinutes(30), world::settled);
      String manual = world.ecs().runTask(world.runTask().build()).tasks().getFirst().taskArn();
      world.until("runs", Duration.ofMinutes(5), () -> world.task(manual).startedAt() != null);
      utilization.start();
      world.pass(Duration.ofMinutes(2));
      assertEquals(Map.of(), seen, "it is not enabled");

      set(world, "enabled");
      world.pass(Duration.ofMinutes(1));
      seen.clear();
      world.pass(Duration.ofMinutes(1)); // the second minute has one to compare with
      // the simulated container uses a tenth of a processor, 8 MiB and a kilobyte a second
      assertEquals(List.of(102.4, 102.4, 102.4), rounded("CpuUtilized" + CLUSTER));
      assertEquals(List.of(102.4, 102.4), rounded("CpuUtilized" + SERVICE));
      assertEquals(3, seen.get("CpuUtilized" + FAMILY).size());
      assertEquals(List.of(1024.0, 1024.0), rounded("CpuReserved" + SERVICE));
      assertEquals(List.of(8.0, 8.0), rounded("MemoryUtilized" + SERVICE));
      assertEquals(List.of(3072.0, 3072.0), rounded("MemoryReserved" + SERVICE));
      assertEquals(List.of(1000.0, 1000.0), rounded("NetworkRxBytes" + SERVICE));
      assertEquals(List.of(1000.0, 1000.0), rounded("NetworkTxBytes" + SERVICE));
      assertEquals(List.of(0.0, 0.0), rounded("StorageReadBytes" + SERVICE));
      assertEquals(List.of(0.0, 0.0), rounded("StorageWriteBytes" + SERVICE));
      assertEquals(List.of(3.0), seen.get("TaskCount" + CLUSTER));
      assertEquals(List.of(1.0), seen.get("ServiceCount" + CLUSTER));
      assertEquals(List.of(0.0), seen.get("ContainerInstanceCount" + CLUSTER));
      assertEquals(List.of(2.0), seen.get("DesiredTaskCount" + SERVICE));
      assertEquals(List.of(2.0), seen.get("RunningTaskCount" + SERVICE));
      assertEquals(List.of(0.0), seen.get("PendingTaskCount" + SERVICE));
      assertEquals(List.of(1.0), seen.get("DeploymentCount" + SERVICE));
      assertEquals(List.of(0.0), seen.get("TaskSetCount" + SERVICE));
      Set<String> dimensions = new TreeSet<>();
      seen.keySet().forEach(key -> dimensions.add(key.substring(key.indexOf('{'))));
      assertEquals(Set.of(CLUSTER, SERVICE, FAMILY), dimensions);

      set(world, "disabled");
      seen.clear();
      world.pass(Duration.ofMinutes(2));
      assertTrue(seen.isEmpty());
    }
  }

  private List<Double> rounded(String key) {
    return seen.get(key).stream().map(value -> Math.round(value * 10) / 10.0).toList();
  }
}
