package dev.muelle.services.elasticloadbalancingv2;

import static dev.muelle.services.elasticloadbalancingv2.Machine.freePort;
import static dev.muelle.services.elasticloadbalancingv2.Machine.says;
import static dev.muelle.services.elasticloadbalancingv2.Machine.to;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateTargetGroupRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Listener;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyTargetGroupRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RuleCondition;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroup;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupAttribute;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetHealth;

/** Target groups and what can be a target. */
@Timeout(300)
class TargetGroupsTest extends ElbV2World {

  @Test
  void aTargetGroupFromItsCreationToItsEnd() {
    TargetGroup made = group("api");
    String arn = made.targetGroupArn();
    assertTrue(arn.matches(NOWHERE + "targetgroup/api/[0-9a-f]{16}"), arn);
    assertEquals("traffic-port", made.healthCheckPort());
    assertEquals("/", made.healthCheckPath());
    assertEquals(30, made.healthCheckIntervalSeconds());
    assertEquals(5, made.healthCheckTimeoutSeconds());
    assertEquals(5, made.healthyThresholdCount());
    assertEquals(2, made.unhealthyThresholdCount());
    assertEquals("200", made.matcher().httpCode());
    assertEquals("HTTP1", made.protocolVersion());
    assertEquals(List.of(), made.loadBalancerArns());
    assertEquals(arn, group("api").targetGroupArn());
    refused(
        "DuplicateTargetGroupName",
        "A target group with the same name 'api' exists, but with different settings",
        () -> group("api", r -> r.port(80)));
    assertEquals(
        List.of(made), elb.describeTargetGroups(r -> r.targetGroupArns(arn)).targetGroups());
    assertEquals(List.of(made), elb.describeTargetGroups(r -> r.names("api")).targetGroups());

    TargetGroup changed =
        elb.modifyTargetGroup(r ->
                r.targetGroupArn(arn)
                    .healthCheckPath("/alive")
                    .healthCheckPort("9000")
                    .healthCheckIntervalSeconds(10)
                    .healthCheckTimeoutSeconds(4)
                    .healthyThresholdCount(3)
                    .unhealthyThresholdCount(4)
                    .matcher(m -> m.httpCode("200-299,301")))
            .targetGroups()
            .getFirst();
    assertEquals("/alive", changed.healthCheckPath());
    assertEquals("9000", changed.healthCheckPort());
    assertEquals(10, changed.healthCheckIntervalSeconds());
    assertEquals(4, changed.healthCheckTimeoutSeconds());
    assertEquals(3, changed.healthyThresholdCount());
    assertEquals(4, changed.unhealthyThresholdCount());
    assertEquals("200-299,301", changed.matcher().httpCode());
    assertEquals(List.of(changed), elb.describeTargetGroups(r -> {}).targetGroups());

    String balancer = machine.balancer("web").loadBalancerArn();
    Listener listener = listener(balancer, 8123, to(arn));
    assertEquals(
        List.of(balancer),
        elb.describeTargetGroups(r -> r.loadBalancerArn(balancer))
            .targetGroups()
            .getFirst()
            .loadBalancerArns());
    refused(
        "ResourceInUse",
        "Target group '" + arn + "' is currently in use by a listener or a rule",
        () -> elb.deleteTargetGroup(r -> r.targetGroupArn(arn)));
    elb.deleteListener(r -> r.listenerArn(listener.listenerArn()));
    elb.deleteTargetGroup(r -> r.targetGroupArn(arn));
    assertEquals(List.of(), elb.describeTargetGroups(r -> {}).targetGroups());
  }

