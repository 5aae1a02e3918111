package dev.muelle.services.elasticloadbalancingv2;

import static dev.muelle.services.elasticloadbalancingv2.Machine.freePort;
import static dev.muelle.services.elasticloadbalancingv2.Machine.get;
import static dev.muelle.services.elasticloadbalancingv2.Machine.says;
import static dev.muelle.services.elasticloadbalancingv2.Machine.to;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.services.elasticloadbalancingv2.state.State;
import dev.muelle.services.elasticloadbalancingv2.state.State.Balancing;
import dev.muelle.services.elasticloadbalancingv2.state.State.Group;
import dev.muelle.store.Store;
import java.net.SocketException;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Action;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ActionTypeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Listener;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancer;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ProtocolEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Rule;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetDescription;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroup;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupTuple;

/** Listeners, their default rules and their limits. */
@Timeout(300)
class ListenersTest extends ElbV2World {

  @Test
  void listenersAndTheirDefaultRules() throws Exception {
    LoadBalancer balancer = machine.balancer("web");
    String arn = balancer.loadBalancerArn();
    int port = freePort();
    Listener made = listener(arn, port, says("one"));
    assertTrue(
        made.listenerArn().matches(arn.replace(":loadbalancer/", ":listener/") + "/[0-9a-f]{16}"),
        made.listenerArn());
    assertEquals(List.of(made), elb.describeListeners(r -> r.loadBalancerArn(arn)).listeners());
    assertEquals(
        List.of(made), elb.describeListeners(r -> r.listenerArns(made.listenerArn())).listeners());
    refused(
        "DuplicateListener",
        "A listener already exists on this port for this load balancer '" + arn + "'",
        () -> listener(arn, port, says("two")));

    Rule rule = elb.describeRules(r -> r.listenerArn(made.listenerArn())).rules().getFirst();
    assertEquals("default", rule.priority());
    assertTrue(rule.isDefault());
    assertEquals(made.defaultActions(), rule.actions());
    assertEquals(List.of(rule), elb.describeRules(r -> r.ruleArns(rule.ruleArn())).rules());

    assertTrue(get("127.0.0.1", port, balancer.dnsName()).endsWith("one"));
    int other = freePort();
    Listener second = listener(arn, other, says("two"));
    refused(
        "ValidationError",
        "Listener port '" + other + "' is already in use",
        () -> elb.modifyListener(r -> r.listenerArn(made.listenerArn()).port(other)));
    elb.deleteListener(r -> r.listenerArn(second.listenerArn()));
    elb.modifyListener(
        r -> r.listenerArn(made.listenerArn()).port(other).defaultActions(says("three")));
    assertTrue(get("127.0.0.1", other, balancer.dnsName()).endsWith("three"));
    assertThrows(SocketException.class, () -> get(front(arn), port, "x"));
    elb.deleteListener(r -> r.listenerArn(made.listenerArn()));
    assertThrows(SocketException.class, () -> get(front(arn), other, "x"));
  }

  @Test
  void aListenerForwardsByWeight() throws Exception {
    String balancer = machine.balancer("web").loadBalancerArn();
    String blue = group("blue").targetGroupArn();
    String green = group("green").targetGroupArn();
    Listener made = listener(balancer, freePort(), shares(blue, 100, green, 0));
    Action action = made.defaultActions().getFirst();
    assertEquals(null, action.targetGroupArn());
    assertEquals(
        shares(blue, 100, green, 0).forwardConfig().targetGroups(),
        action.forwardConfig().targetGroups());
    for (String arn : List.of(blue, green)) {
      assertEquals(
          List.of(balancer),
          elb.describeTargetGroups(r -> r.targetGroupArns(arn))
              .targetGroups()
              .getFirst()
              .loadBalancerArns());
      refused("ResourceInUse", "", () -> elb.deleteTargetGroup(r -> r.targetGroupArn(arn)));
    }
    elb.modifyListener(r -> r.listenerArn(made.listenerArn()).defaultActions(to(green)));
    elb.deleteTargetGroup(r -> r.targetGroupArn(blue));
    refused(
        "ValidationError",
        "'1000' must be in the range 0-999",
        () ->
            elb.modifyListener(r ->
                r.listenerArn(made.listenerArn())
                    .defaultActions(shares(green, 1000, group("more").targetGroupArn(), 1))));
  }

  private static Action shares(String blue, int blueWeight, String green, int greenWeight) {
    return Action.builder()
        .type(ActionTypeEnum.FORWARD)
        .forwardConfig(f ->
            f.targetGroups(
                TargetGroupTuple.builder().targetGroupArn(blue).weight(blueWeight).build(),
                TargetGroupTuple.builder().targetGroupArn(green).weight(greenWeight).build()))
        .build();
  }

