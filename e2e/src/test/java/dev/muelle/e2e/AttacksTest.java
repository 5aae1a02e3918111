package dev.muelle.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What must not bring a region down: a server killed at the worst moment, a task gone wild. */
@Timeout(600)
class AttacksTest extends RegionTest {

  private static final int MANY = 50;

  private static void define(String family, String command) throws IOException {
    tasks.define(family, "\"name\":\"main\",\"command\":[\"sh\",\"-c\",\"%s\"]".formatted(command));
  }

  /** A program of ours, told from the others by what it is called with. */
  private static String sleeping(int seconds) {
    return "trap 'exit 0' TERM; sleep %d & wait".formatted(seconds);
  }

  /** The processes of such a program in the containers of this region. */
  private static int running(int seconds) throws IOException {
    return region.containers("sleep\0" + seconds + "\0").size();
  }

  /** A container that runs may not have come to its program yet. */
  private static void awaitRunning(int seconds, int count) throws IOException {
    shell.run(
        "ours() { [ \"$(pgrep -xfc 'sleep %d')\" = %d ]; }; await ours".formatted(seconds, count));
    assertEquals(count, running(seconds));
  }

  @Test
  void aDeploymentOfFiftyTasksOutlivesItsServer() throws Exception {
    define("many", sleeping(47_110));
    shell.run(
        """
        aws ecs create-service --service-name many --task-definition many --desired-count %d \\
          --launch-type FARGATE --network-configuration "awsvpcConfiguration={subnets=[$SUBNET]}" > /dev/null
        service() { # of the service, a fact
          call ecs AmazonEC2ContainerServiceV20141113.DescribeServices '{"services":["many"]}' |
            jq -r ".services[0] | $1"
        }
        is() { [ "$(service "$1")" = "$2" ]; }
        await is '.deployments[0].rolloutState' COMPLETED
        """
            .formatted(MANY));
    awaitRunning(47_110, MANY);

    // One task after the other, so that there is a middle to be killed in.
    define("many", sleeping(47_111));
    shell.run(
        """
        aws ecs update-service --service many --task-definition many \\
          --deployment-configuration minimumHealthyPercent=98,maximumPercent=102 > /dev/null
        """);
    for (int killed = 0; killed < 2; killed++) {
      shell.run(
          """
          further() { [ "$(pgrep -xfc 'sleep 47111')" -gt %d ]; }
          await further
          """
              .formatted(running(47_111) + 5));
      region.server().destroyForcibly();
      region.server().onExit().get();
      assertTrue(running(47_110) > 0, "it was killed too late to show anything");
      region.up();
    }
    shell.run(
        "await is '.deployments | length' 1; await is '.deployments[0].rolloutState' COMPLETED");
    assertEquals(
        MANY + " 0 " + MANY,
        shell.run("service '\"\\(.runningCount) \\(.pendingCount) \\(.desiredCount)\"'"));
    awaitRunning(47_111, MANY);
    awaitRunning(47_110, 0);
    assertEquals(
        String.valueOf(MANY),
        shell.run("aws ecs list-tasks --service-name many | jq '.taskArns | length'"));

    shell.run(
        """
        aws ecs delete-service --service many --force > /dev/null
        await is .status INACTIVE
        """);
    // Of each task an interface, a namespace, mounts and control groups were on the machine.
    awaitRunning(47_111, 0);
    assertEquals(
        List.of(), region.traces().stream().filter(trace -> trace.startsWith("process ")).toList());
    shell.run(
        """
        plugged() { aws ec2 describe-network-interfaces --output text --query 'length(NetworkInterfaces)'; }
        none() { [ "$(plugged)" = 0 ]; }
        await none
        """);
  }

  @Test
  void aForkBombMeetsItsLimitAndItsNeighboursAnswer() throws Exception {
    tasks.define("box", "\"name\":\"main\",\"portMappings\":[{\"containerPort\":8080}]");
    shell.run(
        "aws ec2 authorize-security-group-ingress --group-id $DEFAULT_GROUP --protocol tcp"
            + " --port 8080 --cidr 0.0.0.0/0 > /dev/null");
    String web =
        tasks.start(
            "box",
            "$SUBNET",
            "$DEFAULT_GROUP",
            "mkdir -p /www; echo still here > /www/index.html; exec httpd -f -p 8080 -h /www");
    tasks.awaitRunning(web);
    String address = tasks.address(web);

    String bomb =
        shell.run(
            """
            aws ecs register-task-definition --family bomb --requires-compatibilities FARGATE \\
              --network-mode awsvpc --cpu 1024 --memory 8192 \\
              --execution-role-arn arn:aws:iam::000000000000:role/LabRole --container-definitions \\
              '[{"name":"main","image":"'$IMAGE'","stopTimeout":2,"command":["sh","-c",
                "(while :; do sh -c \\"while :; do sleep 48110 & done\\"; done) & exec sleep 48111"]}]' > /dev/null
            aws ecs run-task --launch-type FARGATE --task-definition bomb \\
              --network-configuration "awsvpcConfiguration={subnets=[$SUBNET]}" \\
              --query 'tasks[0].taskArn' --output text
            """);
    tasks.awaitRunning(bomb);
    // How often a fork was refused is in the control group's pids.events.
    shell.run(
        """
        limited() {
          find /sys/fs/cgroup -path '*/%s/*' -name pids.events -exec cat {} + 2> /dev/null |
            grep -q 'max [1-9]'
        }
        await limited
        """
            .formatted(region.instance()));
    for (int i = 0; i < 3; i++) { // both he who asks and he who answers live beside it
      FargateTasks.Ended asked =
          tasks.once(
              "box",
              "$SUBNET",
              "$DEFAULT_GROUP",
              "exec curl -sS --max-time 60 http://" + address + ":8080/");
      assertEquals("still here", asked.output(), asked::toString);
    }
    assertEquals("RUNNING", tasks.fact(bomb, "lastStatus"), "it goes on all the while");
    assertTrue(running(48_110) > 1_000, () -> "no bomb");

    shell.run("aws ecs stop-task --task " + bomb + " > /dev/null");
    assertEquals("137", tasks.awaitStopped(bomb).exitCode());
    awaitRunning(48_110, 0);
    shell.run("aws ecs stop-task --task " + web + " > /dev/null");
    tasks.awaitStopped(web);
  }
}
