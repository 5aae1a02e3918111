package dev.muelle.services.ec2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.network.Network.Use;
import dev.muelle.network.Subnet.Target;
import dev.muelle.services.ec2.state.InstanceRecord;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Tables;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ec2.model.InstanceNetworkInterface;
import software.amazon.awssdk.services.ec2.model.InstanceStateName;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.NetworkInterfacePrivateIpAddress;
import software.amazon.awssdk.services.ec2.model.NetworkInterfaceStatus;
import software.amazon.awssdk.services.ec2.model.PrivateIpAddressSpecification;
import software.amazon.awssdk.services.ec2.model.Route;

/**
 * Interfaces that instances get and lose, and their secondary addresses, as EC2 is told of them.
 */
class InterfacesTest extends Ec2InMemory {

  private String subnet;
  private Instance instance;

  @BeforeEach
  void furnish() {
    subnet =
        ec2.describeSubnets(r -> r.filters(filter("availability-zone", "us-east-1a")))
            .subnets()
            .getFirst()
            .subnetId();
    instance = running("t3.micro"); // two interfaces with two addresses each
  }

  private static PrivateIpAddressSpecification address(String address, boolean primary) {
    return PrivateIpAddressSpecification.builder()
        .privateIpAddress(address)
        .primary(primary)
        .build();
  }

  private Instance running(String type) {
    return running(type, r -> r.subnetId(subnet));
  }

  private String made() {
    return ec2.createNetworkInterface(r -> r.subnetId(subnet))
        .networkInterface()
        .networkInterfaceId();
  }

  private NetworkInterface eni(String id) {
    return ec2.describeNetworkInterfaces(r -> r.networkInterfaceIds(id))
        .networkInterfaces()
        .getFirst();
  }

  private String attach(String eni, int device) {
    return ec2.attachNetworkInterface(
            r -> r.networkInterfaceId(eni).instanceId(instance.instanceId()).deviceIndex(device))
        .attachmentId();
  }

  private List<String> devices() {
    return instance(instance.instanceId()).networkInterfaces().stream()
        .map(InstanceNetworkInterface::networkInterfaceId)
        .toList();
  }

  private List<String> addresses(String eni) {
    return eni(eni).privateIpAddresses().stream()
        .map(NetworkInterfacePrivateIpAddress::privateIpAddress)
        .toList();
  }

  @Test
  void anInstanceGetsAFurtherInterfaceAndLosesIt() {
    String first = devices().getFirst();
    String eni = made();
    refused(
        "InvalidParameterValue",
        "Instance '"
            + instance.instanceId()
            + "' already has an interface attached at device index '0'.",
        () -> attach(eni, 0));
    assertThrows(
        Ec2Exception.class,
        () ->
            ec2.attachNetworkInterface(r ->
                r.networkInterfaceId(eni)
                    .instanceId(instance.instanceId())
                    .deviceIndex(1)
                    .dryRun(true)));
    assertNull(eni(eni).attachment());
    String attachment = attach(eni, 1);
    assertEquals(List.of(first, eni), devices());
    assertEquals(NetworkInterfaceStatus.IN_USE, eni(eni).status());
    assertEquals(Optional.of(Use.ATTACHED), network.plugged(eni));
    refused(
        "InvalidNetworkInterface.InUse", "Interface: [" + eni + "] in use.", () -> attach(eni, 2));
    refused(
        "InvalidParameterValue",
        "Network interface '" + eni + "' is currently in use.",
        () -> ec2.deleteNetworkInterface(r -> r.networkInterfaceId(eni)));
    String third = made();
    refused(
        "AttachmentLimitExceeded",
        "Interface count 3 exceeds the limit for t3.micro",
        () -> attach(third, 2));
    String main = eni(first).attachment().attachmentId();
    refused(
        "OperationNotPermitted",
        "The network interface at device index 0 and networkCard index 0 cannot be detached.",
        () -> ec2.detachNetworkInterface(r -> r.attachmentId(main)));

    ec2.close();
    ec2 = started();
    assertEquals(Optional.of(Use.ATTACHED), network.plugged(eni), "after a restart");

    ec2.detachNetworkInterface(r -> r.attachmentId(attachment));
    assertEquals(List.of(first), devices());
    assertEquals(Optional.empty(), network.plugged(eni));
    assertEquals(NetworkInterfaceStatus.AVAILABLE, eni(eni).status());
    refused(
        "InvalidAttachmentID.NotFound",
        "The attachment '" + attachment + "' does not exist",
        () -> ec2.detachNetworkInterface(r -> r.attachmentId(attachment)));
    ec2.deleteNetworkInterface(r -> r.networkInterfaceId(eni));
  }

