package dev.muelle.services.elasticloadbalancingv2;

import static dev.muelle.services.elasticloadbalancingv2.Machine.contains;
import static dev.muelle.services.elasticloadbalancingv2.Machine.freePort;
import static dev.muelle.services.elasticloadbalancingv2.Machine.to;
import static dev.muelle.services.elasticloadbalancingv2.Machine.until;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.services.arczonalshift.ArcZonalShift;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancer;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerAttribute;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ProtocolEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetDescription;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupAttribute;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetHealth;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetTypeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.waiters.ElasticLoadBalancingV2Waiter;

/** What callers of ELB decide, as targets with addresses of their own meet it. Needs root. */
@Timeout(600)
class ElbV2OnLinuxTest extends OnLinux {

  private static final int PORT = 5050;

  /** Answers one request; null says nothing and keeps the connection. */
  interface Behaviour {
    @Nullable String answer(String head) throws InterruptedException;
  }

  private static String ok(String body) {
    return status(200, body);
  }

  private static String status(int status, String body) {
    return "HTTP/1.1 " + status + " X\r\nContent-Length: " + body.length() + "\r\n\r\n" + body;
  }

  private NetworkInterface server(int zone, Behaviour behaviour) throws Exception {
    NetworkInterface eni = place(zone, machine.openGroup());
    serve(eni, PORT, client -> talk(client, behaviour));
    return eni;
  }

  private static void talk(SocketChannel client, Behaviour behaviour) {
    try (client) {
      InputStream in = Channels.newInputStream(client);
      OutputStream out = Channels.newOutputStream(client);
      while (true) {
        ByteArrayOutputStream head = new ByteArrayOutputStream();
        while (!head.toString(StandardCharsets.US_ASCII).endsWith("\r\n\r\n")) {
          int b = in.read();
          if (b < 0) {
            return;
          }
          head.write(b);
        }
        String answer = behaviour.answer(head.toString(StandardCharsets.US_ASCII));
        if (answer != null) {
          out.write(answer.getBytes(StandardCharsets.US_ASCII));
        }
      }
    } catch (IOException | InterruptedException e) {
      // the other side went away
    }
  }

  private LoadBalancer balancer(int zones) throws InterruptedException {
    List<String> subnets = machine.subnetIds().subList(0, zones);
    String group = machine.openGroup();
    String arn =
        machine
            .elb()
            .createLoadBalancer(r -> r.name("web").subnets(subnets).securityGroups(group))
            .loadBalancers()
            .getFirst()
            .loadBalancerArn();
    return machine.active(arn);
  }

  private String group(String name, String checkPort) {
    String vpc = machine.vpc();
    return machine
        .elb()
        .createTargetGroup(r ->
            r.name(name)
                .protocol(ProtocolEnum.HTTP)
                .port(PORT)
                .vpcId(vpc)
                .targetType(TargetTypeEnum.IP)
                .healthCheckPath("/alive")
                .healthCheckPort(checkPort)
                .healthCheckIntervalSeconds(5)
                .healthCheckTimeoutSeconds(2)
                .healthyThresholdCount(2)
                .unhealthyThresholdCount(2))
        .targetGroups()
        .getFirst()
        .targetGroupArn();
  }

  private int listener(LoadBalancer balancer, String group) throws IOException {
    int port = freePort();
    machine
        .elb()
        .createListener(r ->
            r.loadBalancerArn(balancer.loadBalancerArn())
                .protocol(ProtocolEnum.HTTP)
                .port(port)
                .defaultActions(to(group)));
    return port;
  }

  private static TargetDescription at(NetworkInterface eni) {
    return TargetDescription.builder().id(eni.privateIpAddress()).build();
  }

  private void register(String group, NetworkInterface... places) {
    List<TargetDescription> targets = Stream.of(places).map(ElbV2OnLinuxTest::at).toList();
    machine.elb().registerTargets(r -> r.targetGroupArn(group).targets(targets));
  }

  private void deregister(String group, NetworkInterface place) {
    machine.elb().deregisterTargets(r -> r.targetGroupArn(group).targets(at(place)));
  }

