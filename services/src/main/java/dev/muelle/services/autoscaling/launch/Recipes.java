package dev.muelle.services.autoscaling.launch;

import dev.muelle.services.OnBehalf;
import dev.muelle.services.StoredJson;
import dev.muelle.services.autoscaling.state.Refuse;
import dev.muelle.store.Store;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.autoscaling.model.AutoScalingGroup;
import software.amazon.awssdk.services.autoscaling.model.LaunchConfiguration;
import software.amazon.awssdk.services.autoscaling.model.LaunchTemplateOverrides;
import software.amazon.awssdk.services.autoscaling.model.LaunchTemplateSpecification;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.DescribeLaunchTemplateVersionsRequest;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.InstanceNetworkInterfaceSpecification;
import software.amazon.awssdk.services.ec2.model.LaunchTemplateInstanceNetworkInterfaceSpecification;
import software.amazon.awssdk.services.ec2.model.LaunchTemplateTagSpecification;
import software.amazon.awssdk.services.ec2.model.LaunchTemplateVersion;
import software.amazon.awssdk.services.ec2.model.ResourceType;
import software.amazon.awssdk.services.ec2.model.ResponseLaunchTemplateData;
import software.amazon.awssdk.services.ec2.model.RunInstancesRequest;
import software.amazon.awssdk.services.ec2.model.Tag;
import software.amazon.awssdk.services.ec2.model.TagSpecification;

/**
 * What EC2 is asked for when a group launches: its template in the version that is meant now, or
 * its launch configuration, in one of its subnets.
 */
public final class Recipes {

  private static final String SERVICE = "autoscaling";
  private static final String DEFAULT = "$Default";
  private static final String GROUP_TAG = "aws:autoscaling:groupName";

  private final Store store;
  private final Ec2Client ec2;

  public Recipes(Store store, Ec2Client ec2) {
    this.store = store;
    this.ec2 = ec2;
  }

  /**
   * One of the kinds of instances that a group may have.
   *
   * @param type in place of the template's; null if that decides
   */
  public record Variant(LaunchTemplateSpecification template, @Nullable String type) {}

  /** All that a group may have by templates, the kind that it launches first. */
  public static List<Variant> variants(AutoScalingGroup group) {
    if (group.mixedInstancesPolicy() == null) {
      return group.launchTemplate() == null
          ? List.of()
          : List.of(new Variant(group.launchTemplate(), null));
    }
    LaunchTemplateSpecification main =
        group.mixedInstancesPolicy().launchTemplate().launchTemplateSpecification();
    List<LaunchTemplateOverrides> overrides =
        group.mixedInstancesPolicy().launchTemplate().overrides();
    return overrides.isEmpty()
        ? List.of(new Variant(main, null))
        : overrides.stream()
            .map(one ->
                new Variant(
                    Objects.requireNonNullElse(one.launchTemplateSpecification(), main),
                    one.instanceType()))
            .toList();
  }

  /** The template that a group launches, of whichever kind it is; null if it has none. */
  public static @Nullable LaunchTemplateSpecification template(AutoScalingGroup group) {
    List<Variant> variants = variants(group);
    return variants.isEmpty() ? null : variants.getFirst().template();
  }

  /** What a mixed group launches in place of its template's type; null if it says nothing. */
  private static @Nullable LaunchTemplateOverrides override(AutoScalingGroup group) {
    return group.mixedInstancesPolicy() == null
            || group.mixedInstancesPolicy().launchTemplate().overrides().isEmpty()
        ? null
        : group.mixedInstancesPolicy().launchTemplate().overrides().getFirst();
  }

  /** A template in the version that is meant now. */
  public LaunchTemplateVersion version(LaunchTemplateSpecification meant) {
    DescribeLaunchTemplateVersionsRequest.Builder request =
        DescribeLaunchTemplateVersionsRequest.builder()
            .versions(meant.version() == null ? DEFAULT : meant.version());
    if (meant.launchTemplateId() != null) {
      request.launchTemplateId(meant.launchTemplateId());
    } else {
      request.launchTemplateName(meant.launchTemplateName());
    }
    return ec2.describeLaunchTemplateVersions(request.build()).launchTemplateVersions().getFirst();
  }

  /** A template as a group shows it: by its id and its name. */
  public LaunchTemplateSpecification settled(LaunchTemplateSpecification given) {
    if ((given.launchTemplateId() == null) == (given.launchTemplateName() == null)) {
      throw Refuse.invalid(
          "Valid requests must contain either launchTemplateId or LaunchTemplateName");
    }
    LaunchTemplateVersion found;
    try {
      found = version(given);
    } catch (Ec2Exception e) {
      throw notFormed(e);
    }
    return LaunchTemplateSpecification.builder()
        .launchTemplateId(found.launchTemplateId())
        .launchTemplateName(found.launchTemplateName())
        .version(given.version() == null ? DEFAULT : given.version())
        .build();
  }

  private LaunchConfiguration configuration(String name) {
    return store
        .read(tx -> LaunchConfigurations.find(tx, name))
        .orElseThrow(() ->
            Refuse.invalid(
                "Launch configuration name not found - Launch configuration "
                    + name
                    + " not found"));
  }

  /** Asks EC2 whether it would launch what a group says. */
  public void check(AutoScalingGroup group, String subnet) {
    try {
      dry(of(group, subnet, ""));
    } catch (Ec2Exception e) {
      throw group.launchConfigurationName() == null
          ? notFormed(e)
          : Refuse.invalid(e.awsErrorDetails().errorMessage());
    }
  }

