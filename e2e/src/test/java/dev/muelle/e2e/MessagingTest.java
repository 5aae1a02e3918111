package dev.muelle.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Topics, events and schedules with the stock {@code aws} command. */
@Timeout(600)
class MessagingTest {

  private static TestRegion region;
  private static Session shell;
  private static HttpServer subscriber;
  private static final BlockingQueue<String> RECEIVED = new LinkedBlockingQueue<>();

  @BeforeAll
  static void start() throws IOException {
    subscriber = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 50);
    subscriber.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    subscriber.createContext(
        "/",
        exchange -> {
          try (exchange) {
            RECEIVED.add(
                new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
            exchange.sendResponseHeaders(200, -1);
          }
        });
    subscriber.start();
    region = TestRegion.start("--speed 10"); // a schedule waits for the next minute
    shell = region.session();
    shell.run("eval \"$(./muelle env)\"");
  }

  @AfterAll
  static void stop() throws IOException {
    shell.close();
    region.close();
    subscriber.stop(0);
  }

  /** A member of the JSON that SNS sends. */
  private static String member(String message, String name) {
    String begin = "\"" + name + "\" : \"";
    int from = message.indexOf(begin) + begin.length();
    assertTrue(from >= begin.length(), message);
    return message.substring(from, message.indexOf('"', from));
  }

  /** A topic to which the subscriber has subscribed, and the link has been followed with curl. */
  private static void subscribed(String topic) throws Exception {
    shell.run(
        """
        TOPIC=$(aws sns create-topic --name %s --query TopicArn --output text)
        aws sns subscribe --topic-arn $TOPIC --protocol http \\
          --notification-endpoint http://127.0.0.1:%d/
        """
            .formatted(topic, subscriber.getAddress().getPort()));
    String question = RECEIVED.take();
    assertEquals("SubscriptionConfirmation", member(question, "Type"));
    assertTrue(
        shell
            .run("curl -sf '" + member(question, "SigningCertURL") + "'")
            .startsWith("-----BEGIN CERTIFICATE-----"));
    String answer = shell.run("curl -sf '" + member(question, "SubscribeURL") + "'");
    assertTrue(answer.contains("<SubscriptionArn>arn:aws:sns:"), answer);
  }

  @Test
  void alarmsAndEventsArriveAlsoAfterAKill() throws Exception {
    subscribed("news");
    shell.run(
        """
        aws cloudwatch put-metric-alarm --alarm-name busy --namespace Alba --metric-name Load \\
          --statistic Sum --period 60 --evaluation-periods 1 --threshold 1 \\
          --comparison-operator GreaterThanThreshold --alarm-actions $TOPIC
        aws cloudwatch set-alarm-state --alarm-name busy --state-value ALARM --state-reason test
        """);
    String notification = RECEIVED.take();
    assertEquals("ALARM: \\", member(notification, "Subject"));
    assertTrue(notification.contains("\\\"NewStateReason\\\":\\\"test\\\""), notification);

    shell.run(
        """
        aws logs create-log-group --log-group-name /events
        aws events put-rule --name alarms --event-pattern '{"source":["aws.cloudwatch"],
          "detail-type":["CloudWatch Alarm State Change"],"detail":{"state":{"value":["OK"]}}}'
        aws events put-targets --rule alarms --targets \\
          "Id=log,Arn=arn:aws:logs:us-east-1:000000000000:log-group:/events" "Id=sns,Arn=$TOPIC"
        aws cloudwatch set-alarm-state --alarm-name busy --state-value OK --state-reason calm
        """);
    ProcessHandle server = region.server();
    server.destroyForcibly(); // kill -9, with the event somewhere on its way
    server.onExit().join();
    region.up();
    assertTrue(RECEIVED.take().contains("CloudWatch Alarm State Change"));
    shell.run(
        "until aws logs filter-log-events --log-group-name /events | grep -q 'State Change'; do"
            + " sleep 0.2; done");
  }

  @Test
  void aScheduleRunsATaskAndItsEventsArrive() throws Exception {
    shell.run("aws ecr create-repository --repository-name job");
    new BusyboxImage(region).push("job");
    subscribed("tasks");
    shell.run(
        """
        aws logs create-log-group --log-group-name /tasks
        aws events put-rule --name stopped --event-pattern '{"source":["aws.ecs"],
          "detail-type":["ECS Task State Change"],"detail":{"lastStatus":["STOPPED"]}}'
        aws events put-targets --rule stopped --targets \\
          "Id=log,Arn=arn:aws:logs:us-east-1:000000000000:log-group:/tasks" "Id=sns,Arn=$TOPIC"
        aws ecs create-cluster --cluster-name default
        aws ecs register-task-definition --family job --requires-compatibilities FARGATE \\
          --network-mode awsvpc --cpu 256 --memory 512 \\
          --execution-role-arn arn:aws:iam::000000000000:role/LabRole \\
          --container-definitions '[{"name":"job","image":"localhost:%d/job:latest",
            "command":["true"]}]'
        SUBNET=$(aws ec2 describe-subnets --query 'Subnets[0].SubnetId' --output text)
        aws events put-rule --name often --schedule-expression 'rate(1 minute)'
        aws events put-targets --rule often --targets '[{"Id":"job",
          "Arn":"arn:aws:ecs:us-east-1:000000000000:cluster/default",
          "RoleArn":"arn:aws:iam::000000000000:role/LabRole",
          "EcsParameters":{"TaskDefinitionArn":"job","LaunchType":"FARGATE",
           "NetworkConfiguration":{"awsvpcConfiguration":{"Subnets":["'$SUBNET'"]}}}}]'
        """
            .formatted(region.port()));
    String notification = RECEIVED.take();
    assertTrue(notification.contains("\\\"lastStatus\\\":\\\"STOPPED\\\""), notification);
    assertTrue(notification.contains("events-rule/often"), notification);
    shell.run(
        "aws events remove-targets --rule often --ids job; until aws logs filter-log-events"
            + " --log-group-name /tasks | grep -q STOPPED; do sleep 0.2; done");
  }

  @Test
  void whatIsRefusedIsRefusedInAmazonsForm() throws IOException {
    refused(
        "sns subscribe --topic-arn $(aws sns create-topic --name x --query TopicArn --output text)"
            + " --protocol http --notification-endpoint http://127.0.0.1:"
            + region.port()
            + "/",
        "(InvalidParameter) when calling the Subscribe operation: Invalid parameter: Endpoint");
    refused(
        "events put-rule --name r --event-pattern '{\"source\":1}'",
        "(InvalidEventPatternException)");
    refused(
        "events create-archive --archive-name a --event-source-arn arn:aws:events:us-east-1:000000000000:event-bus/default",
        "(NotImplemented)");
    refused(
        "sns add-permission --topic-arn x --label l --aws-account-id 1 --action-name Publish",
        "(NotImplemented)");
  }

  private static void refused(String command, String said) throws IOException {
    Shell.Outcome outcome = shell.attempt("aws " + command);
    assertNotEquals(0, outcome.exitCode(), outcome::output);
    assertTrue(outcome.output().contains("An error occurred " + said), outcome::output);
  }
}
