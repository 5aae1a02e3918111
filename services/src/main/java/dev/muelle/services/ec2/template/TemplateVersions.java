package dev.muelle.services.ec2.template;

import dev.muelle.services.EcsOptimizedImage;
import dev.muelle.services.ec2.image.MachineImages;
import dev.muelle.services.ec2.state.Filters;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Pages;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.CreateLaunchTemplateVersionRequest;
import software.amazon.awssdk.services.ec2.model.CreateLaunchTemplateVersionResponse;
import software.amazon.awssdk.services.ec2.model.DeleteLaunchTemplateVersionsRequest;
import software.amazon.awssdk.services.ec2.model.DeleteLaunchTemplateVersionsResponse;
import software.amazon.awssdk.services.ec2.model.DeleteLaunchTemplateVersionsResponseErrorItem;
import software.amazon.awssdk.services.ec2.model.DeleteLaunchTemplateVersionsResponseSuccessItem;
import software.amazon.awssdk.services.ec2.model.DescribeLaunchTemplateVersionsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeLaunchTemplateVersionsResponse;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.LaunchTemplate;
import software.amazon.awssdk.services.ec2.model.LaunchTemplateErrorCode;
import software.amazon.awssdk.services.ec2.model.LaunchTemplateInstanceNetworkInterfaceSpecification;
import software.amazon.awssdk.services.ec2.model.LaunchTemplateLicenseConfiguration;
import software.amazon.awssdk.services.ec2.model.LaunchTemplateSpecification;
import software.amazon.awssdk.services.ec2.model.LaunchTemplateVersion;
import software.amazon.awssdk.services.ec2.model.ResponseLaunchTemplateData;
import software.amazon.awssdk.services.ec2.model.RunInstancesRequest;
import software.amazon.awssdk.services.ec2.model.Tag;

/**
 * Versions of launch templates, which never change; numbers are not used again.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/manage-launch-template-versions.html">Versions</a>
 */
public final class TemplateVersions {

  private static final String LATEST = "$Latest";
  private static final String DEFAULT = "$Default";

  /** A template's quota. */
  private static final int MOST = 10_000;

  private static final int MAX_DESCRIPTION = 255;

  private static final Filters<LaunchTemplateVersion> FILTERS =
      new Filters<LaunchTemplateVersion>()
          .by("create-time", LaunchTemplateVersion::createTime)
          .by("image-id", version -> version.launchTemplateData().imageId())
          .by("instance-type", version -> version.launchTemplateData().instanceTypeAsString())
          .by("is-default-version", LaunchTemplateVersion::defaultVersion)
          .by("ebs-optimized", version -> version.launchTemplateData().ebsOptimized())
          .by("kernel-id", version -> version.launchTemplateData().kernelId())
          .by("ram-disk-id", version -> version.launchTemplateData().ramDiskId())
          .by(
              "http-endpoint",
              version ->
                  version.launchTemplateData().metadataOptions() == null
                      ? null
                      : version.launchTemplateData().metadataOptions().httpEndpointAsString())
          .by(
              "http-tokens",
              version ->
                  version.launchTemplateData().metadataOptions() == null
                      ? null
                      : version.launchTemplateData().metadataOptions().httpTokensAsString())
          .by(
              "iam-instance-profile",
              version ->
                  version.launchTemplateData().iamInstanceProfile() == null
                      ? null
                      : version.launchTemplateData().iamInstanceProfile().arn())
          .by(
              "host-resource-group-arn",
              version ->
                  version.launchTemplateData().placement() == null
                      ? null
                      : version.launchTemplateData().placement().hostResourceGroupArn())
          .byAny(
              "license-configuration-arn",
              version ->
                  version.launchTemplateData().licenseSpecifications().stream()
                      .map(LaunchTemplateLicenseConfiguration::licenseConfigurationArn)
                      .filter(Objects::nonNull)
                      .toList())
          .byAny(
              "network-card-index",
              version ->
                  version.launchTemplateData().networkInterfaces().stream()
                      .map(LaunchTemplateInstanceNetworkInterfaceSpecification::networkCardIndex)
                      .filter(Objects::nonNull)
                      .map(Object::toString)
                      .toList());

  private final Store store;
  private final MachineImages images;
  private final InstantSource clock;

  public TemplateVersions(Store store, InstantSource clock, MachineImages images) {
    this.images = images;
    this.store = store;
    this.clock = clock;
  }

  private static String key(String templateId, long number) {
    return templateId + "/" + "%08d".formatted(number);
  }

