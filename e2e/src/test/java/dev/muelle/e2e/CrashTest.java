package dev.muelle.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Containers outlive the server, and nothing of theirs is lost while it is dead. */
@Timeout(1_500) // one may wait for its port
class CrashTest {

  @Test
  void theServerDiesUnderLoadAndComesBack() throws Exception {
    try (TestRegion region = TestRegion.prepare("").owning(80)) {
      region.bare("./muelle demo --port " + region.port());
      List<Long> processes = region.containers("dev.muelle.examples.albadigi.AlbaDigiApi");
      assertEquals(2, processes.size());
      String name =
          region.run(
              "aws elbv2 describe-load-balancers --query 'LoadBalancers[0].DNSName' --output text");
      SteadyRequests requests = new SteadyRequests(region, "http://" + name + "/whoami");
      Path moves = region.work().resolve("moves.txt");
      Process targets = region.background(COME_AND_GO, moves);
      requests.pass();
      region.bare("until grep -q again " + moves + "; do sleep 0.1; done");

      requests.outlive(() -> {});
      assertEquals(
          processes,
          region.containers("dev.muelle.examples.albadigi.AlbaDigiApi"),
          "the same containers still run");
      String service =
          region.run(
              "aws ecs describe-services --cluster alba-digi-cluster --services alba-digi-service"
                  + " --query 'services[0].[runningCount,pendingCount]' --output text");
      assertEquals("2\t0", service);
      diesWhileItScalesOut(region, requests, processes);
      SteadyRequests.end(targets);
      aTargetDiesMeanwhile(region, requests);
      requests.end();
    }
  }

  /** A target is registered again as soon as it was not any more; the others serve meanwhile. */
  private static final String COME_AND_GO =
      """
      GROUP=$(aws elbv2 describe-target-groups --query 'TargetGroups[0].TargetGroupArn' --output text)
      TARGET=$(aws elbv2 describe-target-health --target-group-arn $GROUP \
        --query 'TargetHealthDescriptions[0].Target.Id' --output text)
      while true; do
        aws elbv2 deregister-targets --target-group-arn $GROUP --targets Id=$TARGET || true
        aws elbv2 register-targets --target-group-arn $GROUP --targets Id=$TARGET || true
        echo again
      done
      """;

  /** What was decided is done by the next server, and done once. */
  private static void diesWhileItScalesOut(
      TestRegion region, SteadyRequests requests, List<Long> before) throws Exception {
    String target =
        " --service-namespace ecs --scalable-dimension ecs:service:DesiredCount"
            + " --resource-id service/alba-digi-cluster/alba-digi-service";
    region.run(
        "aws application-autoscaling register-scalable-target --min-capacity 2 --max-capacity 5"
            + target);
    String program = "dev.muelle.examples.albadigi.AlbaDigiApi";
    region.run("aws application-autoscaling register-scalable-target --min-capacity 5" + target);
    while (region.containers(program).size() == before.size()) {
      Thread.onSpinWait(); // until the first of the new ones has started
    }
    requests.outlive(() -> {});
    region.run(
        """
        until [ "$(aws ecs describe-services --cluster alba-digi-cluster --services alba-digi-service \
          --query 'services[0].[desiredCount,runningCount,pendingCount]' --output text)" \
          = "$(printf '5\\t5\\t0')" ]; do sleep 0.1; done
        until [ "$(aws application-autoscaling describe-scaling-activities --service-namespace ecs \
          --query 'ScalingActivities[].StatusCode' --output text)" = Successful ]; do sleep 0.1; done
        """);
    List<Long> now = region.containers(program);
    assertEquals(5, now.size(), "containers, none of them twice");
    assertTrue(now.containsAll(before), "those that ran still do");
    assertEquals(
        "5",
        region.run("aws ecs list-tasks --cluster alba-digi-cluster --query 'length(taskArns)'"));
  }

  /** The next server does not know yet that one of them is gone, and loses nobody's request. */
  private static void aTargetDiesMeanwhile(TestRegion region, SteadyRequests requests)
      throws Exception {
    String program = "dev.muelle.examples.albadigi.AlbaDigiApi";
    List<Long> before = region.containers(program);
    requests.outlive(() -> ProcessHandle.of(before.getFirst()).orElseThrow().destroyForcibly());
    List<Long> others = before.subList(1, before.size());
    List<Long> now = region.containers(program);
    while (now.size() < before.size()) { // another takes its place
      Thread.onSpinWait();
      now = region.containers(program);
    }
    assertTrue(now.containsAll(others), "the others still run");
    requests.pass();
  }

