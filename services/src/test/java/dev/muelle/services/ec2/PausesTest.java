package dev.muelle.services.ec2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import org.junit.jupiter.api.Test;
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

  private Instance instance(String id) {
    return ec2.describeInstances(r -> r.instanceIds(id))
        .reservations()
        .getFirst()
        .instances()
        .getFirst();
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
