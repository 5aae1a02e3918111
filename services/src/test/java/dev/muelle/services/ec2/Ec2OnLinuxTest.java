package dev.muelle.services.ec2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.linux.NetworkNamespace;
import dev.muelle.loop.SystemTimers;
import dev.muelle.network.Network.Use;
import dev.muelle.network.linux.LinuxNetwork;
import dev.muelle.services.EventOutbox;
import dev.muelle.services.Ids;
import dev.muelle.services.Measurements;
import dev.muelle.services.NoLoadBalancers;
import dev.muelle.services.Scope;
import dev.muelle.services.autoscaling.AutoScaling;
import dev.muelle.services.iam.Iam;
import dev.muelle.store.SqliteStore;
import dev.muelle.store.Store;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.autoscaling.model.Instance;
import software.amazon.awssdk.services.autoscaling.model.LifecycleState;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.ec2.model.AddPrefixListEntry;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.IpPermission;
import software.amazon.awssdk.services.ec2.model.IpRange;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.UserIdGroupPair;
import software.amazon.awssdk.services.sns.SnsClient;

/** What callers of EC2 decide, as packets meet it. Needs root. */
class Ec2OnLinuxTest {

  private static final Scope SCOPE = new Scope("000000000000", "us-east-1");

  /** So long a packet that is dropped is waited for in vain. */
  private static final int DROPPED_MILLIS = 700;

  /** A first packet may be late on a busy machine; the second comes after a second. */
  private static final int LATE_MILLIS = 30_000;

  @TempDir private Path directory;
  private final String instance =
      "me" + HexFormat.of().toHexDigits(new Random().nextInt()).substring(2);
  private final List<AutoCloseable> open = new ArrayList<>();
  private SqliteStore file;
  private final SystemTimers timers = new SystemTimers();
  private LinuxNetwork network;
  private Ec2 ec2;

  @BeforeEach
  void start() {
    file = SqliteStore.open(directory.resolve("db"));
    network = new LinuxNetwork(instance);
    ec2 = started();
  }

  private Ec2 started() {
    Store store = file.in(SCOPE.storeScope());
    Random random = new Random();
    Ids ids = new Ids(random);
    Ec2 made =
        new Ec2(
            SCOPE,
            store,
            timers,
            ids,
            random,
            new Iam(SCOPE, file.in("000000000000/global"), timers, ids),
            network);
    made.start();
    return made;
  }

  @AfterEach
  void nothingIsLeft() throws Exception {
    for (AutoCloseable socket : open) {
      socket.close();
    }
    ec2.close();
    network.removeAll();
    network.close();
    timers.close();
    file.close();
    try (Stream<Path> namespaces = Files.list(NetworkNamespace.DIRECTORY)) {
      assertEquals(
          List.of(),
          namespaces
              .map(path -> path.getFileName().toString())
              .filter(name -> name.startsWith(instance))
              .toList());
    }
  }

  private String group(String name) {
    return ec2.createSecurityGroup(r -> r.groupName(name).description(name)).groupId();
  }

  private NetworkInterface task(String group) {
    String subnet = ec2.describeSubnets().subnets().getFirst().subnetId();
    return in(subnet, group);
  }

  private NetworkNamespace inside(NetworkInterface eni) {
    String path =
        network
            .plug(eni.networkInterfaceId(), Use.NAMESPACE)
            .orElseThrow()
            .getFileName()
            .toString();
    return new NetworkNamespace(path);
  }

  private void listen(NetworkInterface eni, int port) throws Exception {
    try (NetworkNamespace namespace = inside(eni)) {
      open.add(
          namespace.call(() ->
              ServerSocketChannel.open(StandardProtocolFamily.INET)
                  .bind(new InetSocketAddress(eni.privateIpAddress(), port))));
    }
  }

  private boolean reaches(NetworkInterface from, NetworkInterface to, int port) throws Exception {
    return connects(from, to, port, LATE_MILLIS);
  }

  private boolean connects(NetworkInterface from, NetworkInterface to, int port) throws Exception {
    return connects(from, to, port, DROPPED_MILLIS);
  }

  private boolean connects(NetworkInterface from, NetworkInterface to, int port, int millis)
      throws Exception {
    try (NetworkNamespace namespace = inside(from);
        SocketChannel socket =
            namespace.call(() -> SocketChannel.open(StandardProtocolFamily.INET))) {
      socket.socket().connect(new InetSocketAddress(to.privateIpAddress(), port), millis);
      return true;
    } catch (SocketTimeoutException e) {
      return false;
    } catch (IOException e) {
      throw new AssertionError("neither connected nor dropped", e);
    }
  }

