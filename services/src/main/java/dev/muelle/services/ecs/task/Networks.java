package dev.muelle.services.ecs.task;

import dev.muelle.services.Scope;
import dev.muelle.services.ecs.state.Refuse;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.SecurityGroup;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.ecs.model.AssignPublicIp;
import software.amazon.awssdk.services.ecs.model.AwsVpcConfiguration;
import software.amazon.awssdk.services.ecs.model.NetworkConfiguration;
import software.amazon.awssdk.services.ecs.model.NetworkMode;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;

/** What ECS asks of the network configurations that it is given. */
public final class Networks {

  private static final int MAX_SUBNETS = 16;
  private static final int MAX_GROUPS = 5;

  private final Ec2Client ec2;

  public Networks(Ec2Client ec2) {
    this.ec2 = ec2;
  }

  /** In which a region's private names are. */
  public static String domain(Scope scope) {
    return scope.region().equals("us-east-1")
        ? "ec2.internal"
        : scope.region() + ".compute.internal";
  }

  /** The subnet for one more task: the one with the fewest tasks, the first of equals. */
  public static String subnet(List<String> subnets, List<String> taken) {
    Map<String, Integer> tasks = new TreeMap<>();
    taken.forEach(subnet -> tasks.merge(subnet, 1, Integer::sum));
    return subnets.stream()
        .min(Comparator.comparingInt(subnet -> tasks.getOrDefault(subnet, 0)))
        .orElseThrow();
  }

  /**
   * Checks a configuration, and completes it: without groups, the VPC's default one.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_AwsVpcConfiguration.html">AwsVpcConfiguration</a>
   */
  public AwsVpcConfiguration check(@Nullable NetworkConfiguration configuration) {
    AwsVpcConfiguration vpc = configuration == null ? null : configuration.awsvpcConfiguration();
    if (vpc == null) {
      throw Refuse.invalid(
          "Network Configuration must be provided when networkMode 'awsvpc' is specified.");
    }
    if (vpc.subnets().isEmpty()) {
      throw Refuse.invalid("subnets can not be empty.");
    }
    if (vpc.subnets().size() > MAX_SUBNETS) {
      throw Refuse.invalid("subnets can have at most 16 items.");
    }
    if (vpc.securityGroups().size() > MAX_GROUPS) {
      throw Refuse.invalid("securityGroups can have at most 5 items.");
    }
    List<Subnet> subnets = subnets(vpc.subnets());
    String vpcId = subnets.getFirst().vpcId();
    if (subnets.stream().anyMatch(subnet -> !subnet.vpcId().equals(vpcId))) {
      throw Refuse.invalid("All of the subnets must be in the same VPC.");
    }
    List<String> groups =
        vpc.securityGroups().isEmpty() ? List.of(defaultGroup(vpcId)) : vpc.securityGroups();
    for (SecurityGroup group : groups(groups)) {
      if (!group.vpcId().equals(vpcId)) {
        throw Refuse.invalid(
            "The security group and the subnets must be in the same VPC: " + group.groupId());
      }
    }
    return vpc.toBuilder()
        .securityGroups(groups)
        .assignPublicIp(
            vpc.assignPublicIp() == null ? AssignPublicIp.DISABLED : vpc.assignPublicIp())
        .build();
  }

  /** Checks what a task of a definition is to run with; empty in a network mode that takes none. */
  public AwsVpcConfiguration check(
      TaskDefinition definition, @Nullable NetworkConfiguration configuration) {
    if (definition.networkMode() == NetworkMode.AWSVPC) {
      return check(configuration);
    }
    if (configuration != null && configuration.awsvpcConfiguration() != null) {
      throw Refuse.invalid(
          "Network Configuration is not valid for the given networkMode of this task definition.");
    }
    return AwsVpcConfiguration.builder()
        .subnets(List.of())
        .securityGroups(List.of())
        .assignPublicIp(AssignPublicIp.DISABLED)
        .build();
  }

  /** As it is described: nothing where tasks have no interface of their own. */
  public static @Nullable NetworkConfiguration shown(NetworkConfiguration stored) {
    return stored == null || stored.awsvpcConfiguration().subnets().isEmpty() ? null : stored;
  }

  /** The zone of each of these subnets. */
  public Map<String, String> zones(List<String> subnetIds) {
    Map<String, String> zones = new HashMap<>();
    if (subnetIds.isEmpty()) {
      return zones;
    }
    subnets(subnetIds).forEach(subnet -> zones.put(subnet.subnetId(), subnet.availabilityZone()));
    return zones;
  }

  private List<Subnet> subnets(List<String> ids) {
    try {
      return ec2.describeSubnets(request -> request.subnetIds(ids)).subnets();
    } catch (Ec2Exception e) {
      throw Refuse.invalid(
          "Error retrieving subnet information for "
              + ids
              + ": "
              + e.awsErrorDetails().errorMessage()
              + " (ErrorCode: "
              + e.awsErrorDetails().errorCode()
              + ")");
    }
  }

  private List<SecurityGroup> groups(List<String> ids) {
    try {
      return ec2.describeSecurityGroups(request -> request.groupIds(ids)).securityGroups();
    } catch (Ec2Exception e) {
      throw Refuse.invalid(
          "Error retrieving security group information for "
              + ids
              + ": "
              + e.awsErrorDetails().errorMessage()
              + " (ErrorCode: "
              + e.awsErrorDetails().errorCode()
              + ")");
    }
  }

  private String defaultGroup(String vpcId) {
    return ec2.describeSecurityGroups(request ->
            request.filters(
                software.amazon.awssdk.services.ec2.model.Filter.builder()
                    .name("vpc-id")
                    .values(vpcId)
                    .build(),
                software.amazon.awssdk.services.ec2.model.Filter.builder()
                    .name("group-name")
                    .values("default")
                    .build()))
        .securityGroups()
        .getFirst()
        .groupId();
  }
}