  private TargetHealth health(String group, NetworkInterface place) {
    return machine
        .elb()
        .describeTargetHealth(r -> r.targetGroupArn(group).targets(at(place)))
        .targetHealthDescriptions()
        .getFirst()
        .targetHealth();
  }

  private void becomes(
      String group, NetworkInterface place, String state, @Nullable String reason, String says)
      throws InterruptedException {
    String wanted = state + " " + reason + " " + says;
    until(
        wanted,
        () -> {
          TargetHealth now = health(group, place);
          return now.stateAsString() + " " + now.reasonAsString() + " " + now.description();
        });
  }

  private void healthy(String group, NetworkInterface place) throws InterruptedException {
    becomes(group, place, "healthy", null, "null");
  }

  private static String get(LoadBalancer balancer, int port, String... headers) throws IOException {
    return Machine.get("127.0.0.1", port, balancer.dnsName(), headers);
  }

  private static String body(String answer) {
    return answer.substring(answer.indexOf("\r\n\r\n") + 4);
  }

  private static FutureTask<String> later(LoadBalancer balancer, int port) {
    FutureTask<String> task = new FutureTask<>(() -> get(balancer, port));
    Thread.ofVirtual().start(task);
    return task;
  }

  @Test
  void everyStateOfATargetAndWhy() throws Exception {
    LoadBalancer balancer = balancer(2);
    String group = group("api", "traffic-port");
    NetworkInterface good = server(0, head -> ok("good"));
    NetworkInterface wrong =
        server(1, head -> head.startsWith("GET /alive") ? status(404, "") : ok("wrong"));
    NetworkInterface silent = server(0, head -> null);
    NetworkInterface nobody = place(1, machine.openGroup());
    String closed =
        machine.ec2().createSecurityGroup(r -> r.groupName("no").description("no")).groupId();
    NetworkInterface shut = place(0, closed);
    serve(shut, PORT, client -> talk(client, head -> ok("shut")));
    NetworkInterface elsewhere = server(2, head -> ok("elsewhere"));
    register(group, good, wrong, silent, nobody, shut, elsewhere);
    becomes(
        group,
        good,
        "unused",
        "Target.NotInUse",
        "Target group is not configured to receive traffic from the load balancer");

    int port = listener(balancer, group);
    TargetHealth first = health(group, nobody);
    assertEquals("initial", first.stateAsString());
    assertTrue(
        Set.of(
                "Elb.RegistrationInProgress: Target registration is in progress",
                "Elb.InitialHealthChecking: Initial health checks in progress")
            .contains(first.reasonAsString() + ": " + first.description()),
        first.toString());
    becomes(
        group,
        elsewhere,
        "unused",
        "Target.NotInUse",
        "Target is in an Availability Zone that is not enabled for the load balancer");
    healthy(group, good);
    becomes(
        group,
        wrong,
        "unhealthy",
        "Target.ResponseCodeMismatch",
        "Health checks failed with these codes: [404]");
    becomes(group, nobody, "unhealthy", "Target.FailedHealthChecks", "Health checks failed");
    becomes(group, silent, "unhealthy", "Target.Timeout", "Request timed out");
    becomes(group, shut, "unhealthy", "Target.Timeout", "Request timed out");
    for (int i = 0; i < 10; i++) {
      assertEquals("good", body(get(balancer, port)));
    }
    try (var waiter = ElasticLoadBalancingV2Waiter.builder().client(machine.elb()).build()) {
      waiter.waitUntilTargetInService(r -> r.targetGroupArn(group).targets(at(good)));
    }

    // What was wrong is mended: the matcher, and the security group, while everything runs.
    machine
        .elb()
        .modifyTargetGroup(r -> r.targetGroupArn(group).matcher(m -> m.httpCode("200,404")));
    machine
        .ec2()
        .authorizeSecurityGroupIngress(r ->
            r.groupId(closed).ipProtocol("tcp").fromPort(PORT).toPort(PORT).cidrIp("0.0.0.0/0"));
    // Meanwhile: a group whose checks go to another port than its requests.
    NetworkInterface two = server(0, head -> status(500, "traffic"));
    serve(two, 9000, client -> talk(client, head -> ok("fine")));
    String apart = group("apart", "9000");
    register(apart, two);
    int other = listener(balancer, apart);
    healthy(apart, two);
    assertEquals("traffic", body(get(balancer, other)));
    assertEquals(
        "9000",
        machine
            .elb()
            .describeTargetHealth(r -> r.targetGroupArn(apart))
            .targetHealthDescriptions()
            .getFirst()
            .healthCheckPort());

    healthy(group, wrong);
    healthy(group, shut);
    Set<String> seen = new HashSet<>();
    for (int i = 0; i < 12; i++) {
      seen.add(body(get(balancer, port)));
    }
    assertEquals(Set.of("good", "wrong", "shut"), seen);
  }