  private static IpPermission from(String group) {
    return IpPermission.builder()
        .ipProtocol("tcp")
        .fromPort(5050)
        .toPort(5050)
        .userIdGroupPairs(UserIdGroupPair.builder().groupId(group).build())
        .build();
  }

  @Test
  void groupsRulesAndMembershipsActOnPacketsWithoutARestart() throws Exception {
    String callers = group("callers");
    String tasks = group("tasks");
    NetworkInterface caller = task(callers);
    NetworkInterface task = task(tasks);
    listen(task, 5050);
    assertFalse(connects(caller, task, 5050));

    ec2.authorizeSecurityGroupIngress(r -> r.groupId(tasks).ipPermissions(from(callers)));
    assertTrue(reaches(caller, task, 5050));

    ec2.modifyNetworkInterfaceAttribute(
        r -> r.networkInterfaceId(caller.networkInterfaceId()).groups(tasks));
    assertFalse(connects(caller, task, 5050));
    ec2.modifyNetworkInterfaceAttribute(
        r -> r.networkInterfaceId(caller.networkInterfaceId()).groups(tasks, callers));
    assertTrue(reaches(caller, task, 5050));

    ec2.revokeSecurityGroupIngress(r -> r.groupId(tasks).ipPermissions(from(callers)));
    assertFalse(connects(caller, task, 5050));
  }

  /** Two VPCs that a peering connects; only a prefix list says what leads there and back. */
  @Test
  void aPrefixListsEntriesAreRoutesAsLongAsTheyAreThere() throws Exception {
    String here = ec2.describeVpcs().vpcs().getFirst().vpcId();
    String near = ec2.describeVpcs().vpcs().getFirst().cidrBlock();
    NetworkInterface caller = task(group("near"));
    String there = ec2.createVpc(r -> r.cidrBlock("10.77.0.0/16")).vpc().vpcId();
    String far =
        ec2.createSubnet(r -> r.vpcId(there).cidrBlock("10.77.1.0/24")).subnet().subnetId();
    String open =
        ec2.createSecurityGroup(r -> r.groupName("far").description("far").vpcId(there)).groupId();
    IpPermission everybody =
        IpPermission.builder()
            .ipProtocol("tcp")
            .fromPort(5050)
            .toPort(5050)
            .ipRanges(IpRange.builder().cidrIp(near).build())
            .build();
    ec2.authorizeSecurityGroupIngress(r -> r.groupId(open).ipPermissions(everybody));
    String peering =
        ec2.createVpcPeeringConnection(r -> r.vpcId(here).peerVpcId(there))
            .vpcPeeringConnection()
            .vpcPeeringConnectionId();
    ec2.acceptVpcPeeringConnection(r -> r.vpcPeeringConnectionId(peering));
    NetworkInterface called =
        ec2.createNetworkInterface(r -> r.subnetId(far).groups(open)).networkInterface();
    network.plug(called.networkInterfaceId(), Use.NAMESPACE);
    listen(called, 5050);
    String list =
        ec2.createManagedPrefixList(r ->
                r.prefixListName("peers")
                    .addressFamily("IPv4")
                    .maxEntries(3)
                    .entries(AddPrefixListEntry.builder().cidr("10.77.9.0/24").build()))
            .prefixList()
            .prefixListId();
    String back = table(there);
    ec2.createRoute(
        r -> r.routeTableId(back).destinationCidrBlock(near).vpcPeeringConnectionId(peering));
    String way = table(here);
    ec2.createRoute(
        r -> r.routeTableId(way).destinationPrefixListId(list).vpcPeeringConnectionId(peering));
    assertFalse(connects(caller, called, 5050), "not in the list");

    ec2.modifyManagedPrefixList(r ->
        r.prefixListId(list)
            .currentVersion(1L)
            .addEntries(AddPrefixListEntry.builder().cidr("10.77.1.0/24").build()));
    assertTrue(reaches(caller, called, 5050));
    ec2.restoreManagedPrefixListVersion(
        r -> r.prefixListId(list).currentVersion(2L).previousVersion(1L));
    assertFalse(connects(caller, called, 5050), "no longer");
  }