  @Test
  void targetGroupsOfHttp2AndGrpc() {
    TargetGroup calls = group("calls", r -> r.protocolVersion("GRPC"));
    assertEquals("GRPC", calls.protocolVersion());
    assertEquals("12", calls.matcher().grpcCode());
    assertNull(calls.matcher().httpCode());
    assertEquals("/AWS.ALB/healthcheck", calls.healthCheckPath());
    String arn = calls.targetGroupArn();
    elb.modifyTargetGroup(r -> r.targetGroupArn(arn).matcher(m -> m.grpcCode("0,5-7")));
    elb.modifyTargetGroup(r -> r.targetGroupArn(arn).healthCheckPath("/a.B/Check"));
    TargetGroup now =
        elb.describeTargetGroups(r -> r.targetGroupArns(arn)).targetGroups().getFirst();
    assertEquals("0,5-7", now.matcher().grpcCode());
    assertEquals("/a.B/Check", now.healthCheckPath());
    TargetGroup pages = group("pages", r -> r.protocolVersion("HTTP2"));
    assertEquals("200", pages.matcher().httpCode());
    assertEquals("/", pages.healthCheckPath());

    String balancer = machine.balancer("web").loadBalancerArn();
    String unfit =
        "Listener protocol 'HTTP' is not supported with a target group with the protocol-version"
            + " 'GRPC'";
    refused(
        "InvalidLoadBalancerAction",
        unfit,
        () ->
            elb.createListener(r ->
                r.loadBalancerArn(balancer)
                    .protocol("HTTP")
                    .port(freePort())
                    .defaultActions(to(arn))));
    String listener =
        elb.createListener(r ->
                r.loadBalancerArn(balancer)
                    .protocol("HTTP")
                    .port(freePort())
                    .defaultActions(says("hi")))
            .listeners()
            .getFirst()
            .listenerArn();
    refused(
        "InvalidLoadBalancerAction",
        unfit,
        () ->
            elb.createRule(r ->
                r.listenerArn(listener)
                    .priority(1)
                    .conditions(RuleCondition.builder().field("path-pattern").values("/a").build())
                    .actions(to(arn))));
    refused(
        "InvalidLoadBalancerAction",
        unfit,
        () -> elb.modifyListener(r -> r.listenerArn(listener).defaultActions(to(arn))));
  }

  @Test
  void targetsAndTheirChecksMayBeBehindTls() {
    TargetGroup made =
        elb.createTargetGroup(r ->
                r.name("tls").protocol("HTTPS").port(443).targetType("ip").vpcId(machine.vpc()))
            .targetGroups()
            .getFirst();
    assertEquals("HTTPS", made.protocolAsString());
    assertEquals("HTTP", made.healthCheckProtocolAsString(), "as on AWS, whatever the protocol");
    elb.modifyTargetGroup(
        r -> r.targetGroupArn(made.targetGroupArn()).healthCheckProtocol("HTTPS"));
    elb.modifyTargetGroup(r -> r.targetGroupArn(made.targetGroupArn()).healthCheckPath("/a"));
    assertEquals(
        "HTTPS",
        elb.describeTargetGroups(r -> r.targetGroupArns(made.targetGroupArn()))
            .targetGroups()
            .getFirst()
            .healthCheckProtocolAsString());
  }

