package dev.muelle.services.ec2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.services.Scope;
import dev.muelle.services.ec2.image.MachineImages;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.core.SdkPojo;
import software.amazon.awssdk.services.ec2.model.AddressAttribute;
import software.amazon.awssdk.services.ec2.model.DescribeAddressesAttributeResponse;
import software.amazon.awssdk.services.ec2.model.DescribeImageAttributeRequest;
import software.amazon.awssdk.services.ec2.model.DescribeInstanceAttributeResponse;
import software.amazon.awssdk.services.ec2.model.DescribeNetworkInterfaceAttributeResponse;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ec2.model.InstanceCreditSpecification;
import software.amazon.awssdk.services.ec2.model.InstanceNetworkInterface;
import software.amazon.awssdk.services.ec2.model.InstanceTypeOffering;
import software.amazon.awssdk.services.ec2.model.LaunchTemplateInstanceNetworkInterfaceSpecification;
import software.amazon.awssdk.services.ec2.model.LaunchTemplateTagSpecificationRequest;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.RequestLaunchTemplateData;
import software.amazon.awssdk.services.ec2.model.ResponseLaunchTemplateData;
import software.amazon.awssdk.services.ec2.model.Tag;
import software.amazon.awssdk.services.ec2.model.TagSpecification;

/** What single operations tell of addresses, interfaces, images and instances. */
class AttributesTest extends Ec2InMemory {

  private static final String NOT_THERE = "i-0123456789abcdef0";

  private String image = "";

  @BeforeEach
  void anImage() {
    image = ec2.describeImages(r -> {}).images().getFirst().imageId();
  }

  private Instance launched(String type, @Nullable String credits) {
    return running(
        type,
        r -> {
          if (credits != null) {
            r.creditSpecification(c -> c.cpuCredits(credits));
          }
        });
  }

  @Test
  void elasticAddressesHaveNoNames() {
    List<String> ids =
        Stream.generate(() -> ec2.allocateAddress(r -> {}).allocationId())
            .limit(3)
            .sorted()
            .toList();
    List<AddressAttribute> all =
        ec2.describeAddressesAttribute(r -> r.attribute("domain-name")).addresses();
    assertEquals(ids, all.stream().map(AddressAttribute::allocationId).toList());
    assertNull(all.getFirst().ptrRecord());
    AddressAttribute one =
        ec2.describeAddressesAttribute(r -> r.allocationIds(ids.get(1)).attribute("domain-name"))
            .addresses()
            .getFirst();
    assertEquals(
        ec2.describeAddresses(r -> r.allocationIds(ids.get(1))).addresses().getFirst().publicIp(),
        one.publicIp());

    DescribeAddressesAttributeResponse page = ec2.describeAddressesAttribute(r -> r.maxResults(1));
    assertEquals(ids.getFirst(), page.addresses().getFirst().allocationId());
    assertEquals(
        ids.get(1),
        ec2.describeAddressesAttribute(r -> r.maxResults(1).nextToken(page.nextToken()))
            .addresses()
            .getFirst()
            .allocationId());
    refused("InvalidParameterValue", () -> ec2.describeAddressesAttribute(r -> r.maxResults(1001)));
    refused("InvalidParameterValue", () -> ec2.describeAddressesAttribute(r -> r.maxResults(0)));
    refused(
        "InvalidParameterValue",
        "Value (colour) for parameter attribute is invalid. Unknown attribute.",
        () -> ec2.describeAddressesAttribute(r -> r.attribute("colour")));
    refused(
        "InvalidAllocationID.NotFound",
        () -> ec2.describeAddressesAttribute(r -> r.allocationIds("eipalloc-0")));
    refused("DryRunOperation", () -> ec2.describeAddressesAttribute(r -> r.dryRun(true)));
  }