  /** Two interfaces in one VPC with a group of another one, whose rule names itself. */
  @Test
  void aGroupOfAnotherVpcFiltersWhereItIsAssociated() throws Exception {
    String home = ec2.createVpc(r -> r.cidrBlock("10.76.0.0/16")).vpc().vpcId();
    String away = ec2.createVpc(r -> r.cidrBlock("10.77.0.0/16")).vpc().vpcId();
    String subnet =
        ec2.createSubnet(r -> r.vpcId(away).cidrBlock("10.77.1.0/24")).subnet().subnetId();
    String shared =
        ec2.createSecurityGroup(r -> r.groupName("shared").description("shared").vpcId(home))
            .groupId();
    ec2.associateSecurityGroupVpc(r -> r.groupId(shared).vpcId(away));
    NetworkInterface caller = in(subnet, shared);
    NetworkInterface called = in(subnet, shared);
    listen(called, 5050);
    assertFalse(connects(caller, called, 5050));
    ec2.authorizeSecurityGroupIngress(r -> r.groupId(shared).ipPermissions(from(shared)));
    assertTrue(reaches(caller, called, 5050));
    network.close();

    network = new LinuxNetwork(instance);
    ec2 = started();
    network.retain(ec2.vpcIds(), ec2.interfaceIds());
    assertTrue(reaches(caller, called, 5050), "after a restart");
    ec2.revokeSecurityGroupIngress(r -> r.groupId(shared).ipPermissions(from(shared)));
    assertFalse(connects(caller, called, 5050));
    for (NetworkInterface one : List.of(caller, called)) {
      network.unplug(one.networkInterfaceId());
      ec2.deleteNetworkInterface(r -> r.networkInterfaceId(one.networkInterfaceId()));
    }
    ec2.disassociateSecurityGroupVpc(r -> r.groupId(shared).vpcId(away));
    ec2.deleteSecurityGroup(r -> r.groupId(shared));
  }

  private NetworkInterface in(String subnet, String group) {
    NetworkInterface eni =
        ec2.createNetworkInterface(r -> r.subnetId(subnet).groups(group)).networkInterface();
    network.plug(eni.networkInterfaceId(), Use.NAMESPACE);
    return eni;
  }

  private String table(String vpc) {
    return ec2.describeRouteTables(r ->
            r.filters(
                Filter.builder().name("vpc-id").values(vpc).build(),
                Filter.builder().name("association.main").values("true").build()))
        .routeTables()
        .getFirst()
        .routeTableId();
  }

  @Test
  void aNewServerTakesOverWhatRunsAndAnAddressThatCameBackIsClean() throws Exception {
    String tasks = group("tasks");
    ec2.authorizeSecurityGroupIngress(r -> r.groupId(tasks).ipPermissions(from(tasks)));
    NetworkInterface caller = task(tasks);
    NetworkInterface task = task(tasks);
    listen(task, 5050);
    assertTrue(reaches(caller, task, 5050));
    network.close();

    network = new LinuxNetwork(instance);
    ec2 = started();
    network.retain(ec2.vpcIds(), ec2.interfaceIds());
    assertTrue(reaches(caller, task, 5050));
    assertEquals(
        "in-use",
        ec2.describeNetworkInterfaces(r -> r.networkInterfaceIds(task.networkInterfaceId()))
            .networkInterfaces()
            .getFirst()
            .statusAsString());

    network.unplug(caller.networkInterfaceId());
    ec2.deleteNetworkInterface(r -> r.networkInterfaceId(caller.networkInterfaceId()));
    String strangers = group("strangers");
    NetworkInterface stranger =
        ec2.createNetworkInterface(r ->
                r.subnetId(caller.subnetId())
                    .groups(strangers)
                    .privateIpAddress(caller.privateIpAddress()))
            .networkInterface();
    network.plug(stranger.networkInterfaceId(), Use.NAMESPACE);
    assertFalse(connects(stranger, task, 5050));
  }

  private AutoScaling scaling() {
    Random random = new Random();
    Ids ids = new Ids(random);
    AutoScaling made =
        new AutoScaling(
            SCOPE,
            file.in(SCOPE.storeScope()),
            timers,
            ids,
            random,
            ec2,
            new NoLoadBalancers(),
            new NoAlarms(),
            new NoTopics(),
            new Iam(SCOPE, file.in("000000000000/global"), timers, ids),
            new EventOutbox(ids),
            Measurements.NONE);
    made.start();
    return made;
  }

