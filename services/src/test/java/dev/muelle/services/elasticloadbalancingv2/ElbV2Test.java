package dev.muelle.services.elasticloadbalancingv2;

import static dev.muelle.services.elasticloadbalancingv2.Machine.answers;
import static dev.muelle.services.elasticloadbalancingv2.Machine.contains;
import static dev.muelle.services.elasticloadbalancingv2.Machine.freePort;
import static dev.muelle.services.elasticloadbalancingv2.Machine.get;
import static dev.muelle.services.elasticloadbalancingv2.Machine.says;
import static dev.muelle.services.elasticloadbalancingv2.Machine.to;
import static dev.muelle.services.elasticloadbalancingv2.Machine.until;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.services.Scope;
import dev.muelle.services.elasticloadbalancingv2.state.State;
import dev.muelle.services.elasticloadbalancingv2.state.State.Balancing;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ElasticLoadBalancingV2Exception;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Listener;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancer;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ProtocolEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Tag;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroup;

/**
 * What holds for all of it: names that nobody has, tags, pages, accounts, and servers that come
 * after another.
 */
@Timeout(300)
class ElbV2Test extends ElbV2World {

  @Test
  void whatIsNotThere() {
    refused(
        "ValidationError",
        "'web' is not a valid load balancer ARN",
        () -> elb.describeLoadBalancers(r -> r.loadBalancerArns("web")));
    refused(
        "ValidationError",
        "'" + NO_GROUP + "' is not a valid load balancer ARN",
        () -> elb.describeLoadBalancers(r -> r.loadBalancerArns(NO_GROUP)));
    refused(
        "ValidationError",
        "is not a valid load balancer ARN",
        () -> elb.deleteLoadBalancer(r -> r.loadBalancerArn("x")));
    refused(
        "ValidationError",
        "'x' is not a valid target group ARN",
        () -> elb.describeTargetHealth(r -> r.targetGroupArn("x")));
    refused(
        "ValidationError",
        "'x' is not a valid listener ARN",
        () -> elb.deleteListener(r -> r.listenerArn("x")));
    for (Executable call :
        List.<Executable>of(
            () -> elb.describeLoadBalancers(r -> r.loadBalancerArns(NO_BALANCER)),
            () -> elb.describeLoadBalancerAttributes(r -> r.loadBalancerArn(NO_BALANCER)),
            () -> elb.setSecurityGroups(r -> r.loadBalancerArn(NO_BALANCER).securityGroups("sg-1")),
            () -> elb.describeListeners(r -> r.loadBalancerArn(NO_BALANCER)),
            () -> elb.describeTargetGroups(r -> r.loadBalancerArn(NO_BALANCER)),
            () -> listener(NO_BALANCER, 80, says("x")),
            () -> elb.describeTags(r -> r.resourceArns(NO_BALANCER)))) {
      refused("LoadBalancerNotFound", "not found", call);
    }
    for (Executable call :
        List.<Executable>of(
            () -> elb.describeTargetGroups(r -> r.targetGroupArns(NO_GROUP)),
            () -> elb.describeTargetGroups(r -> r.names("none")),
            () -> elb.describeTargetGroupAttributes(r -> r.targetGroupArn(NO_GROUP)),
            () -> elb.modifyTargetGroup(r -> r.targetGroupArn(NO_GROUP).healthCheckPath("/x")),
            () -> elb.describeTargetHealth(r -> r.targetGroupArn(NO_GROUP)),
            () -> elb.registerTargets(r -> r.targetGroupArn(NO_GROUP).targets(target("1.1.1.1"))),
            () -> elb.deregisterTargets(r -> r.targetGroupArn(NO_GROUP).targets(target("1.1.1.1"))),
            () -> elb.addTags(r -> r.resourceArns(NO_GROUP).tags(tag("a", "b"))))) {
      refused("TargetGroupNotFound", "not found", call);
    }
    for (Executable call :
        List.<Executable>of(
            () -> elb.describeListeners(r -> r.listenerArns(NO_LISTENER)),
            () -> elb.modifyListener(r -> r.listenerArn(NO_LISTENER).port(1)),
            () -> elb.deleteListener(r -> r.listenerArn(NO_LISTENER)),
            () -> elb.describeRules(r -> r.listenerArn(NO_LISTENER)))) {
      refused("ListenerNotFound", "One or more listeners not found", call);
    }
    refused(
        "RuleNotFound",
        "One or more rules not found",
        () ->
            elb.describeRules(
                r -> r.ruleArns(NO_LISTENER.replace(":listener/", ":listener-rule/") + "/1")));
    elb.deleteTargetGroup(r -> r.targetGroupArn(NO_GROUP));
  }

