package dev.muelle.services.ec2.image;

import dev.muelle.services.EcsOptimizedImage;
import dev.muelle.services.Scope;
import dev.muelle.services.ec2.state.Filters;
import dev.muelle.services.ec2.state.Pages;
import dev.muelle.services.ec2.state.Refuse;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import software.amazon.awssdk.services.ec2.model.ArchitectureValues;
import software.amazon.awssdk.services.ec2.model.DescribeImageAttributeRequest;
import software.amazon.awssdk.services.ec2.model.DescribeImageAttributeResponse;
import software.amazon.awssdk.services.ec2.model.DescribeImagesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeImagesResponse;
import software.amazon.awssdk.services.ec2.model.DeviceType;
import software.amazon.awssdk.services.ec2.model.HypervisorType;
import software.amazon.awssdk.services.ec2.model.Image;
import software.amazon.awssdk.services.ec2.model.ImageAttributeName;
import software.amazon.awssdk.services.ec2.model.ImageState;
import software.amazon.awssdk.services.ec2.model.ImageTypeValues;
import software.amazon.awssdk.services.ec2.model.ImdsSupportValues;
import software.amazon.awssdk.services.ec2.model.LaunchPermission;
import software.amazon.awssdk.services.ec2.model.PermissionGroup;
import software.amazon.awssdk.services.ec2.model.VirtualizationType;

/**
 * The images that instances start from: each region has the ECS-optimized one, under an id of its
 * own.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-optimized_AMI.html">Amazon
 *     ECS-optimized Linux AMIs</a>
 */
public final class MachineImages {

  /** Attributes that owners, too, are refused, in other words than the rest of the world. */
  private static final Set<ImageAttributeName> TO_NOBODY =
      EnumSet.of(
          ImageAttributeName.BLOCK_DEVICE_MAPPING, ImageAttributeName.UNKNOWN_TO_SDK_VERSION);

  /** Amazon's account that owns the ECS-optimized images. */
  private static final String OWNER = "591542846629";

  private static final Filters<Image> FILTERS =
      new Filters<>(Image::tags)
          .by("architecture", Image::architectureAsString)
          .by("creation-date", Image::creationDate)
          .by("description", Image::description)
          .by("hypervisor", Image::hypervisorAsString)
          .by("image-id", Image::imageId)
          .by("image-type", Image::imageTypeAsString)
          .by("is-public", Image::publicLaunchPermissions)
          .by("name", Image::name)
          .by("owner-alias", Image::imageOwnerAlias)
          .by("owner-id", Image::ownerId)
          .by("root-device-type", Image::rootDeviceTypeAsString)
          .by("state", Image::stateAsString)
          .by("virtualization-type", Image::virtualizationTypeAsString)
          .by("ena-support", Image::enaSupport)
          .by("manifest-location", Image::imageLocation)
          .by("root-device-name", Image::rootDeviceName)
          .none(
              "block-device-mapping.delete-on-termination",
              "block-device-mapping.device-name",
              "block-device-mapping.encrypted",
              "block-device-mapping.snapshot-id",
              "block-device-mapping.volume-size",
              "block-device-mapping.volume-type",
              "kernel-id",
              "platform",
              "product-code",
              "product-code.type",
              "ramdisk-id",
              "source-image-id",
              "source-image-region",
              "source-instance-id",
              "sriov-net-support",
              "state-reason-code",
              "state-reason-message");

  private final Scope scope;
  private final EcsOptimizedImage optimized;
  private final Image ecs;

  public MachineImages(Scope scope) {
    this.scope = scope;
    optimized = EcsOptimizedImage.of(scope);
    ecs =
        Image.builder()
            .imageId(optimized.id())
            .name(optimized.name())
            .description(optimized.description())
            .imageLocation("amazon/" + optimized.name())
            .imageOwnerAlias("amazon")
            .ownerId(OWNER)
            .architecture(optimized.arm() ? ArchitectureValues.ARM64 : ArchitectureValues.X86_64)
            .creationDate(EcsOptimizedImage.CREATED)
            .imageType(ImageTypeValues.MACHINE)
            .publicLaunchPermissions(true)
            .platformDetails("Linux/UNIX")
            .rootDeviceName("/dev/xvda")
            .rootDeviceType(DeviceType.EBS)
            .state(ImageState.AVAILABLE)
            .virtualizationType(VirtualizationType.HVM)
            .hypervisor(HypervisorType.XEN)
            .enaSupport(true)
            .imdsSupport(ImdsSupportValues.V2_0)
            .build();
  }

