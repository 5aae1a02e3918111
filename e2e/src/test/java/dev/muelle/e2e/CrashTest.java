package dev.muelle.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Containers outlive the server, and nothing of theirs is lost while it is dead. */
@Timeout(600)
class CrashTest {

  @Test
  void theServerDiesUnderLoadAndComesBack() throws Exception {
    try (TestRegion region = TestRegion.prepare("")) {
      region.bare("./muelle demo --port " + region.port());
      List<Long> processes = region.containers("dev.muelle.examples.albadigi.AlbaDigiApi");
      assertEquals(2, processes.size());
      String name =
          region.run(
              "aws elbv2 describe-load-balancers --query 'LoadBalancers[0].DNSName' --output text");
      Path codes = region.work().resolve("codes.txt");
      Process load =
          region.background(
              "while true; do curl -s --max-time 5 http://" + name + "/whoami || true; done",
              codes);
      region.run("until grep -q task " + codes + "; do sleep 0.1; done");

      region.server().destroyForcibly();
      region.server().onExit().get();
      region.up();

      region.bare("until curl -sf --max-time 5 http://" + name + "/alive; do sleep 0.1; done");
      load.descendants().forEach(ProcessHandle::destroyForcibly);
      load.destroyForcibly().waitFor();
      assertEquals(
          processes,
          region.containers("dev.muelle.examples.albadigi.AlbaDigiApi"),
          "the same containers still run");
      String service =
          region.run(
              "aws ecs describe-services --cluster alba-digi-cluster --services alba-digi-service"
                  + " --query 'services[0].[runningCount,pendingCount]' --output text");
      assertEquals("2\t0", service);
    }
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

  @Test
  void noLineAndNoExitCodeIsMissing() throws Exception {
    printsThroughCrashes(
        400, "i=0; while [ $i -lt 400 ]; do echo line-$i; i=$((i+1)); usleep 20000; done; exit 7");
  }

  /** More than may wait for its reader, so the writer has to; with a server and without. */
  @Test
  void noLineIsMissingOfAWriterThatIsTooFast() throws Exception {
    printsThroughCrashes(
        600,
        "x=$(dd if=/dev/zero bs=100000 count=1 2>/dev/null | tr \\\\000 x);"
            + " i=0; while [ $i -lt 600 ]; do echo line-$i $x; i=$((i+1)); done; exit 7");
  }

  private static void printsThroughCrashes(int lines, String script) throws Exception {
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
      for (int crash = 0; crash < 3; crash++) {
        region.server().destroyForcibly();
        region.server().onExit().get();
        region.up();
      }
      region.run("aws ecs wait tasks-stopped --tasks " + task);
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
