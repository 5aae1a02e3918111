package dev.muelle.services.ec2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.services.EcsOptimizedImage;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.ec2.model.DeleteLaunchTemplateVersionsResponse;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ec2.model.InstanceType;
import software.amazon.awssdk.services.ec2.model.LaunchTemplateTagSpecificationRequest;
import software.amazon.awssdk.services.ec2.model.LaunchTemplateVersion;
import software.amazon.awssdk.services.ec2.model.ResourceType;
import software.amazon.awssdk.services.ec2.model.Tag;

/** Launches that are said beforehand. */
class LaunchTemplatesTest extends Ec2InMemory {

  private String image;
  private String id;

  @BeforeEach
  void furnish() {
    image = ec2.describeImages(r -> r.owners("amazon")).images().getFirst().imageId();
    id =
        ec2.createLaunchTemplate(r ->
                r.launchTemplateName("web")
                    .versionDescription("first")
                    .launchTemplateData(d ->
                        d.imageId(image)
                            .instanceType(InstanceType.T3_SMALL)
                            .tagSpecifications(
                                LaunchTemplateTagSpecificationRequest.builder()
                                    .resourceType(ResourceType.INSTANCE)
                                    .tags(Tag.builder().key("team").value("a").build())
                                    .build())))
            .launchTemplate()
            .launchTemplateId();
  }

  @Test
  void anImageMayBeNamedByAPublicParameter() {
    String parameter =
        EcsOptimizedImage.of(SCOPE).parameters().keySet().stream()
            .filter(name -> name.endsWith("/recommended/image_id"))
            .findFirst()
            .orElseThrow();
    String alias = "resolve:ssm:" + parameter;
    assertEquals(
        image,
        ec2.runInstances(
                r -> r.imageId(alias).instanceType(InstanceType.T3_SMALL).minCount(1).maxCount(1))
            .instances()
            .getFirst()
            .imageId());
    ec2.createLaunchTemplateVersion(
        r -> r.launchTemplateId(id).sourceVersion("1").launchTemplateData(d -> d.imageId(alias)));
    assertEquals(image, launched("2").imageId());
    assertEquals(alias, imageOf("2", false));
    assertEquals(image, imageOf("2", true));
    for (String other : List.of("/mine", parameter.replace("image_id", "os"))) {
      Ec2Exception refused =
          assertThrows(
              Ec2Exception.class,
              () ->
                  ec2.runInstances(r -> r.imageId("resolve:ssm:" + other).minCount(1).maxCount(1)));
      assertEquals("InvalidParameterValue", refused.awsErrorDetails().errorCode());
      assertTrue(refused.getMessage().contains("'" + other + "'"), refused.getMessage());
    }
  }

  private String imageOf(String version, boolean resolve) {
    return ec2.describeLaunchTemplateVersions(
            r -> r.launchTemplateId(id).versions(version).resolveAlias(resolve))
        .launchTemplateVersions()
        .getFirst()
        .launchTemplateData()
        .imageId();
  }

  private Instance launched(String version) {
    return ec2.runInstances(r ->
            r.launchTemplate(t -> t.launchTemplateName("web").version(version))
                .minCount(1)
                .maxCount(1))
        .instances()
        .getFirst();
  }

  private void version(InstanceType type) {
    ec2.createLaunchTemplateVersion(r ->
        r.launchTemplateId(id).sourceVersion("1").launchTemplateData(d -> d.instanceType(type)));
  }

  @Test
  void anInstanceIsLaunchedByAVersion() {
    version(InstanceType.T3_LARGE);
    Instance usual = launched(null);
    assertEquals(InstanceType.T3_SMALL, usual.instanceType());
    assertEquals(image, usual.imageId());
    Map<String, String> tags =
        usual.tags().stream().collect(Collectors.toMap(Tag::key, Tag::value));
    assertEquals(
        Map.of("team", "a", "aws:ec2launchtemplate:id", id, "aws:ec2launchtemplate:version", "1"),
        tags);
    Instance latest = launched("$Latest");
    assertEquals(InstanceType.T3_LARGE, latest.instanceType());
    assertEquals(image, latest.imageId(), "the rest is the source's");
    assertEquals(InstanceType.T3_LARGE, launched("2").instanceType());
    ec2.modifyLaunchTemplate(r -> r.launchTemplateId(id).defaultVersion("2"));
    assertEquals(InstanceType.T3_LARGE, launched("$Default").instanceType());
    Instance own =
        ec2.runInstances(r ->
                r.launchTemplate(t -> t.launchTemplateId(id))
                    .instanceType(InstanceType.T3_MICRO)
                    .minCount(1)
                    .maxCount(1))
            .instances()
            .getFirst();
    assertEquals(InstanceType.T3_MICRO, own.instanceType(), "the request has the last word");
    refused(
        "InvalidLaunchTemplateId.VersionNotFound",
        "Could not find the specified version 9 for the launch template with ID " + id + ".",
        () -> launched("9"));
  }

