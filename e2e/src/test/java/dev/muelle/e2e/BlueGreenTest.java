package dev.muelle.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Real containers behind the real balancer, deployed, rolled back, and asked all the while. */
@Timeout(600)
class BlueGreenTest {

  private static void define(FargateTasks tasks, String script) throws IOException {
    tasks.define(
        "web",
        "\"name\":\"main\",\"portMappings\":[{\"containerPort\":8080}],"
            + "\"command\":[\"sh\",\"-c\",\"%s\"]".formatted(script));
  }

  private static String serving(String version) {
    return "mkdir /www; echo %s > /www/index.html; trap 'kill $P' TERM; httpd -f -p 8080 -h /www & P=$!; wait"
        .formatted(version);
  }

  private static String status(Session shell, String wanted) throws IOException {
    return shell.run(
        """
        described() {
          ecs DescribeServiceDeployments '{"serviceDeploymentArns":["'$DEPLOYMENT'"]}' |
            jq -r ".serviceDeployments[0] | $1"
        }
        arrived() { [ "$(described .status)" = %s ]; }
        await arrived
        described '"\\(.lifecycleStage) \\(.statusReason)"'
        """
            .formatted(wanted));
  }

  private static void update(Session shell) throws IOException {
    shell.run(
        """
        DEPLOYMENT=$(ecs UpdateService '{"service":"web","taskDefinition":"web"}' |
          jq -r .service.currentServiceDeployment)
        """);
  }

  @Test
  void trafficShiftsToWhatWorksAndNoRequestIsLost() throws Exception {
    int port = TestRegion.freePort();
    try (TestRegion region = TestRegion.start("");
        FargateTasks tasks = new FargateTasks(region)) {
      Session shell = tasks.shell();
      define(tasks, serving("one"));
      shell.run(
          """
          ecs() { call ecs AmazonEC2ContainerServiceV20141113.$1 "$2"; } # Debian's aws is older
          SUBNETS=$(aws ec2 describe-subnets --query 'Subnets[].SubnetId' --output text)
          aws ec2 authorize-security-group-ingress --group-id $DEFAULT_GROUP --protocol tcp \\
            --port %d --cidr 0.0.0.0/0
          BALANCER=$(aws elbv2 create-load-balancer --name web --subnets $SUBNETS \\
            --security-groups $DEFAULT_GROUP --query 'LoadBalancers[0].LoadBalancerArn' --output text)
          group() {
            aws elbv2 create-target-group --name $1 --target-type ip --protocol HTTP --port 8080 \\
              --vpc-id $VPC --health-check-interval-seconds 5 --health-check-timeout-seconds 2 --healthy-threshold-count 2 \\
              --query 'TargetGroups[0].TargetGroupArn' --output text
          }
          BLUE=$(group blue); GREEN=$(group green)
          LISTENER=$(aws elbv2 create-listener --load-balancer-arn $BALANCER --protocol HTTP \\
            --port %d --default-actions 'Type=fixed-response,FixedResponseConfig={StatusCode=404}' \\
            --query 'Listeners[0].ListenerArn' --output text)
          rule() {
            aws elbv2 create-rule --listener-arn $LISTENER --priority $1 --conditions "$2" \\
              --actions Type=forward,TargetGroupArn=$BLUE --query 'Rules[0].RuleArn' --output text
          }
          TEST=$(rule 10 '[{"Field":"http-header","HttpHeaderConfig":{"HttpHeaderName":"X-Test","Values":["yes"]}}]')
          RULE=$(rule 20 Field=path-pattern,Values=/)
          for GROUP in $BLUE $GREEN; do
            aws elbv2 modify-target-group-attributes --target-group-arn $GROUP \\
              --attributes Key=deregistration_delay.timeout_seconds,Value=2
          done
          NAME=$(aws elbv2 describe-load-balancers --query 'LoadBalancers[0].DNSName' --output text)
          DEPLOYMENT=$(ecs CreateService '{"serviceName":"web","taskDefinition":"web",
            "launchType":"FARGATE","desiredCount":2,
            "networkConfiguration":{"awsvpcConfiguration":{"subnets":["'$SUBNET'"]}},
            "deploymentConfiguration":{"strategy":"BLUE_GREEN","bakeTimeInMinutes":0,
              "deploymentCircuitBreaker":{"enable":true,"rollback":true}},
            "loadBalancers":[{"targetGroupArn":"'$BLUE'","containerName":"main","containerPort":8080,
              "advancedConfiguration":{"alternateTargetGroupArn":"'$GREEN'",
                "productionListenerRule":"'$RULE'","testListenerRule":"'$TEST'",
                "roleArn":"arn:aws:iam::000000000000:role/LabRole"}}]}' |
            jq -r .service.currentServiceDeployment)
          """
              .formatted(port, port));
      status(shell, "SUCCESSFUL");
      String url = shell.run("echo http://$NAME:" + port + "/");
      Path answers = region.work().resolve("answers.txt");
      Process load =
          region.background(
              "while true; do { curl -s --max-time 5 -w ' %{http_code}' "
                  + url
                  + " || true; } | tr -d '\\n'; echo; done",
              answers);
      shell.run("await grep -q one " + answers);

      define(tasks, serving("two"));
      update(shell);
      // The server dies in the middle of it.
      region.server().destroyForcibly();
      region.server().onExit().get();
      region.up();
      assertEquals("CLEAN_UP null", status(shell, "SUCCESSFUL"));
      assertEquals("two", shell.run("curl -sf " + url));
      assertEquals("two", shell.run("curl -sf -H 'X-Test: yes' " + url));
      assertEquals("404", shell.run("curl -s -o /dev/null -w '%{http_code}' " + url + "elsewhere"));

      define(tasks, "exit 1");
      update(shell);
      assertTrue(
          status(shell, "ROLLBACK_SUCCESSFUL")
              .endsWith("rolled back because the circuit breaker threshold was exceeded."));
      assertEquals("two", shell.run("curl -sf " + url));
      load.descendants().forEach(ProcessHandle::destroyForcibly);
      load.destroyForcibly().waitFor();

      List<String> all = Files.readAllLines(answers);
      all.removeLast(); // it may not be whole
      Set<String> kinds = new TreeSet<>(all);
      // While there is no server, the load balancer is not there either: nobody answers, then.
      kinds.remove(" 000");
      assertEquals(Set.of("one 200", "two 200"), kinds);
      int first = all.indexOf("two 200");
      assertFalse(all.subList(first, all.size()).contains("one 200"), "it went back");

      shell.run(
          """
          aws ecs delete-service --service web --force
          aws ecs wait services-inactive --services web
          aws elbv2 delete-load-balancer --load-balancer-arn $BALANCER
          aws elbv2 wait load-balancers-deleted --load-balancer-arns $BALANCER
          """);
    }
  }
}
