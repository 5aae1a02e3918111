package dev.muelle.services.ec2.instance;

import dev.muelle.services.ec2.state.InstanceRecord;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.store.Store;
import java.util.List;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.GetLaunchTemplateDataRequest;
import software.amazon.awssdk.services.ec2.model.GetLaunchTemplateDataResponse;
import software.amazon.awssdk.services.ec2.model.GroupIdentifier;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ec2.model.InstanceMetadataOptionsResponse;
import software.amazon.awssdk.services.ec2.model.InstanceNetworkInterface;
import software.amazon.awssdk.services.ec2.model.LaunchTemplateIamInstanceProfileSpecification;
import software.amazon.awssdk.services.ec2.model.LaunchTemplateInstanceMetadataOptions;
import software.amazon.awssdk.services.ec2.model.LaunchTemplateInstanceNetworkInterfaceSpecification;
import software.amazon.awssdk.services.ec2.model.LaunchTemplateTagSpecification;
import software.amazon.awssdk.services.ec2.model.MonitoringState;
import software.amazon.awssdk.services.ec2.model.PrivateIpAddressSpecification;
import software.amazon.awssdk.services.ec2.model.ResourceType;
import software.amazon.awssdk.services.ec2.model.ResponseLaunchTemplateData;
import software.amazon.awssdk.services.ec2.model.Tag;

/**
 * What a launch template says by which others like an instance are launched. As on AWS, it names
 * the instance's own interfaces and addresses, which are to be taken out before one does.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetLaunchTemplateData.html">GetLaunchTemplateData</a>
 */
public final class LaunchedAs {

  private final Store store;
  private final Instances instances;

  public LaunchedAs(Store store, Instances instances) {
    this.store = store;
    this.instances = instances;
  }

  public GetLaunchTemplateDataResponse data(GetLaunchTemplateDataRequest request) {
    String id = InstanceRecord.wellFormed(Refuse.required(request.instanceId(), "instanceId"));
    ResponseLaunchTemplateData data =
        store.read(tx -> {
          InstanceRecord record = Kind.INSTANCE.get(tx, id);
          return data(instances.shown(tx, record), record);
        });
    Refuse.ifDryRun(request.dryRun());
    return GetLaunchTemplateDataResponse.builder().launchTemplateData(data).build();
  }

  private static ResponseLaunchTemplateData data(Instance instance, InstanceRecord record) {
    return ResponseLaunchTemplateData.builder()
        .imageId(instance.imageId())
        .instanceType(instance.instanceTypeAsString())
        .keyName(instance.keyName())
        .userData(record.userData())
        .ebsOptimized(instance.ebsOptimized())
        .disableApiTermination(record.keptAlive())
        .disableApiStop(record.keptRunning())
        .iamInstanceProfile(profile(instance))
        .monitoring(m -> m.enabled(instance.monitoring().state() == MonitoringState.ENABLED))
        .placement(p ->
            p.availabilityZone(instance.placement().availabilityZone())
                .groupName(instance.placement().groupName())
                .tenancy(instance.placement().tenancyAsString()))
        .metadataOptions(metadata(instance.metadataOptions()))
        .networkInterfaces(instance.networkInterfaces().stream().map(LaunchedAs::device).toList())
        .tagSpecifications(tags(instance.tags()))
        .build();
  }

  private static @Nullable LaunchTemplateIamInstanceProfileSpecification profile(
      Instance instance) {
    return instance.iamInstanceProfile() == null
        ? null
        : LaunchTemplateIamInstanceProfileSpecification.builder()
            .arn(instance.iamInstanceProfile().arn())
            .build();
  }

  /** Without their state, which nobody can ask for. */
  private static @Nullable LaunchTemplateInstanceMetadataOptions metadata(
      @Nullable InstanceMetadataOptionsResponse options) {
    return options == null
        ? null
        : LaunchTemplateInstanceMetadataOptions.builder()
            .httpTokens(options.httpTokensAsString())
            .httpPutResponseHopLimit(options.httpPutResponseHopLimit())
            .httpEndpoint(options.httpEndpointAsString())
            .httpProtocolIpv6(options.httpProtocolIpv6AsString())
            .instanceMetadataTags(options.instanceMetadataTagsAsString())
            .build();
  }

  private static LaunchTemplateInstanceNetworkInterfaceSpecification device(
      InstanceNetworkInterface eni) {
    return LaunchTemplateInstanceNetworkInterfaceSpecification.builder()
        .networkInterfaceId(eni.networkInterfaceId())
        .description(eni.description())
        .deviceIndex(eni.attachment().deviceIndex())
        .networkCardIndex(eni.attachment().networkCardIndex())
        .deleteOnTermination(eni.attachment().deleteOnTermination())
        .subnetId(eni.subnetId())
        .groups(eni.groups().stream().map(GroupIdentifier::groupId).toList())
        .privateIpAddress(eni.privateIpAddress())
        .privateIpAddresses(
            eni.privateIpAddresses().stream()
                .map(one ->
                    PrivateIpAddressSpecification.builder()
                        .primary(one.primary())
                        .privateIpAddress(one.privateIpAddress())
                        .build())
                .toList())
        .ipv6Addresses(eni.ipv6Addresses())
        .build();
  }

  /** Without those that AWS gives, which nobody else can. */
  private static List<LaunchTemplateTagSpecification> tags(List<Tag> all) {
    List<Tag> own = all.stream().filter(tag -> !tag.key().startsWith("aws:")).toList();
    return own.isEmpty()
        ? List.of()
        : List.of(
            LaunchTemplateTagSpecification.builder()
                .resourceType(ResourceType.INSTANCE)
                .tags(own)
                .build());
  }
}
