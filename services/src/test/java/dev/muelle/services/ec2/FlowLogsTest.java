package dev.muelle.services.ec2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.linux.NetworkNamespace;
import dev.muelle.loop.VirtualTimers;
import dev.muelle.network.Cidr;
import dev.muelle.network.Network;
import dev.muelle.network.Network.Flow;
import dev.muelle.network.Network.Use;
import dev.muelle.network.linux.LinuxNetwork;
import dev.muelle.network.sim.SimNetwork;
import dev.muelle.services.EventOutbox;
import dev.muelle.services.Ids;
import dev.muelle.services.InstanceGroups;
import dev.muelle.services.InstanceLoads;
import dev.muelle.services.Measurements;
import dev.muelle.services.Scope;
import dev.muelle.services.SessionKeys;
import dev.muelle.services.cloudwatchlogs.CloudWatchLogs;
import dev.muelle.services.iam.Iam;
import dev.muelle.store.SqliteStore;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.cloudwatchlogs.model.OutputLogEvent;
import software.amazon.awssdk.services.cloudwatchlogs.model.ResourceNotFoundException;
import software.amazon.awssdk.services.ec2.model.CreateFlowLogsRequest;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.FlowLog;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.Tag;
import software.amazon.awssdk.services.ec2.model.TagSpecification;

/** Flow logs, from what the network counts to what CloudWatch Logs keeps. */
class FlowLogsTest {

  private static final Scope SCOPE = new Scope("000000000000", "us-east-1");
  private static final String GROUP = "/vpc/flows";
  private static final String TRUST =
      """
      {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
       "Principal": {"Service": "%s"}}]}
      """;

  @TempDir private Path directory;
  private final VirtualTimers time = new VirtualTimers(Instant.parse("2026-01-01T00:00:00Z"));
  private SqliteStore file;
  private SimNetwork network;
  private Iam iam;
  private CloudWatchLogs logs;
  private Ec2 ec2;
  private String role;
  private String vpc;
  private String subnet;
  private NetworkInterface one;
  private NetworkInterface two;

  @BeforeEach
  void open() {
    file = SqliteStore.open(directory.resolve("db"));
    network = new SimNetwork(time);
    iam = new Iam(SCOPE, file.in("000000000000/global"), time, new Ids(new Random()));
    logs =
        new CloudWatchLogs(
            SCOPE,
            file.in(SCOPE.storeScope()),
            time,
            new Ids(new Random()),
            new Random(),
            metric -> {},
            Measurements.NONE);
    logs.start();
    ec2 = started(network);
    role =
        iam.createRole(r ->
                r.roleName("flows")
                    .assumeRolePolicyDocument(TRUST.formatted("vpc-flow-logs.amazonaws.com")))
            .role()
            .arn();
    vpc = ec2.createVpc(r -> r.cidrBlock("10.0.0.0/16")).vpc().vpcId();
    subnet = ec2.createSubnet(r -> r.vpcId(vpc).cidrBlock("10.0.1.0/24")).subnet().subnetId();
    one = task();
    two = task();
  }

  private Ec2 started(Network packets) {
    Ids ids = new Ids(new Random());
    Ec2 made =
        new Ec2(
            SCOPE,
            file.in(SCOPE.storeScope()),
            time,
            ids,
            new Random(7),
            iam,
            packets,
            100,
            new Ec2.Around(
                (vpcId, address, port, handler) -> () -> {},
                new SessionKeys(file.in("sessions"), time, new Random()),
                new EventOutbox(ids),
                Measurements.NONE,
                InstanceLoads.NONE,
                InstanceGroups.NONE,
                logs));
    made.start();
    return made;
  }

  private NetworkInterface task() {
    NetworkInterface eni = ec2.createNetworkInterface(r -> r.subnetId(subnet)).networkInterface();
    network.plug(eni.networkInterfaceId(), Use.NAMESPACE);
    return eni;
  }

  @AfterEach
  void close() {
    time.advance(Duration.ofMillis(1)); // whoever is closed waits for what is due
    ec2.close();
    logs.close();
    network.close();
    time.close();
    file.close();
  }

  private static void refused(String code, String message, Executable call) {
    Ec2Exception refusal = assertThrows(Ec2Exception.class, call);
    assertEquals(code, refusal.awsErrorDetails().errorCode(), refusal.getMessage());
    assertEquals(message, refusal.awsErrorDetails().errorMessage());
  }

  private String log(Consumer<CreateFlowLogsRequest.Builder> more) {
    return ec2.createFlowLogs(r ->
            more.accept(
                r.resourceType("VPC")
                    .resourceIds(vpc)
                    .trafficType("ALL")
                    .logGroupName(GROUP)
                    .deliverLogsPermissionArn(role)))
        .flowLogIds()
        .getFirst();
  }