  @Test
  void anElasticAddressIsCalledAsItsOwnerSays() {
    String id = ec2.allocateAddress(r -> {}).allocationId();
    String address =
        ec2.describeAddresses(r -> r.allocationIds(id)).addresses().getFirst().publicIp();
    String vpc = ec2.describeVpcs(r -> {}).vpcs().getFirst().vpcId();
    refused(
        "InvalidParameterValue",
        "Value (mail.example.com) for parameter domainName is invalid. No A record of it points to "
            + address
            + ".",
        () -> ec2.modifyAddressAttribute(r -> r.allocationId(id).domainName("mail.example.com")));
    network.means("mail.example.com", "192.0.2.1", address);
    refused(
        "DryRunOperation",
        () ->
            ec2.modifyAddressAttribute(
                r -> r.allocationId(id).domainName("mail.example.com").dryRun(true)));
    assertNull(name(id).ptrRecord());
    AddressAttribute asked =
        ec2.modifyAddressAttribute(r -> r.allocationId(id).domainName("Mail.Example.COM."))
            .address();
    assertNull(asked.ptrRecord());
    assertEquals("mail.example.com.", asked.ptrRecordUpdate().value());
    assertEquals("PENDING", asked.ptrRecordUpdate().status());
    ec2.close();
    ec2 = started();
    assertEquals("mail.example.com.", name(id).ptrRecord());
    assertNull(name(id).ptrRecordUpdate());
    assertEquals(Optional.of("mail.example.com"), network.reverse(vpc, address));
    refused("InvalidAddress.Locked", () -> ec2.releaseAddress(r -> r.allocationId(id)));

    AddressAttribute reset =
        ec2.resetAddressAttribute(r -> r.allocationId(id).attribute("domain-name")).address();
    assertEquals("mail.example.com.", reset.ptrRecord());
    assertEquals(
        "ec2-" + address.replace('.', '-') + ".compute-1.amazonaws.com.",
        reset.ptrRecordUpdate().value());
    assertNull(name(id).ptrRecord());
    assertEquals(Optional.empty(), network.reverse(vpc, address), "nobody has it");
    assertNull(
        ec2.resetAddressAttribute(r -> r.allocationId(id).attribute("domain-name"))
            .address()
            .ptrRecordUpdate());
    ec2.releaseAddress(r -> r.allocationId(id));
  }

  private AddressAttribute name(String allocation) {
    return ec2.describeAddressesAttribute(r -> r.allocationIds(allocation).attribute("domain-name"))
        .addresses()
        .getFirst();
  }

  @Test
  void whatIsNoNameOfAnAddressIsRefused() {
    String id = ec2.allocateAddress(r -> {}).allocationId();
    for (String name :
        List.of("198.18.0.1", "example", "-a.example.com", "a..example.com", "a b.example.com")) {
      network.means(name, "198.18.0.1");
      refused(
          "InvalidParameterValue",
          "Value ("
              + name
              + ") for parameter domainName is invalid. It is not a valid domain name.",
          () -> ec2.modifyAddressAttribute(r -> r.allocationId(id).domainName(name)));
    }
    refused("MissingParameter", () -> ec2.modifyAddressAttribute(r -> r.allocationId(id)));
    refused("MissingParameter", () -> ec2.modifyAddressAttribute(r -> r.domainName("a.example")));
    refused("MissingParameter", () -> ec2.resetAddressAttribute(r -> r.allocationId(id)));
    refused(
        "InvalidParameterValue",
        () -> ec2.resetAddressAttribute(r -> r.allocationId(id).attribute("colour")));
    refused(
        "InvalidAllocationID.NotFound",
        () ->
            ec2.resetAddressAttribute(r -> r.allocationId("eipalloc-0").attribute("domain-name")));
    refused(
        "InvalidAllocationID.NotFound",
        () ->
            ec2.modifyAddressAttribute(
                r -> r.allocationId("eipalloc-0").domainName("a.example.com")));
  }

