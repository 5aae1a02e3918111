package dev.muelle.services.cloudwatch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.services.AlarmActions.Transition;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.cloudwatch.model.StateValue;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.RebootInstancesRequest;
import software.amazon.awssdk.services.ec2.model.RebootInstancesResponse;
import software.amazon.awssdk.services.ec2.model.TerminateInstancesRequest;
import software.amazon.awssdk.services.ec2.model.TerminateInstancesResponse;

class InstanceActionsTest {

  private static final String ACTION = "arn:aws:automate:us-east-1:ec2:";

  private final List<String> done = new ArrayList<>();
  private final InstanceActions actions = new InstanceActions(World.SCOPE, new Some());

  /** Has no StopInstances. */
  private final class Some implements Ec2Client {
    @Override
    public TerminateInstancesResponse terminateInstances(TerminateInstancesRequest request) {
      done.add("terminate " + request.instanceIds());
      return TerminateInstancesResponse.builder().build();
    }

    @Override
    public RebootInstancesResponse rebootInstances(RebootInstancesRequest request) {
      done.add("reboot " + request.instanceIds());
      return RebootInstancesResponse.builder().build();
    }

    @Override
    public String serviceName() {
      return SERVICE_NAME;
    }

    @Override
    public void close() {}
  }

  private static Transition transition(String configuration) {
    return new Transition(
        "a",
        "arn:a",
        configuration,
        StateValue.OK,
        StateValue.ALARM,
        "why",
        "",
        Instant.parse("2026-11-21T12:00:00Z"));
  }

  @Test
  void takesWhatEc2Can() {
    assertTrue(actions.takes(ACTION + "terminate"));
    assertTrue(actions.takes(ACTION + "recover"));
    assertFalse(actions.takes(ACTION + "stop"));
    assertFalse(actions.takes(ACTION + "explode"));
    assertFalse(actions.takes("arn:aws:automate:eu-west-1:ec2:terminate"));
    assertTrue(
        actions.takes(
            "arn:aws:swf:us-east-1:000000000000:action/actions/AWS_EC2.InstanceId.Reboot/1.0"));
  }

  @Test
  void actsOnTheInstanceOfTheMetric() {
    Transition transition =
        transition(
            "{\"Dimensions\":[{\"Name\":\"Other\",\"Value\":\"x\"},"
                + "{\"Name\":\"InstanceId\",\"Value\":\"i-1\"}]}");
    actions.perform(ACTION + "terminate", transition);
    actions.perform(ACTION + "recover", transition);
    assertEquals(List.of("terminate [i-1]", "reboot [i-1]"), done);
  }

  @Test
  void withoutAnInstanceItFails() {
    assertThrows(
        IllegalArgumentException.class,
        () -> actions.perform(ACTION + "terminate", transition("{\"Dimensions\":[]}")));
    assertEquals(List.of(), done);
  }
}
