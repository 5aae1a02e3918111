package dev.muelle.services.ec2.instance;

import dev.muelle.services.Ids;
import dev.muelle.services.StoredJson;
import dev.muelle.services.UserData;
import dev.muelle.services.ec2.eni.Ipv6Addresses;
import dev.muelle.services.ec2.eni.NetworkInterfaces;
import dev.muelle.services.ec2.image.InstanceTypes;
import dev.muelle.services.ec2.image.MachineImages;
import dev.muelle.services.ec2.key.KeyPairs;
import dev.muelle.services.ec2.metadata.MetadataOptions;
import dev.muelle.services.ec2.security.SecurityGroups;
import dev.muelle.services.ec2.state.ClientToken;
import dev.muelle.services.ec2.state.InstanceRecord;
import dev.muelle.services.ec2.state.KeyPairRecord;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.services.ec2.state.Tags;
import dev.muelle.services.ec2.state.VpcRecord;
import dev.muelle.services.ec2.template.TemplateVersions;
import dev.muelle.store.Codec;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.HostnameType;
import software.amazon.awssdk.services.ec2.model.IamInstanceProfile;
import software.amazon.awssdk.services.ec2.model.Image;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ec2.model.InstanceMetadataOptionsResponse;
import software.amazon.awssdk.services.ec2.model.InstanceMetadataTagsState;
import software.amazon.awssdk.services.ec2.model.InstanceNetworkInterfaceSpecification;
import software.amazon.awssdk.services.ec2.model.MonitoringState;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.RunInstancesRequest;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.ec2.model.Tag;
import software.amazon.awssdk.services.ec2.model.TagSpecification;
import software.amazon.awssdk.services.ec2.model.Tenancy;
import software.amazon.awssdk.services.ec2.model.Vpc;
import software.amazon.awssdk.services.iam.IamClient;

/**
 * Launches instances: checks what is asked, and makes them with their interfaces.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html">RunInstances</a>
 */
public final class Launches {

  private static final int MOST = 1_000;
  private static final int MAX_USER_DATA = 16_384;
  private static final int MAX_TOKEN = 64;

  private static final Codec<RunInstancesRequest> REQUEST =
      StoredJson.codec(RunInstancesRequest.class);

  private final Store store;
  private final InstantSource clock;
  private final Ids ids;
  private final IamClient iam;
  private final MachineImages images;
  private final TemplateVersions templates;
  private final NetworkInterfaces interfaces;
  private final StateChanges changes;

  public Launches(
      Store store,
      InstantSource clock,
      Ids ids,
      IamClient iam,
      MachineImages images,
      TemplateVersions templates,
      NetworkInterfaces interfaces,
      StateChanges changes) {
    this.store = store;
    this.clock = clock;
    this.ids = ids;
    this.iam = iam;
    this.images = images;
    this.templates = templates;
    this.interfaces = interfaces;
    this.changes = changes;
  }

  /** Where the interfaces of a launch are to be, whichever of two ways said it. */
  private record Place(
      @Nullable String subnet,
      List<String> groups,
      @Nullable String address,
      @Nullable Boolean publicAddress,
      Ipv6Addresses.Asked ipv6) {}

