package dev.muelle.services.ecs;

import java.util.ArrayList;
import java.util.List;
import software.amazon.awssdk.services.ecs.model.AssignPublicIp;
import software.amazon.awssdk.services.ecs.model.Attribute;
import software.amazon.awssdk.services.ecs.model.ContainerInstance;
import software.amazon.awssdk.services.ecs.model.LaunchType;
import software.amazon.awssdk.services.ecs.model.NetworkConfiguration;
import software.amazon.awssdk.services.ecs.model.RegisterContainerInstanceRequest;
import software.amazon.awssdk.services.ecs.model.Resource;
import software.amazon.awssdk.services.ecs.model.RunTaskRequest;

/** A world's container instances, registered as their agents would. */
public final class Instances {

  private static final List<String> CAPABILITIES =
      List.of(
          "com.amazonaws.ecs.capability.logging-driver.awslogs",
          "ecs.capability.execution-role-awslogs",
          "com.amazonaws.ecs.capability.ecr-auth",
          "ecs.capability.execution-role-ecr-pull",
          "com.amazonaws.ecs.capability.docker-remote-api.1.18",
          "com.amazonaws.ecs.capability.docker-remote-api.1.19",
          "com.amazonaws.ecs.capability.docker-remote-api.1.21",
          "com.amazonaws.ecs.capability.task-iam-role",
          "ecs.capability.task-eni");

  private final World world;

  public Instances(World world) {
    this.world = world;
  }

  static Resource integer(String name, int value) {
    return Resource.builder().name(name).type("INTEGER").integerValue(value).build();
  }

  static Resource ports(String name, String... ports) {
    return Resource.builder().name(name).type("STRINGSET").stringSetValue(ports).build();
  }

  /** With the lab's task of 1,024 units and 3,072 MiB, this many fit by CPU and memory. */
  static RegisterContainerInstanceRequest.Builder request(
      String ec2Id, String zone, int tasks, String type) {
    List<Attribute> attributes = new ArrayList<>();
    CAPABILITIES.forEach(name -> attributes.add(Attribute.builder().name(name).build()));
    return RegisterContainerInstanceRequest.builder()
        .cluster(World.CLUSTER)
        .instanceIdentityDocument(
            """
            {"instanceId": "%s", "instanceType": "%s", "availabilityZone": "%s",
             "imageId": "ami-1", "architecture": "x86_64", "region": "us-east-1",
             "accountId": "000000000000", "version": "2017-09-30", "billingProducts": null}
            """
                .formatted(ec2Id, type, zone))
        .totalResources(
            integer("CPU", tasks * 1024),
            integer("MEMORY", tasks * 3072),
            ports("PORTS", "22", "2375"),
            ports("PORTS_UDP"))
        .versionInfo(v -> v.agentVersion("1.89.0").dockerVersion("DockerVersion: 25.0.3"))
        .attributes(attributes);
  }

  public String register(String ec2Id, String zone, int tasks) {
    return register(request(ec2Id, zone, tasks, "m5.24xlarge").build());
  }

  String register(RegisterContainerInstanceRequest request) {
    return world
        .ecs()
        .registerContainerInstance(request)
        .containerInstance()
        .containerInstanceArn();
  }

  ContainerInstance describe(String arn) {
    return world
        .ecs()
        .describeContainerInstances(r -> r.cluster(World.CLUSTER).containerInstances(arn))
        .containerInstances()
        .getFirst();
  }

  int remaining(String arn, String resource) {
    return describe(arn).remainingResources().stream()
        .filter(r -> r.name().equals(resource))
        .findFirst()
        .orElseThrow()
        .integerValue();
  }

  public static NetworkConfiguration net() {
    return NetworkConfiguration.builder()
        .awsvpcConfiguration(vpc ->
            vpc.subnets(FakeEc2.SUBNETS)
                .securityGroups(FakeEc2.GROUP)
                .assignPublicIp(AssignPublicIp.DISABLED))
        .build();
  }

  static RunTaskRequest.Builder run() {
    return RunTaskRequest.builder()
        .cluster(World.CLUSTER)
        .taskDefinition(World.FAMILY)
        .launchType(LaunchType.EC2)
        .networkConfiguration(net());
  }
}
