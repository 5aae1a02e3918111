package dev.muelle.services.ecs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.engine.sim.Behaviour;
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
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;

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
      // 20 GiB, and the simulated sandbox takes a MiB
      assertEquals(List.of(21.5, 21.5), rounded("EphemeralStorageReserved" + SERVICE));
      assertEquals(2, seen.get("EphemeralStorageUtilized" + SERVICE).size());
      assertEquals(Set.of(CLUSTER, SERVICE, FAMILY), dimensions());

      set(world, "disabled");
      seen.clear();
      world.pass(Duration.ofMinutes(2));
      assertTrue(seen.isEmpty());
    }
  }

  private Set<String> dimensions() {
    Set<String> dimensions = new TreeSet<>();
    seen.keySet().forEach(key -> dimensions.add(key.substring(key.indexOf('{'))));
    return dimensions;
  }

  @Test
  void withEnhancedObservabilityEachTaskAndContainerIsMeasured() {
    try (World world = new World(directory, 5);
        Utilization utilization =
            new Utilization(
                world.stored(),
                world.time,
                world.engine,
                metric -> (value, times) -> note(metric, value))) {
      world.lab(1);
      world.until("up", Duration.ofMinutes(30), world::settled);
      set(world, "enhanced");
      utilization.start();
      world.pass(Duration.ofMinutes(1));
      seen.clear();
      world.pass(Duration.ofMinutes(1));
      String arn = world.ecs().listTasks(r -> r.cluster(World.CLUSTER)).taskArns().getFirst();
      String task = ", TaskId=" + arn.substring(arn.lastIndexOf('/') + 1) + "}";
      String container = "{ClusterName=" + World.CLUSTER + ", ContainerName=" + World.CONTAINER;
      String service = ", ServiceName=" + World.SERVICE;
      String family = ", TaskDefinitionFamily=" + World.FAMILY;
      String ofService = SERVICE.replace("}", task);
      String named = container + service + task;
      assertEquals(List.of(102.4), rounded("CpuUtilized" + ofService));
      assertEquals(List.of(10.0), rounded("TaskCpuUtilization" + ofService));
      assertEquals(List.of(0.3), rounded("TaskMemoryUtilization" + ofService));
      assertEquals(List.of(0.0), rounded("TaskEphemeralStorageUtilization" + ofService));
      assertEquals(List.of(102.4), rounded("ContainerCpuUtilized" + named));
      assertEquals(List.of(1024.0), rounded("ContainerCpuReserved" + named), "the task's");
      assertEquals(List.of(10.0), rounded("ContainerCpuUtilization" + named));
      assertEquals(List.of(10.0), rounded("ContainerCpuUtilization" + ofService));
      assertEquals(List.of(8.0), rounded("ContainerMemoryUtilized" + named));
      assertEquals(List.of(0.4), rounded("ContainerMemoryUtilization" + named), "of its own 2 GiB");
      assertEquals(List.of(1000.0), rounded("ContainerNetworkRxBytes" + ofService));
      assertEquals(List.of(1000.0), rounded("ContainerNetworkTxBytes" + named));
      assertEquals(List.of(0.0), rounded("ContainerStorageReadBytes" + named));
      assertEquals(
          Set.of(
              CLUSTER,
              SERVICE,
              FAMILY,
              ofService,
              FAMILY.replace("}", task),
              container + service + "}",
              container + family + "}",
              named,
              container + family + task),
          dimensions());
    }
  }

  @Test
  void restartsAndIllHealthAreMeasured() {
    try (World world = new World(directory, 5);
        Utilization utilization =
            new Utilization(
                world.stored(),
                world.time,
                world.engine,
                metric -> (value, times) -> note(metric, value))) {
      world.script.put("often", Behaviour.runs().exiting(1, Duration.ofSeconds(100)));
      world.script.put("ill", Behaviour.runs().answering(age -> 1));
      world.createCluster();
      set(world, "enhanced");
      world.register(
          ContainerDefinition.builder()
              .name("often")
              .image("registry.test/often:1")
              .restartPolicy(policy -> policy.enabled(true).restartAttemptPeriod(60))
              .build(),
          ContainerDefinition.builder()
              .name("ill")
              .image("registry.test/ill:1")
              .essential(false)
              .healthCheck(check -> check.command("CMD-SHELL", "false").interval(5).retries(1))
              .build());
      String arn = world.ecs().runTask(world.runTask().build()).tasks().getFirst().taskArn();
      utilization.start();
      world.until(
          "restarted",
          Duration.ofMinutes(10),
          () -> seen.getOrDefault("RestartCount" + CLUSTER, List.of(0.0)).getLast() == 1);
      String task = arn.substring(arn.lastIndexOf('/') + 1);
      String of =
          "{ClusterName=%s, ContainerName=%s, TaskDefinitionFamily=%s, TaskId=%s}"
              .formatted(World.CLUSTER, "%s", World.FAMILY, task);
      assertEquals(1, seen.get("RestartCount" + of.formatted("often")).getLast());
      assertEquals(1, seen.get("UnHealthyContainerHealthStatus" + of.formatted("ill")).getLast());
      assertEquals(1, seen.get("UnHealthyContainerHealthStatus" + CLUSTER).getLast());
      for (String key : seen.keySet()) {
        assertFalse(key.equals("RestartCount" + of.formatted("ill")), "it has no such policy");
        assertFalse(
            key.equals("UnHealthyContainerHealthStatus" + of.formatted("often")),
            "it has no health check");
      }
    }
  }

  private List<Double> rounded(String key) {
    return seen.get(key).stream().map(value -> Math.round(value * 10) / 10.0).toList();
  }
}
