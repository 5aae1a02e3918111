package dev.muelle.services.ec2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.network.Network;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.GetConsoleOutputResponse;
import software.amazon.awssdk.services.ec2.model.IamInstanceProfileAssociation;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ec2.model.InstanceStateName;

/** Stopping instances, and starting them again. */
class PausesTest extends Ec2InMemory {

  private String launch() {
    String image = ec2.describeImages(r -> r.owners("amazon")).images().getFirst().imageId();
    String id =
        ec2.runInstances(r -> r.imageId(image).instanceType("t3.small").minCount(1).maxCount(1))
            .instances()
            .getFirst()
            .instanceId();
    is(id, InstanceStateName.RUNNING);
    return id;
  }

  private void is(String id, InstanceStateName state) {
    await(() -> instance(id).state().name() == state);
  }

  @Test
  void anInstanceKeepsItsAddressButForThePublicOne() {
    String id = launch();
    Instance before = instance(id);
    String eni = before.networkInterfaces().getFirst().networkInterfaceId();
    assertTrue(network.plugged(eni).isPresent());
    assertNotNull(before.publicIpAddress());
    assertEquals(
        InstanceStateName.STOPPING,
        ec2.stopInstances(r -> r.instanceIds(id))
            .stoppingInstances()
            .getFirst()
            .currentState()
            .name());
    is(id, InstanceStateName.STOPPED);
    assertEquals(Optional.empty(), network.plugged(eni));
    Instance stopped = instance(id);
    assertEquals(before.privateIpAddress(), stopped.privateIpAddress());
    assertNull(stopped.publicIpAddress());
    assertEquals("Client.UserInitiatedShutdown", stopped.stateReason().code());
    ec2.stopInstances(r -> r.instanceIds(id)); // no fault
    ec2.startInstances(r -> r.instanceIds(id));
    is(id, InstanceStateName.RUNNING);
    Instance after = instance(id);
    assertTrue(network.plugged(eni).isPresent());
    assertEquals(before.privateIpAddress(), after.privateIpAddress());
    assertNotNull(after.publicIpAddress());
    assertNull(after.stateReason());
    assertTrue(after.launchTime().isAfter(before.launchTime()));
    ec2.startInstances(r -> r.instanceIds(id)); // no fault either
  }

  @Test
  void anElasticAddressStays() {
    String id = launch();
    var elastic = ec2.allocateAddress(r -> {});
    ec2.associateAddress(r -> r.allocationId(elastic.allocationId()).instanceId(id));
    ec2.stopInstances(r -> r.instanceIds(id));
    is(id, InstanceStateName.STOPPED);
    assertEquals(elastic.publicIp(), instance(id).publicIpAddress());
    ec2.startInstances(r -> r.instanceIds(id));
    is(id, InstanceStateName.RUNNING);
    assertEquals(elastic.publicIp(), instance(id).publicIpAddress());
  }

  @Test
  void oneThatIsStoppedStaysSoAndCanBeTerminated() {
    String id = launch();
    ec2.stopInstances(r -> r.instanceIds(id));
    is(id, InstanceStateName.STOPPED);
    String eni = instance(id).networkInterfaces().getFirst().networkInterfaceId();
    ec2.close();
    ec2 = started();
    assertEquals(InstanceStateName.STOPPED, instance(id).state().name());
    assertEquals(Optional.empty(), network.plugged(eni));
    ec2.terminateInstances(r -> r.instanceIds(id));
    is(id, InstanceStateName.TERMINATED);
    refused(
        "IncorrectInstanceState",
        "The instance '" + id + "' is not in a state from which it can be started.",
        () -> ec2.startInstances(r -> r.instanceIds(id)));
    refused("IncorrectInstanceState", () -> ec2.stopInstances(r -> r.instanceIds(id)));
  }

  @Test
  void oneThatBootsAnewKeepsItsAddresses() {
    String id = launch();
    Instance before = instance(id);
    String eni = before.networkInterfaces().getFirst().networkInterfaceId();
    network.putBehind(eni, new Network.Behind("task", "172.17.0.2", List.of()));
    assertEquals(0, ec2.boots().of(id));
    ec2.rebootInstances(r -> r.instanceIds(id));
    await(() -> ec2.boots().of(id) == 1);
    await(() -> network.plugged(eni).isPresent());
    assertEquals(Map.of(), network.behind(), "what was in it is gone");
    assertEquals(before, instance(id));
    ec2.close();
    ec2 = started();
    await(() -> network.plugged(eni).isPresent());
    assertEquals(1, ec2.boots().of(id));
    ec2.stopInstances(r -> r.instanceIds(id));
    is(id, InstanceStateName.STOPPED);
    refused(
        "IncorrectInstanceState",
        "The instance '" + id + "' is not in the 'running' state.",
        () -> ec2.rebootInstances(r -> r.instanceIds(id)));
    refused("MissingParameter", () -> ec2.rebootInstances(r -> {}));
  }

