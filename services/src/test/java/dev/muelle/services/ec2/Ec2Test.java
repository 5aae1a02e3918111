package dev.muelle.services.ec2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.loop.SystemTimers;
import dev.muelle.loop.Timers;
import dev.muelle.network.Network.Use;
import dev.muelle.network.sim.SimNetwork;
import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.iam.Iam;
import dev.muelle.store.SqliteStore;
import dev.muelle.store.Store;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.IpPermission;
import software.amazon.awssdk.services.ec2.model.IpRange;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.NetworkInterfaceStatus;
import software.amazon.awssdk.services.ec2.model.ResourceType;
import software.amazon.awssdk.services.ec2.model.SecurityGroup;
import software.amazon.awssdk.services.ec2.model.SecurityGroupRule;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.ec2.model.Tag;
import software.amazon.awssdk.services.ec2.model.TagSpecification;
import software.amazon.awssdk.services.ec2.model.UserIdGroupPair;
import software.amazon.awssdk.services.ec2.model.Vpc;
import software.amazon.awssdk.services.ec2.model.VpcAttributeName;

class Ec2Test {

  private static final Scope SCOPE = new Scope("000000000000", "us-east-1");
  private static final int TCP = 6;

  @TempDir private Path directory;
  private Timers timers;
  private SqliteStore file;
  private SimNetwork network;
  private Ec2 ec2;

  @BeforeEach
  void open() {
    timers = new SystemTimers();
    file = SqliteStore.open(directory.resolve("db"));
    network = new SimNetwork(timers);
    ec2 = started(SCOPE, network);
  }

  private Ec2 started(Scope scope, SimNetwork on) {
    Store store = file.in(scope.storeScope());
    Ec2 made = ec2(scope, store, on);
    made.start();
    return made;
  }

  private Ec2 ec2(Scope scope, Store store, SimNetwork on) {
    Random random = new Random(scope.hashCode());
    Ids ids = new Ids(random);
    Iam iam = new Iam(scope, file.in(scope.account() + "/global"), timers, ids);
    return new Ec2(scope, store, timers, ids, random, iam, on);
  }

  @AfterEach
  void close() {
    ec2.close();
    network.close();
    file.close();
    timers.close();
  }

  private static Filter filter(String name, String... values) {
    return Filter.builder().name(name).values(values).build();
  }

  private static Ec2Exception refused(String code, Executable call) {
    Ec2Exception refusal = assertThrows(Ec2Exception.class, call);
    assertEquals(code, refusal.awsErrorDetails().errorCode(), refusal.getMessage());
    return refusal;
  }

  private Vpc defaultVpc() {
    return ec2.describeVpcs(r -> r.filters(filter("is-default", "true"))).vpcs().getFirst();
  }

  private List<Subnet> subnets() {
    return ec2.describeSubnets(r -> r.filters(filter("default-for-az", "true"))).subnets();
  }

  private SecurityGroup defaultGroup() {
    return ec2.describeSecurityGroups(
            r -> r.filters(filter("vpc-id", defaultVpc().vpcId()), filter("group-name", "default")))
        .securityGroups()
        .getFirst();
  }

  private String group(String name) {
    return ec2.createSecurityGroup(r -> r.groupName(name).description(name)).groupId();
  }

  private NetworkInterface plugged(String... groups) {
    NetworkInterface eni =
        ec2.createNetworkInterface(
                r -> r.subnetId(subnets().getFirst().subnetId()).groups(Arrays.asList(groups)))
            .networkInterface();
    network.plug(eni.networkInterfaceId(), Use.NAMESPACE);
    return eni;
  }

  private boolean admits(NetworkInterface from, NetworkInterface to, int port) {
    return network.admits(from.networkInterfaceId(), to.networkInterfaceId(), TCP, port);
  }

  private static IpPermission tcp(int port, String block) {
    return IpPermission.builder()
        .ipProtocol("tcp")
        .fromPort(port)
        .toPort(port)
        .ipRanges(IpRange.builder().cidrIp(block).build())
        .build();
  }