  /** Launches; gives the reservation's id. A repeated request gives what it made before. */
  String run(RunInstancesRequest given) {
    TemplateVersions.Launch launch =
        templates.launch(given).orElseGet(() -> new TemplateVersions.Launch(given, List.of()));
    RunInstancesRequest request = launch.request();
    Refuse.unlessEffective(
        request,
        Set.of(
            "ImageId",
            "InstanceType",
            "MinCount",
            "MaxCount",
            "SubnetId",
            "SecurityGroupIds",
            "SecurityGroups",
            "UserData",
            "IamInstanceProfile",
            "TagSpecifications",
            "ClientToken",
            "DryRun",
            "PrivateIpAddress",
            "Ipv6Addresses",
            "Ipv6AddressCount",
            "NetworkInterfaces",
            "Placement",
            "KeyName",
            "MetadataOptions",
            "Monitoring",
            "CreditSpecification",
            "DisableApiTermination",
            "DisableApiStop",
            "InstanceInitiatedShutdownBehavior"));
    Image image = images.meant(Refuse.required(request.imageId(), "ImageId"));
    String typeName =
        request.instanceType() == null ? "m1.small" : request.instanceTypeAsString(); // the default
    InstanceTypes.Type type =
        InstanceTypes.find(typeName)
            .orElseThrow(
                () -> Refuse.invalidValue("Invalid value '" + typeName + "' for InstanceType."));
    CpuCredits.atLaunch(request.creditSpecification(), type);
    Protection.shutdownBehavior(request.instanceInitiatedShutdownBehaviorAsString());
    int least = Refuse.required(request.minCount(), "MinCount");
    int most = Refuse.required(request.maxCount(), "MaxCount");
    if (least < 1 || most < least) {
      throw Refuse.invalidValue(
          least < 1
              ? "Invalid value '" + least + "' for minCount. Must be at least 1."
              : "Invalid value for min/max number of instances: min ("
                  + least
                  + ") > max ("
                  + most
                  + ")");
    }
    checkUserData(request.userData());
    IamInstanceProfile profile = Profiles.find(iam, request.iamInstanceProfile());
    InstanceMetadataOptionsResponse metadata =
        MetadataOptions.atLaunch(request.metadataOptions(), image);
    boolean detailed =
        request.monitoring() != null && Boolean.TRUE.equals(request.monitoring().enabled());
    Place place = place(request);
    if (place.address() != null && most > 1) {
      throw Refuse.combination("Can't specify a private IP address for multiple instances");
    }
    Ipv6Addresses.limit(place.ipv6(), type.addresses());
    if (!place.ipv6().addresses().isEmpty() && most > 1) {
      throw Refuse.combination("Can't specify an IPv6 address for multiple instances");
    }
    List<Tag> tags = new ArrayList<>(tags("instance", request.tagSpecifications()));
    tags.addAll(launch.tags());
    if (metadata.instanceMetadataTags() == InstanceMetadataTagsState.ENABLED) {
      Tags.namedForMetadata(tags);
    }
    List<Tag> interfaceTags = tags("network-interface", request.tagSpecifications());
    String token = request.clientToken();
    if (token != null && token.length() > MAX_TOKEN) {
      throw Refuse.invalidValue(
          token, "clientToken", "It must have at most " + MAX_TOKEN + " characters.");
    }
    String fingerprint =
        new String(
            REQUEST.encode(given.toBuilder().clientToken("").dryRun(null).build()),
            StandardCharsets.UTF_8);
    return store.write(tx -> {
      Optional<String> done = ClientToken.done(tx, token, fingerprint);
      if (done.isPresent()) {
        return done.get();
      }
      Subnet subnet = subnet(tx, place.subnet(), zone(request));
      List<String> groups = groups(tx, subnet.vpcId(), place.groups(), request.securityGroups());
      if (tx.count(Tables.INSTANCES) + most > MOST) {
        throw Refuse.because(
            "InstanceLimitExceeded",
            "You have requested more instances ("
                + most
                + ") than your current instance limit of "
                + MOST
                + " allows.");
      }
      KeyPairRecord key = request.keyName() == null ? null : KeyPairs.named(tx, request.keyName());
      Instant now = clock.instant();
      String reservation = ids.ec2("r");
      for (int i = 0; i < most; i++) {
        String id = ids.ec2("i");
        NetworkInterface eni;
        try {
          boolean publicly =
              Objects.requireNonNullElse(place.publicAddress(), subnet.mapPublicIpOnLaunch());
          Subnet fresh = Kind.SUBNET.get(tx, subnet.subnetId()); // it counts its free addresses
          eni =
              interfaces.makeFirst(
                  tx,
                  id,
                  fresh,
                  groups,
                  place.address(),
                  publicly,
                  place.ipv6(),
                  interfaceTags,
                  now);
        } catch (Ec2Exception e) {
          boolean full =
              e.awsErrorDetails().errorCode().equals("InsufficientFreeAddressesInSubnet");
          if (full && i >= least) {
            break; // as many as there is room for
          }
          throw e;
        }
        Instance instance =
            instance(id, i, image, type, subnet, profile, token, now).toBuilder()
                .keyName(request.keyName())
                .metadataOptions(metadata)
                .monitoring(
                    m -> m.state(detailed ? MonitoringState.ENABLED : MonitoringState.DISABLED))
                .build();
        InstanceRecord record =
            InstanceRecord.launched(
                    instance,
                    reservation,
                    eni.networkInterfaceId(),
                    request.userData(),
                    key == null ? null : key.publicKey())
                .kept(
                    Boolean.TRUE.equals(request.disableApiTermination()),
                    Boolean.TRUE.equals(request.disableApiStop()));
        tx.insert(Tables.INSTANCES, id, record);
        changes.note(tx, record);
        Tags.put(tx, id, tags);
      }
      if (token != null && !token.isEmpty()) {
        tx.put(Tables.TOKENS, token, new ClientToken(fingerprint, reservation));
      }
      Refuse.ifDryRun(request.dryRun());
      return reservation;
    });
  }

