package dev.muelle.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.e2e.FargateTasks.Ended;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a task definition says of its containers, seen from inside them and through the API. */
@Timeout(300)
class ContainersTest extends RegionTest {

  /** Ends when it is asked to; listens at a port of its own from when it has learned that. */
  private static final String POLITE =
      "trap 'exit 0' TERM; mkdir /up; httpd -p 9000 -h /up; while :; do sleep 0.1; done";

  /** What the task's other container says first, so that nobody asks the polite one too early. */
  private static final String ONCE_POLITE =
      "until curl -so /dev/null http://127.0.0.1:9000/; do sleep 0.1; done; ";

  /** A container's members, with a script as its command. */
  private static String container(String name, String script, String... more) {
    return "\"name\":\"%s\",\"command\":[\"sh\",\"-c\",\"%s\"]%s%s"
        .formatted(
            name,
            script.replace("\"", "\\\""),
            more.length == 0 ? "" : ",",
            String.join(",", more));
  }

  private static String described(String task, String query) throws IOException {
    return shell.run(
        "aws ecs describe-tasks --tasks %s --query '%s' --output text".formatted(task, query));
  }

  @Test
  void whatTheDefinitionSaysIsWhatTheProcessSees() throws Exception {
    tasks.define(
        "seen",
        """
        "name":"main","entryPoint":["sh","-c"],
        "command":["id -u; id -g; pwd; echo $GREETING; echo $0 $1; exit 4","zero","one two"],
        "environment":[{"name":"GREETING","value":"good morning, \\"dock\\""}],
        "workingDirectory":"/etc/deep/er","user":"1000:2000"\
        """);
    Ended ended = tasks.awaitStopped(tasks.start("seen"));
    assertEquals(
        new Ended(
            "4",
            "EssentialContainerExited",
            "Essential container in task exited",
            "1000\n2000\n/etc/deep/er\ngood morning, \"dock\"\nzero one two"),
        ended);

    String overridden =
        shell.run(
            """
            aws ecs run-task --launch-type FARGATE --task-definition seen \\
              --network-configuration "awsvpcConfiguration={subnets=[$SUBNET]}" \\
              --overrides '{"containerOverrides":[{"name":"main","command":["echo $GREETING $MORE"],
                "environment":[{"name":"GREETING","value":"other"},{"name":"MORE","value":"words"}]}]}' \\
              --query 'tasks[0].taskArn' --output text
            """);
    Ended other = tasks.awaitStopped(overridden);
    assertEquals("0", other.exitCode());
    assertEquals("other words", other.output());
  }

  @Test
  void theContainersOfATaskShareItsNetworkAndTheEssentialOnesItsLife() throws Exception {
    tasks.define(
        "pod",
        container(
            "main",
            ONCE_POLITE
                + "until curl -sf http://127.0.0.1:8080/ && curl -sf http://localhost:8080/; do sleep 0.1; done; exit 3"),
        container(
            "web", "mkdir /www; echo shared > /www/index.html; exec httpd -f -p 8080 -h /www"),
        container("helper", "echo done; exit 5", "\"essential\":false"),
        container("idle", POLITE, "\"essential\":false"));
    String task = tasks.start("pod");
    Ended ended = tasks.awaitStopped(task);
    assertEquals(
        new Ended(
            "3",
            "EssentialContainerExited",
            "Essential container in task exited",
            "shared\nshared"),
        ended);
    assertEquals("done", tasks.output(task, "helper"));
    assertEquals(
        List.of("helper 5", "idle 0", "main 3", "web 137"), // httpd as process 1 ignores SIGTERM
        described(task, "tasks[0].containers[].[name,exitCode]")
            .replace('\t', ' ')
            .lines()
            .sorted()
            .toList());
  }