  @Test
  void addressesAreCalledByTheirHostNames() {
    String subnet = ec2.describeSubnets(r -> {}).subnets().getFirst().subnetId();
    NetworkInterface eni = ec2.createNetworkInterface(r -> r.subnetId(subnet)).networkInterface();
    String vpc = eni.vpcId();
    assertEquals(
        Optional.of("ip-" + eni.privateIpAddress().replace('.', '-') + ".ec2.internal"),
        network.reverse(vpc, eni.privateIpAddress()));
    String other = ec2.createVpc(r -> r.cidrBlock("10.0.0.0/16")).vpc().vpcId();
    assertEquals(Optional.empty(), network.reverse(other, eni.privateIpAddress()));
    String id = ec2.allocateAddress(r -> {}).allocationId();
    ec2.associateAddress(r -> r.allocationId(id).networkInterfaceId(eni.networkInterfaceId()));
    String outside = name(id).publicIp();
    Optional<String> called =
        Optional.of("ec2-" + outside.replace('.', '-') + ".compute-1.amazonaws.com");
    assertEquals(called, network.reverse(vpc, outside));
    assertEquals(called, network.reverse(other, outside));
    ec2.modifyVpcAttribute(r -> r.vpcId(vpc).enableDnsHostnames(v -> v.value(false)));
    assertEquals(Optional.empty(), network.reverse(vpc, eni.privateIpAddress()));
    assertEquals(Optional.empty(), network.reverse(vpc, outside));
  }

  private DescribeNetworkInterfaceAttributeResponse told(String eni, String attribute) {
    return ec2.describeNetworkInterfaceAttribute(
        r -> r.networkInterfaceId(eni).attribute(attribute));
  }

  /** The members that say something. */
  private static Set<String> said(SdkPojo answer) {
    return answer.sdkFields().stream()
        .filter(field ->
            switch (field.getValueOrDefault(answer)) {
              case null -> false;
              case List<?> all -> !all.isEmpty();
              default -> true;
            })
        .map(field -> field.memberName())
        .collect(Collectors.toSet());
  }

  @Test
  void anInterfacesAttributesAreToldOneAtATime() {
    Instance running = launched("t3.micro", null);
    InstanceNetworkInterface first = running.networkInterfaces().getFirst();
    String eni = first.networkInterfaceId();
    ec2.modifyNetworkInterfaceAttribute(
        r -> r.networkInterfaceId(eni).description(v -> v.value("the first")));
    ec2.modifyNetworkInterfaceAttribute(
        r -> r.networkInterfaceId(eni).sourceDestCheck(v -> v.value(false)));

    Map<String, String> members =
        Map.of(
            "description", "Description",
            "groupSet", "Groups",
            "sourceDestCheck", "SourceDestCheck",
            "attachment", "Attachment",
            "associatePublicIpAddress", "AssociatePublicIpAddress");
    members.forEach((attribute, member) ->
        assertEquals(Set.of("NetworkInterfaceId", member), said(told(eni, attribute))));
    assertEquals("the first", told(eni, "description").description().value());
    assertEquals(first.groups(), told(eni, "groupSet").groups());
    assertFalse(told(eni, "sourceDestCheck").sourceDestCheck().value());
    assertEquals(running.instanceId(), told(eni, "attachment").attachment().instanceId());
    assertTrue(told(eni, "associatePublicIpAddress").associatePublicIpAddress());

    ec2.stopInstances(r -> r.instanceIds(running.instanceId()));
    await(() -> instance(running.instanceId()).state().nameAsString().equals("stopped"));
    assertNull(instance(running.instanceId()).publicIpAddress());
    assertTrue(told(eni, "associatePublicIpAddress").associatePublicIpAddress(), "it comes back");

    String spare =
        ec2.createNetworkInterface(r -> r.subnetId(running.subnetId()))
            .networkInterface()
            .networkInterfaceId();
    assertEquals(Set.of("NetworkInterfaceId"), said(told(spare, "attachment")));
    assertFalse(told(spare, "associatePublicIpAddress").associatePublicIpAddress());
    String address = ec2.allocateAddress(r -> {}).allocationId();
    ec2.associateAddress(r -> r.allocationId(address).networkInterfaceId(spare));
    assertFalse(told(spare, "associatePublicIpAddress").associatePublicIpAddress(), "not assigned");
  }