  @Test
  void whatALaunchCannotDoIsRefusedThen() {
    ec2.createLaunchTemplateVersion(
        r -> r.launchTemplateId(id).sourceVersion("1").launchTemplateData(d -> d.keyName("mine")));
    refused("InvalidKeyPair.NotFound", "The key pair 'mine' does not exist", () -> launched("2"));
    ec2.createKeyPair(r -> r.keyName("mine"));
    assertEquals("mine", launched("2").keyName());
    ec2.createLaunchTemplateVersion(r ->
        r.launchTemplateId(id)
            .sourceVersion("1")
            .launchTemplateData(d ->
                d.instanceRequirements(i -> i.vCpuCount(v -> v.min(2)).memoryMiB(m -> m.min(4)))));
    refused(
        "UnsupportedOperation",
        "Version 3 of the launch template "
            + id
            + " says what this region's RunInstances does not take.",
        () -> launched("3"));
  }

  @Test
  void versionsAreDescribedAndDeletedAndNumbersAreNotUsedAgain() {
    version(InstanceType.T3_LARGE);
    version(InstanceType.T3_NANO);
    DeleteLaunchTemplateVersionsResponse gone =
        ec2.deleteLaunchTemplateVersions(r -> r.launchTemplateId(id).versions("1", "3", "7"));
    assertEquals(
        List.of(3L),
        gone.successfullyDeletedLaunchTemplateVersions().stream()
            .map(one -> one.versionNumber())
            .toList());
    assertEquals(
        List.of("unexpectedError", "launchTemplateVersionDoesNotExist"),
        gone.unsuccessfullyDeletedLaunchTemplateVersions().stream()
            .map(one -> one.responseError().codeAsString())
            .toList());
    assertEquals(InstanceType.T3_LARGE, launched("$Latest").instanceType());
    version(InstanceType.T3_MICRO);
    assertEquals(
        List.of(1L, 2L, 4L),
        ec2
            .describeLaunchTemplateVersions(r -> r.launchTemplateName("web"))
            .launchTemplateVersions()
            .stream()
            .map(LaunchTemplateVersion::versionNumber)
            .toList());
    LaunchTemplateVersion first =
        ec2.describeLaunchTemplateVersions(r -> r.versions("$Default"))
            .launchTemplateVersions()
            .getFirst();
    assertTrue(first.defaultVersion());
    assertEquals("first", first.versionDescription());
    assertEquals(
        List.of(4L),
        ec2
            .describeLaunchTemplateVersions(r -> r.launchTemplateId(id).minVersion("3"))
            .launchTemplateVersions()
            .stream()
            .map(LaunchTemplateVersion::versionNumber)
            .toList());
    refused(
        "MissingParameter",
        "The request must contain the parameter LaunchTemplateId or LaunchTemplateName",
        () -> ec2.describeLaunchTemplateVersions(r -> r.versions("1")));
  }

  @Test
  void aNameIsUsedOnceAndATokenMakesOne() {
    refused(
        "InvalidLaunchTemplateName.AlreadyExistsException",
        "Launch template name already in use.",
        () ->
            ec2.createLaunchTemplate(
                r -> r.launchTemplateName("web").launchTemplateData(d -> d.imageId(image))));
    for (int i = 0; i < 2; i++) {
      ec2.createLaunchTemplate(r ->
          r.launchTemplateName("job")
              .clientToken("once")
              .launchTemplateData(d -> d.imageId(image)));
    }
    assertEquals(2, ec2.describeLaunchTemplates(r -> {}).launchTemplates().size());
    ec2.deleteLaunchTemplate(r -> r.launchTemplateName("job"));
    refused(
        "InvalidLaunchTemplateName.NotFoundException",
        "The specified launch template, with template name job, does not exist.",
        () -> ec2.describeLaunchTemplates(r -> r.launchTemplateNames("job")));
    refused(
        "InvalidLaunchTemplateId.NotFound",
        "The specified launch template, with template ID lt-1, does not exist.",
        () -> ec2.deleteLaunchTemplate(r -> r.launchTemplateId("lt-1")));
    refused(
        "InvalidLaunchTemplateName.MalformedException",
        "A launch template name must be between 3 and 128 characters, and may contain letters,"
            + " numbers, and the characters ( ) . - / _",
        () ->
            ec2.createLaunchTemplate(
                r -> r.launchTemplateName("a b").launchTemplateData(d -> d.imageId(image))));
  }
}