  @Test
  void oneThatEndsAndIsNotEssentialLeavesTheTaskRunning() throws Exception {
    tasks.define(
        "partly",
        container("main", POLITE),
        container("helper", ONCE_POLITE + "exit 9", "\"essential\":false"));
    String task = tasks.start("partly");
    shell.run(
        """
        helper() { aws ecs describe-tasks --tasks %s --output text \\
          --query 'tasks[0].containers[?name==`helper`].[lastStatus,exitCode]'; }
        ended() { [ "$(helper)" = "STOPPED	9" ]; }
        await ended
        """
            .formatted(task));
    tasks.awaitRunning(task);
    assertEquals(
        "RUNNING\tRUNNING",
        described(task, "tasks[0].[lastStatus,containers[?name==`main`].lastStatus|[0]]"));
    shell.run("aws ecs stop-task --task " + task + " --reason 'seen enough' > /dev/null");
    assertEquals(new Ended("0", "UserInitiated", "seen enough", ""), tasks.awaitStopped(task));
  }

  @Test
  void sigtermThenSigkillAfterTheStopTimeout() throws Exception {
    tasks.define(
        "polite",
        container("main", "trap 'echo asked; exit 6' TERM; echo up; while :; do sleep 0.1; done"));
    tasks.define(
        "stubborn",
        container("main", "trap 'echo asked' TERM; echo up; while :; do sleep 0.1; done"));
    String polite = tasks.start("polite");
    String stubborn = tasks.start("stubborn");
    for (String task : List.of(polite, stubborn)) {
      shell.run(
          """
          printed() { call logs Logs_20140328.GetLogEvents \\
            '{"logGroupName":"/e2e","logStreamName":"t/main/%s"}' | grep -q '"up"'; }
          await printed
          """
              .formatted(task.substring(task.lastIndexOf('/') + 1)));
    }
    for (String task : List.of(polite, stubborn)) {
      shell.run("aws ecs stop-task --task " + task + " > /dev/null");
    }
    Ended asked = tasks.awaitStopped(polite);
    assertEquals(new Ended("6", "UserInitiated", "Task stopped by user", "up\nasked"), asked);
    Ended killed = tasks.awaitStopped(stubborn);
    assertEquals(new Ended("137", "UserInitiated", "Task stopped by user", "up\nasked"), killed);
    String seconds =
        shell.run(
            """
            jq -nr --argjson task "$(aws ecs describe-tasks --tasks %s --output json)" \\
              '$task.tasks[0] | [.stoppingAt, .executionStoppedAt] | map(sub("\\\\..*"; "Z") | fromdate) | .[1] - .[0]'
            """
                .formatted(stubborn));
    assertTrue(Integer.parseInt(seconds) >= 1, () -> "killed before its two seconds: " + seconds);
  }

  @Test
  void outOfMemory() throws Exception {
    tasks.define(
        "hungry",
        container("main", ONCE_POLITE + "echo eating; exec tail /dev/zero", "\"memory\":64"),
        container("other", POLITE));
    String task = tasks.start("hungry");
    Ended ended = tasks.awaitStopped(task);
    assertEquals(
        new Ended(
            "137", "EssentialContainerExited", "Essential container in task exited", "eating"),
        ended);
    assertEquals(
        "OutOfMemoryError: Container killed due to memory usage",
        described(task, "tasks[0].containers[?name==`main`].reason|[0]"));
    assertEquals("0", described(task, "tasks[0].containers[?name==`other`].exitCode|[0]"));
  }

  @Test
  void whatCannotBeStartedSaysWhy() throws Exception {
    tasks.define("nothing", "\"name\":\"main\",\"command\":[\"/no/such/program\"]");
    Ended ended = tasks.awaitStopped(tasks.start("nothing"));
    assertEquals("TaskFailedToStart", ended.stopCode());
    assertTrue(ended.reason().startsWith("CannotStartContainerError: "), ended::toString);
    assertTrue(ended.reason().contains("/no/such/program"), ended::toString);
  }
}