  @Test
  void anInterfaceSpeaksForItselfAgain() {
    String eni =
        ec2.createNetworkInterface(
                r -> r.subnetId(ec2.describeSubnets().subnets().getFirst().subnetId()))
            .networkInterface()
            .networkInterfaceId();
    ec2.modifyNetworkInterfaceAttribute(
        r -> r.networkInterfaceId(eni).sourceDestCheck(v -> v.value(false)));
    assertTrue(network.interfaces().get(eni).forwards());
    refused(
        "DryRunOperation",
        () ->
            ec2.resetNetworkInterfaceAttribute(
                r -> r.networkInterfaceId(eni).sourceDestCheck("true").dryRun(true)));
    assertFalse(told(eni, "sourceDestCheck").sourceDestCheck().value());
    ec2.resetNetworkInterfaceAttribute(r -> r.networkInterfaceId(eni).sourceDestCheck("true"));
    assertTrue(told(eni, "sourceDestCheck").sourceDestCheck().value());
    assertFalse(network.interfaces().get(eni).forwards());

    refused(
        "InvalidParameterCombination",
        () -> ec2.resetNetworkInterfaceAttribute(r -> r.networkInterfaceId(eni)));
    refused(
        "InvalidNetworkInterfaceID.NotFound",
        () ->
            ec2.resetNetworkInterfaceAttribute(
                r -> r.networkInterfaceId("eni-0").sourceDestCheck("true")));
    refused("InvalidNetworkInterfaceID.NotFound", () -> told("eni-0", "description"));
    refused("InvalidNetworkInterfaceId.Malformed", () -> told("eni", "description"));
    refused("InvalidParameterValue", () -> told(eni, "colour"));
    refused(
        "MissingParameter",
        () -> ec2.describeNetworkInterfaceAttribute(r -> r.networkInterfaceId(eni)));
    refused(
        "DryRunOperation",
        () ->
            ec2.describeNetworkInterfaceAttribute(
                r -> r.networkInterfaceId(eni).attribute("description").dryRun(true)));
  }

  @Test
  void anImagesAttributesAreToldToItsOwner() {
    refused(
        "AuthFailure",
        "Not authorized for image:" + image,
        () -> ec2.describeImageAttribute(r -> r.imageId(image).attribute("launchPermission")));
    refused(
        "AuthFailure",
        "Unauthorized attempt to access restricted resource",
        () -> ec2.describeImageAttribute(r -> r.imageId(image).attribute("blockDeviceMapping")));
    refused(
        "InvalidAMIID.NotFound",
        () ->
            ec2.describeImageAttribute(
                r -> r.imageId("ami-0123456789abcdef0").attribute("description")));
    refused(
        "InvalidAMIID.Malformed",
        () -> ec2.describeImageAttribute(r -> r.imageId("mine").attribute("description")));
    refused(
        "InvalidParameterValue",
        () -> ec2.describeImageAttribute(r -> r.imageId(image).attribute("colour")));
    refused("MissingParameter", () -> ec2.describeImageAttribute(r -> r.imageId(image)));

    MachineImages amazons = new MachineImages(new Scope("591542846629", SCOPE.region()));
    assertEquals(
        "all",
        amazons
            .attribute(asked("launchPermission"))
            .launchPermissions()
            .getFirst()
            .groupAsString());
    assertEquals("v2.0", amazons.attribute(asked("imdsSupport")).imdsSupport().value());
    assertEquals(
        ec2.describeImages(r -> {}).images().getFirst().description(),
        amazons.attribute(asked("description")).description().value());
    assertEquals(Set.of("ImageId", "KernelId"), said(amazons.attribute(asked("kernel"))));
    assertTrue(amazons.attribute(asked("productCodes")).hasProductCodes());
    refused(
        "DryRunOperation",
        () -> amazons.attribute(asked("kernel").toBuilder().dryRun(true).build()));
  }

