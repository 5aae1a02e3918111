package dev.muelle.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * {@code aws ecs execute-command}, with a client of ours in the place of the
 * session-manager-plugin; and what a container asks at the task's endpoint.
 */
@Timeout(300)
class ExecTest extends RegionTest {

  private static String task;

  @BeforeAll
  static void start() throws IOException {
    Path programs = Files.createDirectory(region.work().resolve("plugin"));
    Path plugin = programs.resolve("session-manager-plugin");
    Files.writeString(
        plugin,
        "#!/bin/sh\n[ $# -eq 0 ] || echo $$ > plugin/pid\nexec '%s' -cp '%s' %s \"$@\"\n"
            .formatted(
                Path.of(System.getProperty("java.home"), "bin/java"),
                System.getProperty("java.class.path"),
                SessionPlugin.class.getName()));
    Files.setPosixFilePermissions(plugin, PosixFilePermissions.fromString("rwxr-xr-x"));
    task =
        shell.run(
            """
            PATH=%s:$PATH
            aws ecs register-task-definition --family enter --requires-compatibilities FARGATE \\
              --network-mode awsvpc --cpu 256 --memory 512 \\
              --execution-role-arn arn:aws:iam::000000000000:role/LabRole \\
              --task-role-arn arn:aws:iam::000000000000:role/LabRole \\
              --container-definitions '[{"name":"main","image":"'$IMAGE'","user":"1000",
                "command":["sh","-c","trap \\"exit 0\\" TERM; while :; do sleep 0.1; done"],
                "environment":[{"name":"COLOR","value":"azul"}]}]' > /dev/null
            aws ecs run-task --launch-type FARGATE --task-definition enter --enable-execute-command \\
              --network-configuration "awsvpcConfiguration={subnets=[$SUBNET]}" \\
              --query 'tasks[0].taskArn' --output text
            """
                .formatted(programs));
    tasks.awaitRunning(task);
    shell.run("enter() { aws ecs execute-command --task " + task + " --interactive \"$@\"; }");
  }

  @AfterAll
  static void stop() throws IOException {
    shell.run("aws ecs stop-task --task " + task + " > /dev/null");
  }

  private static void assertContains(String text, String part) {
    assertTrue(text.contains(part), () -> "no '" + part + "' in: " + text);
  }

  @Test
  void aCommandRunsAsRootOnATerminalInTheContainer() throws Exception {
    String said =
        shell.run(
            "enter --command \"sh -c 'id -u; echo \\$COLOR; ls -l /proc/self/fd/1; exit 4'\""
                + " < /dev/null");
    assertContains(said, "0\nazul\n");
    assertContains(said, "/dev/pts/");
    assertContains(said, "Exiting session:");
  }

  @Test
  void aShellReadsWhatIsTyped() throws Exception {
    String said =
        shell.run(
            "printf 'echo $((6*7))$((6*7))\\rexit\\r' | enter --container main --command /bin/sh");
    assertContains(said, "4242\n");
  }

  @Test
  void muchOutputArrivesWhole() throws Exception {
    String said =
        shell.run(
            "enter --command \"sh -c 'i=0; while [ \\$i -lt 5000 ]; do echo line \\$i; i=\\$((i+1));"
                + " done'\" < /dev/null | tr -d '\\r' | grep -c '^line '");
    assertEquals("5000", said);
  }

  @Test
  void theCommandEndsWithItsClient() throws Exception {
    int seconds = ThreadLocalRandom.current().nextInt(1_000_000, 10_000_000);
    shell.run(
        """
        enter --command "sh -c 'trap \"\" HUP; echo up; sleep %d'" < /dev/null > exec.out 2>&1 &
        up() { grep -q up exec.out; }
        await up
        inside() { pgrep -xf 'sleep %d' > /dev/null; }
        await inside
        kill -9 $(cat plugin/pid)
        gone() { ! inside; }
        await gone
        """
            .formatted(seconds, seconds));
  }

  @Test
  void aWrongTokenIsShownTheDoor() throws Exception {
    String said =
        shell.run(
            """
            session=$(call ecs \\
              AmazonEC2ContainerServiceV20141113.ExecuteCommand \\
              '{"task":"%s","command":"sh","interactive":true}' | jq -c .session)
            forged=$(jq -c '.tokenValue = "forged"' <<< "$session")
            session-manager-plugin "$forged" us-east-1 StartSession '' '{}' x 2>&1 || echo not let in
            session-manager-plugin "$session" us-east-1 StartSession '' '{}' x 2>&1 || echo refused
            """
                .formatted(task));
    assertContains(said, "closed: 1008 Invalid token");
    assertContains(said, "refused"); // it was taken up, if in vain
  }

  @Test
  void theTasksEndpointAnswersInTheContainer() throws Exception {
    String stats =
        shell.run(
            "enter --command \"sh -c 'curl -s \\$ECS_CONTAINER_METADATA_URI_V4/stats; echo;"
                + " curl -s \\$ECS_CONTAINER_METADATA_URI_V4/task/stats; echo;"
                + " curl -s \\$ECS_AGENT_URI/task-protection/v1/state'\" < /dev/null"
                + " | tr -d '\\r' | grep '^{' > stats.out;"
                + " jq -s -c '[(.[0].memory_stats | .usage > 0 and .usage < .limit),"
                + " .[0].memory_stats.limit, (.[0].cpu_stats.cpu_usage.total_usage > 0),"
                + " (.[0].networks.eth0.rx_bytes > 0), (.[1] | length), .[2].failure.Reason]'"
                + " stats.out");
    assertEquals("[true,536870912,true,true,1,\"TASK_NOT_VALID\"]", stats);
  }
}