  @Test
  void nothingIsWrittenToAConsole() {
    String id = launch();
    GetConsoleOutputResponse console = ec2.getConsoleOutput(r -> r.instanceId(id));
    assertEquals(id, console.instanceId());
    assertNull(console.output());
    refused("DryRunOperation", () -> ec2.getConsoleOutput(r -> r.instanceId(id).dryRun(true)));
    refused(
        "InvalidInstanceID.NotFound",
        () -> ec2.getConsoleOutput(r -> r.instanceId("i-0123456789abcdef0")));
  }

  private List<IamInstanceProfileAssociation> associations(Filter... filters) {
    return ec2.describeIamInstanceProfileAssociations(r -> r.filters(filters))
        .iamInstanceProfileAssociations();
  }

  @Test
  void anInstanceGetsAProfileAndLosesIt() {
    String id = launch();
    assertEquals(List.of(), associations());
    IamInstanceProfileAssociation made =
        ec2.associateIamInstanceProfile(
                r -> r.instanceId(id).iamInstanceProfile(p -> p.name("LabInstanceProfile")))
            .iamInstanceProfileAssociation();
    assertEquals("associating", made.stateAsString());
    assertTrue(made.associationId().matches("iip-assoc-[0-9a-f]{17}"), made.associationId());
    assertEquals(made.iamInstanceProfile(), instance(id).iamInstanceProfile());
    assertEquals(
        made.toBuilder().state("associated").build(),
        associations(filter("instance-id", id), filter("state", "associated")).getFirst());
    refused(
        "IncorrectState",
        "There is an existing association for instance " + id,
        () ->
            ec2.associateIamInstanceProfile(
                r -> r.instanceId(id).iamInstanceProfile(p -> p.name("LabInstanceProfile"))));
    IamInstanceProfileAssociation next =
        ec2.replaceIamInstanceProfileAssociation(r ->
                r.associationId(made.associationId())
                    .iamInstanceProfile(p -> p.name("LabInstanceProfile")))
            .iamInstanceProfileAssociation();
    assertNotEquals(made.associationId(), next.associationId());
    String gone = made.associationId();
    refused(
        "InvalidAssociationID.NotFound",
        "An invalid association-id of '" + gone + "' was given",
        () -> ec2.disassociateIamInstanceProfile(r -> r.associationId(gone)));
    assertEquals(
        "disassociating",
        ec2.disassociateIamInstanceProfile(r -> r.associationId(next.associationId()))
            .iamInstanceProfileAssociation()
            .stateAsString());
    assertNull(instance(id).iamInstanceProfile());
    assertEquals(List.of(), associations());
    refused(
        "InvalidParameterValue",
        () ->
            ec2.associateIamInstanceProfile(
                r -> r.instanceId(id).iamInstanceProfile(p -> p.name("nobody"))));
    ec2.terminateInstances(r -> r.instanceIds(id));
    is(id, InstanceStateName.TERMINATED);
    refused(
        "IncorrectInstanceState",
        () ->
            ec2.associateIamInstanceProfile(
                r -> r.instanceId(id).iamInstanceProfile(p -> p.name("LabInstanceProfile"))));
  }

  @Test
  void whatIsAskedIsChecked() {
    String id = launch();
    refused("DryRunOperation", () -> ec2.stopInstances(r -> r.instanceIds(id).dryRun(true)));
    assertEquals(InstanceStateName.RUNNING, instance(id).state().name());
    refused(
        "InvalidInstanceID.NotFound",
        () -> ec2.stopInstances(r -> r.instanceIds(id, "i-0123456789abcdef0")));
    assertEquals(InstanceStateName.RUNNING, instance(id).state().name(), "all or none");
    refused(
        "UnsupportedOperation", () -> ec2.stopInstances(r -> r.instanceIds(id).hibernate(true)));
  }
}