  private DescribeImageAttributeRequest asked(String attribute) {
    return DescribeImageAttributeRequest.builder().imageId(image).attribute(attribute).build();
  }

  @Test
  void typesAreOfferedInTheRegionAndItsZones() {
    assertEquals(Map.of("us-east-1", 1L), offered(null));
    assertEquals(
        Map.of("us-east-1a", 1L, "us-east-1b", 1L, "us-east-1c", 1L), offered("availability-zone"));
    assertEquals(
        Map.of("use1-az1", 1L, "use1-az2", 1L, "use1-az3", 1L), offered("availability-zone-id"));
    assertEquals(Map.of(), offered("outpost"));
    refused("InvalidParameterValue", () -> offered("moon"));
    refused("DryRunOperation", () -> ec2.describeInstanceTypeOfferings(r -> r.dryRun(true)));
  }

  /** Where m5.large is to be had, and how often it is said. */
  private Map<String, Long> offered(@Nullable String type) {
    return ec2
        .describeInstanceTypeOfferings(
            r -> r.locationType(type).filters(filter("instance-type", "m5.large")))
        .instanceTypeOfferings()
        .stream()
        .collect(Collectors.groupingBy(InstanceTypeOffering::location, Collectors.counting()));
  }

  @Test
  void burstableInstancesAreNeverSlowedDown() {
    String burstable = launched("t3.micro", "unlimited").instanceId();
    String old = launched("t2.micro", null).instanceId();
    String other = launched("m5.large", null).instanceId();
    Set<InstanceCreditSpecification> both =
        Stream.of(burstable, old)
            .map(id ->
                InstanceCreditSpecification.builder()
                    .instanceId(id)
                    .cpuCredits("unlimited")
                    .build())
            .collect(Collectors.toSet());
    assertEquals(
        both,
        Set.copyOf(
            ec2.describeInstanceCreditSpecifications(r -> {}).instanceCreditSpecifications()));
    assertEquals(
        both,
        Set.copyOf(
            ec2.describeInstanceCreditSpecifications(r -> r.instanceIds(burstable, old))
                .instanceCreditSpecifications()));
    refused(
        "InstanceCreditSpecification.NotSupported",
        () -> ec2.describeInstanceCreditSpecifications(r -> r.instanceIds(burstable, other)));
    refused(
        "InvalidInstanceID.NotFound",
        () -> ec2.describeInstanceCreditSpecifications(r -> r.instanceIds(NOT_THERE)));
    refused(
        "InvalidInstanceID.Malformed",
        () -> ec2.describeInstanceCreditSpecifications(r -> r.instanceIds("mine")));
    refused("DryRunOperation", () -> ec2.describeInstanceCreditSpecifications(r -> r.dryRun(true)));

    refused(
        "InstanceCreditSpecification.NotSupported",
        "The m5.large instance type does not support T2 Unlimited.",
        () -> launched("m5.large", "unlimited"));
    refused("UnsupportedOperation", () -> launched("t3.micro", "standard"));
    refused("InvalidParameterValue", () -> launched("t3.micro", "boundless"));
  }