  private static IpPermission tcpFrom(int port, String group) {
    return IpPermission.builder()
        .ipProtocol("6")
        .fromPort(port)
        .toPort(port)
        .userIdGroupPairs(UserIdGroupPair.builder().groupId(group).build())
        .build();
  }

  @Test
  void aNewRegionIsFurnishedAsAnAccountIs() {
    Vpc vpc = defaultVpc();
    assertEquals("172.31.0.0/16", vpc.cidrBlock());
    assertEquals("available", vpc.stateAsString());
    assertEquals(
        List.of("172.31.0.0/20", "172.31.16.0/20", "172.31.32.0/20"),
        subnets().stream().map(Subnet::cidrBlock).sorted().toList());
    assertEquals(
        List.of("us-east-1a use1-az1", "us-east-1b use1-az2", "us-east-1c use1-az3"),
        subnets().stream()
            .map(subnet -> subnet.availabilityZone() + " " + subnet.availabilityZoneId())
            .sorted()
            .toList());
    assertTrue(subnets().stream().allMatch(subnet -> subnet.availableIpAddressCount() == 4091));
    SecurityGroup group = defaultGroup();
    assertEquals("default VPC security group", group.description());
    assertEquals(
        group.groupId(), group.ipPermissions().getFirst().userIdGroupPairs().getFirst().groupId());
    assertEquals(
        "0.0.0.0/0", group.ipPermissionsEgress().getFirst().ipRanges().getFirst().cidrIp());
    assertEquals(
        Set.of("local", gateway()),
        new HashSet<>(
            ec2
                .describeRouteTables(r -> r.filters(filter("association.main", "true")))
                .routeTables()
                .getFirst()
                .routes()
                .stream()
                .map(route -> route.gatewayId())
                .toList()));
  }

  private String gateway() {
    return ec2.describeInternetGateways(
            r -> r.filters(filter("attachment.vpc-id", defaultVpc().vpcId())))
        .internetGateways()
        .getFirst()
        .internetGatewayId();
  }

  @Test
  void rulesActOnPacketsWhenTheCallReturns() {
    String balancers = group("balancers");
    String tasks = group("tasks");
    NetworkInterface balancer = plugged(balancers);
    NetworkInterface task = plugged(tasks);
    NetworkInterface other = plugged(tasks);
    assertFalse(admits(balancer, task, 5050));
    ec2.authorizeSecurityGroupIngress(
        r -> r.groupId(tasks).ipPermissions(tcpFrom(5050, balancers)));
    assertTrue(admits(balancer, task, 5050));
    assertFalse(admits(balancer, task, 5051));
    assertFalse(admits(other, task, 5050));
    ec2.authorizeSecurityGroupIngress(
        r -> r.groupId(tasks).ipPermissions(tcp(5050, task.privateIpAddress() + "/20")));
    assertTrue(admits(other, task, 5050));
    ec2.revokeSecurityGroupIngress(r ->
        r.groupId(tasks)
            .ipPermissions(tcp(5050, subnets().getFirst().cidrBlock()), tcpFrom(5050, balancers)));
    assertFalse(admits(other, task, 5050) || admits(balancer, task, 5050));
    ec2.modifyNetworkInterfaceAttribute(
        r -> r.networkInterfaceId(task.networkInterfaceId()).groups(defaultGroup().groupId()));
    ec2.modifyNetworkInterfaceAttribute(
        r -> r.networkInterfaceId(other.networkInterfaceId()).groups(defaultGroup().groupId()));
    assertTrue(admits(other, task, 5050));
    String everywhere =
        ec2
            .describeSecurityGroupRules(
                r -> r.filters(filter("group-id", defaultGroup().groupId())))
            .securityGroupRules()
            .stream()
            .filter(SecurityGroupRule::isEgress)
            .findFirst()
            .orElseThrow()
            .securityGroupRuleId();
    ec2.revokeSecurityGroupEgress(
        r -> r.groupId(defaultGroup().groupId()).securityGroupRuleIds(everywhere));
    assertFalse(admits(other, task, 5050));
  }

