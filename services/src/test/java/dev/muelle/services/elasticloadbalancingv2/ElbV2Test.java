package dev.muelle.services.elasticloadbalancingv2;

import static dev.muelle.services.elasticloadbalancingv2.Machine.answers;
import static dev.muelle.services.elasticloadbalancingv2.Machine.contains;
import static dev.muelle.services.elasticloadbalancingv2.Machine.freePort;
import static dev.muelle.services.elasticloadbalancingv2.Machine.get;
import static dev.muelle.services.elasticloadbalancingv2.Machine.says;
import static dev.muelle.services.elasticloadbalancingv2.Machine.to;
import static dev.muelle.services.elasticloadbalancingv2.Machine.until;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.loop.SystemTimers;
import dev.muelle.network.sim.SimNetwork;
import dev.muelle.services.Scope;
import dev.muelle.services.elasticloadbalancingv2.state.State;
import dev.muelle.services.elasticloadbalancingv2.state.State.Balancing;
import dev.muelle.services.elasticloadbalancingv2.state.State.Group;
import dev.muelle.store.Store;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
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
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Action;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ActionTypeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.AvailabilityZone;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateLoadBalancerRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateTargetGroupRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ElasticLoadBalancingV2Exception;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Listener;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancer;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerAttribute;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerNotFoundException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerSchemeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerStateEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerTypeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyTargetGroupRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ProtocolEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Rule;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RuleCondition;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.SubnetMapping;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Tag;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetDescription;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroup;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupAttribute;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupTuple;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetHealth;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetTypeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.waiters.ElasticLoadBalancingV2Waiter;

/**
 * Every operation, asked through the SDK's own client: the real store, EC2 and balancer over a
 * network in memory, whose addresses this machine does not have, so that only the host's front
 * listens.
 */
@Timeout(300)
class ElbV2Test {

  private static final String NOWHERE = "arn:aws:elasticloadbalancing:us-east-1:000000000000:";
  private static final String NO_BALANCER = NOWHERE + "loadbalancer/app/none/0123456789abcdef";
  private static final String NO_GROUP = NOWHERE + "targetgroup/none/0123456789abcdef";
  private static final String NO_LISTENER = NOWHERE + "listener/app/none/0123456789abcdef/0123";

  @TempDir private Path directory;
  private SystemTimers simTimers;
  private SimNetwork network;
  private Machine machine;
  private ElasticLoadBalancingV2Client elb;

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

  private static void refused(String code, String message, Executable call) {
    var refusal = assertThrows(ElasticLoadBalancingV2Exception.class, call);
    assertEquals(code, refusal.awsErrorDetails().errorCode(), refusal.getMessage());
    contains(refusal.awsErrorDetails().errorMessage(), message);
    assertEquals(400, refusal.statusCode());
  }

  private static ElasticLoadBalancingV2Waiter waiter(ElasticLoadBalancingV2Client elb) {
    return ElasticLoadBalancingV2Waiter.builder()
        .client(elb)
        .overrideConfiguration(c ->
            c.backoffStrategyV2(
                    software.amazon.awssdk.retries.api.BackoffStrategy.fixedDelay(
                        Duration.ofMillis(20)))
                .maxAttempts(3000))
        .build();
  }

  private static TargetDescription target(String id) {
    return TargetDescription.builder().id(id).build();
  }

  private static TargetDescription target(String id, int port) {
    return TargetDescription.builder().id(id).port(port).build();
  }

  private static Tag tag(String key, String value) {
    return Tag.builder().key(key).value(value).build();
  }

  private TargetGroup group(String name) {
    return group(name, r -> {});
  }