  @Test
  void whoIsDeregisteredFinishesWhatItHas() throws Exception {
    LoadBalancer balancer = balancer(2);
    String group = group("api", "traffic-port");
    int port = listener(balancer, group);
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    NetworkInterface slow =
        server(
            0,
            head -> {
              if (!head.startsWith("GET /alive")) {
                asked.countDown();
                go.await();
              }
              return ok("slow");
            });
    register(group, slow);
    healthy(group, slow);
    FutureTask<String> inFlight = later(balancer, port);
    asked.await();
    NetworkInterface next = server(1, head -> ok("next"));
    register(group, next);
    healthy(group, next);
    deregister(group, slow);
    becomes(
        group,
        slow,
        "draining",
        "Target.DeregistrationInProgress",
        "Target deregistration is in progress");
    for (int i = 0; i < 4; i++) {
      assertEquals("next", body(get(balancer, port)));
    }
    assertFalse(inFlight.isDone());
    go.countDown();
    assertEquals("slow", body(inFlight.get()));
    // Idle, so done: nobody waits for the five minutes of the deregistration delay.
    becomes(
        group,
        slow,
        "unused",
        "Target.NotRegistered",
        "Target is not registered to the target group");

    try (var waiter = ElasticLoadBalancingV2Waiter.builder().client(machine.elb()).build()) {
      waiter.waitUntilTargetDeregistered(r -> r.targetGroupArn(group).targets(at(slow)));
    }

    // Registered again, it is a new target.
    register(group, slow);
    healthy(group, slow);

    // One that never ends is cut when the delay has passed.
    machine
        .elb()
        .modifyTargetGroupAttributes(r ->
            r.targetGroupArn(group)
                .attributes(
                    TargetGroupAttribute.builder()
                        .key("deregistration_delay.timeout_seconds")
                        .value("1")
                        .build()));
    CountDownLatch stuckAsked = new CountDownLatch(1);
    NetworkInterface stuck =
        server(
            0,
            head -> {
              if (head.startsWith("GET /alive")) {
                return ok("");
              }
              stuckAsked.countDown();
              return null;
            });
    deregister(group, slow);
    deregister(group, next);
    register(group, stuck);
    healthy(group, stuck);
    FutureTask<String> cut = later(balancer, port);
    stuckAsked.await();
    deregister(group, stuck);
    contains(cut.get(), "HTTP/1.1 502 ");
    until(
        List.of(),
        () ->
            machine
                .elb()
                .describeTargetHealth(r -> r.targetGroupArn(group))
                .targetHealthDescriptions());
    contains(get(balancer, port), "HTTP/1.1 503 ");
  }