  @Test
  void theSamePermissionInAnyFormIsOne() {
    String group = group("web");
    ec2.authorizeSecurityGroupIngress(
        r -> r.groupName("web").ipProtocol("tcp").fromPort(80).toPort(80).cidrIp("0.0.0.0/0"));
    Ec2Exception duplicate =
        refused(
            "InvalidPermission.Duplicate",
            () ->
                ec2.authorizeSecurityGroupIngress(r ->
                    r.groupId(group).ipPermissions(tcp(443, "0.0.0.0/0"), tcp(80, "0.0.0.0/0"))));
    assertEquals(
        "the specified rule \"peer: 0.0.0.0/0, TCP, from port: 80, to port: 80, ALLOW\" already"
            + " exists",
        duplicate.awsErrorDetails().errorMessage());
    SecurityGroup shown =
        ec2.describeSecurityGroups(r -> r.groupIds(group)).securityGroups().getFirst();
    assertEquals(List.of(tcp(80, "0.0.0.0/0")), bare(shown.ipPermissions()));
    refused(
        "InvalidPermission.NotFound",
        () ->
            ec2.revokeSecurityGroupIngress(
                r -> r.groupId(group).ipPermissions(tcp(443, "0.0.0.0/0"))));
    refused(
        "InvalidParameterValue",
        () ->
            ec2.authorizeSecurityGroupIngress(
                r -> r.groupId(group).ipPermissions(tcp(70_000, "0.0.0.0/0"))));
    refused(
        "InvalidParameterValue",
        () ->
            ec2.authorizeSecurityGroupIngress(
                r -> r.groupId(group).ipPermissions(tcp(80, "0.0.0.0/33"))));
    refused(
        "InvalidGroup.NotFound",
        () ->
            ec2.authorizeSecurityGroupIngress(
                r -> r.groupId(group).ipPermissions(tcpFrom(80, "sg-0123"))));
    refused(
        "RulesPerSecurityGroupLimitExceeded",
        () ->
            ec2.authorizeSecurityGroupIngress(r ->
                r.groupId(group)
                    .ipPermissions(
                        IntStream.range(1, 61).mapToObj(i -> tcp(i, "10.0.0.0/8")).toList())));
  }

  private static List<IpPermission> bare(List<IpPermission> permissions) {
    return permissions.stream()
        .map(p ->
            IpPermission.builder()
                .ipProtocol(p.ipProtocol())
                .fromPort(p.fromPort())
                .toPort(p.toPort())
                .ipRanges(p.ipRanges())
                .build())
        .toList();
  }

  @Test
  void groupsThatAreUsedStay() {
    String used = group("used");
    String referring = group("referring");
    refused(
        "InvalidGroup.Duplicate",
        () -> ec2.createSecurityGroup(r -> r.groupName("used").description("again")));
    NetworkInterface eni = plugged(used);
    refused("DependencyViolation", () -> ec2.deleteSecurityGroup(r -> r.groupId(used)));
    network.unplug(eni.networkInterfaceId());
    ec2.deleteNetworkInterface(r -> r.networkInterfaceId(eni.networkInterfaceId()));
    ec2.authorizeSecurityGroupIngress(r -> r.groupId(referring).ipPermissions(tcpFrom(1, used)));
    refused("DependencyViolation", () -> ec2.deleteSecurityGroup(r -> r.groupId(used)));
    ec2.deleteSecurityGroup(r -> r.groupId(referring));
    ec2.deleteSecurityGroup(r -> r.groupName("used"));
    refused("InvalidGroup.NotFound", () -> ec2.describeSecurityGroups(r -> r.groupIds(used)));
    refused(
        "CannotDelete", () -> ec2.deleteSecurityGroup(r -> r.groupId(defaultGroup().groupId())));
  }