  static void add(
      Tx tx,
      LaunchTemplate template,
      ResponseLaunchTemplateData data,
      @Nullable String description,
      Instant now) {
    if (description != null && description.length() > MAX_DESCRIPTION) {
      throw Refuse.invalidValue(
          "The version description exceeds " + MAX_DESCRIPTION + " characters");
    }
    String id = template.launchTemplateId();
    if (all(tx, template).size() >= MOST) {
      throw Refuse.because(
          "VersionLimitExceeded",
          "The maximum number of versions of the launch template " + id + " has been reached.");
    }
    long number = template.latestVersionNumber() + 1;
    tx.put(Tables.TEMPLATES, id, template.toBuilder().latestVersionNumber(number).build());
    tx.insert(
        Tables.TEMPLATE_VERSIONS,
        key(id, number),
        LaunchTemplateVersion.builder()
            .launchTemplateId(id)
            .launchTemplateName(template.launchTemplateName())
            .versionNumber(number)
            .versionDescription(description)
            .createTime(now)
            .createdBy(template.createdBy())
            .launchTemplateData(data)
            .build());
  }

  private static List<LaunchTemplateVersion> all(Tx tx, LaunchTemplate template) {
    return Tables.of(tx, Tables.TEMPLATE_VERSIONS, "template", template.launchTemplateId());
  }

  static void forgetAll(Tx tx, LaunchTemplate template) {
    tx.find(Tables.TEMPLATE_VERSIONS, "template", template.launchTemplateId())
        .forEach(row -> tx.delete(Tables.TEMPLATE_VERSIONS, row.key()));
  }

  /** A version by its number or by its name. */
  static LaunchTemplateVersion find(Tx tx, LaunchTemplate template, String version) {
    long number =
        switch (version) {
          case DEFAULT -> template.defaultVersionNumber();
          case LATEST ->
              all(tx, template).stream()
                  .mapToLong(LaunchTemplateVersion::versionNumber)
                  .max()
                  .orElse(0);
          default -> number(version);
        };
    return tx.get(Tables.TEMPLATE_VERSIONS, key(template.launchTemplateId(), number))
        .map(Row::value)
        .orElseThrow(() -> missing(template, version));
  }

  private static Ec2Exception missing(LaunchTemplate template, String version) {
    return Refuse.because(
        "InvalidLaunchTemplateId.VersionNotFound",
        "Could not find the specified version "
            + version
            + " for the launch template with ID "
            + template.launchTemplateId()
            + ".");
  }

  private static long number(String version) {
    if (!version.matches("[0-9]{1,8}")) {
      throw Refuse.invalidValue("Invalid value '" + version + "' for the launch template version");
    }
    return Long.parseLong(version);
  }

  public CreateLaunchTemplateVersionResponse create(CreateLaunchTemplateVersionRequest request) {
    Refuse.unlessEffective(
        request,
        Set.of(
            "LaunchTemplateId",
            "LaunchTemplateName",
            "SourceVersion",
            "VersionDescription",
            "LaunchTemplateData",
            "ClientToken",
            "DryRun"));
    if (request.launchTemplateData() == null) {
      throw Refuse.missing("LaunchTemplateData");
    }
    LaunchTemplateVersion made =
        store.write(tx -> {
          LaunchTemplate template =
              LaunchTemplates.meant(tx, request.launchTemplateId(), request.launchTemplateName());
          ResponseLaunchTemplateData source =
              request.sourceVersion() == null
                  ? null
                  : find(tx, template, request.sourceVersion()).launchTemplateData();
          add(
              tx,
              template,
              TemplateData.of(request.launchTemplateData(), source),
              request.versionDescription(),
              clock.instant());
          Refuse.ifDryRun(request.dryRun());
          return shown(tx, find(tx, template, LATEST));
        });
    return CreateLaunchTemplateVersionResponse.builder().launchTemplateVersion(made).build();
  }

  private static LaunchTemplateVersion shown(Tx tx, LaunchTemplateVersion version) {
    LaunchTemplate template = Kind.TEMPLATE.get(tx, version.launchTemplateId());
    return version.toBuilder()
        .defaultVersion(template.defaultVersionNumber().equals(version.versionNumber()))
        .build();
  }