  private static final class NoAlarms implements CloudWatchClient {
    @Override
    public String serviceName() {
      return SERVICE_NAME;
    }

    @Override
    public void close() {}
  }

  private static final class NoTopics implements SnsClient {
    @Override
    public String serviceName() {
      return SERVICE_NAME;
    }

    @Override
    public void close() {}
  }

  private static void until(String what, BooleanSupplier condition) {
    Instant end = Instant.now().plusMillis(2 * LATE_MILLIS);
    while (!condition.getAsBoolean()) {
      assertTrue(Instant.now().isBefore(end), what);
      LockSupport.parkNanos(1_000_000);
    }
  }

  private static String only(List<Instance> instances, LifecycleState state) {
    return instances.stream()
        .filter(one -> one.lifecycleState() == state)
        .map(Instance::instanceId)
        .findFirst()
        .orElse("");
  }

  /** Whether a connection is refused: the network is there, and nothing that listens. */
  private boolean refuses(NetworkInterface from, NetworkInterface to, int port) throws Exception {
    try (NetworkNamespace namespace = inside(from);
        SocketChannel socket =
            namespace.call(() -> SocketChannel.open(StandardProtocolFamily.INET))) {
      socket.socket().connect(new InetSocketAddress(to.privateIpAddress(), port), LATE_MILLIS);
      return false;
    } catch (ConnectException e) {
      return true;
    }
  }

  @Test
  void aWarmPoolsInstanceIsStoppedAndStartedAndBootsAnewWithItsAddress() throws Exception {
    String tasks = group("tasks");
    ec2.authorizeSecurityGroupIngress(r -> r.groupId(tasks).ipPermissions(from(tasks)));
    NetworkInterface caller = task(tasks);
    String image = ec2.describeImages(r -> r.owners("amazon")).images().getFirst().imageId();
    ec2.createLaunchTemplate(r ->
        r.launchTemplateName("web")
            .launchTemplateData(
                d -> d.imageId(image).instanceType("t3.micro").securityGroupIds(tasks)));
    try (AutoScaling scaling = scaling()) {
      scaling.createAutoScalingGroup(r ->
          r.autoScalingGroupName("g")
              .launchTemplate(t -> t.launchTemplateName("web"))
              .vpcZoneIdentifier(caller.subnetId())
              .minSize(0)
              .maxSize(1));
      scaling.putWarmPool(r -> r.autoScalingGroupName("g"));
      Supplier<String> pooled =
          () ->
              only(
                  scaling.describeWarmPool(r -> r.autoScalingGroupName("g")).instances(),
                  LifecycleState.WARMED_STOPPED);
      until("it waits", () -> !pooled.get().isEmpty());
      String id = pooled.get();
      NetworkInterface eni =
          ec2.describeNetworkInterfaces(
                  r -> r.filters(Ec2InMemory.filter("attachment.instance-id", id)))
              .networkInterfaces()
              .getFirst();
      String device = eni.networkInterfaceId();
      assertEquals(Optional.empty(), network.plugged(device), "it is off the network");

      scaling.setDesiredCapacity(r -> r.autoScalingGroupName("g").desiredCapacity(1));
      until(
          "it serves",
          () ->
              id.equals(
                  only(
                      scaling
                          .describeAutoScalingGroups(r -> r.autoScalingGroupNames("g"))
                          .autoScalingGroups()
                          .getFirst()
                          .instances(),
                      LifecycleState.IN_SERVICE)));
      assertTrue(refuses(caller, eni, 5050));
      listen(eni, 5050);
      assertTrue(reaches(caller, eni, 5050));

      int boots = ec2.boots().of(id);
      ec2.rebootInstances(r -> r.instanceIds(id));
      until("it was down", () -> ec2.boots().of(id) == boots + 1);
      until("it is up", () -> network.plugged(device).isPresent());
      assertTrue(refuses(caller, eni, 5050), "what listened is gone");
      listen(eni, 5050);
      assertTrue(reaches(caller, eni, 5050));
      scaling.deleteAutoScalingGroup(r -> r.autoScalingGroupName("g").forceDelete(true));
      until(
          "it is gone",
          () ->
              scaling
                  .describeAutoScalingGroups(r -> r.autoScalingGroupNames("g"))
                  .autoScalingGroups()
                  .isEmpty());
    }
  }
}