  @Test
  void interfacesSayWhetherTheyAreInUse() {
    NetworkInterface eni =
        ec2.createNetworkInterface(r -> r.subnetId(subnets().getFirst().subnetId()))
            .networkInterface();
    assertEquals("pending", eni.statusAsString());
    assertTrue(eni.macAddress().matches("02(:[0-9a-f]{2}){5}"), eni.macAddress());
    assertEquals(
        "ip-" + eni.privateIpAddress().replace('.', '-') + ".ec2.internal", eni.privateDnsName());
    assertEquals(NetworkInterfaceStatus.AVAILABLE, described(eni).status());
    network.plug(eni.networkInterfaceId(), Use.SERVER);
    assertEquals(NetworkInterfaceStatus.IN_USE, described(eni).status());
    assertEquals("amazon-elb", described(eni).attachment().instanceOwnerId());
    assertTrue(described(eni).requesterManaged());
    Ec2Exception busy =
        refused(
            "InvalidParameterValue",
            () -> ec2.deleteNetworkInterface(r -> r.networkInterfaceId(eni.networkInterfaceId())));
    assertEquals(
        "Network interface '" + eni.networkInterfaceId() + "' is currently in use.",
        busy.awsErrorDetails().errorMessage());
    assertEquals(
        List.of(eni.privateIpAddress()),
        network.resolve(eni.vpcId(), eni.privateDnsName()).orElseThrow());
    network.unplug(eni.networkInterfaceId());
    ec2.deleteNetworkInterface(r -> r.networkInterfaceId(eni.networkInterfaceId()));
    assertTrue(network.interfaces().isEmpty());
    assertTrue(network.resolve(eni.vpcId(), eni.privateDnsName()).isEmpty());
    refused("InvalidNetworkInterfaceID.NotFound", () -> described(eni));
  }

  private NetworkInterface described(NetworkInterface eni) {
    return ec2.describeNetworkInterfaces(r -> r.networkInterfaceIds(eni.networkInterfaceId()))
        .networkInterfaces()
        .getFirst();
  }

  @Test
  void aPublicAddressLeadsOutWhereARouteDoes() {
    NetworkInterface eni = plugged();
    assertNull(network.interfaces().get(eni.networkInterfaceId()).publicAddress());
    ec2.modifyNetworkInterfaceAttribute(
        r -> r.networkInterfaceId(eni.networkInterfaceId()).associatePublicIpAddress(true));
    String address = described(eni).association().publicIp();
    assertEquals(address, network.interfaces().get(eni.networkInterfaceId()).publicAddress());
    assertEquals(
        "ec2-" + address.replace('.', '-') + ".compute-1.amazonaws.com",
        described(eni).association().publicDnsName());
    ec2.modifyVpcAttribute(r -> r.vpcId(eni.vpcId()).enableDnsHostnames(flag -> flag.value(false)));
    assertNull(described(eni).association().publicDnsName());
    ec2.modifyNetworkInterfaceAttribute(
        r -> r.networkInterfaceId(eni.networkInterfaceId()).associatePublicIpAddress(false));
    assertNull(described(eni).association());
    assertNull(network.interfaces().get(eni.networkInterfaceId()).publicAddress());

    Vpc closed = ec2.createVpc(r -> r.cidrBlock("10.0.0.0/16")).vpc();
    Subnet subnet =
        ec2.createSubnet(r -> r.vpcId(closed.vpcId()).cidrBlock("10.0.1.0/24")).subnet();
    String inside =
        ec2.createNetworkInterface(r -> r.subnetId(subnet.subnetId()))
            .networkInterface()
            .networkInterfaceId();
    ec2.modifyNetworkInterfaceAttribute(
        r -> r.networkInterfaceId(inside).associatePublicIpAddress(true));
    assertNull(network.interfaces().get(inside).publicAddress());
  }

  @Test
  void aClientTokenMakesOneInterface() {
    String subnet = subnets().getFirst().subnetId();
    String first =
        ec2.createNetworkInterface(r -> r.subnetId(subnet).clientToken("task-1"))
            .networkInterface()
            .networkInterfaceId();
    assertEquals(
        first,
        ec2.createNetworkInterface(r -> r.subnetId(subnet).clientToken("task-1"))
            .networkInterface()
            .networkInterfaceId());
    refused(
        "IdempotentParameterMismatch",
        () ->
            ec2.createNetworkInterface(
                r -> r.subnetId(subnet).clientToken("task-1").description("another")));
    ec2.deleteNetworkInterface(r -> r.networkInterfaceId(first));
    assertNotEquals(
        first,
        ec2.createNetworkInterface(r -> r.subnetId(subnet).clientToken("task-1"))
            .networkInterface()
            .networkInterfaceId());
  }

