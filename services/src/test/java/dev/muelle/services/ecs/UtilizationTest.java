package dev.muelle.services.ecs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.muelle.services.Measurements;
import dev.muelle.services.ecs.agent.Utilization;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ecs.model.NetworkMode;
import software.amazon.awssdk.services.ecs.model.Resource;

class UtilizationTest {

  @TempDir Path directory;

  private final Map<String, List<Double>> seen = new TreeMap<>();

  private void note(Measurements.Metric metric, double value) {
    if (metric.namespace().equals("AWS/ECS")) {
      seen.computeIfAbsent(
              metric.name() + new TreeMap<>(metric.dimensions()), any -> new ArrayList<>())
          .add(value);
    }
  }

  private Measurements measurements(Duration period) {
    return new Measurements() {
      @Override
      public Duration period() {
        return period;
      }

      @Override
      public Recorder of(Metric metric) {
        return (value, times) -> note(metric, value);
      }
    };
  }

  @Test
  void eachTaskIsASampleOfWhatItsServiceReserved() {
    try (World world = new World(directory, 5);
        Utilization utilization =
            new Utilization(
                world.stored(), world.time, world.engine, measurements(Duration.ofMinutes(1)))) {
      world.lab(2);
      world.until("up", Duration.ofMinutes(30), world::settled);
      utilization.start();
      world.pass(Duration.ofMinutes(1));
      String of = "{ClusterName=" + World.CLUSTER + ", ServiceName=" + World.SERVICE + "}";
      assertEquals(List.of("MemoryUtilization" + of), List.copyOf(seen.keySet()));
      world.pass(Duration.ofMinutes(1));
      // the simulated container uses a tenth of a processor and 8 MiB; the task has 1 and 3 GiB
      assertEquals(2, seen.get("CPUUtilization" + of).size());
      for (double percent : seen.get("CPUUtilization" + of)) {
        assertEquals(10, percent, 0.01);
      }
      assertEquals(4, seen.get("MemoryUtilization" + of).size());
      assertEquals(100 * 8 / 3072.0, seen.get("MemoryUtilization" + of).getFirst(), 0.001);
    }
  }

  @Test
  void aClusterIsMeasuredByWhatItsInstancesHaveRegistered() {
    try (Ec2World world = new Ec2World(directory);
        Utilization utilization =
            new Utilization(
                world.stored(), world.time, world.engine, measurements(Duration.ofSeconds(10)))) {
      List<Instance> instances = world.instances("t3.medium", 2);
      world.define(NetworkMode.BRIDGE, Ec2World.web(0).cpu(256).build());
      world.running(2);
      utilization.start();
      world.time.advance(Duration.ofMinutes(1)); // six times, the first without a CPU to compare
      String of = "{ClusterName=" + Ec2World.CLUSTER + "}";
      double registered =
          world.containerInstances().stream()
              .flatMap(one -> one.registeredResources().stream())
              .filter(resource -> resource.name().equals("MEMORY"))
              .mapToInt(Resource::integerValue)
              .sum();
      assertEquals(
          Set.of(
              "CPUUtilization" + of, "MemoryUtilization" + of,
              "CPUReservation" + of, "MemoryReservation" + of),
          seen.keySet());
      assertEquals(5, seen.get("CPUUtilization" + of).size());
      assertEquals(100 * 2 * 102.4 / 4096, seen.get("CPUUtilization" + of).getLast(), 0.001);
      assertEquals(100 * 2 * 256 / 4096.0, seen.get("CPUReservation" + of).getLast(), 0.001);
      assertEquals(100 * 2 * 8 / registered, seen.get("MemoryUtilization" + of).getLast(), 0.001);
      assertEquals(100 * 2 * 64 / registered, seen.get("MemoryReservation" + of).getLast(), 0.001);
      double busy =
          instances.stream().mapToDouble(one -> utilization.vcpus(one.instanceId())).sum();
      assertEquals(0.2 * 5 / 6, busy, 0.001, "the mean of the minute's six periods");
      world.time.advance(Duration.ofMinutes(1));
      busy = instances.stream().mapToDouble(one -> utilization.vcpus(one.instanceId())).sum();
      assertEquals(0.2, busy, 0.001);
    }
  }
}