  @Test
  void instancesHaveNoVolumes() {
    Instance running = launched("t3.micro", null);
    Filter attached = filter("attachment.instance-id", running.instanceId());
    assertEquals(List.of(), ec2.describeVolumes(r -> r.filters(attached)).volumes());
    assertEquals(List.of(), running.blockDeviceMappings());
    refused(
        "InvalidVolume.NotFound",
        "The volume 'vol-0123456789abcdef0' does not exist.",
        () -> ec2.describeVolumes(r -> r.volumeIds("vol-0123456789abcdef0")));
    refused(
        "InvalidParameterValue",
        "Value (disk) for parameter volumes is invalid. Expected: 'vol-...'.",
        () -> ec2.describeVolumes(r -> r.volumeIds("disk")));
    refused(
        "InvalidParameterCombination",
        () -> ec2.describeVolumes(r -> r.volumeIds("vol-0123456789abcdef0").maxResults(5)));
    refused("DryRunOperation", () -> ec2.describeVolumes(r -> r.dryRun(true)));

    assertEquals(List.of(), ec2.describeVolumeStatus(r -> {}).volumeStatuses());
    refused(
        "InvalidVolume.NotFound",
        () -> ec2.describeVolumeStatus(r -> r.volumeIds("vol-0123456789abcdef0")));
    refused("DryRunOperation", () -> ec2.describeVolumeStatus(r -> r.dryRun(true)));
    refused(
        "InvalidVolume.NotFound",
        "The volume 'vol-0123456789abcdef0' does not exist.",
        () ->
            ec2.describeVolumeAttribute(
                r -> r.volumeId("vol-0123456789abcdef0").attribute("autoEnableIO")));
    refused(
        "InvalidParameterValue",
        () ->
            ec2.describeVolumeAttribute(
                r -> r.volumeId("vol-0123456789abcdef0").attribute("colour")));
    refused(
        "InvalidParameterValue",
        () -> ec2.describeVolumeAttribute(r -> r.volumeId("disk").attribute("productCodes")));
    refused(
        "MissingParameter",
        () -> ec2.describeVolumeAttribute(r -> r.volumeId("vol-0123456789abcdef0")));
    refused(
        "MissingParameter", () -> ec2.describeVolumeAttribute(r -> r.attribute("productCodes")));
  }

  /** Without its own addresses, what is told of an instance launches another one like it. */
  @Test
  void othersAreLaunchedLikeAnInstance() {
    ec2.createKeyPair(r -> r.keyName("mine").keyType("ed25519"));
    String id =
        ec2.runInstances(r ->
                r.imageId(image)
                    .instanceType("t3.small")
                    .keyName("mine")
                    .userData("IyEvYmluL3NoCg==")
                    .iamInstanceProfile(p -> p.name("LabInstanceProfile"))
                    .monitoring(m -> m.enabled(true))
                    .metadataOptions(m -> m.httpPutResponseHopLimit(3))
                    .tagSpecifications(
                        TagSpecification.builder()
                            .resourceType("instance")
                            .tags(Tag.builder().key("Owner").value("a").build())
                            .build())
                    .minCount(1)
                    .maxCount(1))
            .instances()
            .getFirst()
            .instanceId();
    await(() -> instance(id).state().nameAsString().equals("running"));
    Instance like = instance(id);
    ResponseLaunchTemplateData data =
        ec2.getLaunchTemplateData(r -> r.instanceId(id)).launchTemplateData();
    InstanceNetworkInterface first = like.networkInterfaces().getFirst();
    LaunchTemplateInstanceNetworkInterfaceSpecification device =
        data.networkInterfaces().getFirst();
    assertEquals(first.networkInterfaceId(), device.networkInterfaceId());
    assertEquals(first.privateIpAddress(), device.privateIpAddress());
    assertEquals(first.subnetId(), device.subnetId());
    assertEquals("IyEvYmluL3NoCg==", data.userData());

    ec2.createLaunchTemplate(r ->
        r.launchTemplateName("like-it")
            .launchTemplateData(
                RequestLaunchTemplateData.builder()
                    .imageId(data.imageId())
                    .instanceType(data.instanceType())
                    .keyName(data.keyName())
                    .userData(data.userData())
                    .ebsOptimized(data.ebsOptimized())
                    .disableApiTermination(data.disableApiTermination())
                    .iamInstanceProfile(p -> p.arn(data.iamInstanceProfile().arn()))
                    .monitoring(m -> m.enabled(data.monitoring().enabled()))
                    .placement(p ->
                        p.availabilityZone(data.placement().availabilityZone())
                            .groupName(data.placement().groupName())
                            .tenancy(data.placement().tenancyAsString()))
                    .metadataOptions(m ->
                        m.httpTokens(data.metadataOptions().httpTokensAsString())
                            .httpPutResponseHopLimit(
                                data.metadataOptions().httpPutResponseHopLimit())
                            .httpEndpoint(data.metadataOptions().httpEndpointAsString())
                            .httpProtocolIpv6(data.metadataOptions().httpProtocolIpv6AsString())
                            .instanceMetadataTags(
                                data.metadataOptions().instanceMetadataTagsAsString()))
                    .tagSpecifications(
                        LaunchTemplateTagSpecificationRequest.builder()
                            .resourceType("instance")
                            .tags(data.tagSpecifications().getFirst().tags())
                            .build())
                    .build()));
    Instance another =
        ec2.runInstances(r ->
                r.launchTemplate(t -> t.launchTemplateName("like-it"))
                    .subnetId(device.subnetId())
                    .securityGroupIds(device.groups())
                    .minCount(1)
                    .maxCount(1))
            .instances()
            .getFirst();
    assertEquals(like.instanceType(), another.instanceType());
    assertEquals(like.keyName(), another.keyName());
    assertEquals(like.iamInstanceProfile().arn(), another.iamInstanceProfile().arn());
    assertEquals(like.monitoring(), another.monitoring());
    assertEquals(like.metadataOptions(), another.metadataOptions());
    assertEquals(like.securityGroups(), another.securityGroups());
    assertTrue(another.tags().containsAll(like.tags()));
    assertTrue(
        ec2
            .getLaunchTemplateData(r -> r.instanceId(another.instanceId()))
            .launchTemplateData()
            .tagSpecifications()
            .getFirst()
            .tags()
            .stream()
            .noneMatch(tag -> tag.key().startsWith("aws:")),
        "which nobody can give");

    refused(
        "InvalidInstanceID.NotFound",
        () -> ec2.getLaunchTemplateData(r -> r.instanceId(NOT_THERE)));
    refused("MissingParameter", () -> ec2.getLaunchTemplateData(r -> {}));
    refused("DryRunOperation", () -> ec2.getLaunchTemplateData(r -> r.instanceId(id).dryRun(true)));
  }

