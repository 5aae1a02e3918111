package dev.muelle.region.simulate;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import software.amazon.awssdk.services.autoscaling.model.AutoScalingGroup;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.InstanceTypeInfo;
import software.amazon.awssdk.services.ecs.model.ContainerInstance;
import software.amazon.awssdk.services.ecs.model.Resource;

/** A simulation's instances: an Auto Scaling group, and the capacity provider that scales it. */
final class Fleet {

  static final String PROVIDER = "hosts";
  private static final int AT_ONCE = 100;

  private final SimulatedRegion region;
  private final Hosts hosts;
  private final String cluster;

  /**
   * How many there are, and how full.
   *
   * @param desired what the group is to have
   * @param running what EC2 runs, and charges
   * @param reserved the part of the registered instances' CPU or memory that tasks have reserved,
   *     whichever is more, from 0 to 1
   * @param vcpus all of them
   */
  record State(int desired, int running, double reserved, int vcpus) {}

  Fleet(SimulatedRegion region, Hosts hosts, String cluster) {
    this.region = region;
    this.hosts = hosts;
    this.cluster = cluster;
  }

  /** Makes the group, and the provider for the cluster, which must be there. */
  void make(String subnet) {
    String image =
        region.ec2().describeImages(r -> r.owners("amazon")).images().getFirst().imageId();
    String configuration =
        """
        #!/bin/bash
        cat <<EOF >> /etc/ecs/ecs.config
        ECS_CLUSTER=%s
        ECS_WARM_POOLS_CHECK=true
        EOF
        """
            .formatted(cluster);
    region
        .ec2()
        .createLaunchTemplate(r ->
            r.launchTemplateName(PROVIDER)
                .launchTemplateData(d ->
                    d.imageId(image)
                        .instanceType(hosts.type())
                        .iamInstanceProfile(p -> p.name("LabInstanceProfile"))
                        .userData(
                            Base64.getEncoder()
                                .encodeToString(configuration.getBytes(StandardCharsets.UTF_8)))));
    region
        .groups()
        .createAutoScalingGroup(r ->
            r.autoScalingGroupName(PROVIDER)
                .launchTemplate(t -> t.launchTemplateName(PROVIDER))
                .vpcZoneIdentifier(subnet)
                .minSize(hosts.min())
                .maxSize(hosts.max())
                .newInstancesProtectedFromScaleIn(true));
    region
        .ecs()
        .createCapacityProvider(r ->
            r.name(PROVIDER)
                .autoScalingGroupProvider(p ->
                    p.autoScalingGroupArn(group().autoScalingGroupARN())
                        .managedTerminationProtection("ENABLED")
                        .managedScaling(m -> m.status("ENABLED").targetCapacity(hosts.target()))));
    region
        .ecs()
        .putClusterCapacityProviders(r ->
            r.cluster(cluster)
                .capacityProviders(PROVIDER)
                .defaultCapacityProviderStrategy(List.of()));
  }

  private AutoScalingGroup group() {
    return region
        .groups()
        .describeAutoScalingGroups(r -> r.autoScalingGroupNames(PROVIDER))
        .autoScalingGroups()
        .getFirst();
  }

  private int vcpus() {
    List<InstanceTypeInfo> types =
        region
            .ec2()
            .describeInstanceTypes(r -> r.instanceTypesWithStrings(hosts.type()))
            .instanceTypes();
    return types.getFirst().vCpuInfo().defaultVCpus();
  }

  State now() {
    Filter running =
        Filter.builder().name("instance-state-name").values("pending", "running").build();
    int count =
        (int)
            region.ec2().describeInstancesPaginator(r -> r.filters(running)).reservations().stream()
                .flatMap(reservation -> reservation.instances().stream())
                .count();
    List<ContainerInstance> registered = registered();
    double reserved = Math.max(reserved(registered, "CPU"), reserved(registered, "MEMORY"));
    return new State(group().desiredCapacity(), count, reserved, count * vcpus());
  }

  private List<ContainerInstance> registered() {
    List<ContainerInstance> all = new ArrayList<>();
    region
        .ecs()
        .listContainerInstancesPaginator(r -> r.cluster(cluster).maxResults(AT_ONCE))
        .stream()
        .filter(page -> !page.containerInstanceArns().isEmpty())
        .forEach(page ->
            all.addAll(
                region
                    .ecs()
                    .describeContainerInstances(
                        r -> r.cluster(cluster).containerInstances(page.containerInstanceArns()))
                    .containerInstances()));
    return all;
  }

  private static double reserved(List<ContainerInstance> instances, String resource) {
    double all = instances.stream().mapToInt(i -> amount(i.registeredResources(), resource)).sum();
    double left = instances.stream().mapToInt(i -> amount(i.remainingResources(), resource)).sum();
    return all == 0 ? 0 : (all - left) / all;
  }

  private static int amount(List<Resource> resources, String name) {
    return resources.stream()
        .filter(resource -> resource.name().equals(name))
        .mapToInt(Resource::integerValue)
        .sum();
  }
}
