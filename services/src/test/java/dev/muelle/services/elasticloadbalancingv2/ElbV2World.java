package dev.muelle.services.elasticloadbalancingv2;

import static dev.muelle.services.elasticloadbalancingv2.Machine.contains;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.muelle.loop.SystemTimers;
import dev.muelle.network.sim.SimNetwork;
import dev.muelle.services.Scope;
import dev.muelle.services.elasticloadbalancingv2.state.State;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Action;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateTargetGroupRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ElasticLoadBalancingV2Exception;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Listener;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancer;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerAttribute;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ProtocolEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Tag;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetDescription;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroup;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetTypeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.waiters.ElasticLoadBalancingV2Waiter;

/**
 * Every operation, asked through the SDK's own client: the real store, EC2 and balancer over a
 * network in memory, whose addresses this machine does not have, so that only the host's front
 * listens.
 */
abstract class ElbV2World {

  static final String NOWHERE = "arn:aws:elasticloadbalancing:us-east-1:000000000000:";
  static final String NO_BALANCER = NOWHERE + "loadbalancer/app/none/0123456789abcdef";
  static final String NO_GROUP = NOWHERE + "targetgroup/none/0123456789abcdef";
  static final String NO_LISTENER = NOWHERE + "listener/app/none/0123456789abcdef/0123";

  @TempDir Path directory;
  SystemTimers simTimers;
  SimNetwork network;
  Machine machine;
  ElasticLoadBalancingV2Client elb;

  @BeforeEach
  void open() {
    simTimers = new SystemTimers();
    network = new SimNetwork(simTimers);
    machine = new Machine(directory, network);
    elb = machine.elb();
  }

  @AfterEach
  void close() {
    machine.close();
    simTimers.close();
  }

  static void refused(String code, String message, Executable call) {
    var refusal = assertThrows(ElasticLoadBalancingV2Exception.class, call);
    assertEquals(code, refusal.awsErrorDetails().errorCode(), refusal.getMessage());
    contains(refusal.awsErrorDetails().errorMessage(), message);
    assertEquals(400, refusal.statusCode());
  }

  static ElasticLoadBalancingV2Waiter waiter(ElasticLoadBalancingV2Client elb) {
    return ElasticLoadBalancingV2Waiter.builder()
        .client(elb)
        .overrideConfiguration(c ->
            c.backoffStrategyV2(
                    software.amazon.awssdk.retries.api.BackoffStrategy.fixedDelay(
                        Duration.ofMillis(20)))
                .maxAttempts(3000))
        .build();
  }

  static TargetDescription target(String id) {
    return TargetDescription.builder().id(id).build();
  }

  static TargetDescription target(String id, int port) {
    return TargetDescription.builder().id(id).port(port).build();
  }

  static Tag tag(String key, String value) {
    return Tag.builder().key(key).value(value).build();
  }

  TargetGroup group(String name) {
    return group(name, r -> {});
  }

  TargetGroup group(String name, Consumer<CreateTargetGroupRequest.Builder> more) {
    String vpc = machine.vpc();
    return elb.createTargetGroup(
            r -> {
              r.name(name)
                  .protocol(ProtocolEnum.HTTP)
                  .port(5050)
                  .vpcId(vpc)
                  .targetType(TargetTypeEnum.IP);
              more.accept(r);
            })
        .targetGroups()
        .getFirst();
  }

  Listener listener(String balancer, int port, Action action) {
    return elb.createListener(r ->
            r.loadBalancerArn(balancer)
                .protocol(ProtocolEnum.HTTP)
                .port(port)
                .defaultActions(action))
        .listeners()
        .getFirst();
  }

  List<NetworkInterface> interfacesOf(LoadBalancer balancer) {
    String path = balancer.loadBalancerArn().split(":loadbalancer/")[1];
    return machine
        .ec2()
        .describeNetworkInterfaces(
            r -> r.filters(Filter.builder().name("description").values("ELB " + path).build()))
        .networkInterfaces();
  }

  String front(String balancer) {
    return front(Machine.HOME, balancer);
  }

  String front(Scope scope, String balancer) {
    return machine
        .store
        .in(scope.storeScope())
        .read(tx -> tx.get(State.BALANCERS, balancer))
        .orElseThrow()
        .value()
        .front();
  }

  void change(String arn, String key, String value) {
    elb.modifyLoadBalancerAttributes(r ->
        r.loadBalancerArn(arn)
            .attributes(LoadBalancerAttribute.builder().key(key).value(value).build()));
  }

  void register(String group, String id, Integer port, String zone) {
    elb.registerTargets(r ->
        r.targetGroupArn(group)
            .targets(TargetDescription.builder().id(id).port(port).availabilityZone(zone).build()));
  }

  Set<String> targets(String group) {
    Set<String> found = new HashSet<>();
    elb.describeTargetHealth(r -> r.targetGroupArn(group))
        .targetHealthDescriptions()
        .forEach(t -> found.add(t.target().id() + ":" + t.target().port()));
    return found;
  }
}