  @Test
  void whatATargetGroupCannotBe() {
    record Case(String message, Consumer<CreateTargetGroupRequest.Builder> request) {}
    List<Case> cases =
        List.of(
            new Case("Target group name 'a_b'", r -> r.name("a_b")),
            new Case("target type 'lambda'", r -> r.targetType("lambda")),
            new Case("protocol 'GENEVE'", r -> r.protocol("GENEVE")),
            new Case("protocol must be specified", r -> r.protocol((String) null)),
            new Case("Protocol version 'HTTP3'", r -> r.protocolVersion("HTTP3")),
            new Case("'HttpCode'", r -> r.protocolVersion("GRPC").matcher(m -> m.httpCode("200"))),
            new Case(
                "GRPC code '0-100' must be within '0-99'",
                r -> r.protocolVersion("GRPC").matcher(m -> m.grpcCode("0-100"))),
            new Case("'ipv6'", r -> r.ipAddressType("ipv6").targetType("instance")),
            new Case("port", r -> r.port(0)),
            new Case("VPC ID must be specified", r -> r.vpcId(null)),
            new Case("'vpc-0123' is not found", r -> r.vpcId("vpc-0123")),
            new Case("must be enabled", r -> r.healthCheckEnabled(false)),
            new Case("health check protocol 'GENEVE'", r -> r.healthCheckProtocol("GENEVE")),
            new Case("'99999'", r -> r.healthCheckPort("99999")),
            new Case("must begin with a '/'", r -> r.healthCheckPath("alive")),
            new Case(
                "interval '4' must be in the range 5-300", r -> r.healthCheckIntervalSeconds(4)),
            new Case("timeout '1' must be in the range 2-120", r -> r.healthCheckTimeoutSeconds(1)),
            new Case(
                "interval must be greater than the timeout",
                r -> r.healthCheckIntervalSeconds(5)), // as long as the timeout is by default
            new Case("Healthy threshold count '1'", r -> r.healthyThresholdCount(1)),
            new Case("Unhealthy threshold count '11'", r -> r.unhealthyThresholdCount(11)),
            new Case(
                "'200-500' must be within '200-499'", r -> r.matcher(m -> m.httpCode("200-500"))),
            new Case("'GrpcCode'", r -> r.matcher(m -> m.httpCode("200").grpcCode("0"))));
    for (Case wrong : cases) {
      refused("ValidationError", wrong.message(), () -> group("api", wrong.request()));
    }
    String arn = group("api").targetGroupArn();
    record Change(String message, Consumer<ModifyTargetGroupRequest.Builder> request) {}
    List<Change> changes =
        List.of(
            new Change("must be enabled", r -> r.healthCheckEnabled(false)),
            new Change("health check protocol 'TCP'", r -> r.healthCheckProtocol("TCP")),
            new Change("timeout '31'", r -> r.healthCheckTimeoutSeconds(31)),
            new Change("'x'", r -> r.matcher(m -> m.httpCode("x"))),
            new Change("'GrpcCode'", r -> r.matcher(m -> m.grpcCode("0"))),
            new Change("'0' must be", r -> r.healthCheckPort("0")));
    for (Change wrong : changes) {
      refused(
          "ValidationError",
          wrong.message().startsWith("timeout") ? "greater than the timeout" : wrong.message(),
          () ->
              elb.modifyTargetGroup(r -> {
                r.targetGroupArn(arn);
                wrong.request().accept(r);
              }));
    }
  }

  @Test
  void attributesOfTargetGroups() {
    String arn = group("api").targetGroupArn();
    Map<String, String> all = new HashMap<>();
    elb.describeTargetGroupAttributes(r -> r.targetGroupArn(arn))
        .attributes()
        .forEach(a -> all.put(a.key(), a.value()));
    assertEquals("300", all.get("deregistration_delay.timeout_seconds"));
    assertEquals("round_robin", all.get("load_balancing.algorithm.type"));
    assertEquals("", all.remove("stickiness.app_cookie.cookie_name"));
    all.forEach((key, value) -> changeGroup(arn, key, value));
    changeGroup(arn, "deregistration_delay.timeout_seconds", "0");
    changeGroup(arn, "deregistration_delay.timeout_seconds", "3600");
    refused(
        "ValidationError",
        "Target group attribute key 'idle_timeout.timeout_seconds' is not recognized",
        () -> changeGroup(arn, "idle_timeout.timeout_seconds", "60"));
    Map.of(
            "deregistration_delay.timeout_seconds", "3601",
            "stickiness.enabled", "yes",
            "stickiness.type", "source_ip",
            "stickiness.lb_cookie.duration_seconds", "604801",
            "stickiness.app_cookie.cookie_name", "a b",
            "slow_start.duration_seconds", "29",
            "target_group_health.dns_failover.minimum_healthy_targets.percentage", "101",
            "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "off",
            "load_balancing.algorithm.anomaly_mitigation", "yes",
            "load_balancing.algorithm.type", "least_connections")
        .forEach(
            (key, value) -> refused("ValidationError", key, () -> changeGroup(arn, key, value)));
    changeGroup(arn, "load_balancing.algorithm.type", "least_outstanding_requests");
    changeGroup(arn, "load_balancing.algorithm.type", "weighted_random");
    changeGroup(arn, "load_balancing.algorithm.anomaly_mitigation", "on");
    refused(
        "ValidationError",
        "Anomaly mitigation",
        () -> changeGroup(arn, "load_balancing.algorithm.type", "round_robin"));
    refused(
        "ValidationError",
        "Slow start mode is not supported with the 'weighted_random'",
        () -> changeGroup(arn, "slow_start.duration_seconds", "30"));
    changeGroup(arn, "load_balancing.algorithm.anomaly_mitigation", "off");
    changeGroup(arn, "load_balancing.algorithm.type", "round_robin");
    changeGroup(arn, "slow_start.duration_seconds", "900");
    changeGroup(arn, "stickiness.lb_cookie.duration_seconds", "1");
    changeGroup(arn, "stickiness.enabled", "true");
    refused(
        "ValidationError",
        "cookie name must be specified",
        () -> changeGroup(arn, "stickiness.type", "app_cookie"));
    refused(
        "ValidationError",
        "must not begin with",
        () -> changeGroup(arn, "stickiness.app_cookie.cookie_name", "AWSALBX"));
    changeGroup(arn, "stickiness.app_cookie.cookie_name", "SID");
    changeGroup(arn, "stickiness.type", "app_cookie");
    refused(
        "ValidationError",
        "cross-zone",
        () -> changeGroup(arn, "load_balancing.cross_zone.enabled", "false"));
    String health = "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count";
    refused("ValidationError", "greater than or equal", () -> changeGroup(arn, health, "2"));
    changeGroup(arn, "target_group_health.dns_failover.minimum_healthy_targets.count", "off");
    changeGroup(arn, health, "2");
  }