  /** Listeners of connections come back as those of requests do, with targets that never left. */
  @Test
  void aNetworkLoadBalancerIsThereAgain() throws Exception {
    try (TestRegion region = TestRegion.start("")) {
      region.run("aws ecr create-repository --repository-name web");
      new BusyboxImage(region).push("web");
      region.run(
          """
          aws ecs create-cluster --cluster-name default
          aws ecs register-task-definition --family web --requires-compatibilities FARGATE \
            --network-mode awsvpc --cpu 256 --memory 512 \
            --execution-role-arn arn:aws:iam::000000000000:role/LabRole \
            --container-definitions '[{"name":"web","image":"localhost:%d/web:latest",
              "command":["sh","-c","mkdir -p /www; echo hello > /www/index.html; exec httpd -f -p 5000 -h /www"]}]'
          """
              .formatted(region.port()));
      int port = TestRegion.freePort();
      region.run(
          """
          set -e
          VPC=$(aws ec2 describe-vpcs --query 'Vpcs[0].VpcId' --output text)
          CIDR=$(aws ec2 describe-vpcs --query 'Vpcs[0].CidrBlock' --output text)
          SUBNET=$(aws ec2 describe-subnets --query 'Subnets[0].SubnetId' --output text)
          GROUP=$(aws ec2 create-security-group --group-name web --description web --vpc-id $VPC \
            --query GroupId --output text)
          aws ec2 authorize-security-group-ingress --group-id $GROUP --protocol tcp --port 5000 \
            --cidr $CIDR
          TASK=$(aws ecs run-task --launch-type FARGATE --task-definition web \
            --network-configuration "awsvpcConfiguration={subnets=[$SUBNET],securityGroups=[$GROUP]}" \
            --query 'tasks[0].taskArn' --output text)
          aws ecs wait tasks-running --tasks $TASK
          IP=$(aws ecs describe-tasks --tasks $TASK --output text \
            --query 'tasks[0].attachments[0].details[?name==`privateIPv4Address`].value | [0]')
          TARGETS=$(aws elbv2 create-target-group --name web --protocol TCP --port 5000 \
            --target-type ip --vpc-id $VPC --query 'TargetGroups[0].TargetGroupArn' --output text)
          aws elbv2 register-targets --target-group-arn $TARGETS --targets Id=$IP
          LB=$(aws elbv2 create-load-balancer --name flows --type network --subnets $SUBNET \
            --query 'LoadBalancers[0].LoadBalancerArn' --output text)
          aws elbv2 create-listener --load-balancer-arn $LB --protocol TCP --port %d \
            --default-actions Type=forward,TargetGroupArn=$TARGETS
          """
              .formatted(port));
      String hello =
          "until curl -sf --max-time 5 http://127.0.0.1:" + port + "/; do sleep 0.1; done";
      assertEquals("hello", region.bare(hello));
      for (int crash = 0; crash < 2; crash++) {
        region.server().destroyForcibly();
        region.server().onExit().get();
        region.up();
        assertEquals("hello", region.bare(hello));
      }
    }
  }

  /** Neither of what containers print nor of what clients put. */
  @Test
  void noLineAndNoExitCodeIsMissing() throws Exception {
    printsThroughCrashes(
        true,
        400,
        "i=0; while [ $i -lt 400 ]; do echo line-$i; i=$((i+1)); usleep 20000; done; exit 7");
  }

  /** More than may wait for its reader, so the writer has to; with a server and without. */
  @Test
  void noLineIsMissingOfAWriterThatIsTooFast() throws Exception {
    printsThroughCrashes(
        false,
        600,
        "x=$(dd if=/dev/zero bs=100000 count=1 2>/dev/null | tr \\\\000 x);"
            + " i=0; while [ $i -lt 600 ]; do echo line-$i $x; i=$((i+1)); done; exit 7");
  }

  /**
   * Puts numbered batches as quickly as it can, each once, with its size as the last number, and
   * notes which of them were acknowledged.
   */
  private static final String PUTS =
      """
      for ((batch = 0; ; batch++)); do
        events=$(seq -s, -f '{"timestamp":'$(date +%%s%%3N)',"message":"%1$s-'$batch' event-%%g"}' %2$d)
        code=$(curl -s -o /dev/null -w '%%{http_code}' --aws-sigv4 aws:amz:us-east-1:logs \
          --user $AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY -H 'Content-Type: application/x-amz-json-1.1' \
          -H 'X-Amz-Target: Logs_20140328.PutLogEvents' $AWS_ENDPOINT_URL/ \
          -d '{"logGroupName":"/put","logStreamName":"%1$s","logEvents":['"$events"']}' || true)
        case $code in
          200) echo %1$s-$batch ;;
          000) ;; # the server is dead, or died meanwhile
          *) echo refused: $code; exit 1 ;;
        esac
      done
      """;