  @Test
  void tagsOfEveryKind() {
    Tag first = tag("team", "a");
    String balancer = machine.balancer("web").loadBalancerArn();
    String group = group("api", r -> r.tags(first)).targetGroupArn();
    String listener = listener(balancer, 8123, says("x")).listenerArn();
    List<String> arns = List.of(balancer, group, listener);
    elb.addTags(r -> r.resourceArns(arns).tags(tag("team", "b"), tag("x", "")));
    elb.describeTags(r -> r.resourceArns(arns))
        .tagDescriptions()
        .forEach(found -> {
          assertEquals(2, found.tags().size());
          assertEquals("b", found.tags().getFirst().value());
        });
    elb.removeTags(r -> r.resourceArns(arns).tagKeys("x", "never"));
    elb.describeTags(r -> r.resourceArns(arns))
        .tagDescriptions()
        .forEach(found -> assertEquals(1, found.tags().size()));
    List<Tag> fifty =
        IntStream.range(0, 50).mapToObj(i -> Tag.builder().key("k" + i).value("").build()).toList();
    refused(
        "TooManyTags", "maximum number", () -> elb.addTags(r -> r.resourceArns(group).tags(fifty)));
    assertEquals(
        1, elb.describeTags(r -> r.resourceArns(group)).tagDescriptions().getFirst().tags().size());
    refused(
        "ValidationError",
        "At most 20",
        () ->
            elb.describeTags(
                r -> r.resourceArns(IntStream.range(0, 21).mapToObj(i -> group).toList())));
  }

  @Test
  void everyListInPages() {
    Set<String> balancers = new HashSet<>();
    for (String name : List.of("a", "b", "c", "d", "e")) {
      balancers.add(machine.balancer(name).loadBalancerArn());
    }
    assertEquals(
        balancers,
        Set.copyOf(
            elb.describeLoadBalancersPaginator(r -> r.pageSize(2)).loadBalancers().stream()
                .map(LoadBalancer::loadBalancerArn)
                .toList()));
    assertEquals(2, elb.describeLoadBalancers(r -> r.pageSize(2)).loadBalancers().size());
    String balancer = balancers.iterator().next();
    Set<String> listeners = new HashSet<>();
    for (int port = 8001; port <= 8005; port++) {
      listeners.add(listener(balancer, port, says("x")).listenerArn());
    }
    assertEquals(
        listeners,
        Set.copyOf(
            elb
                .describeListenersPaginator(r -> r.loadBalancerArn(balancer).pageSize(2))
                .listeners()
                .stream()
                .map(Listener::listenerArn)
                .toList()));
    List<String> backwards = listeners.stream().sorted((a, b) -> b.compareTo(a)).toList();
    assertEquals(
        listeners,
        Set.copyOf(
            elb
                .describeListenersPaginator(r -> r.listenerArns(backwards).pageSize(2))
                .listeners()
                .stream()
                .map(Listener::listenerArn)
                .toList()));
    Set<String> groups = new HashSet<>();
    for (String name : List.of("a", "b", "c")) {
      groups.add(group(name).targetGroupArn());
    }
    assertEquals(
        groups,
        Set.copyOf(
            elb.describeTargetGroupsPaginator(r -> r.pageSize(1)).targetGroups().stream()
                .map(TargetGroup::targetGroupArn)
                .toList()));
    refused("ValidationError", "'401'", () -> elb.describeLoadBalancers(r -> r.pageSize(401)));
    refused("ValidationError", "'0'", () -> elb.describeTargetGroups(r -> r.pageSize(0)));
  }

  @Test
  void accountsAndRegionsOfOneServerDoNotMeet() throws Exception {
    List<Scope> scopes =
        List.of(
            Machine.HOME,
            new Scope("000000000000", "eu-west-1"),
            new Scope("111111111111", "us-east-1"));
    int port = freePort();
    Map<Scope, LoadBalancer> made = new HashMap<>();
    for (Scope scope : scopes) {
      var services = machine.in(scope);
      String group = machine.openGroup(services.ec2(), "open");
      List<String> subnets =
          services.ec2().describeSubnets().subnets().stream().map(s -> s.subnetId()).toList();
      LoadBalancer one =
          services
              .client()
              .createLoadBalancer(r -> r.name("web").subnets(subnets).securityGroups(group))
              .loadBalancers()
              .getFirst();
      services
          .client()
          .createListener(r ->
              r.loadBalancerArn(one.loadBalancerArn())
                  .protocol(ProtocolEnum.HTTP)
                  .port(port)
                  .defaultActions(says(scope.toString())));
      made.put(scope, one);
    }
    each(made, port);
    // As a server without a register of addresses would have left it.
    made.forEach((scope, one) ->
        machine
            .store
            .in(scope.storeScope())
            .write(tx -> {
              Balancing b = tx.get(State.BALANCERS, one.loadBalancerArn()).orElseThrow().value();
              return tx.put(State.BALANCERS, one.loadBalancerArn(), b.withFront("127.64.0.1"));
            }));
    machine.restart();
    elb = machine.elb();
    each(made, port);

    // One that goes gives its address to the next, in whatever region that is.
    String gone = front(Machine.HOME, made.get(Machine.HOME).loadBalancerArn());
    elb.deleteLoadBalancer(r -> r.loadBalancerArn(made.get(Machine.HOME).loadBalancerArn()));
    assertThrows(SocketException.class, () -> get(gone, port, "x"));
    assertEquals(gone, front(machine.balancer("next").loadBalancerArn()));
  }