  private void changeGroup(String arn, String key, String value) {
    elb.modifyTargetGroupAttributes(r ->
        r.targetGroupArn(arn)
            .attributes(TargetGroupAttribute.builder().key(key).value(value).build()));
  }

  @Test
  void whatCanBeATarget() {
    String group = group("api").targetGroupArn();
    for (String wrong : List.of("i-0123456789abcdef0", "172.31.0", "172.31.0.256", "::1")) {
      refused("ValidationError", "'" + wrong + "'", () -> register(group, wrong, null, null));
    }
    refused(
        "InvalidTarget", "'8.8.8.8' is not within", () -> register(group, "8.8.8.8", null, null));
    refused("ValidationError", "'all'", () -> register(group, "10.1.1.1", null, null));
    refused("ValidationError", "'0'", () -> register(group, "172.31.0.9", 0, null));
    register(group, "10.1.1.1", null, "all");
    register(group, "172.31.0.9", 81, null);
    register(group, "172.31.0.9", 82, null);
    register(group, "172.31.0.9", 82, null);
    assertEquals(Set.of("10.1.1.1:5050", "172.31.0.9:81", "172.31.0.9:82"), targets(group));

    TargetHealth unused = health(group, "172.31.0.9", 81);
    assertEquals("unused", unused.stateAsString());
    assertEquals("Target.NotInUse", unused.reasonAsString());
    assertEquals(
        "Target group is not configured to receive traffic from the load balancer",
        unused.description());
    TargetHealth stranger = health(group, "172.31.0.8", 81);
    assertEquals("unused", stranger.stateAsString());
    assertEquals("Target.NotRegistered", stranger.reasonAsString());
    assertEquals("Target is not registered to the target group", stranger.description());

    // Without a port, the group's own is meant.
    elb.deregisterTargets(r -> r.targetGroupArn(group).targets(target("172.31.0.9")));
    assertEquals(3, targets(group).size());
    elb.deregisterTargets(
        r -> r.targetGroupArn(group).targets(target("10.1.1.1"), target("172.31.0.9", 82)));
    assertEquals(Set.of("172.31.0.9:81"), targets(group));
    refused(
        "ValidationError",
        "'[Everything]' at 'include'",
        () ->
            elb.describeTargetHealth(
                r -> r.targetGroupArn(group).includeWithStrings("Everything")));
  }

  private TargetHealth health(String group, String id, int port) {
    return elb.describeTargetHealth(r -> r.targetGroupArn(group).targets(target(id, port)))
        .targetHealthDescriptions()
        .getFirst()
        .targetHealth();
  }
}