  private FlowLog shown(String id) {
    return ec2.describeFlowLogs(r -> r.flowLogIds(id)).flowLogs().getFirst();
  }

  private Flow flow(boolean ingress, boolean accepted, int to) {
    return new Flow(
        (ingress ? two : one).networkInterfaceId(),
        ingress,
        accepted,
        one.privateIpAddress(),
        two.privateIpAddress(),
        6,
        40000,
        to,
        3,
        5,
        300);
  }

  private void minute() {
    time.advance(Duration.ofMinutes(1));
  }

  private List<String> lines(NetworkInterface eni, String traffic) {
    return logs
        .getLogEvents(r ->
            r.logGroupName(GROUP)
                .logStreamName(eni.networkInterfaceId() + "-" + traffic)
                .startFromHead(true))
        .events()
        .stream()
        .map(OutputLogEvent::message)
        .toList();
  }

  @Test
  void aMinuteIsToldToTheLogsOfEachInterface() {
    String all = log(r -> {});
    String refusedOnly = log(r -> r.trafficType("REJECT"));
    assertEquals(Set.of(Cidr.parse("10.0.0.0/16")), network.counted(vpc));
    network.flows(vpc, true, flow(false, true, 80), flow(true, true, 80), flow(true, false, 81));
    minute();
    String head = "2 000000000000 ";
    String times = " 1767225600 1767225660 ";
    String route = " " + one.privateIpAddress() + " " + two.privateIpAddress() + " 40000 ";
    assertEquals(
        List.of(head + one.networkInterfaceId() + route + "80 6 5 300" + times + "ACCEPT OK"),
        lines(one, "all"));
    assertEquals(
        List.of(
            head + two.networkInterfaceId() + route + "80 6 5 300" + times + "ACCEPT OK",
            head + two.networkInterfaceId() + route + "81 6 5 300" + times + "REJECT OK"),
        lines(two, "all"));
    assertEquals(
        List.of(head + two.networkInterfaceId() + route + "81 6 5 300" + times + "REJECT OK"),
        lines(two, "reject"));
    assertThrows(ResourceNotFoundException.class, () -> lines(one, "reject"));
    assertEquals("SUCCESS", shown(all).deliverLogsStatus());

    minute();
    assertEquals(
        head + one.networkInterfaceId() + " - - - - - - - 1767225660 1767225720 - NODATA",
        lines(one, "all").getLast());
    network.flows(vpc, false, flow(false, true, 80));
    minute();
    assertEquals(
        head + one.networkInterfaceId() + " - - - - - - - 1767225720 1767225780 - SKIPDATA",
        lines(one, "all").getLast());

    network.flows(vpc, true, flow(false, true, 443));
    time.advance(Duration.ofSeconds(10));
    ec2.deleteFlowLogs(r -> r.flowLogIds(all, refusedOnly));
    assertEquals(
        head + one.networkInterfaceId() + route + "443 6 5 300 1767225780 1767225790 ACCEPT OK",
        lines(one, "all").getLast(),
        "what was counted until then is told");
    assertEquals(Set.of(), network.counted(vpc));
    int told = lines(one, "all").size();
    minute();
    assertEquals(told, lines(one, "all").size());
  }

  private static boolean connects(NetworkNamespace from, String address, int port)
      throws Exception {
    try (SocketChannel socket = from.call(() -> SocketChannel.open(StandardProtocolFamily.INET))) {
      socket.socket().connect(new InetSocketAddress(address, port), 1000);
      return true;
    } catch (SocketTimeoutException e) {
      return false;
    }
  }