  private static Instance instance(
      String id,
      int index,
      Image image,
      InstanceTypes.Type type,
      Subnet subnet,
      @Nullable IamInstanceProfile profile,
      @Nullable String token,
      Instant now) {
    int threads = type.vcpus() > 1 && !type.name().startsWith("t2.") ? 2 : 1;
    return Instance.builder()
        .instanceId(id)
        .amiLaunchIndex(index)
        .imageId(image.imageId())
        .instanceType(type.name())
        .launchTime(now)
        .clientToken(token)
        .architecture(image.architectureAsString())
        .hypervisor(image.hypervisorAsString())
        .virtualizationType(image.virtualizationTypeAsString())
        .rootDeviceName(image.rootDeviceName())
        .rootDeviceType(image.rootDeviceTypeAsString())
        .platformDetails(image.platformDetails())
        .ebsOptimized(false)
        .enaSupport(true)
        .placement(p ->
            p.availabilityZone(subnet.availabilityZone())
                .availabilityZoneId(subnet.availabilityZoneId())
                .groupName("")
                .tenancy(Tenancy.DEFAULT))
        .privateDnsNameOptions(o ->
            o.hostnameType(HostnameType.IP_NAME)
                .enableResourceNameDnsARecord(false)
                .enableResourceNameDnsAAAARecord(false))
        .cpuOptions(c -> c.coreCount(type.vcpus() / threads).threadsPerCore(threads))
        .iamInstanceProfile(profile)
        .subnetId(subnet.subnetId())
        .vpcId(subnet.vpcId())
        .stateTransitionReason("")
        .build();
  }

  private static void checkUserData(@Nullable String base64) {
    if (base64 == null || base64.isEmpty()) {
      return;
    }
    String script;
    try {
      script = script(base64);
    } catch (IllegalArgumentException e) {
      throw Refuse.invalidValue("Invalid BASE64 encoding of user data.");
    }
    if (script.length() > MAX_USER_DATA) {
      throw Refuse.invalidValue("User data is limited to 16384 bytes");
    }
    try {
      UserData.agentConfiguration(script);
    } catch (UserData.NotRead e) {
      throw Refuse.unsupported(
          "The parameter UserData is not supported whole by this region yet: " + e.getMessage());
    }
  }

  static String script(String base64) {
    return new String(Base64.getMimeDecoder().decode(base64), StandardCharsets.ISO_8859_1);
  }