  private void each(Map<Scope, LoadBalancer> made, int port) throws Exception {
    Set<String> fronts = new HashSet<>();
    for (Map.Entry<Scope, LoadBalancer> entry : made.entrySet()) {
      Scope scope = entry.getKey();
      String front = front(scope, entry.getValue().loadBalancerArn());
      assertTrue(fronts.add(front), front + " is given twice");
      until(true, () -> answers(front, port));
      assertTrue(get(front, port, "x").endsWith(scope.toString()));
      assertTrue(get("127.0.0.1", port, entry.getValue().dnsName()).endsWith(scope.toString()));
    }
  }

  @Test
  void aNewServerListensAgainAndFinishesWhatWasBegun() throws Exception {
    LoadBalancer stays = machine.balancer("stays");
    LoadBalancer goes = machine.balancer("goes");
    int port = freePort();
    listener(stays.loadBalancerArn(), port, says("again"));
    listener(goes.loadBalancerArn(), port, says("gone"));
    machine.active(stays.loadBalancerArn());
    machine.active(goes.loadBalancerArn());
    String group = group("api").targetGroupArn();
    register(group, "172.31.0.9", null, null);
    String front = front(stays.loadBalancerArn());
    Set<NetworkInterface> nodes = Set.copyOf(interfacesOf(stays));

    // The server dies once it has written the deletion down; an interface was never written down.
    String arn = goes.loadBalancerArn();
    machine
        .store
        .in(Machine.HOME.storeScope())
        .write(tx -> {
          Balancing b = tx.get(State.BALANCERS, arn).orElseThrow().value();
          return tx.put(
              State.BALANCERS,
              arn,
              new Balancing(
                  b.balancer(),
                  b.attributes(),
                  b.tags(),
                  b.nodes().subList(0, 1),
                  b.front(),
                  b.problems(),
                  true));
        });
    machine.restart();
    elb = machine.elb();
    until(true, () -> answers(front, port));
    assertTrue(get(front, port, "x").endsWith("again"));
    contains(get("127.0.0.1", port, goes.dnsName()), "HTTP/1.1 404 ");
    assertEquals(nodes, Set.copyOf(interfacesOf(stays)));
    until(List.of(), () -> interfacesOf(goes));
    assertEquals(3, network.uses().size());
    assertEquals(Set.of("172.31.0.9:5050"), targets(group));
  }

  @Test
  void manyAtOnceAndANewServerInBetween() throws Exception {
    machine.openGroup();
    for (int server = 0; server < 2; server++) {
      List<Future<?>> all = new ArrayList<>();
      try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
        for (int i = 0; i < 6; i++) {
          int one = i;
          all.add(threads.submit(() -> busy(one, new Random(one))));
        }
      }
      for (Future<?> done : all) {
        done.get(); // throws what a thread has met
      }
      machine.restart();
      elb = machine.elb();
    }
    for (LoadBalancer left : elb.describeLoadBalancers(r -> {}).loadBalancers()) {
      elb.deleteLoadBalancer(r -> r.loadBalancerArn(left.loadBalancerArn()));
    }
    for (TargetGroup left : elb.describeTargetGroups(r -> {}).targetGroups()) {
      elb.deleteTargetGroup(r -> r.targetGroupArn(left.targetGroupArn()));
    }
    until(Map.of(), network::uses);
    until(List.of(), () -> machine.ec2().describeNetworkInterfaces().networkInterfaces());
    assertEquals(List.of(), machine.balancer.endpoints());
    assertEquals("127.64.0.1", front(machine.balancer("next").loadBalancerArn()));
  }

  /** Some calls of one caller; whatever meets a refusal goes on, but nothing may break. */
  private void busy(int who, Random random) {
    for (int i = 0; i < 15; i++) {
      String name = "b" + random.nextInt(3);
      try {
        LoadBalancer balancer = machine.balancer(name);
        String arn = balancer.loadBalancerArn();
        String group = group("g" + random.nextInt(3)).targetGroupArn();
        switch (random.nextInt(6)) {
          case 0 -> elb.deleteLoadBalancer(r -> r.loadBalancerArn(arn));
          case 1 -> listener(arn, 21_000 + who, to(group));
          case 2 ->
              elb.describeListeners(r -> r.loadBalancerArn(arn))
                  .listeners()
                  .forEach(l -> elb.deleteListener(r -> r.listenerArn(l.listenerArn())));
          case 3 -> register(group, "172.31.0." + (4 + random.nextInt(3)), null, null);
          case 4 ->
              elb.deregisterTargets(r ->
                  r.targetGroupArn(group).targets(target("172.31.0." + (4 + random.nextInt(3)))));
          default -> change(arn, "idle_timeout.timeout_seconds", "" + (1 + random.nextInt(99)));
        }
      } catch (ElasticLoadBalancingV2Exception e) {
        assertEquals(400, e.statusCode(), e.getMessage());
      }
    }
  }
}
