package dev.muelle.services.cloudwatch;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.muelle.services.AlarmActions;
import dev.muelle.services.Scope;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.RebootInstancesRequest;
import software.amazon.awssdk.services.ec2.model.StopInstancesRequest;
import software.amazon.awssdk.services.ec2.model.TerminateInstancesRequest;

/**
 * Alarms that stop, terminate, reboot or recover the instance whose metric they watch. An action is
 * taken as soon as EC2 has the operation that it is done with. Recovery moves an instance to other
 * hardware by a reboot; there is one machine here, so that the reboot is all of it.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/UsingAlarmActions.html">Stop,
 *     terminate, reboot, or recover an EC2 instance</a>
 */
public final class InstanceActions implements AlarmActions {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Ec2Client ec2;
  private final Map<String, Kind> byArn;

  private enum Kind {
    STOP("stop", "Stop", "stopInstances", StopInstancesRequest.class),
    TERMINATE("terminate", "Terminate", "terminateInstances", TerminateInstancesRequest.class),
    REBOOT("reboot", "Reboot", "rebootInstances", RebootInstancesRequest.class),
    RECOVER("recover", "Recover", "rebootInstances", RebootInstancesRequest.class);

    private final String automated;
    private final String byRole;
    private final String operation;
    private final Class<?> request;

    Kind(String automated, String byRole, String operation, Class<?> request) {
      this.automated = automated;
      this.byRole = byRole;
      this.operation = operation;
      this.request = request;
    }

    /** The forms that PutMetricAlarm documents: of the service itself, and with a role's name. */
    List<String> arns(Scope scope) {
      return List.of(
          "arn:aws:automate:" + scope.region() + ":ec2:" + automated,
          scope.arn("swf", "action/actions/AWS_EC2.InstanceId." + byRole + "/1.0"));
    }
  }

  public InstanceActions(Scope scope, Ec2Client ec2) {
    this.ec2 = ec2;
    byArn =
        Arrays.stream(Kind.values())
            .flatMap(kind -> kind.arns(scope).stream().map(arn -> Map.entry(arn, kind)))
            .collect(Collectors.toUnmodifiableMap(Map.Entry::getKey, Map.Entry::getValue));
  }

  @Override
  public boolean takes(String action) {
    Kind kind = byArn.get(action);
    return kind != null && has(kind);
  }

  /** An operation that EC2 does not have is the interface's own method, which only refuses. */
  private boolean has(Kind kind) {
    try {
      return ec2.getClass().getMethod(kind.operation, kind.request).getDeclaringClass()
          != Ec2Client.class;
    } catch (NoSuchMethodException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void perform(String action, Transition transition) {
    Kind kind = Objects.requireNonNull(byArn.get(action));
    String instance = instance(transition);
    if (instance == null) {
      throw new IllegalArgumentException("The alarm's metric has no dimension InstanceId.");
    }
    switch (kind) {
      case STOP -> ec2.stopInstances(r -> r.instanceIds(instance));
      case TERMINATE -> ec2.terminateInstances(r -> r.instanceIds(instance));
      case REBOOT, RECOVER -> ec2.rebootInstances(r -> r.instanceIds(instance));
    }
  }

  private static @Nullable String instance(Transition transition) {
    JsonNode dimensions;
    try {
      dimensions = JSON.readTree(transition.configuration()).findPath("Dimensions");
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
    return StreamSupport.stream(dimensions.spliterator(), false)
        .filter(dimension -> "InstanceId".equals(dimension.path("Name").textValue()))
        .map(dimension -> dimension.path("Value").textValue())
        .findFirst()
        .orElse(null);
  }
}