  @Test
  void whatBecomesOfInterfacesAtTheEndIsTheirOwn() {
    String first = devices().getFirst();
    String eni = made();
    String attachment = attach(eni, 1);
    String other = running("t3.micro").networkInterfaces().getFirst().networkInterfaceId();
    refused(
        "InvalidAttachmentID.NotFound",
        "The attachment '" + attachment + "' does not exist for " + other,
        () ->
            ec2.modifyNetworkInterfaceAttribute(r ->
                r.networkInterfaceId(other)
                    .attachment(a -> a.attachmentId(attachment).deleteOnTermination(true))));
    ec2.modifyNetworkInterfaceAttribute(r ->
        r.networkInterfaceId(eni)
            .attachment(a -> a.attachmentId(attachment).deleteOnTermination(true)));
    ec2.modifyNetworkInterfaceAttribute(r ->
        r.networkInterfaceId(first)
            .attachment(a ->
                a.attachmentId(eni(first).attachment().attachmentId()).deleteOnTermination(false)));
    ec2.terminateInstances(r -> r.instanceIds(instance.instanceId()));
    await(() -> instance(instance.instanceId()).state().nameAsString().equals("terminated"));
    assertEquals(NetworkInterfaceStatus.AVAILABLE, eni(first).status());
    assertEquals(Optional.empty(), network.plugged(first));
    assertThrows(Ec2Exception.class, () -> eni(eni));
    ec2.deleteNetworkInterface(r -> r.networkInterfaceId(first));
  }

  @Test
  void anInterfaceOfAnotherZoneOrVpcIsNotAttached() {
    String elsewhere =
        ec2.describeSubnets(r -> r.filters(filter("availability-zone", "us-east-1b")))
            .subnets()
            .getFirst()
            .subnetId();
    String far =
        ec2.createNetworkInterface(r -> r.subnetId(elsewhere))
            .networkInterface()
            .networkInterfaceId();
    refused(
        "InvalidParameterCombination",
        "You may not attach a network interface to an instance if they are not in the same"
            + " availability zone",
        () -> attach(far, 1));
    ec2.terminateInstances(r -> r.instanceIds(instance.instanceId()));
    refused(
        "IncorrectInstanceState",
        "The instance '" + instance.instanceId() + "' is not in the 'running' state.",
        () -> attach(made(), 1));
    refused(
        "InvalidNetworkInterfaceID.NotFound",
        "The networkInterface ID 'eni-1' does not exist",
        () -> attach("eni-1", 1));
  }

  @Test
  void secondaryAddressesAreGivenTakenAndMoved() {
    String eni = made();
    String primary = addresses(eni).getFirst();
    int free = free();
    ec2.assignPrivateIpAddresses(r -> r.networkInterfaceId(eni).secondaryPrivateIpAddressCount(2));
    ec2.assignPrivateIpAddresses(r -> r.networkInterfaceId(eni).privateIpAddresses("172.31.9.9"));
    List<String> all = addresses(eni);
    assertEquals(4, all.size());
    assertEquals(List.of(primary, "172.31.9.9"), List.of(all.getFirst(), all.getLast()));
    assertEquals(free - 3, free());
    assertEquals(
        eni,
        ec2.describeNetworkInterfaces(
                r -> r.filters(filter("addresses.private-ip-address", "172.31.9.9")))
            .networkInterfaces()
            .getFirst()
            .networkInterfaceId());

    String other = made();
    refused(
        "InvalidIPAddress.InUse",
        "Address 172.31.9.9 is in use.",
        () ->
            ec2.assignPrivateIpAddresses(
                r -> r.networkInterfaceId(other).privateIpAddresses("172.31.9.9")));
    refused(
        "InvalidIPAddress.InUse",
        "Address " + primary + " is in use.",
        () ->
            ec2.assignPrivateIpAddresses(r ->
                r.networkInterfaceId(other).allowReassignment(true).privateIpAddresses(primary)));
    ec2.assignPrivateIpAddresses(
        r -> r.networkInterfaceId(other).allowReassignment(true).privateIpAddresses("172.31.9.9"));
    assertEquals(all.subList(0, 3), addresses(eni));
    assertEquals("172.31.9.9", addresses(other).getLast());

    refused(
        "InvalidParameterValue",
        "Some of the specified addresses are not assigned to interface " + eni,
        () ->
            ec2.unassignPrivateIpAddresses(
                r -> r.networkInterfaceId(eni).privateIpAddresses(primary)));
    ec2.unassignPrivateIpAddresses(
        r -> r.networkInterfaceId(eni).privateIpAddresses(all.subList(1, 3)));
    assertEquals(List.of(primary), addresses(eni));
    ec2.deleteNetworkInterface(r -> r.networkInterfaceId(other));
    assertEquals(free, free());

    attach(eni, 1);
    refused(
        "PrivateIpAddressLimitExceeded",
        "Number of private addresses will exceed limit (2).",
        () ->
            ec2.assignPrivateIpAddresses(
                r -> r.networkInterfaceId(eni).secondaryPrivateIpAddressCount(2)));
  }