  @Test
  void manyAtOnceNeverShareAnAddressAndASubnetRunsFull() throws Exception {
    Vpc vpc = ec2.createVpc(r -> r.cidrBlock("10.1.0.0/24")).vpc();
    Subnet subnet = ec2.createSubnet(r -> r.vpcId(vpc.vpcId()).cidrBlock("10.1.0.0/26")).subnet();
    assertEquals(59, subnet.availableIpAddressCount());
    List<Future<String>> made = new ArrayList<>();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 59; i++) {
        made.add(
            threads.submit(() ->
                ec2.createNetworkInterface(r -> r.subnetId(subnet.subnetId()))
                    .networkInterface()
                    .privateIpAddress()));
      }
    }
    Set<String> addresses = new HashSet<>();
    for (Future<String> address : made) {
      assertTrue(addresses.add(address.get()), address.get());
    }
    for (String reserved : List.of("10.1.0.0", "10.1.0.1", "10.1.0.2", "10.1.0.3", "10.1.0.63")) {
      assertFalse(addresses.contains(reserved), reserved);
      refused(
          "InvalidParameterValue",
          () ->
              ec2.createNetworkInterface(
                  r -> r.subnetId(subnet.subnetId()).privateIpAddress(reserved)));
    }
    refused(
        "InvalidIPAddress.InUse",
        () ->
            ec2.createNetworkInterface(
                r -> r.subnetId(subnet.subnetId()).privateIpAddress("10.1.0.9")));
    refused(
        "InsufficientFreeAddressesInSubnet",
        () -> ec2.createNetworkInterface(r -> r.subnetId(subnet.subnetId())));
    assertEquals(
        0,
        ec2.describeSubnets(r -> r.subnetIds(subnet.subnetId()))
            .subnets()
            .getFirst()
            .availableIpAddressCount());
    String ninth =
        ec2.describeNetworkInterfaces(
                r -> r.filters(filter("addresses.private-ip-address", "10.1.0.9")))
            .networkInterfaces()
            .getFirst()
            .networkInterfaceId();
    ec2.deleteNetworkInterface(r -> r.networkInterfaceId(ninth));
    assertEquals(
        "10.1.0.9",
        ec2.createNetworkInterface(r -> r.subnetId(subnet.subnetId()))
            .networkInterface()
            .privateIpAddress());
  }

  @Test
  void aRestartStatesEverythingAgain() {
    String web = group("web");
    ec2.authorizeSecurityGroupIngress(r -> r.groupId(web).ipPermissions(tcpFrom(80, web)));
    NetworkInterface a = plugged(web);
    NetworkInterface b = plugged(web);
    SimNetwork after = new SimNetwork(timers);
    Ec2 again = started(SCOPE, after);
    assertEquals(Set.of(defaultVpc().vpcId()), again.vpcIds());
    assertEquals(Set.of(a.networkInterfaceId(), b.networkInterfaceId()), again.interfaceIds());
    assertEquals(network.interfaces(), after.interfaces());
    after.plug(a.networkInterfaceId(), Use.NAMESPACE);
    after.plug(b.networkInterfaceId(), Use.NAMESPACE);
    assertTrue(after.admits(a.networkInterfaceId(), b.networkInterfaceId(), TCP, 80));
    assertEquals(1, again.describeVpcs().vpcs().size());
    after.close();
  }

  @Test
  void vpcsGoOnlyWhenTheyAreEmptyAndTheDefaultOneDoesNotComeBackByItself() {
    Vpc vpc =
        ec2.createVpc(r -> r.cidrBlock("10.9.8.7/16").tagSpecifications(named("vpc", "mine")))
            .vpc();
    assertEquals("10.9.0.0/16", vpc.cidrBlock());
    assertFalse(
        ec2.describeVpcAttribute(
                r -> r.vpcId(vpc.vpcId()).attribute(VpcAttributeName.ENABLE_DNS_HOSTNAMES))
            .enableDnsHostnames()
            .value());
    Subnet subnet =
        ec2.createSubnet(
                r -> r.vpcId(vpc.vpcId()).cidrBlock("10.9.1.0/24").availabilityZone("us-east-1b"))
            .subnet();
    refused(
        "InvalidSubnet.Conflict",
        () -> ec2.createSubnet(r -> r.vpcId(vpc.vpcId()).cidrBlock("10.9.1.128/25")));
    refused(
        "InvalidSubnet.Range",
        () -> ec2.createSubnet(r -> r.vpcId(vpc.vpcId()).cidrBlock("10.10.1.0/24")));
    refused("DependencyViolation", () -> ec2.deleteVpc(r -> r.vpcId(vpc.vpcId())));
    String eni =
        ec2.createNetworkInterface(r -> r.subnetId(subnet.subnetId()))
            .networkInterface()
            .networkInterfaceId();
    refused("DependencyViolation", () -> ec2.deleteSubnet(r -> r.subnetId(subnet.subnetId())));
    ec2.deleteNetworkInterface(r -> r.networkInterfaceId(eni));
    ec2.deleteSubnet(r -> r.subnetId(subnet.subnetId()));
    ec2.deleteVpc(r -> r.vpcId(vpc.vpcId()));
    refused("InvalidVpcID.NotFound", () -> ec2.describeVpcs(r -> r.vpcIds(vpc.vpcId())));
    assertTrue(ec2.describeTags(r -> r.filters(filter("resource-type", "vpc"))).tags().isEmpty());
    assertEquals(1, ec2.describeSecurityGroups().securityGroups().size());
    assertEquals(2, ec2.describeSecurityGroupRules(r -> {}).securityGroupRules().size());
    refused("DependencyViolation", () -> ec2.deleteVpc(r -> r.vpcId(defaultVpc().vpcId())));
    refused("DefaultVpcAlreadyExists", () -> ec2.createDefaultVpc());
    for (String bad : List.of("10.0.0.0/8", "10.0.0.0/29", "169.254.0.0/16", "127.0.0.0/16")) {
      refused("InvalidVpc.Range", () -> ec2.createVpc(r -> r.cidrBlock(bad)));
    }
    refused("InvalidParameterValue", () -> ec2.createVpc(r -> r.cidrBlock("10.0.0.0")));
    refused("MissingParameter", () -> ec2.createVpc(r -> {}));
    refused(
        "UnsupportedOperation",
        () -> ec2.createVpc(r -> r.cidrBlock("10.0.0.0/16").ipv6Pool("ipv6pool-ec2-0123")));
  }

  private static TagSpecification named(String type, String name) {
    return TagSpecification.builder()
        .resourceType(ResourceType.fromValue(type))
        .tags(Tag.builder().key("Name").value(name).build())
        .build();
  }

  @Test
  void aRehearsalChecksEverythingAndChangesNothing() {
    Ec2Exception fine =
        refused(
            "DryRunOperation", () -> ec2.createVpc(r -> r.cidrBlock("10.0.0.0/16").dryRun(true)));
    assertEquals(412, fine.statusCode());
    refused("InvalidVpc.Range", () -> ec2.createVpc(r -> r.cidrBlock("10.0.0.0/8").dryRun(true)));
    String subnet = subnets().getFirst().subnetId();
    refused(
        "DryRunOperation", () -> ec2.createNetworkInterface(r -> r.subnetId(subnet).dryRun(true)));
    String group = defaultGroup().groupId();
    refused(
        "DryRunOperation",
        () ->
            ec2.authorizeSecurityGroupIngress(
                r -> r.groupId(group).ipPermissions(tcp(80, "0.0.0.0/0")).dryRun(true)));
    assertEquals(1, ec2.describeVpcs().vpcs().size());
    assertEquals(List.of(), ec2.describeNetworkInterfaces().networkInterfaces());
    assertEquals(1, defaultGroup().ipPermissions().size());
    assertEquals(4091, subnets().getFirst().availableIpAddressCount());
  }

  @Test
  void tagsFiltersAndPages() {
    for (int i = 0; i < 12; i++) {
      String name = "group-" + i;
      ec2.createSecurityGroup(
          r -> r.groupName(name).description("*").tagSpecifications(named("security-group", name)));
    }
    assertEquals(
        3,
        ec2.describeSecurityGroups(r -> r.filters(filter("tag:Name", "group-1*")))
            .securityGroups()
            .size());
    assertEquals(
        2,
        ec2.describeSecurityGroups(r -> r.filters(filter("tag:Name", "group-1?")))
            .securityGroups()
            .size());
    assertEquals(
        12,
        ec2.describeSecurityGroups(r -> r.filters(filter("description", "\\*")))
            .securityGroups()
            .size());
    assertEquals(
        12,
        ec2.describeSecurityGroups(r -> r.filters(filter("tag-key", "Name")))
            .securityGroups()
            .size());
    Set<String> seen = new HashSet<>();
    ec2.describeSecurityGroupsPaginator(r -> r.maxResults(5))
        .securityGroups()
        .forEach(group -> assertTrue(seen.add(group.groupId())));
    assertEquals(13, seen.size());
    refused("InvalidParameterValue", () -> ec2.describeSecurityGroups(r -> r.maxResults(4)));
    refused("InvalidParameterValue", () -> ec2.describeSecurityGroups(r -> r.nextToken("x")));
    refused(
        "InvalidParameterCombination",
        () -> ec2.describeSecurityGroups(r -> r.maxResults(5).groupIds(defaultGroup().groupId())));
    refused(
        "InvalidParameterValue",
        () -> ec2.describeVpcs(r -> r.filters(filter("no-such-filter", "x"))));

    String vpc = defaultVpc().vpcId();
    ec2.createTags(r -> r.resources(vpc).tags(Tag.builder().key("Env").value("test").build()));
    assertEquals("test", defaultVpc().tags().getFirst().value());
    assertEquals(
        vpc,
        ec2.describeTags(r -> r.filters(filter("tag:Env", "te*"))).tags().getFirst().resourceId());
    ec2.deleteTags(r -> r.resources(vpc).tags(Tag.builder().key("Env").value("other").build()));
    assertEquals(1, defaultVpc().tags().size());
    ec2.deleteTags(r -> r.resources(vpc).tags(Tag.builder().key("Env").build()));
    assertEquals(List.of(), defaultVpc().tags());
    refused(
        "InvalidVpcID.NotFound",
        () ->
            ec2.createTags(
                r -> r.resources("vpc-0").tags(Tag.builder().key("a").value("b").build())));
    refused(
        "InvalidID",
        () -> ec2.createTags(r -> r.resources("x-0").tags(Tag.builder().key("a").build())));
    refused(
        "TagLimitExceeded",
        () ->
            ec2.createTags(r ->
                r.resources(vpc)
                    .tags(
                        IntStream.range(0, 51)
                            .mapToObj(i -> Tag.builder().key("k" + i).value("").build())
                            .toList())));
  }

  @Test
  void regionsAndZones() {
    assertTrue(
        ec2.describeRegions(r -> r.regionNames("eu-west-1"))
            .regions()
            .getFirst()
            .endpoint()
            .equals("ec2.eu-west-1.amazonaws.com"));
    assertEquals(
        List.of("us-east-1b"),
        ec2
            .describeAvailabilityZones(r -> r.filters(filter("zone-id", "use1-az2")))
            .availabilityZones()
            .stream()
            .map(zone -> zone.zoneName())
            .toList());
    refused(
        "InvalidParameterValue",
        () -> ec2.describeAvailabilityZones(r -> r.zoneNames("us-east-1z")));
    Ec2 other = started(new Scope("000000000000", "eu-west-1"), network);
    assertEquals(1, other.describeVpcs().vpcs().size());
    assertNotEquals(defaultVpc().vpcId(), other.describeVpcs().vpcs().getFirst().vpcId());
  }
}