  /** Each by itself: some may go and others not. */
  public DeleteLaunchTemplateVersionsResponse delete(DeleteLaunchTemplateVersionsRequest request) {
    if (request.versions().isEmpty()) {
      throw Refuse.missing("LaunchTemplateVersion");
    }
    List<DeleteLaunchTemplateVersionsResponseSuccessItem> gone = new ArrayList<>();
    List<DeleteLaunchTemplateVersionsResponseErrorItem> kept = new ArrayList<>();
    store.write(tx -> {
      gone.clear();
      kept.clear();
      LaunchTemplate template =
          LaunchTemplates.meant(tx, request.launchTemplateId(), request.launchTemplateName());
      String id = template.launchTemplateId();
      for (String version : request.versions()) {
        long number = number(version);
        boolean used = template.defaultVersionNumber() == number;
        if (!used && tx.delete(Tables.TEMPLATE_VERSIONS, key(id, number))) {
          gone.add(
              DeleteLaunchTemplateVersionsResponseSuccessItem.builder()
                  .launchTemplateId(id)
                  .launchTemplateName(template.launchTemplateName())
                  .versionNumber(number)
                  .build());
        } else {
          kept.add(
              DeleteLaunchTemplateVersionsResponseErrorItem.builder()
                  .launchTemplateId(id)
                  .launchTemplateName(template.launchTemplateName())
                  .versionNumber(number)
                  .responseError(error ->
                      error
                          .code(
                              used
                                  ? LaunchTemplateErrorCode.UNEXPECTED_ERROR
                                  : LaunchTemplateErrorCode.LAUNCH_TEMPLATE_VERSION_DOES_NOT_EXIST)
                          .message(
                              used
                                  ? "The default version cannot be deleted."
                                  : missing(template, version).awsErrorDetails().errorMessage()))
                  .build());
        }
      }
      Refuse.ifDryRun(request.dryRun());
      return true;
    });
    return DeleteLaunchTemplateVersionsResponse.builder()
        .successfullyDeletedLaunchTemplateVersions(gone)
        .unsuccessfullyDeletedLaunchTemplateVersions(kept)
        .build();
  }

  public DescribeLaunchTemplateVersionsResponse describe(
      DescribeLaunchTemplateVersionsRequest request) {
    Refuse.unlessEffective(
        request,
        Set.of(
            "LaunchTemplateId",
            "LaunchTemplateName",
            "Versions",
            "MinVersion",
            "MaxVersion",
            "NextToken",
            "MaxResults",
            "Filters",
            "ResolveAlias",
            "DryRun"));
    Refuse.ifDryRun(request.dryRun());
    boolean ofAll = request.launchTemplateId() == null && request.launchTemplateName() == null;
    if (ofAll
        && (request.versions().isEmpty()
            || !Set.of(LATEST, DEFAULT).containsAll(request.versions()))) {
      throw Refuse.missing("LaunchTemplateId or LaunchTemplateName");
    }
    long least = request.minVersion() == null ? 0 : number(request.minVersion());
    long most = request.maxVersion() == null ? Long.MAX_VALUE : number(request.maxVersion());
    List<LaunchTemplateVersion> found =
        store.read(tx -> {
          List<LaunchTemplate> templates =
              ofAll
                  ? Kind.TEMPLATE.list(tx, List.of())
                  : List.of(
                      LaunchTemplates.meant(
                          tx, request.launchTemplateId(), request.launchTemplateName()));
          return templates.stream()
              .flatMap(template ->
                  request.versions().isEmpty()
                      ? all(tx, template).stream()
                      : request.versions().stream()
                          .map(version -> find(tx, template, version))
                          .distinct())
              .filter(one -> least <= one.versionNumber() && one.versionNumber() <= most)
              .map(one -> shown(tx, one))
              .map(one -> Boolean.TRUE.equals(request.resolveAlias()) ? resolved(one) : one)
              .sorted((a, b) -> order(a).compareTo(order(b)))
              .toList();
        });
    Pages<LaunchTemplateVersion> page =
        Pages.of(
            FILTERS.select(found, request.filters()),
            TemplateVersions::order,
            List.of(),
            request.nextToken(),
            request.maxResults(),
            new Pages.Sizes(1, 200));
    return DescribeLaunchTemplateVersionsResponse.builder()
        .launchTemplateVersions(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  /** With the image's id where a parameter names the image. */
  private LaunchTemplateVersion resolved(LaunchTemplateVersion version) {
    String image = version.launchTemplateData().imageId();
    return image == null || !image.startsWith(EcsOptimizedImage.RESOLVE)
        ? version
        : version.copy(v ->
            v.launchTemplateData(
                version.launchTemplateData().copy(d -> d.imageId(images.meant(image).imageId()))));
  }

  private static String order(LaunchTemplateVersion version) {
    return key(version.launchTemplateId(), version.versionNumber());
  }

  /** A launch that names a template, as the template and the request say it together. */
  public Optional<Launch> launch(RunInstancesRequest request) {
    LaunchTemplateSpecification asked = request.launchTemplate();
    if (asked == null) {
      return Optional.empty();
    }
    LaunchTemplateVersion version =
        store.read(tx ->
            find(
                tx,
                LaunchTemplates.meant(tx, asked.launchTemplateId(), asked.launchTemplateName()),
                asked.version() == null ? DEFAULT : asked.version()));
    return Optional.of(
        new Launch(
            TemplateData.launch(version, request),
            List.of(
                tag("id", version.launchTemplateId()),
                tag("version", version.versionNumber().toString()))));
  }

  private static Tag tag(String of, String value) {
    return Tag.builder().key("aws:ec2launchtemplate:" + of).value(value).build();
  }

  /**
   * A launch by a template.
   *
   * @param tags that say by which one, and which version of it
   */
  public record Launch(RunInstancesRequest request, List<Tag> tags) {}
}