  private int free() {
    return ec2.describeSubnets(r -> r.subnetIds(subnet))
        .subnets()
        .getFirst()
        .availableIpAddressCount();
  }

  @Test
  void anInterfaceIsMadeWithSeveralAddresses() {
    NetworkInterface one =
        ec2.createNetworkInterface(r ->
                r.subnetId(subnet)
                    .privateIpAddresses(address("172.31.5.5", true), address("172.31.5.6", false)))
            .networkInterface();
    assertEquals(List.of("172.31.5.5", "172.31.5.6"), addresses(one.networkInterfaceId()));
    assertEquals(
        4,
        ec2.createNetworkInterface(r -> r.subnetId(subnet).secondaryPrivateIpAddressCount(3))
            .networkInterface()
            .privateIpAddresses()
            .size());
    refused(
        "InvalidParameterCombination",
        "One of the private addresses must be the primary one",
        () ->
            ec2.createNetworkInterface(
                r -> r.subnetId(subnet).privateIpAddresses(address("172.31.5.7", false))));
    refused(
        "InvalidParameterValue",
        "Value (-1) for parameter secondaryPrivateIpAddressCount is invalid. It must be between 1"
            + " and 49.",
        () ->
            ec2.createNetworkInterface(r -> r.subnetId(subnet).secondaryPrivateIpAddressCount(-1)));
  }

  @Test
  void manyAtOnceMoveOneAddressAndOneHasIt() throws Exception {
    List<String> enis = List.of(made(), made(), made());
    try (ExecutorService threads = Executors.newFixedThreadPool(3)) {
      List<Future<?>> all = new ArrayList<>();
      for (String eni : enis) {
        all.add(
            threads.submit(() -> {
              for (int i = 0; i < 20; i++) {
                ec2.assignPrivateIpAddresses(r ->
                    r.networkInterfaceId(eni)
                        .allowReassignment(true)
                        .privateIpAddresses("172.31.7.7"));
              }
            }));
      }
      for (Future<?> one : all) {
        one.get();
      }
    }
    Set<String> owners =
        enis.stream()
            .filter(eni -> addresses(eni).contains("172.31.7.7"))
            .collect(Collectors.toSet());
    assertEquals(1, owners.size(), owners.toString());
  }