  private DescribeInstanceAttributeResponse of(String id, String attribute) {
    return ec2.describeInstanceAttribute(r -> r.instanceId(id).attribute(attribute));
  }

  @Test
  void anInstancesAttributesAreToldOneAtATime() {
    Instance running = launched("t3.micro", null);
    String id = running.instanceId();
    Map<String, String> members =
        Map.ofEntries(
            Map.entry("instanceType", "InstanceType"),
            Map.entry("groupSet", "Groups"),
            Map.entry("sourceDestCheck", "SourceDestCheck"),
            Map.entry("disableApiTermination", "DisableApiTermination"),
            Map.entry("disableApiStop", "DisableApiStop"),
            Map.entry("instanceInitiatedShutdownBehavior", "InstanceInitiatedShutdownBehavior"),
            Map.entry("ebsOptimized", "EbsOptimized"),
            Map.entry("enaSupport", "EnaSupport"),
            Map.entry("enclaveOptions", "EnclaveOptions"),
            Map.entry("rootDeviceName", "RootDeviceName"),
            Map.entry("userData", "UserData"));
    members.forEach(
        (attribute, member) -> assertEquals(Set.of("InstanceId", member), said(of(id, attribute))));
    assertTrue(of(id, "blockDeviceMapping").hasBlockDeviceMappings());
    assertTrue(of(id, "productCodes").hasProductCodes());
    Map.of("kernel", "KernelId", "ramdisk", "RamdiskId", "sriovNetSupport", "SriovNetSupport")
        .forEach((attribute, member) ->
            assertEquals(Set.of("InstanceId", member), said(of(id, attribute)), "empty, but told"));
    assertEquals(
        "stop",
        of(id, "instanceInitiatedShutdownBehavior").instanceInitiatedShutdownBehavior().value());
    assertEquals(running.rootDeviceName(), of(id, "rootDeviceName").rootDeviceName().value());
    refused("InvalidParameterValue", () -> of(id, "colour"));
    refused("MissingParameter", () -> ec2.describeInstanceAttribute(r -> r.instanceId(id)));
    refused("InvalidInstanceID.NotFound", () -> of(NOT_THERE, "userData"));
    refused(
        "DryRunOperation",
        () ->
            ec2.describeInstanceAttribute(
                r -> r.instanceId(id).attribute("userData").dryRun(true)));
  }