  @Test
  void attributesActOnRequests() throws Exception {
    LoadBalancer balancer = balancer(2);
    String arn = balancer.loadBalancerArn();
    String group = group("echo", "traffic-port");
    int port = listener(balancer, group);
    NetworkInterface echo = server(0, head -> head.startsWith("GET / ") ? ok(head) : ok(""));
    register(group, echo);
    healthy(group, echo);
    String name = balancer.dnsName();

    String usual = get(balancer, port, "X-Forwarded-For: 9.9.9.9", "X_Y: 1");
    contains(usual, "\r\nHost: " + name + ":" + port + "\r\n");
    contains(usual, "\r\nX-Forwarded-For: 9.9.9.9, 127.0.0.1\r\n");
    contains(usual, "\r\nX_Y: 1\r\n");
    contains(get(balancer, port, "Content-Length: 0"), "HTTP/1.1 200 ");

    change(arn, "routing.http.preserve_host_header.enabled", "true");
    contains(get(balancer, port), "\r\nHost: " + name + "\r\n");
    change(arn, "routing.http.xff_client_port.enabled", "true");
    String ported = get(balancer, port, "X-Forwarded-For: 9.9.9.9");
    assertTrue(
        ported.matches("(?s).*\r\nX-Forwarded-For: 9\\.9\\.9\\.9, 127\\.0\\.0\\.1:[0-9]+\r\n.*"),
        ported);
    change(arn, "routing.http.xff_header_processing.mode", "preserve");
    contains(get(balancer, port, "X-Forwarded-For: 9.9.9.9"), "\r\nX-Forwarded-For: 9.9.9.9\r\n");
    assertFalse(get(balancer, port).contains("X-Forwarded-For"));
    change(arn, "routing.http.xff_header_processing.mode", "remove");
    assertFalse(get(balancer, port, "X-Forwarded-For: 9.9.9.9").contains("X-Forwarded-For"));
    change(arn, "routing.http.drop_invalid_header_fields.enabled", "true");
    String dropped = get(balancer, port, "X_Y: 1", "X-Y: 2");
    assertFalse(dropped.contains("X_Y"), dropped);
    contains(dropped, "\r\nX-Y: 2\r\n");
    change(arn, "routing.http.desync_mitigation_mode", "strictest");
    contains(get(balancer, port, "Content-Length: 0"), "HTTP/1.1 400 ");
    contains(get(balancer, port), "HTTP/1.1 200 ");

    NetworkInterface silent = server(1, head -> head.startsWith("GET /alive") ? ok("") : null);
    register(group, silent);
    healthy(group, silent);
    change(arn, "zonal_shift.config.enabled", "true");
    change(arn, "idle_timeout.timeout_seconds", "1");
    try (ArcZonalShift arc = machine.arc()) {
      String shift = machine.shift(arc, arn, 1);
      until("200 200 200", () -> statuses(balancer, port, 3)); // never the one that is silent
      arc.cancelZonalShift(r -> r.zonalShiftId(shift));
      String back = machine.shift(arc, arn, 0);
      until("504", () -> statuses(balancer, port, 1));
      becomes(group, echo, "healthy", null, "null");
      arc.cancelZonalShift(r -> r.zonalShiftId(back));
    }
    deregister(group, echo);
    contains(get(balancer, port), "HTTP/1.1 504 ");
  }

  /** Of several requests in a row. */
  private static String statuses(LoadBalancer balancer, int port, int requests) throws IOException {
    List<String> all = new ArrayList<>();
    for (int i = 0; i < requests; i++) {
      all.add(get(balancer, port).substring("HTTP/1.1 ".length(), "HTTP/1.1 200".length()));
    }
    return String.join(" ", all);
  }

  private void change(String arn, String key, String value) {
    machine
        .elb()
        .modifyLoadBalancerAttributes(r ->
            r.loadBalancerArn(arn)
                .attributes(LoadBalancerAttribute.builder().key(key).value(value).build()));
  }

  @Test
  void aNewServerKnowsWhoWasHealthy() throws Exception {
    LoadBalancer balancer = balancer(2);
    String group = group("api", "traffic-port");
    int port = listener(balancer, group);
    NetworkInterface good = server(0, head -> ok("good"));
    NetworkInterface bad =
        server(1, head -> head.startsWith("GET /alive") ? status(500, "") : ok("bad"));
    register(group, good, bad);
    healthy(group, good);
    until("unhealthy", () -> health(group, bad).stateAsString());

    machine.restart();
    assertEquals("healthy", health(group, good).stateAsString());
    until(
        true,
        () -> {
          try {
            return !get(balancer, port).isEmpty();
          } catch (IOException e) {
            return false; // does not listen yet
          }
        });
    for (int i = 0; i < 20; i++) {
      assertEquals("good", body(get(balancer, port)));
    }
    assertEquals("healthy", health(group, good).stateAsString());
    until("unhealthy", () -> health(group, bad).stateAsString());
    machine.elb().deleteLoadBalancer(r -> r.loadBalancerArn(balancer.loadBalancerArn()));
    until("unused", () -> health(group, good).stateAsString());
  }
}