  @Test
  void anInstanceThatForwardsIsLedTo() {
    String id = instance.instanceId();
    String eni = instance.networkInterfaces().getFirst().networkInterfaceId();
    String vpc = instance.vpcId();
    String table = ec2.createRouteTable(r -> r.vpcId(vpc)).routeTable().routeTableId();
    ec2.associateRouteTable(r -> r.routeTableId(table).subnetId(subnet));
    ec2.createRoute(r -> r.routeTableId(table).destinationCidrBlock("10.9.0.0/16").instanceId(id));
    Route route = route(table);
    assertEquals(eni, route.networkInterfaceId());
    assertEquals(id, route.instanceId());
    assertEquals("active", route.stateAsString());
    String cidr = ec2.describeSubnets(r -> r.subnetIds(subnet)).subnets().getFirst().cidrBlock();
    assertEquals(
        List.of(new Target.Interface(eni)),
        network.subnet(vpc, cidr).orElseThrow().routes().stream()
            .map(dev.muelle.network.Subnet.Route::target)
            .toList());
    assertTrue(instance.sourceDestCheck());
    ec2.modifyInstanceAttribute(r -> r.instanceId(id).sourceDestCheck(c -> c.value(false)));
    assertFalse(instance(id).sourceDestCheck());
    assertFalse(instance(id).networkInterfaces().getFirst().sourceDestCheck());
    assertTrue(network.interfaces().get(eni).forwards());
    ec2.modifyNetworkInterfaceAttribute(
        r -> r.networkInterfaceId(eni).sourceDestCheck(c -> c.value(true)));
    assertFalse(network.interfaces().get(eni).forwards());

    String loose =
        ec2.createNetworkInterface(r -> r.subnetId(subnet)).networkInterface().networkInterfaceId();
    ec2.replaceRoute(
        r -> r.routeTableId(table).destinationCidrBlock("10.9.0.0/16").networkInterfaceId(loose));
    assertEquals("blackhole", route(table).stateAsString());
    ec2.attachNetworkInterface(r -> r.instanceId(id).networkInterfaceId(loose).deviceIndex(1));
    assertEquals("active", route(table).stateAsString());
    refused(
        "InvalidInstanceID",
        "There are multiple interfaces attached to instance '"
            + id
            + "'. Please specify an interface ID for the operation instead.",
        () ->
            ec2.createRoute(
                r -> r.routeTableId(table).destinationCidrBlock("10.8.0.0/16").instanceId(id)));
    refused(
        "InvalidNetworkInterfaceID.NotFound",
        "The networkInterface ID 'eni-0' does not exist",
        () ->
            ec2.createRoute(r ->
                r.routeTableId(table)
                    .destinationCidrBlock("10.8.0.0/16")
                    .networkInterfaceId("eni-0")));
    String other = ec2.createVpc(r -> r.cidrBlock("10.5.0.0/16")).vpc().vpcId();
    String far = ec2.createRouteTable(r -> r.vpcId(other)).routeTable().routeTableId();
    refused(
        "InvalidParameterValue",
        "route table " + far + " and interface " + eni + " belong to different networks",
        () ->
            ec2.createRoute(r ->
                r.routeTableId(far).destinationCidrBlock("10.8.0.0/16").networkInterfaceId(eni)));
  }

  /** The one that is not the VPC's own. */
  private Route route(String table) {
    return ec2
        .describeRouteTables(r -> r.routeTableIds(table))
        .routeTables()
        .getFirst()
        .routes()
        .stream()
        .filter(route -> route.gatewayId() == null)
        .findFirst()
        .orElseThrow();
  }

  @Test
  void anInstanceThatEndsGetsNoAddress() {
    String id = instance.instanceId();
    String allocation = ec2.allocateAddress(r -> r.domain("vpc")).allocationId();
    ec2.associateAddress(r -> r.allocationId(allocation).instanceId(id));
    assertNotNull(instance(id).publicIpAddress());
    String further = made();
    attach(further, 1);
    refused(
        "InvalidInstanceID",
        "There are multiple interfaces attached to instance '"
            + id
            + "'. Please specify an interface ID for the operation instead.",
        () -> ec2.associateAddress(r -> r.allocationId(allocation).instanceId(id)));
    // As it is between the request and its end: stored, and nobody looked yet.
    file.in(SCOPE.storeScope())
        .write(tx -> {
          InstanceRecord now = Kind.INSTANCE.get(tx, id);
          tx.put(Tables.INSTANCES, id, now.in(InstanceStateName.SHUTTING_DOWN));
          return true;
        });
    refused(
        "InvalidInstanceID",
        "The shutting-down instance '" + id + "' is not in a valid state for this operation.",
        () -> ec2.associateAddress(r -> r.allocationId(allocation).instanceId(id)));
    refused(
        "IncorrectInstanceState",
        "The shutting-down instance to which '"
            + further
            + "' is attached is not in a valid state for this operation",
        () -> ec2.associateAddress(r -> r.allocationId(allocation).networkInterfaceId(further)));
  }
}