  @Test
  void whatAListenerCannotDo() {
    String balancer = machine.balancer("web").loadBalancerArn();
    String group = group("api").targetGroupArn();
    String vpc = machine.ec2().createVpc(r -> r.cidrBlock("10.9.0.0/16")).vpc().vpcId();
    String foreign = group("far", r -> r.vpcId(vpc)).targetGroupArn();
    refused(
        "InvalidConfigurationRequest",
        "The following target groups belong to a different VPC than load balancer '" + balancer,
        () -> listener(balancer, 80, to(foreign)));
    refused("TargetGroupNotFound", NO_GROUP, () -> listener(balancer, 80, to(NO_GROUP)));
    refused("ValidationError", "'70000'", () -> listener(balancer, 70_000, says("x")));
    refused(
        "InvalidLoadBalancerAction",
        "must be the last one",
        () ->
            listener(
                balancer, 80, Action.builder().type(ActionTypeEnum.AUTHENTICATE_OIDC).build()));
    refused(
        "ValidationError",
        "'authenticate-cognito'",
        () ->
            listener(
                balancer, 80, Action.builder().type(ActionTypeEnum.AUTHENTICATE_COGNITO).build()));
    refused(
        "ValidationError",
        "specified twice",
        () ->
            listener(
                balancer,
                80,
                Action.builder()
                    .type(ActionTypeEnum.FORWARD)
                    .forwardConfig(f ->
                        f.targetGroups(
                            TargetGroupTuple.builder().targetGroupArn(group).weight(1).build(),
                            TargetGroupTuple.builder().targetGroupArn(group).weight(1).build()))
                    .build()));
    refused(
        "ValidationError",
        "stickiness duration",
        () ->
            listener(
                balancer,
                80,
                Action.builder()
                    .type(ActionTypeEnum.FORWARD)
                    .forwardConfig(f ->
                        f.targetGroups(TargetGroupTuple.builder().targetGroupArn(group).build())
                            .targetGroupStickinessConfig(
                                s -> s.enabled(true).durationSeconds(604_801)))
                    .build()));
    for (String status : List.of("302", "abc", "99")) {
      refused(
          "ValidationError",
          "'" + status + "'",
          () ->
              listener(
                  balancer,
                  80,
                  Action.builder()
                      .type(ActionTypeEnum.FIXED_RESPONSE)
                      .fixedResponseConfig(f -> f.statusCode(status))
                      .build()));
    }
    refused("ValidationError", "1024", () -> listener(balancer, 80, says("x".repeat(1025))));
    refused(
        "ValidationError",
        "A certificate must be specified for HTTPS listeners",
        () ->
            elb.createListener(r ->
                r.loadBalancerArn(balancer)
                    .protocol(ProtocolEnum.HTTPS)
                    .port(443)
                    .defaultActions(says("x"))));
    refused(
        "ValidationError",
        "A listener port must be specified",
        () ->
            elb.createListener(r ->
                r.loadBalancerArn(balancer).protocol(ProtocolEnum.HTTP).defaultActions(says("x"))));
    refused(
        "ValidationError",
        "An SSL policy cannot be specified for HTTP listeners",
        () ->
            elb.createListener(r ->
                r.loadBalancerArn(balancer)
                    .protocol(ProtocolEnum.HTTP)
                    .port(80)
                    .sslPolicy("p")
                    .defaultActions(says("x"))));
    assertEquals(List.of(), elb.describeListeners(r -> r.loadBalancerArn(balancer)).listeners());

    listener(balancer, 8123, to(group));
    listener(balancer, 8124, to(group)); // the same group twice in one load balancer is fine
    String second = machine.balancer("second").loadBalancerArn();
    refused(
        "TargetGroupAssociationLimit",
        "The following target groups cannot be associated with more than one load balancer: "
            + group,
        () -> listener(second, 8123, to(group)));
    refused("ValidationError", "either listener ARNs or", () -> elb.describeListeners(r -> {}));
  }

  @Test
  void limits() {
    String balancer = machine.balancer("web").loadBalancerArn();
    for (int port = 8001; port <= 8050; port++) {
      int one = port;
      copyListener(balancer, one);
    }
    refused("TooManyListeners", "maximum", () -> listener(balancer, 9000, says("x")));

    String group = group("api").targetGroupArn();
    List<TargetDescription> many =
        IntStream.range(0, 1000)
            .mapToObj(i -> TargetDescription.builder().id("172.31.0.9").port(1000 + i).build())
            .toList();
    elb.registerTargets(r -> r.targetGroupArn(group).targets(many));
    refused(
        "TooManyTargets",
        "maximum",
        () -> elb.registerTargets(r -> r.targetGroupArn(group).targets(target("172.31.0.9", 80))));
    elb.registerTargets(r -> r.targetGroupArn(group).targets(many)); // they are there already

    Store home = machine.store.in(Machine.HOME.storeScope());
    home.write(tx -> {
      Group one = tx.get(State.GROUPS, group).orElseThrow().value();
      Balancing web = tx.get(State.BALANCERS, balancer).orElseThrow().value();
      for (int i = 1; i < 3000; i++) {
        String arn = group + i;
        TargetGroup copy =
            one.group().toBuilder().targetGroupName("g" + i).targetGroupArn(arn).build();
        tx.put(State.GROUPS, arn, new Group(copy, Map.of(), List.of(), List.of()));
      }
      for (int i = 1; i < 50; i++) {
        String arn = balancer + i;
        LoadBalancer copy =
            web.balancer().toBuilder().loadBalancerName("b" + i).loadBalancerArn(arn).build();
        tx.put(
            State.BALANCERS,
            arn,
            new Balancing(copy, Map.of(), List.of(), List.of(), "", Map.of(), false));
      }
      return true;
    });
    refused("TooManyTargetGroups", "maximum", () -> group("more"));
    refused("TooManyLoadBalancers", "maximum", () -> machine.balancer("more"));
  }

  /** Without opening it: only the count matters here. */
  private void copyListener(String balancer, int port) {
    machine
        .store
        .in(Machine.HOME.storeScope())
        .write(tx -> {
          String arn = balancer.replace(":loadbalancer/", ":listener/") + "/" + port;
          Listener one =
              Listener.builder()
                  .listenerArn(arn)
                  .loadBalancerArn(balancer)
                  .protocol(ProtocolEnum.HTTP)
                  .port(port)
                  .defaultActions(says("x"))
                  .build();
          return tx.put(
              State.LISTENERS,
              arn,
              new State.Listening(one, arn + "/r", List.of(), List.of(), Map.of()));
        });
  }
}