  /** Needs root. */
  @Test
  void packetsOfRealTasksAreTold() throws Exception {
    String instance = "ml" + HexFormat.of().toHexDigits(new Random().nextInt()).substring(2);
    ec2.close();
    LinuxNetwork real = new LinuxNetwork(instance);
    try {
      ec2 = started(real);
      String group =
          ec2.createSecurityGroup(r -> r.groupName("web").description("web").vpcId(vpc)).groupId();
      ec2.authorizeSecurityGroupIngress(
          r -> r.groupId(group).ipProtocol("tcp").fromPort(80).toPort(80).cidrIp("10.0.0.0/16"));
      for (NetworkInterface eni : List.of(one, two)) {
        ec2.modifyNetworkInterfaceAttribute(
            r -> r.networkInterfaceId(eni.networkInterfaceId()).groups(group));
        real.plug(eni.networkInterfaceId(), Use.NAMESPACE);
      }
      log(r -> r.logFormat("${srcaddr} ${dstport} ${protocol} ${action} ${flow-direction}"));
      String to = two.privateIpAddress();
      try (NetworkNamespace client =
              new NetworkNamespace(instance + "-" + one.networkInterfaceId());
          NetworkNamespace server =
              new NetworkNamespace(instance + "-" + two.networkInterfaceId());
          ServerSocketChannel listener =
              server.call(() ->
                  ServerSocketChannel.open(StandardProtocolFamily.INET)
                      .bind(new InetSocketAddress(to, 80)))) {
        assertTrue(connects(client, to, 80));
        assertFalse(connects(client, to, 81), "the group refuses it");
        assertTrue(listener.isOpen());
      }
      minute();
      String from = one.privateIpAddress();
      assertTrue(lines(one, "all").contains(from + " 80 6 ACCEPT egress"));
      assertTrue(lines(one, "all").contains(from + " 81 6 ACCEPT egress"));
      assertTrue(lines(two, "all").contains(from + " 80 6 ACCEPT ingress"));
      assertTrue(lines(two, "all").contains(from + " 81 6 REJECT ingress"));
      assertTrue(lines(two, "all").stream().anyMatch(one -> one.endsWith("6 ACCEPT egress")));
    } finally {
      real.removeAll();
      real.close();
    }
  }

  @Test
  void aFormatSaysWhichFieldsAndTheVersionFollowsFromThem() {
    log(r ->
        r.resourceType("Subnet")
            .resourceIds(subnet)
            .maxAggregationInterval(60)
            .logFormat(
                "${version} ${vpc-id} ${subnet-id} ${az-id} ${region} ${tcp-flags} ${type}"
                    + " ${pkt-srcaddr} ${pkt-dstaddr} ${flow-direction} ${traffic-path}"
                    + " ${sublocation-id} ${pkt-dst-aws-service} ${instance-id} ${dstaddr}"));
    assertEquals(Set.of(Cidr.parse("10.0.1.0/24")), network.counted(vpc));
    String igw = ec2.createInternetGateway().internetGateway().internetGatewayId();
    ec2.attachInternetGateway(r -> r.internetGatewayId(igw).vpcId(vpc));
    String table =
        ec2.describeRouteTables(r -> r.filters(Filter.builder().name("vpc-id").values(vpc).build()))
            .routeTables()
            .getFirst()
            .routeTableId();
    ec2.createRoute(r -> r.routeTableId(table).destinationCidrBlock("0.0.0.0/0").gatewayId(igw));
    Flow out =
        new Flow(
            one.networkInterfaceId(), false, true, "10.0.1.200", "192.0.2.1", 17, 1, 2, 0, 1, 28);
    network.flows(vpc, true, flow(false, true, 80), flow(true, true, 80), out);
    minute();
    String place = "5 " + vpc + " " + subnet + " use1-az1 us-east-1 ";
    String packets = " IPv4 " + one.privateIpAddress() + " " + two.privateIpAddress();
    assertEquals(
        Set.of(
            place + "3" + packets + " egress 1 - - - " + two.privateIpAddress(),
            place + "0 IPv4 10.0.1.200 192.0.2.1 egress 8 - - - 192.0.2.1"),
        Set.copyOf(lines(one, "all")));
    assertEquals(
        List.of(place + "3" + packets + " ingress - - - - " + two.privateIpAddress()),
        lines(two, "all"));
  }

  @Test
  void oneInterfaceAloneAndWhatIsToldAfterARestart() {
    log(r -> r.resourceType("NetworkInterface").resourceIds(two.networkInterfaceId()));
    assertEquals(Set.of(Cidr.parse(two.privateIpAddress() + "/32")), network.counted(vpc));
    ec2.assignPrivateIpAddresses(
        r -> r.networkInterfaceId(two.networkInterfaceId()).privateIpAddresses("10.0.1.99"));
    minute();
    assertEquals(
        Set.of(Cidr.parse(two.privateIpAddress() + "/32"), Cidr.parse("10.0.1.99/32")),
        network.counted(vpc));
    network.flows(vpc, true, flow(false, true, 80), flow(true, true, 80));
    ec2.close();
    ec2 = started(network);
    minute();
    assertEquals(2, lines(two, "all").size(), "nothing, and then one");
    assertThrows(ResourceNotFoundException.class, () -> lines(one, "all"));
  }