  @Test
  void whatIsProtectedIsNeitherStoppedNorTerminated() {
    String id =
        ec2.runInstances(r ->
                r.imageId(image)
                    .instanceType("t3.micro")
                    .disableApiTermination(true)
                    .instanceInitiatedShutdownBehavior("stop")
                    .minCount(1)
                    .maxCount(1))
            .instances()
            .getFirst()
            .instanceId();
    await(() -> instance(id).state().nameAsString().equals("running"));
    assertTrue(of(id, "disableApiTermination").disableApiTermination().value());
    refused(
        "OperationNotPermitted",
        "The instance '"
            + id
            + "' may not be terminated. Modify its 'disableApiTermination' instance attribute and"
            + " try again.",
        () -> ec2.terminateInstances(r -> r.instanceIds(id)));
    String spared = launched("t3.micro", null).instanceId();
    refused("OperationNotPermitted", () -> ec2.terminateInstances(r -> r.instanceIds(spared, id)));
    assertEquals("running", instance(spared).state().nameAsString(), "all or none");

    ec2.modifyInstanceAttribute(
        r -> r.instanceId(id).attribute("disableApiTermination").value("false"));
    ec2.modifyInstanceAttribute(r -> r.instanceId(id).disableApiStop(v -> v.value(true)));
    assertFalse(of(id, "disableApiTermination").disableApiTermination().value());
    assertTrue(
        ec2.getLaunchTemplateData(r -> r.instanceId(id)).launchTemplateData().disableApiStop());
    refused(
        "OperationNotPermitted",
        "The instance '"
            + id
            + "' may not be stopped. Modify its 'disableApiStop' instance attribute and try again.",
        () -> ec2.stopInstances(r -> r.instanceIds(id)));
    refused("OperationNotPermitted", () -> ec2.terminateInstances(r -> r.instanceIds(id)));
    refused(
        "DryRunOperation",
        () ->
            ec2.modifyInstanceAttribute(
                r -> r.instanceId(id).disableApiStop(v -> v.value(false)).dryRun(true)));
    assertTrue(of(id, "disableApiStop").disableApiStop().value());
    ec2.modifyInstanceAttribute(r -> r.instanceId(id).disableApiStop(v -> v.value(false)));
    ec2.terminateInstances(r -> r.instanceIds(id));
    await(() -> instance(id).state().nameAsString().equals("terminated"));
    refused(
        "IncorrectInstanceState",
        () ->
            ec2.modifyInstanceAttribute(r -> r.instanceId(id).disableApiStop(v -> v.value(true))));

    refused(
        "InvalidParameterCombination",
        () -> ec2.modifyInstanceAttribute(r -> r.instanceId(spared)));
    refused(
        "InvalidParameterCombination",
        () ->
            ec2.modifyInstanceAttribute(r ->
                r.instanceId(spared)
                    .disableApiStop(v -> v.value(true))
                    .disableApiTermination(v -> v.value(true))));
    refused(
        "InvalidParameterCombination",
        () ->
            ec2.modifyInstanceAttribute(
                r -> r.instanceId(spared).sourceDestCheck(v -> v.value(false)).groups("sg-0")));
    refused(
        "InvalidParameterValue",
        () ->
            ec2.modifyInstanceAttribute(
                r -> r.instanceId(spared).attribute("disableApiStop").value("perhaps")));
    refused(
        "UnsupportedOperation",
        () ->
            ec2.modifyInstanceAttribute(r ->
                r.instanceId(spared).instanceInitiatedShutdownBehavior(v -> v.value("terminate"))));
    refused(
        "UnsupportedOperation",
        () ->
            ec2.modifyInstanceAttribute(r -> r.instanceId(spared).attribute("kernel").value("x")));
  }
}
