package dev.muelle.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The lab, by the very commands of its document. */
@Timeout(1_500) // it may wait for the port
class FargateLabTest {

  private static final String DOCUMENT = "fargate-ecs-alb.md";

  @Test
  void theSpanishDocumentHasTheSameCommands() throws Exception {
    List<String> english = LabDocument.read(DOCUMENT).all();
    assertFalse(english.isEmpty());
    assertEquals(english, LabDocument.read("fargate-ecs-alb.es.md").all());
  }

  @Test
  void theWholeLabWorksAndLeavesNothing() throws Exception {
    LabDocument lab = LabDocument.read(DOCUMENT);
    try (TestRegion region = TestRegion.start("").owning(80)) {
      List<String> idle;
      try (Session learner = region.session()) {
        learner.run(lab.sections(0, 0)); // the first call makes the account's region, with its VPC
        idle = region.traces();
        learner.run(lab.sections(1, 4));
        learner.run(lab.sections(5, 5));
        assertEquals(
            "2",
            learner.run(
                "aws elbv2 describe-target-health --target-group-arn $TARGETS --output text"
                    + " --query 'length(TargetHealthDescriptions[?TargetHealth.State==`healthy`])'"));
        learner.run(
            "until %s | grep 'has reached a steady state'; do sleep 0.2; done"
                .formatted(describe("events[].message")));
        closedUntilTheGroupLetsIn(learner);

        String tried = learner.run(lab.sections(6, 6));
        assertTrue(tried.contains("HTTP/1.1 200 OK"), tried);
        assertTrue(tried.contains("\"status\":\"alive\""), tried);
        assertTrue(tried.contains("listening on port 5050"), tried);

        rollingLosesNothing(region, learner, lab);

        String broken = learner.run(lab.sections(8, 8));
        assertTrue(broken.contains("UserInitiated"), broken);
        assertTrue(broken.contains("EssentialContainerExited"), broken);
        aKilledProcessIsReplacedAndExplained(learner);

        learner.run(lab.sections(9, 9));
      }
      assertEquals(idle, region.traces(), "left after the lab's last section");
    }
  }

  private static void closedUntilTheGroupLetsIn(Session learner) throws IOException {
    String closed =
        learner.run(
            "NAME=$(aws elbv2 describe-load-balancers --load-balancer-arns $BALANCER --output text"
                + " --query 'LoadBalancers[0].DNSName');"
                + " curl -s --max-time 3 http://$NAME/alive || echo closed $?");
    assertTrue(closed.startsWith("closed"), closed);
  }

  /** Section 7 under load: no request fails, and never fewer than two targets are healthy. */
  private static void rollingLosesNothing(TestRegion region, Session learner, LabDocument lab)
      throws IOException {
    Path codes = region.work().resolve("codes.txt");
    Path healthy = region.work().resolve("healthy.txt");
    Path stop = region.work().resolve("stop");
    learner.run(
        """
        for client in 1 2 3; do
          ( while [ ! -e %1$s ]; do
              curl -s -o /dev/null -w '%%{http_code}\\n' --max-time 10 http://$DNS_NAME/alive || true
            done >> %2$s ) &
        done
        ( while [ ! -e %1$s ]; do
            aws elbv2 describe-target-health --target-group-arn $TARGETS --output text \\
              --query 'length(TargetHealthDescriptions[?TargetHealth.State==`healthy`])'
          done >> %3$s ) &
        """
            .formatted(stop, codes, healthy));
    String rolled = learner.run(lab.sections(7, 7));
    learner.run("touch " + stop + "; wait");
    assertTrue(rolled.contains("\"version\":\"2\""), rolled);
    List<String> answers = Files.readAllLines(codes);
    assertTrue(answers.size() > 50, "too little load to mean anything: " + answers.size());
    assertEquals(List.of(), answers.stream().filter(code -> !code.equals("200")).toList());
    List<String> counts = Files.readAllLines(healthy);
    assertTrue(counts.size() > 2, () -> "too few looks: " + counts);
    assertEquals(
        List.of(), counts.stream().filter(count -> Integer.parseInt(count.trim()) < 2).toList());
  }

  private static void aKilledProcessIsReplacedAndExplained(Session learner) throws IOException {
    // The process is found on the machine by its address: the metadata gives the task's id.
    String task =
        learner.run(
            "aws ecs list-tasks --cluster alba-digi-cluster --service-name alba-digi-service"
                + " --query 'taskArns[0]' --output text");
    String pid =
        learner.run(
            "for pid in $(pgrep -f dev.muelle.examples.albadigi.AlbaDigiApi); do"
                + " if tr '\\0' '\\n' < /proc/$pid/environ | grep -q '^ECS_CONTAINER_METADATA_URI_V4='"
                + " && grep -q \"$(basename "
                + task
                + ")\" /proc/$pid/cgroup; then echo $pid; fi; done");
    assertTrue(pid.matches("[0-9]+"), () -> "which process is " + task + "? " + pid);
    learner.run("kill -9 " + pid);
    learner.run("aws ecs wait tasks-stopped --cluster alba-digi-cluster --tasks " + task);
    String why =
        learner.run(
            "aws ecs describe-tasks --cluster alba-digi-cluster --tasks "
                + task
                + " --output text --query"
                + " 'tasks[0].[stopCode,stoppedReason,containers[0].exitCode]'");
    assertEquals("EssentialContainerExited\tEssential container in task exited\t137", why);
    learner.run(
        "aws ecs wait services-stable --cluster alba-digi-cluster --services alba-digi-service");
    assertEquals("3", learner.run(describe("runningCount")));
  }

  private static String describe(String query) {
    return "aws ecs describe-services --cluster alba-digi-cluster --services alba-digi-service"
        + " --output text --query 'services[0]."
        + query
        + "'";
  }
}
