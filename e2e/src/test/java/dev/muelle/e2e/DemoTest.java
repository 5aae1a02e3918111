package dev.muelle.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** {@code ./muelle demo}, the main job. */
@Timeout(1_500) // it may wait for the port
class DemoTest {

  @Test
  void worksTwiceAndIsRemovedWhole() throws Exception {
    try (TestRegion region = TestRegion.prepare("").owning(80)) {
      String first = region.bare("./muelle demo --port " + region.port());
      assertTwoTasksAnswer(first);
      List<String> running = region.traces();
      String second = region.bare("./muelle demo --port " + region.port());
      assertTwoTasksAnswer(second);
      assertEquals(running, region.traces(), "the second run changed what runs");
      region.bare("./muelle demo --remove");
      assertEquals(
          "[]",
          region.run("aws ecs list-clusters --query clusterArns --output json | tr -d ' \\n'"));
      assertTwoTasksAnswer(region.bare("./muelle demo --port " + region.port()));
    }
  }

  @Test
  void anInterruptedRunIsTakenOver() throws Exception {
    try (TestRegion region = TestRegion.prepare("").owning(80)) {
      for (String step : List.of("Cluster", "Load balancer", "Service", "Two tasks")) {
        region.bare(
            "coproc DEMO { exec ./muelle demo --port %d 2>&1; }; demo=$DEMO_PID;"
                    .formatted(region.port())
                + " while read -r line <&\"${DEMO[0]}\"; do"
                + " if [[ $line == *'"
                + step
                + "'* ]]; then kill -9 $demo; break; fi; done; wait $demo || true");
      }
      assertTwoTasksAnswer(region.bare("./muelle demo --port " + region.port()));
    }
  }

  private static void assertTwoTasksAnswer(String output) {
    assertTrue(output.contains("\"status\":\"alive\""), output);
    long tasks =
        Pattern.compile("\"task\":\"([0-9a-f]{32})\"")
            .matcher(output)
            .results()
            .map(match -> match.group(1))
            .distinct()
            .count();
    assertEquals(2, tasks, output);
  }
}