  /**
   * The image of this id, or that a parameter names: {@code resolve:ssm:parameter}.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html">RunInstances</a>
   */
  public Image meant(String said) {
    if (!said.startsWith(EcsOptimizedImage.RESOLVE)) {
      return get(said);
    }
    return get(
        optimized
            .resolve(said)
            .orElseThrow(() ->
                Refuse.invalidValue(
                    "Systems Manager parameter '"
                        + said.substring(EcsOptimizedImage.RESOLVE.length())
                        + "' is not the id of an image, or does not exist")));
  }

  public Image get(String id) {
    if (!id.matches("ami-[0-9a-f]{8}([0-9a-f]{9})?")) {
      throw Refuse.because(
          "InvalidAMIID.Malformed", "Invalid id: \"" + id + "\" (expecting \"ami-...\")");
    }
    if (!id.equals(ecs.imageId())) {
      throw Refuse.because("InvalidAMIID.NotFound", "The image id '[" + id + "]' does not exist");
    }
    return ecs;
  }

  public DescribeImagesResponse describe(DescribeImagesRequest request) {
    Refuse.unlessEffective(
        request,
        Set.of(
            "ImageIds",
            "Owners",
            "Filters",
            "DryRun",
            "IncludeDeprecated", // nothing here is
            "MaxResults",
            "NextToken"));
    Refuse.ifDryRun(request.dryRun());
    request.imageIds().forEach(this::get);
    boolean owned =
        request.owners().isEmpty()
            || request.owners().contains("amazon")
            || request.owners().contains(OWNER);
    Pages<Image> page =
        Pages.of(
            FILTERS.select(owned ? List.of(ecs) : List.of(), request.filters()),
            Image::imageId,
            request.imageIds(),
            request.nextToken(),
            request.maxResults());
    return DescribeImagesResponse.builder()
        .images(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  /**
   * Attributes are told to an image's owner only, and those of block devices to nobody. The owner
   * of the only image here is Amazon's account.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImageAttribute.html">DescribeImageAttribute</a>
   */
  public DescribeImageAttributeResponse attribute(DescribeImageAttributeRequest request) {
    Image image = get(Refuse.required(request.imageId(), "imageId"));
    Refuse.required(request.attributeAsString(), "attribute");
    if (!image.ownerId().equals(scope.account()) && !TO_NOBODY.contains(request.attribute())) {
      throw Refuse.because("AuthFailure", "Not authorized for image:" + image.imageId());
    }
    DescribeImageAttributeResponse.Builder answer =
        DescribeImageAttributeResponse.builder().imageId(image.imageId());
    switch (request.attribute()) {
      case DESCRIPTION -> answer.description(v -> v.value(image.description()));
      case LAUNCH_PERMISSION ->
          answer.launchPermissions(LaunchPermission.builder().group(PermissionGroup.ALL).build());
      case IMDS_SUPPORT -> answer.imdsSupport(v -> v.value(image.imdsSupportAsString()));
      case BOOT_MODE -> answer.bootMode(v -> v.value(image.bootModeAsString()));
      case SRIOV_NET_SUPPORT -> answer.sriovNetSupport(v -> v.value(image.sriovNetSupport()));
      // Of these it has none, which is told as an empty one:
      case PRODUCT_CODES -> answer.productCodes(List.of());
      case KERNEL -> answer.kernelId(v -> {});
      case RAMDISK -> answer.ramdiskId(v -> {});
      case TPM_SUPPORT -> answer.tpmSupport(v -> {});
      case UEFI_DATA -> answer.uefiData(v -> {});
      case LAST_LAUNCHED_TIME -> answer.lastLaunchedTime(v -> {});
      case DEREGISTRATION_PROTECTION -> answer.deregistrationProtection(v -> {});
      case BLOCK_DEVICE_MAPPING ->
          throw Refuse.because("AuthFailure", "Unauthorized attempt to access restricted resource");
      case UNKNOWN_TO_SDK_VERSION -> throw Refuse.unknownAttribute(request.attributeAsString());
    }
    Refuse.ifDryRun(request.dryRun());
    return answer.build();
  }
}
