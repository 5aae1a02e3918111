package dev.muelle.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.List;

/**
 * Small Fargate tasks of busybox, run and looked at with the {@code aws} command. The session's
 * shell knows:
 *
 * <ul>
 *   <li>{@code await COMMAND…}: tries a command until it succeeds, for two minutes;
 *   <li>{@code call SERVICE TARGET JSON}: one signed request of a JSON protocol, by curl;
 *   <li>{@code task TASK QUERY}: one fact of a task, as text;
 *   <li>{@code reached TASK STATUS}: whether a task is there;
 *   <li>{@code $IMAGE}, {@code $VPC}, {@code $SUBNET}, {@code $DEFAULT_GROUP} of the default VPC.
 * </ul>
 */
final class FargateTasks implements AutoCloseable {

  private static final String LOGS =
      """
      "logConfiguration":{"logDriver":"awslogs","options":{"awslogs-group":"/e2e",
      "awslogs-region":"us-east-1","awslogs-stream-prefix":"t","awslogs-create-group":"true"}}\
      """;

  private final Session shell;

  FargateTasks(TestRegion region) throws IOException {
    shell = region.session();
    shell.run("eval \"$(./muelle env)\"; aws ecr create-repository --repository-name box");
    new BusyboxImage(region).push("box");
    shell.run(
        """
        IMAGE=localhost:%d/box:latest
        await() {
          local end=$((SECONDS + 120))
          until "$@"; do
            [ $SECONDS -lt $end ] || { echo "never: $*"; return 1; }
            sleep 0.2
          done
        }
        task() { aws ecs describe-tasks --tasks "$1" --query "tasks[0].$2" --output text; }
        call() { # SERVICE TARGET JSON: as aws, signed by curl and quicker, for what asks often
          curl -s --aws-sigv4 aws:amz:us-east-1:$1 --user $AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY \
            -H 'Content-Type: application/x-amz-json-1.1' -H "X-Amz-Target: $2" -d "$3" $AWS_ENDPOINT_URL/
        }
        reached() { # another status that is final ends the waiting
          TASK=$(call ecs AmazonEC2ContainerServiceV20141113.DescribeTasks '{"tasks":["'$1'"]}')
          local status=$(jq -r '.tasks[0].lastStatus' <<< "$TASK")
          [ "$status" != STOPPED ] || end=0
          [ "$status" = "$2" ]
        }
        aws ecs create-cluster --cluster-name default
        VPC=$(aws ec2 describe-vpcs --query 'Vpcs[0].VpcId' --output text)
        SUBNET=$(aws ec2 describe-subnets --query 'Subnets[0].SubnetId' --output text)
        DEFAULT_GROUP=$(aws ec2 describe-security-groups --query 'SecurityGroups[0].GroupId' --output text)
        """
            .formatted(region.port()));
  }

  Session shell() {
    return shell;
  }

  /** How a task ended. */
  record Ended(String exitCode, String stopCode, String reason, String output) {}

  /**
   * Registers a task definition of 0.25 vCPU and 512 MiB, whose containers have two seconds to
   * stop.
   *
   * @param containers the members of each container beside its image and its log configuration
   */
  void define(String family, String... containers) throws IOException {
    List<String> definitions =
        List.of(containers).stream()
            .map(container ->
                "{" + quoted(container) + ",\"stopTimeout\":2,\"image\":\"'$IMAGE'\"," + LOGS + "}")
            .toList();
    shell.run(
        """
        aws ecs register-task-definition --family %s --requires-compatibilities FARGATE \\
          --network-mode awsvpc --cpu 256 --memory 512 \\
          --execution-role-arn arn:aws:iam::000000000000:role/LabRole \\
          --container-definitions '[%s]'
        """
            .formatted(family, String.join(",", definitions)));
  }

  /** Starts a task with a command for its container {@code main}, in a subnet and a group. */
  String start(String family, String subnet, String group, String command) throws IOException {
    return start(family, subnet, group, "DISABLED", command);
  }

  /** The same with a public address. */
  String startPublic(String family, String subnet, String group, String command)
      throws IOException {
    return start(family, subnet, group, "ENABLED", command);
  }

  private String start(
      String family, String subnet, String group, String publicAddress, String command)
      throws IOException {
    return shell.run(
        """
        aws ecs run-task --launch-type FARGATE --task-definition %s --network-configuration \\
          "awsvpcConfiguration={subnets=[%s],securityGroups=[%s],assignPublicIp=%s}" \\
          --overrides '{"containerOverrides":[{"name":"main","command":["sh","-c","%s"]}]}' \\
          --query 'tasks[0].taskArn' --output text
        """
            .formatted(
                family, subnet, group, publicAddress, quoted(command.replace("\"", "\\\""))));
  }

  /** For use between single quotes of a shell. */
  private static String quoted(String text) {
    return text.replace("'", "'\\''");
  }

  String start(String family) throws IOException {
    return shell.run(
        """
        aws ecs run-task --launch-type FARGATE --task-definition %s \\
          --network-configuration "awsvpcConfiguration={subnets=[$SUBNET]}" \\
          --query 'tasks[0].taskArn' --output text
        """
            .formatted(family));
  }

  void awaitRunning(String task) throws IOException {
    awaitStatus(task, "RUNNING", "");
  }

  private String awaitStatus(String task, String status, String then) throws IOException {
    Shell.Outcome outcome = shell.attempt("await reached " + task + " " + status + "\n" + then);
    if (outcome.exitCode() != 0) {
      String now = shell.run("aws ecs describe-tasks --tasks " + task);
      throw new AssertionError(outcome + "\n" + now + "\n" + output(task, "main"));
    }
    return outcome.output();
  }

  /** Waits until a task has stopped, and says how, with what {@code main} printed. */
  Ended awaitStopped(String task) throws IOException {
    String facts =
        awaitStatus(
            task,
            "STOPPED",
            "jq -r '.tasks[0] | (.containers[] | select(.name == \"main\") | .exitCode),"
                + " .stopCode, .stoppedReason' <<< \"$TASK\"");
    List<String> lines = facts.lines().toList();
    return new Ended(lines.get(0), lines.get(1), lines.get(2), output(task, "main"));
  }

  Ended once(String family, String subnet, String group, String command) throws IOException {
    return awaitStopped(start(family, subnet, group, command));
  }

  /** What a container printed; nothing if it never ran. */
  String output(String task, String container) throws IOException {
    return shell.run(
        """
        call logs Logs_20140328.GetLogEvents '{"logGroupName":"/e2e","startFromHead":true,
          "logStreamName":"t/%s/%s"}' | jq -r '(.events // [])[].message'
        """
            .formatted(container, task.substring(task.lastIndexOf('/') + 1)));
  }

  /** A fact of a task, by a query below {@code tasks[0]}. */
  String fact(String task, String query) throws IOException {
    return shell.run("task " + task + " '" + query + "'");
  }

  String address(String task) throws IOException {
    String address = fact(task, "containers[0].networkInterfaces[0].privateIpv4Address");
    assertEquals(4, address.split("\\.").length, address);
    return address;
  }

  @Override
  public void close() {
    shell.close();
  }
}