  @Test
  void theRoleMustTrustTheServiceAsLongAsItDelivers() {
    String other =
        iam.createRole(r ->
                r.roleName("other").assumeRolePolicyDocument(TRUST.formatted("ec2.amazonaws.com")))
            .role()
            .arn();
    refused(
        "InvalidParameter",
        "Unable to assume given IAM role: '" + other + "'",
        () -> log(r -> r.deliverLogsPermissionArn(other)));
    refused(
        "InvalidParameter",
        "Unable to assume given IAM role: 'arn:aws:iam::000000000000:role/none'",
        () -> log(r -> r.deliverLogsPermissionArn("arn:aws:iam::000000000000:role/none")));
    String id = log(r -> {});
    iam.updateAssumeRolePolicy(
        r -> r.roleName("flows").policyDocument(TRUST.formatted("ec2.amazonaws.com")));
    minute();
    assertEquals("FAILED", shown(id).deliverLogsStatus());
    assertEquals("Access error", shown(id).deliverLogsErrorMessage());
    assertThrows(ResourceNotFoundException.class, () -> lines(one, "all"));
    iam.updateAssumeRolePolicy(
        r -> r.roleName("flows").policyDocument(TRUST.formatted("vpc-flow-logs.amazonaws.com")));
    minute();
    assertEquals("SUCCESS", shown(id).deliverLogsStatus());
    assertNull(shown(id).deliverLogsErrorMessage());
    assertEquals(1, lines(one, "all").size());
  }

  @Test
  void whatIsNotAFlowLogIsRefused() {
    refused(
        "MissingParameter",
        "The request must contain the parameter ResourceId",
        () -> log(r -> r.resourceIds(List.of())));
    refused(
        "InvalidVpcID.NotFound",
        "The vpc ID 'vpc-1' does not exist",
        () -> log(r -> r.resourceIds(vpc, "vpc-1")));
    assertEquals(List.of(), ec2.describeFlowLogs().flowLogs(), "all or none");
    refused(
        "UnsupportedOperation",
        "Flow logs of the resource type TransitGateway are not supported by this region yet.",
        () -> log(r -> r.resourceType("TransitGateway")));
    refused(
        "UnsupportedOperation",
        "The destination type s3 is not supported by this region yet.",
        () ->
            log(r ->
                r.logDestinationType("s3").logGroupName(null).logDestination("arn:aws:s3:::b")));
    refused(
        "UnsupportedOperation",
        "The parameter DeliverCrossAccountRole is not supported by this region yet.",
        () -> log(r -> r.deliverCrossAccountRole(role)));
    refused(
        "InvalidParameter",
        "Invalid Flow Log Max Aggregation Interval",
        () -> log(r -> r.maxAggregationInterval(61)));
    refused(
        "InvalidParameter",
        "Please only provide LogGroupName or only provide LogDestination.",
        () -> log(r -> r.logDestination("arn:aws:logs:us-east-1:000000000000:log-group:g")));
    refused(
        "InvalidParameter",
        "LogDestination can't be empty if LogGroupName is not provided.",
        () -> log(r -> r.logGroupName(null)));
    refused(
        "InvalidParameter",
        "DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs.",
        () -> log(r -> r.deliverLogsPermissionArn(null)));
    refused(
        "InvalidParameter",
        "Unknown fields provided: ${colour}",
        () -> log(r -> r.logFormat("${version} ${colour}")));
    refused(
        "UnsupportedOperation",
        "The field ecs-task-id of flow logs is not supported by this region yet.",
        () -> log(r -> r.logFormat("${ecs-task-id}")));
    refused(
        "InvalidParameter",
        "LogFormat is invalid: version",
        () -> log(r -> r.logFormat("version")));
    refused(
        "MissingParameter",
        "The request must contain the parameter TrafficType",
        () -> log(r -> r.trafficType((String) null)));
    String id =
        log(r ->
            r.clientToken("once")
                .tagSpecifications(
                    TagSpecification.builder()
                        .resourceType("vpc-flow-log")
                        .tags(Tag.builder().key("Owner").value("a").build())
                        .build()));
    assertEquals("a", shown(id).tags().getFirst().value());
    assertEquals(600, shown(id).maxAggregationInterval());
    assertEquals("ACTIVE", shown(id).flowLogStatus());
    refused(
        "FlowLogAlreadyExists",
        "Error. There is an existing Flow Log with the same configuration and log destination.",
        () -> log(r -> {}));
    log(r -> r.trafficType("ACCEPT"));
    refused(
        "FlowLogsLimitExceeded",
        "The maximum number of flow logs for resource " + vpc + " has been reached.",
        () -> log(r -> r.trafficType("REJECT")));
    refused(
        "InvalidFlowLogId.NotFound",
        "These flow log ids in the input list are not found: [TotalCount: 1] fl-1",
        () -> ec2.deleteFlowLogs(r -> r.flowLogIds(id, "fl-1")));
    assertEquals(id, shown(id).flowLogId(), "all or none");
  }
}