  private static Place place(RunInstancesRequest request) {
    if (request.networkInterfaces().isEmpty()) {
      return new Place(
          request.subnetId(),
          request.securityGroupIds(),
          request.privateIpAddress(),
          null,
          Ipv6Addresses.Asked.of(request.ipv6Addresses(), request.ipv6AddressCount()));
    }
    if (request.subnetId() != null
        || !request.securityGroupIds().isEmpty()
        || !request.securityGroups().isEmpty()
        || request.privateIpAddress() != null
        || !request.ipv6Addresses().isEmpty()
        || request.ipv6AddressCount() != null) {
      throw Refuse.combination(
          "Network interfaces and an instance-level subnet ID, security groups or private address"
              + " may not be specified on the same request");
    }
    if (request.networkInterfaces().size() > 1) {
      throw Refuse.unsupported(
          "More than one of the parameter NetworkInterfaces is not supported by this region yet.");
    }
    InstanceNetworkInterfaceSpecification one = request.networkInterfaces().getFirst();
    Refuse.unlessEffective(
        one,
        Set.of(
            "DeviceIndex",
            "SubnetId",
            "Groups",
            "PrivateIpAddress",
            "Ipv6Addresses",
            "Ipv6AddressCount",
            "AssociatePublicIpAddress",
            "DeleteOnTermination"));
    if (one.deviceIndex() == null || one.deviceIndex() != 0) {
      throw Refuse.invalidValue(
          "Each network interface requires a device index; the first one's is 0.");
    }
    if (Boolean.FALSE.equals(one.deleteOnTermination())) {
      throw Refuse.unsupported(
          "The value false of the parameter DeleteOnTermination is not supported by this region"
              + " yet.");
    }
    return new Place(
        one.subnetId(),
        one.groups(),
        one.privateIpAddress(),
        one.associatePublicIpAddress(),
        Ipv6Addresses.Asked.of(one.ipv6Addresses(), one.ipv6AddressCount()));
  }

  private static @Nullable String zone(RunInstancesRequest request) {
    if (request.placement() == null) {
      return null;
    }
    Refuse.unlessEffective(
        request.placement().toBuilder()
            .tenancy(
                request.placement().tenancy() == Tenancy.DEFAULT
                    ? null
                    : request.placement().tenancyAsString())
            .build(),
        Set.of("AvailabilityZone"));
    return request.placement().availabilityZone();
  }

  /** The subnet that is asked for, or a default one. */
  private static Subnet subnet(Tx tx, @Nullable String id, @Nullable String zone) {
    if (id != null) {
      Subnet subnet = Kind.SUBNET.get(tx, id);
      if (zone != null && !zone.equals(subnet.availabilityZone())) {
        throw Refuse.combination(
            "The availability zone " + zone + " is not that of the subnet " + id);
      }
      return subnet;
    }
    Vpc vpc =
        VpcRecord.findDefault(tx)
            .orElseThrow(
                () -> Refuse.because("VPCIdNotSpecified", "No default VPC for this user."));
    return Tables.of(tx, Tables.SUBNETS, "vpc", vpc.vpcId()).stream()
        .filter(Subnet::defaultForAz)
        .filter(subnet -> zone == null || zone.equals(subnet.availabilityZone()))
        .min((a, b) -> a.availabilityZone().compareTo(b.availabilityZone()))
        .orElseThrow(() ->
            Refuse.because(
                "MissingInput",
                "No subnets found for the default VPC '"
                    + vpc.vpcId()
                    + "'. Please specify a subnet."));
  }

  private static List<String> groups(
      Tx tx, String vpcId, List<String> identified, List<String> named) {
    List<String> groups = new ArrayList<>(identified);
    for (String name : named) {
      groups.add(
          SecurityGroups.named(tx, vpcId, name)
              .orElseThrow(() ->
                  Refuse.because(
                      "InvalidGroup.NotFound",
                      "The security group '" + name + "' does not exist in VPC '" + vpcId + "'"))
              .groupId());
    }
    return groups;
  }

  private static List<Tag> tags(String type, List<TagSpecification> specifications) {
    for (TagSpecification specification : specifications) {
      String given = specification.resourceTypeAsString();
      if (!"instance".equals(given) && !"network-interface".equals(given)) {
        throw Refuse.invalidValue(
            "'" + given + "' is not a valid taggable resource type for this operation.");
      }
    }
    return Tags.given(
        type, specifications.stream().filter(s -> type.equals(s.resourceTypeAsString())).toList());
  }
}
