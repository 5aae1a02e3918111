package dev.muelle.services.ecs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.muelle.services.Measurements;
import dev.muelle.services.ecs.agent.Utilization;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UtilizationTest {

  @TempDir Path directory;

  @Test
  void eachTaskIsASampleOfWhatItsServiceReserved() {
    Map<String, List<Double>> seen = new TreeMap<>();
    Measurements measurements =
        metric ->
            (value, times) ->
                seen.computeIfAbsent(
                        metric.namespace()
                            + " "
                            + metric.name()
                            + new TreeMap<>(metric.dimensions()),
                        any -> new ArrayList<>())
                    .add(value);
    try (World world = new World(directory, 5);
        Utilization utilization =
            new Utilization(world.stored(), world.time, world.engine, measurements)) {
      world.lab(2);
      world.until("up", Duration.ofMinutes(30), world::settled);
      utilization.start();
      world.pass(Duration.ofMinutes(1));
      String of = "{ClusterName=" + World.CLUSTER + ", ServiceName=" + World.SERVICE + "}";
      assertEquals(List.of("AWS/ECS MemoryUtilization" + of), List.copyOf(seen.keySet()));
      world.pass(Duration.ofMinutes(1));
      // the simulated container uses a tenth of a processor and 8 MiB; the task has 1 and 3 GiB
      assertEquals(2, seen.get("AWS/ECS CPUUtilization" + of).size());
      for (double percent : seen.get("AWS/ECS CPUUtilization" + of)) {
        assertEquals(10, percent, 0.01);
      }
      assertEquals(4, seen.get("AWS/ECS MemoryUtilization" + of).size());
      assertEquals(100 * 8 / 3072.0, seen.get("AWS/ECS MemoryUtilization" + of).getFirst(), 0.001);
    }
  }
}