  private TargetGroup group(String name, Consumer<CreateTargetGroupRequest.Builder> more) {
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

  private Listener listener(String balancer, int port, Action action) {
    return elb.createListener(r ->
            r.loadBalancerArn(balancer)
                .protocol(ProtocolEnum.HTTP)
                .port(port)
                .defaultActions(action))
        .listeners()
        .getFirst();
  }

  private List<NetworkInterface> interfacesOf(LoadBalancer balancer) {
    String path = balancer.loadBalancerArn().split(":loadbalancer/")[1];
    return machine
        .ec2()
        .describeNetworkInterfaces(
            r -> r.filters(Filter.builder().name("description").values("ELB " + path).build()))
        .networkInterfaces();
  }

  private String front(String balancer) {
    return front(Machine.HOME, balancer);
  }

  private String front(Scope scope, String balancer) {
    return machine
        .store
        .in(scope.storeScope())
        .read(tx -> tx.get(State.BALANCERS, balancer))
        .orElseThrow()
        .value()
        .front();
  }

  @Test
  void aLoadBalancerFromItsCreationToItsEnd() throws Exception {
    LoadBalancer made = machine.balancer("web");
    String arn = made.loadBalancerArn();
    assertTrue(arn.matches(NOWHERE + "loadbalancer/app/web/[0-9a-f]{16}"), arn);
    assertTrue(made.dnsName().matches("web-[0-9]+\\.us-east-1\\.elb\\.localhost"), made.dnsName());
    assertEquals(LoadBalancerStateEnum.PROVISIONING, made.state().code());
    assertEquals(LoadBalancerSchemeEnum.INTERNET_FACING, made.scheme());
    assertEquals(LoadBalancerTypeEnum.APPLICATION, made.type());
    assertEquals(machine.vpc(), made.vpcId());
    assertEquals(List.of(machine.openGroup()), made.securityGroups());
    assertEquals(
        Set.copyOf(machine.subnetIds()),
        Set.copyOf(made.availabilityZones().stream().map(AvailabilityZone::subnetId).toList()));

    try (var waiter = waiter(elb)) {
      waiter.waitUntilLoadBalancerExists(r -> r.loadBalancerArns(arn));
      waiter.waitUntilLoadBalancerAvailable(r -> r.names("web"));
      List<NetworkInterface> nodes = interfacesOf(made);
      assertEquals(3, nodes.size());
      nodes.forEach(node -> {
        assertEquals(machine.openGroup(), node.groups().getFirst().groupId());
        assertTrue(network.uses().containsKey(node.networkInterfaceId()));
      });
      assertEquals(
          Set.copyOf(nodes.stream().map(NetworkInterface::privateIpAddress).toList()),
          Set.copyOf(network.resolve(made.vpcId(), made.dnsName()).orElseThrow()));
      assertTrue(network.resolve("vpc-other", made.dnsName()).isEmpty());

      int port = freePort();
      listener(arn, port, says("hello"));
      assertTrue(get("127.0.0.1", port, made.dnsName()).endsWith("\r\n\r\nhello"));
      assertTrue(get(front(arn), port, "whatever").endsWith("\r\n\r\nhello"));
      contains(get("127.0.0.1", port, "else.elb.localhost"), "HTTP/1.1 404 ");

      String front = front(arn);
      elb.deleteLoadBalancer(r -> r.loadBalancerArn(arn));
      waiter.waitUntilLoadBalancersDeleted(r -> r.loadBalancerArns(arn));
      assertEquals(List.of(), interfacesOf(made));
      assertEquals(Map.of(), network.uses());
      assertTrue(network.resolve(made.vpcId(), made.dnsName()).isEmpty());
      assertThrows(SocketException.class, () -> get(front, port, "x"));
    }
    assertThrows(
        LoadBalancerNotFoundException.class,
        () -> elb.describeLoadBalancers(r -> r.loadBalancerArns(arn)));
    refused(
        "LoadBalancerNotFound",
        "Load balancers '[web]' not found",
        () -> elb.describeLoadBalancers(r -> r.names("web")));
    elb.deleteLoadBalancer(r -> r.loadBalancerArn(arn)); // succeeds, as on AWS
    assertEquals(List.of(), elb.describeLoadBalancers(r -> {}).loadBalancers());
  }

  @Test
  void anInternalOneHasNoDoorToTheHost() throws Exception {
    List<String> subnets = machine.subnetIds();
    LoadBalancer made =
        elb.createLoadBalancer(
                r -> r.name("in").scheme(LoadBalancerSchemeEnum.INTERNAL).subnets(subnets))
            .loadBalancers()
            .getFirst();
    assertTrue(made.dnsName().startsWith("internal-in-"), made.dnsName());
    assertEquals("", front(made.loadBalancerArn()));
    int port = freePort();
    listener(made.loadBalancerArn(), port, says("hello"));
    machine.active(made.loadBalancerArn());
    assertThrows(SocketException.class, () -> get("127.0.0.1", port, made.dnsName()));
    String group = made.securityGroups().getFirst(); // the VPC's default one
    assertEquals(
        "default",
        machine
            .ec2()
            .describeSecurityGroups(r -> r.groupIds(group))
            .securityGroups()
            .getFirst()
            .groupName());
  }

  @Test
  void theSameLoadBalancerAgainIsTheSameOne() {
    LoadBalancer first = machine.balancer("web");
    assertEquals(first.loadBalancerArn(), machine.balancer("web").loadBalancerArn());
    assertEquals(1, elb.describeLoadBalancers(r -> {}).loadBalancers().size());
    List<String> subnets = machine.subnetIds();
    List<Consumer<CreateLoadBalancerRequest.Builder>> others =
        List.of(
            r -> r.scheme("internal"),
            r -> r.subnets(subnets.subList(0, 2)),
            r -> r.securityGroups(List.of()),
            r -> r.tags(tag("a", "b")));
    for (var other : others) {
      String group = machine.openGroup();
      refused(
          "DuplicateLoadBalancerName",
          "A load balancer with the same name 'web' exists, but with different settings",
          () ->
              elb.createLoadBalancer(r -> {
                r.name("web").subnets(subnets).securityGroups(group);
                other.accept(r);
              }));
    }
    // None of the attempts has kept a loopback address.
    String next = machine.balancer("next").loadBalancerArn();
    assertEquals(
        Set.of("127.64.0.1", "127.64.0.2"), Set.of(front(first.loadBalancerArn()), front(next)));
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
  void whatALoadBalancerCannotBe() {
    List<String> subnets = machine.subnetIds();
    String other = machine.ec2().createVpc(r -> r.cidrBlock("10.9.0.0/16")).vpc().vpcId();
    String far =
        machine
            .ec2()
            .createSubnet(
                r -> r.vpcId(other).cidrBlock("10.9.1.0/24").availabilityZone("us-east-1b"))
            .subnet()
            .subnetId();
    String twin =
        machine
            .ec2()
            .createSubnet(r ->
                r.vpcId(machine.vpc())
                    .cidrBlock("172.31.200.0/24")
                    .availabilityZone(machine.subnets().getFirst().availabilityZone()))
            .subnet()
            .subnetId();
    String stranger =
        machine
            .ec2()
            .createSecurityGroup(r -> r.groupName("x").description("x").vpcId(other))
            .groupId();

    record Case(String code, String message, Consumer<CreateLoadBalancerRequest.Builder> request) {}
    List<Case> cases =
        List.of(
            new Case("ValidationError", "name '-a'", r -> r.name("-a")),
            new Case("ValidationError", "must not begin", r -> r.name("internal-a")),
            new Case("ValidationError", "at most 32", r -> r.name("a".repeat(33))),
            new Case("ValidationError", "'gateway'", r -> r.type("gateway")),
            new Case("ValidationError", "IPv6 CIDR block", r -> r.ipAddressType("dualstack")),
            new Case("InvalidScheme", "'sideways'", r -> r.scheme("sideways")),
            new Case("ValidationError", "CustomerOwnedIpv4Pool", r -> r.customerOwnedIpv4Pool("p")),
            new Case("ValidationError", "at least one subnet", r -> r.subnets(List.of())),
            new Case(
                "ValidationError",
                "At least two subnets in two different Availability Zones must be specified",
                r -> r.subnets(subnets.getFirst())),
            new Case(
                "InvalidConfigurationRequest",
                "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
                r -> r.subnets(subnets.getFirst(), twin)),
            new Case(
                "InvalidConfigurationRequest", "same VPC", r -> r.subnets(subnets.getFirst(), far)),
            new Case(
                "SubnetNotFound",
                "subnet-0123456789abcdef0",
                r -> r.subnets(subnets.getFirst(), "subnet-0123456789abcdef0")),
            new Case(
                "ValidationError",
                "both 'Subnets' and 'SubnetMappings'",
                r ->
                    r.subnetMappings(SubnetMapping.builder().subnetId(subnets.getFirst()).build())),
            new Case(
                "ValidationError",
                "AllocationId",
                r ->
                    r.subnets(List.of())
                        .subnetMappings(
                            SubnetMapping.builder()
                                .subnetId(subnets.getFirst())
                                .allocationId("e")
                                .build())),
            new Case("InvalidSecurityGroup", "sg-0123", r -> r.securityGroups("sg-0123")),
            new Case("InvalidSecurityGroup", stranger, r -> r.securityGroups(stranger)),
            new Case("ValidationError", "'aws:x'", r -> r.tags(tag("aws:x", ""))),
            new Case("DuplicateTagKeys", "'a'", r -> r.tags(tag("a", "1"), tag("a", "2"))));
    for (Case wrong : cases) {
      refused(
          wrong.code(),
          wrong.message(),
          () ->
              elb.createLoadBalancer(r -> {
                r.name("web").subnets(subnets);
                wrong.request().accept(r);
              }));
    }
    assertEquals(List.of(), elb.describeLoadBalancers(r -> {}).loadBalancers());
  }

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
  void attributesOfLoadBalancers() {
    String arn = machine.balancer("web").loadBalancerArn();
    Map<String, String> usual = balancerAttributes(arn);
    assertEquals("60", usual.get("idle_timeout.timeout_seconds"));
    assertEquals("3600", usual.get("client_keep_alive.seconds"));
    assertEquals("false", usual.get("deletion_protection.enabled"));
    assertEquals("defensive", usual.get("routing.http.desync_mitigation_mode"));
    assertEquals("true", usual.get("routing.http2.enabled"));

    // All at their usual value, as Terraform sends them.
    usual.forEach((key, value) -> change(arn, key, value));
    Map<String, String> wanted = new HashMap<>();
    wanted.put("idle_timeout.timeout_seconds", "4000");
    wanted.put("client_keep_alive.seconds", "604800");
    wanted.put("deletion_protection.enabled", "true");
    wanted.put("routing.http.drop_invalid_header_fields.enabled", "true");
    wanted.put("routing.http.xff_client_port.enabled", "true");
    wanted.put("routing.http.preserve_host_header.enabled", "true");
    wanted.put("routing.http.xff_header_processing.mode", "remove");
    wanted.put("routing.http.desync_mitigation_mode", "monitor");
    wanted.forEach((key, value) -> change(arn, key, value));
    Map<String, String> now = balancerAttributes(arn);
    usual.forEach((key, value) -> assertEquals(wanted.getOrDefault(key, value), now.get(key), key));

    refused(
        "ValidationError",
        "Load balancer attribute key 'stickiness.enabled' is not recognized",
        () -> change(arn, "stickiness.enabled", "true"));
    Map<String, List<String>> wrong =
        Map.of(
            "idle_timeout.timeout_seconds", List.of("0", "4001", "x", "", "-1"),
            "client_keep_alive.seconds", List.of("59", "604801"),
            "deletion_protection.enabled", List.of("yes"),
            "routing.http.xff_header_processing.mode", List.of("prepend"),
            "routing.http.desync_mitigation_mode", List.of("lax", "Monitor"),
            "routing.http2.enabled", List.of("yes", ""),
            "waf.fail_open.enabled", List.of("true"));
    wrong.forEach((key, values) ->
        values.forEach(value -> refused("ValidationError", key, () -> change(arn, key, value))));
    for (String logs : List.of("access_logs", "connection_logs", "health_check_logs")) {
      refused(
          "ValidationError",
          "The value of '" + logs + ".s3.bucket' cannot be empty",
          () -> change(arn, logs + ".s3.enabled", "true"));
    }
    refused(
        "ValidationError",
        "waf",
        () ->
            elb.modifyLoadBalancerAttributes(r ->
                r.loadBalancerArn(arn)
                    .attributes(
                        LoadBalancerAttribute.builder()
                            .key("idle_timeout.timeout_seconds")
                            .value("7")
                            .build(),
                        LoadBalancerAttribute.builder()
                            .key("waf.fail_open.enabled")
                            .value("true")
                            .build())));
    assertEquals(now, balancerAttributes(arn), "all or nothing");

    refused(
        "OperationNotPermitted",
        "Load balancer '" + arn + "' cannot be deleted because deletion protection is enabled",
        () -> elb.deleteLoadBalancer(r -> r.loadBalancerArn(arn)));
    change(arn, "deletion_protection.enabled", "false");
    elb.deleteLoadBalancer(r -> r.loadBalancerArn(arn));
  }

  private Map<String, String> balancerAttributes(String arn) {
    Map<String, String> all = new HashMap<>();
    elb.describeLoadBalancerAttributes(r -> r.loadBalancerArn(arn))
        .attributes()
        .forEach(a -> all.put(a.key(), a.value()));
    return all;
  }

  private void change(String arn, String key, String value) {
    elb.modifyLoadBalancerAttributes(r ->
        r.loadBalancerArn(arn)
            .attributes(LoadBalancerAttribute.builder().key(key).value(value).build()));
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

  private void register(String group, String id, Integer port, String zone) {
    elb.registerTargets(r ->
        r.targetGroupArn(group)
            .targets(TargetDescription.builder().id(id).port(port).availabilityZone(zone).build()));
  }

  private Set<String> targets(String group) {
    Set<String> found = new HashSet<>();
    elb.describeTargetHealth(r -> r.targetGroupArn(group))
        .targetHealthDescriptions()
        .forEach(t -> found.add(t.target().id() + ":" + t.target().port()));
    return found;
  }

  private TargetHealth health(String group, String id, int port) {
    return elb.describeTargetHealth(r -> r.targetGroupArn(group).targets(target(id, port)))
        .targetHealthDescriptions()
        .getFirst()
        .targetHealth();
  }

  @Test
  void securityGroupsDecideWhoComesInFromTheHost() throws Exception {
    LoadBalancer balancer = machine.balancer("web");
    String arn = balancer.loadBalancerArn();
    machine.active(arn);
    int port = freePort();
    listener(arn, port, says("in"));
    assertTrue(get(front(arn), port, "x").endsWith("in"));
    String closed =
        machine.ec2().createSecurityGroup(r -> r.groupName("no").description("no")).groupId();
    elb.setSecurityGroups(r -> r.loadBalancerArn(arn).securityGroups(closed));
    assertEquals(List.of(closed), machine.described(arn).securityGroups());
    interfacesOf(balancer)
        .forEach(node -> assertEquals(closed, node.groups().getFirst().groupId()));
    try (Socket socket = new Socket(InetAddress.ofLiteral(front(arn)), port)) {
      socket
          .getOutputStream()
          .write("GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      socket.setSoTimeout(300);
      assertThrows(SocketTimeoutException.class, () -> socket.getInputStream().read());
    }
    machine
        .ec2()
        .authorizeSecurityGroupIngress(r ->
            r.groupId(closed).ipProtocol("tcp").fromPort(port).toPort(port).cidrIp("0.0.0.0/0"));
    // The change reaches the balancer by the store's feed.
    until(
        true,
        () -> {
          try (Socket socket = new Socket(InetAddress.ofLiteral(front(arn)), port)) {
            socket
                .getOutputStream()
                .write(
                    "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                        .getBytes(StandardCharsets.US_ASCII));
            socket.setSoTimeout(200);
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII)
                .endsWith("in");
          } catch (SocketTimeoutException e) {
            return false;
          }
        });
    refused(
        "InvalidSecurityGroup",
        "sg-0123",
        () -> elb.setSecurityGroups(r -> r.loadBalancerArn(arn).securityGroups("sg-0123")));
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
  void aPortThatTheUserHasIsTold() throws Exception {
    LoadBalancer balancer = machine.balancer("web");
    String arn = balancer.loadBalancerArn();
    machine.active(arn);
    int port;
    try (ServerSocket users = new ServerSocket()) {
      users.bind(new InetSocketAddress("127.0.0.1", 0));
      port = users.getLocalPort();
      listener(arn, port, says("beside"));
      var state = machine.described(arn).state();
      assertEquals(LoadBalancerStateEnum.ACTIVE, state.code());
      contains(state.reason(), "127.0.0.1:" + port + ": ");
      assertFalse(state.reason().contains(front(arn)), state.reason());
      assertTrue(get(front(arn), port, "x").endsWith("beside"));
    }
    change(arn, "idle_timeout.timeout_seconds", "61"); // or half a minute later
    assertFalse(machine.described(arn).state().reason().contains("127.0.0.1:"));
    assertTrue(get("127.0.0.1", port, balancer.dnsName()).endsWith("beside"));
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