  private static final int BATCH = 100;
  private static final List<String> CLIENTS = List.of("a", "b", "c");

  /** All of each batch that was acknowledged is there; of others all or nothing; nothing twice. */
  private static void checkPut(TestRegion region, List<Path> acknowledged) throws Exception {
    Map<String, List<String>> there =
        region
            .run(
                "aws logs filter-log-events --log-group-name /put --query 'events[].message'"
                    + " --output text | tr '\\t' '\\n'")
            .lines()
            .collect(Collectors.groupingBy(line -> line.split(" ")[0]));
    List<String> whole =
        IntStream.rangeClosed(1, BATCH).mapToObj(i -> "event-" + i).sorted().toList();
    there.forEach((batch, lines) ->
        assertEquals(
            whole, lines.stream().map(line -> line.split(" ")[1]).sorted().toList(), batch));
    for (Path client : acknowledged) {
      List<String> said = Files.readAllLines(client);
      assertTrue(said.size() > 10, said::toString);
      assertEquals(List.of(), said.stream().filter(b -> !there.containsKey(b)).toList());
    }
  }

  private static void printsThroughCrashes(boolean puts, int lines, String script)
      throws Exception {
    try (TestRegion region = TestRegion.start("")) {
      region.run("aws ecr create-repository --repository-name printer");
      new BusyboxImage(region).push("printer");
      region.run(
          """
          aws ecs create-cluster --cluster-name default
          aws ecs register-task-definition --family printer --requires-compatibilities FARGATE \\
            --network-mode awsvpc --cpu 256 --memory 512 \\
            --execution-role-arn arn:aws:iam::000000000000:role/LabRole \\
            --container-definitions '[{"name":"printer","image":"localhost:%d/printer:latest",
              "command":["sh","-c","%s"],
              "logConfiguration":{"logDriver":"awslogs","options":{"awslogs-group":"/printer",
              "awslogs-region":"us-east-1","awslogs-stream-prefix":"p","awslogs-create-group":"true"}}}]'
          """
              .formatted(region.port(), script));
      String task =
          region.run(
              """
              SUBNET=$(aws ec2 describe-subnets --query 'Subnets[0].SubnetId' --output text)
              aws ecs run-task --launch-type FARGATE --task-definition printer \\
                --network-configuration "awsvpcConfiguration={subnets=[$SUBNET]}" \\
                --query 'tasks[0].taskArn' --output text
              """);
      region.run(
          "until aws logs filter-log-events --log-group-name /printer --max-items 1 2>/dev/null"
              + " | grep -q line-; do :; done");
      List<Path> acknowledged = new ArrayList<>();
      List<Process> clients = new ArrayList<>();
      if (puts) {
        region.run("aws logs create-log-group --log-group-name /put");
        for (String client : CLIENTS) {
          region.run(
              "aws logs create-log-stream --log-group-name /put --log-stream-name " + client);
          acknowledged.add(region.work().resolve(client));
          clients.add(region.background(PUTS.formatted(client, BATCH), acknowledged.getLast()));
        }
      }
      for (int crash = 0; crash < 3; crash++) {
        for (Path client : acknowledged) { // all are at it
          long before = Files.size(client);
          region.bare("until [ $(stat -c %s " + client + ") -gt " + before + " ]; do :; done");
        }
        region.server().destroyForcibly();
        region.server().onExit().get();
        region.up();
      }
      for (Process client : clients) {
        assertTrue(client.isAlive(), "a client gave up");
        client.destroyForcibly().waitFor();
      }
      region.run("aws ecs wait tasks-stopped --tasks " + task);
      if (puts) {
        checkPut(region, acknowledged);
      }
      assertEquals(
          "EssentialContainerExited\t7",
          region.run(
              "aws ecs describe-tasks --tasks "
                  + task
                  + " --query 'tasks[0].[stopCode,containers[0].exitCode]' --output text"));
      String events =
          region.run(
              "aws logs filter-log-events --log-group-name /printer --query 'events[].message'"
                  + " --output text | tr '\\t' '\\n' | cut -d' ' -f1");
      List<String> expected = IntStream.range(0, lines).mapToObj(i -> "line-" + i).toList();
      assertEquals(expected, events.lines().toList());
    }
  }
}