  /** Asks EC2 whether it would launch such instances at all. */
  void check(LaunchConfiguration configuration) {
    RunInstancesRequest request =
        launch(configuration, null).instanceType(configuration.instanceType()).build();
    try {
      dry(request);
    } catch (Ec2Exception e) {
      if (!e.awsErrorDetails().errorCode().equals("VPCIdNotSpecified")) {
        throw Refuse.invalid(e.awsErrorDetails().errorMessage());
      }
    }
  }

  private void dry(RunInstancesRequest request) {
    try {
      OnBehalf.of(
          SERVICE,
          () -> ec2.runInstances(request.toBuilder().clientToken("").dryRun(true).build()));
    } catch (Ec2Exception e) {
      if (!e.awsErrorDetails().errorCode().equals("DryRunOperation")) {
        throw e;
      }
    }
  }

  private static RuntimeException notFormed(Ec2Exception e) {
    return Refuse.invalid(
        "You must use a valid fully-formed launch template. " + e.awsErrorDetails().errorMessage());
  }

  /**
   * What to ask EC2 for.
   *
   * @throws Ec2Exception if there is no such template or version any more
   */
  public RunInstancesRequest of(AutoScalingGroup group, String subnet, String token) {
    RunInstancesRequest.Builder request;
    List<Tag> templateTags = List.of();
    List<TagSpecification> others = new ArrayList<>();
    if (group.launchConfigurationName() != null) {
      request = launch(configuration(group.launchConfigurationName()), subnet);
    } else {
      LaunchTemplateVersion version = version(Objects.requireNonNull(template(group)));
      ResponseLaunchTemplateData data = version.launchTemplateData();
      request =
          RunInstancesRequest.builder()
              .launchTemplate(t ->
                  t.launchTemplateId(version.launchTemplateId())
                      .version(version.versionNumber().toString()))
              .minCount(1)
              .maxCount(1);
      place(request, data, subnet);
      LaunchTemplateOverrides override = override(group);
      if (override != null) {
        request.instanceType(override.instanceType()).imageId(override.imageId());
      }
      for (LaunchTemplateTagSpecification one : data.tagSpecifications()) {
        if (one.resourceType() == ResourceType.INSTANCE) {
          templateTags = one.tags();
        } else {
          others.add(
              TagSpecification.builder()
                  .resourceType(one.resourceTypeAsString())
                  .tags(one.tags())
                  .build());
        }
      }
    }
    others.add(
        TagSpecification.builder()
            .resourceType(ResourceType.INSTANCE)
            .tags(tags(group, templateTags))
            .build());
    return request.tagSpecifications(others).clientToken(token).build();
  }

  private static RunInstancesRequest.Builder launch(
      LaunchConfiguration configuration, @Nullable String subnet) {
    RunInstancesRequest.Builder request =
        RunInstancesRequest.builder()
            .imageId(configuration.imageId())
            .instanceType(configuration.instanceType())
            .minCount(1)
            .maxCount(1);
    String data = configuration.userData();
    if (data != null && !data.isEmpty()) {
      request.userData(data);
    }
    String profile = configuration.iamInstanceProfile();
    if (profile != null && !profile.isEmpty()) {
      request.iamInstanceProfile(p -> {
        if (profile.startsWith("arn:")) {
          p.arn(profile);
        } else {
          p.name(profile);
        }
      });
    }
    Boolean publicly = configuration.associatePublicIpAddress();
    if (subnet != null && publicly != null) {
      return request.networkInterfaces(
          InstanceNetworkInterfaceSpecification.builder()
              .deviceIndex(0)
              .subnetId(subnet)
              .associatePublicIpAddress(publicly)
              .groups(configuration.securityGroups())
              .build());
    }
    request.subnetId(subnet);
    return subnet == null ? request : request.securityGroupIds(configuration.securityGroups());
  }

  /** A template that describes its interface leaves only the subnet open. */
  private static void place(
      RunInstancesRequest.Builder request, ResponseLaunchTemplateData data, String subnet) {
    if (data.networkInterfaces().isEmpty()) {
      request.subnetId(subnet);
      return;
    }
    List<InstanceNetworkInterfaceSpecification> placed = new ArrayList<>();
    for (LaunchTemplateInstanceNetworkInterfaceSpecification one : data.networkInterfaces()) {
      byte[] json =
          StoredJson.codec(LaunchTemplateInstanceNetworkInterfaceSpecification.class).encode(one);
      placed.add(
          StoredJson.codec(InstanceNetworkInterfaceSpecification.class).decode(json).toBuilder()
              .subnetId(subnet)
              .build());
    }
    request.networkInterfaces(placed);
  }

  /** The template's tags, those of the group that go on to its instances, and its name. */
  private static List<Tag> tags(AutoScalingGroup group, List<Tag> fromTemplate) {
    Map<String, Tag> tags = new LinkedHashMap<>();
    fromTemplate.forEach(tag -> tags.put(tag.key(), tag));
    group.tags().stream()
        .filter(tag -> Boolean.TRUE.equals(tag.propagateAtLaunch()))
        .forEach(
            tag -> tags.put(tag.key(), Tag.builder().key(tag.key()).value(tag.value()).build()));
    tags.put(GROUP_TAG, groupTag(group.autoScalingGroupName()));
    return List.copyOf(tags.values());
  }

  /** By which others know whose an instance is. */
  public static Tag groupTag(String group) {
    return Tag.builder().key(GROUP_TAG).value(group).build();
  }

  /** Does something in EC2 as Auto Scaling itself. */
  public static <R> R onOwnBehalf(java.util.function.Supplier<R> work) {
    return OnBehalf.of(SERVICE, work);
  }
}
