package dev.muelle.services.ec2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import software.amazon.awssdk.core.SdkField;
import software.amazon.awssdk.core.SdkPojo;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.AddPrefixListEntry;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.InstanceNetworkInterface;
import software.amazon.awssdk.services.ec2.model.IpPermission;
import software.amazon.awssdk.services.ec2.model.IpRange;
import software.amazon.awssdk.services.ec2.model.Ipv6Range;
import software.amazon.awssdk.services.ec2.model.LaunchTemplateInstanceNetworkInterfaceSpecificationRequest;
import software.amazon.awssdk.services.ec2.model.LaunchTemplateLicenseConfigurationRequest;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.NewDhcpConfiguration;
import software.amazon.awssdk.services.ec2.model.PrefixListId;
import software.amazon.awssdk.services.ec2.model.Tag;
import software.amazon.awssdk.services.ec2.model.UserIdGroupPair;
import software.amazon.awssdk.services.ec2.model.Vpc;

/**
 * Every describe that is built, with every filter that its page in AWS's API reference names. What
 * a filter asks for is read here from what is described, by the filter's own name; so the answers
 * are compared with what everybody sees, and with nothing that the service knows of filters.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Operations.html">Actions</a>
 */
class DescribesTest extends Ec2InMemory {

  private static final String TRUST =
      """
      {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
       "Principal": {"Service": "vpc-flow-logs.amazonaws.com"}}]}
      """;

  /** Which value a filter is about. */
  private sealed interface About {

    /** That of the tag with this key. */
    record Tagged(String key) implements About {}

    /** The one at this path in what is described. */
    record Path(List<String> segments) implements About {}

    /** The one at this path in the interfaces of the instances that are described. */
    record OfInterfaces(List<String> segments) implements About {}

    /** The name of the group whose id is at this path. */
    record OfGroup(List<String> segments) implements About {}

    /** The same for all. */
    record Constant(String value) implements About {}

    /** Nothing here has any. */
    record Nothing() implements About {}

    /** It is not built, and refused by its name. */
    record Refused() implements About {}
  }

  /**
   * An operation.
   *
   * @param items the member of its answer that lists what is described
   * @param id what tells one from another there
   * @param least the smallest page; 0 if it has no pages
   */
  private record Operation(
      String name, String items, String id, int least, int most, Map<String, About> filters) {}

  private String instance = "";
  private String vpc = "";

  @BeforeEach
  void everyKindTwice() {
    Vpc made =
        ec2.createVpc(r -> r.cidrBlock("10.0.0.0/16").amazonProvidedIpv6CidrBlock(true)).vpc();
    vpc = made.vpcId();
    String block6 =
        made.ipv6CidrBlockAssociationSet().getFirst().ipv6CidrBlock().replace("/56", "/64");
    String other = ec2.createVpc(r -> r.cidrBlock("10.1.0.0/16")).vpc().vpcId();
    ec2.modifyVpcAttribute(r -> r.vpcId(vpc).enableDnsHostnames(v -> v.value(true)));
    String subnet =
        ec2.createSubnet(r ->
                r.vpcId(vpc)
                    .cidrBlock("10.0.1.0/24")
                    .ipv6CidrBlock(block6)
                    .availabilityZone("us-east-1b"))
            .subnet()
            .subnetId();
    String igw = ec2.createInternetGateway().internetGateway().internetGatewayId();
    ec2.attachInternetGateway(r -> r.internetGatewayId(igw).vpcId(vpc));
    ec2.createInternetGateway();
    String eigw =
        ec2.createEgressOnlyInternetGateway(r -> r.vpcId(vpc))
            .egressOnlyInternetGateway()
            .egressOnlyInternetGatewayId();
    ec2.createEgressOnlyInternetGateway(r -> r.vpcId(other));
    String list =
        ec2.createManagedPrefixList(r ->
                r.prefixListName("mine")
                    .maxEntries(2)
                    .addressFamily("IPv4")
                    .entries(AddPrefixListEntry.builder().cidr("10.9.0.0/16").build()))
            .prefixList()
            .prefixListId();
    ec2.createManagedPrefixList(r -> r.prefixListName("yours").maxEntries(1).addressFamily("IPv4"));
    String group =
        ec2.createSecurityGroup(r -> r.groupName("web").description("for web").vpcId(vpc))
            .groupId();
    List<IpPermission> rules =
        List.of(
            IpPermission.builder()
                .ipProtocol("tcp")
                .fromPort(80)
                .toPort(81)
                .ipRanges(IpRange.builder().cidrIp("192.0.2.0/24").build())
                .ipv6Ranges(Ipv6Range.builder().cidrIpv6("2001:db8::/64").build())
                .prefixListIds(PrefixListId.builder().prefixListId(list).build())
                .userIdGroupPairs(UserIdGroupPair.builder().groupId(group).build())
                .build());
    ec2.authorizeSecurityGroupIngress(r -> r.groupId(group).ipPermissions(rules));
    ec2.authorizeSecurityGroupEgress(r -> r.groupId(group).ipPermissions(rules));
    String guest =
        ec2.createSecurityGroup(r -> r.groupName("mail").description("for mail").vpcId(other))
            .groupId();
    ec2.associateSecurityGroupVpc(r -> r.groupId(group).vpcId(other));
    ec2.associateSecurityGroupVpc(r -> r.groupId(guest).vpcId(vpc));

    String eni =
        ec2.createNetworkInterface(r ->
                r.subnetId(subnet).groups(group).description("one").privateIpAddress("10.0.1.50"))
            .networkInterface()
            .networkInterfaceId();
    ec2.createNetworkInterface(
        r -> r.subnetId(subnet).secondaryPrivateIpAddressCount(1).ipv6AddressCount(2));
    String allocation = ec2.allocateAddress(r -> {}).allocationId();
    ec2.associateAddress(r -> r.allocationId(allocation).networkInterfaceId(eni));
    String unused = ec2.allocateAddress(r -> {}).allocationId();

    String table = ec2.createRouteTable(r -> r.vpcId(vpc)).routeTable().routeTableId();
    ec2.associateRouteTable(r -> r.routeTableId(table).subnetId(subnet));
    ec2.createRoute(r -> r.routeTableId(table).destinationCidrBlock("0.0.0.0/0").gatewayId(igw));
    ec2.createRoute(r ->
        r.routeTableId(table).destinationIpv6CidrBlock("::/0").egressOnlyInternetGatewayId(eigw));
    String nat =
        ec2.createNatGateway(r -> r.subnetId(subnet).allocationId(unused))
            .natGateway()
            .natGatewayId();
    ec2.createNatGateway(r -> r.subnetId(subnet).connectivityType("private"));
    ec2.createRoute(
        r -> r.routeTableId(table).destinationCidrBlock("192.0.2.0/24").natGatewayId(nat));
    ec2.createRoute(r -> r.routeTableId(table).destinationPrefixListId(list).natGatewayId(nat));
    String peering =
        ec2.createVpcPeeringConnection(r -> r.vpcId(vpc).peerVpcId(other))
            .vpcPeeringConnection()
            .vpcPeeringConnectionId();
    ec2.createVpcPeeringConnection(r -> r.vpcId(other).peerVpcId(vpc));
    ec2.acceptVpcPeeringConnection(r -> r.vpcPeeringConnectionId(peering));
    ec2.createRoute(r ->
        r.routeTableId(table).destinationCidrBlock("10.1.0.0/16").vpcPeeringConnectionId(peering));
    String endpoint =
        ec2.createVpcEndpoint(r ->
                r.vpcId(vpc)
                    .serviceName("com.amazonaws.us-east-1.ecs")
                    .vpcEndpointType("Interface")
                    .subnetIds(subnet))
            .vpcEndpoint()
            .vpcEndpointId();
    ec2.createVpcEndpoint(
        r -> r.vpcId(vpc).serviceName("com.amazonaws.us-east-1.logs").vpcEndpointType("Interface"));
    String acl = ec2.createNetworkAcl(r -> r.vpcId(vpc)).networkAcl().networkAclId();
    ec2.createNetworkAclEntry(r ->
        r.networkAclId(acl)
            .ruleNumber(7)
            .egress(false)
            .ruleAction("deny")
            .protocol("1")
            .icmpTypeCode(i -> i.type(8).code(0))
            .cidrBlock("192.0.2.0/24"));
    ec2.createNetworkAclEntry(r ->
        r.networkAclId(acl)
            .ruleNumber(8)
            .egress(true)
            .ruleAction("allow")
            .protocol("6")
            .portRange(p -> p.from(80).to(90))
            .ipv6CidrBlock("2001:db8::/64"));
    String dhcp =
        ec2.createDhcpOptions(r ->
                r.dhcpConfigurations(
                    NewDhcpConfiguration.builder()
                        .key("domain-name")
                        .values("example.internal")
                        .build()))
            .dhcpOptions()
            .dhcpOptionsId();

    String pair = ec2.createKeyPair(r -> r.keyName("mine").keyType("ed25519")).keyPairId();
    ec2.createKeyPair(r -> r.keyName("yours").keyType("ed25519"));
    String image = ec2.describeImages(r -> {}).images().getFirst().imageId();
    String template =
        ec2.createLaunchTemplate(r ->
                r.launchTemplateName("small")
                    .launchTemplateData(d ->
                        d.imageId(image)
                            .instanceType("t3.small")
                            .ebsOptimized(true)
                            .kernelId("aki-1")
                            .ramDiskId("ari-1")
                            .iamInstanceProfile(
                                p -> p.arn("arn:aws:iam::000000000000:instance-profile/p"))
                            .placement(p -> p.hostResourceGroupArn("arn:aws:resource-groups:::g"))
                            .licenseSpecifications(
                                LaunchTemplateLicenseConfigurationRequest.builder()
                                    .licenseConfigurationArn("arn:aws:l:::c")
                                    .build())
                            .networkInterfaces(
                                LaunchTemplateInstanceNetworkInterfaceSpecificationRequest.builder()
                                    .networkCardIndex(0)
                                    .build())
                            .metadataOptions(
                                m -> m.httpEndpoint("enabled").httpTokens("required"))))
            .launchTemplate()
            .launchTemplateId();
    String rule =
        ec2.describeSecurityGroupRules(r -> {})
            .securityGroupRules()
            .getFirst()
            .securityGroupRuleId();
    ec2.createLaunchTemplate(
        r -> r.launchTemplateName("large").launchTemplateData(d -> d.instanceType("t3.large")));
    instance = launched(image, subnet, "mine");
    String address = ec2.allocateAddress(r -> {}).allocationId();
    ec2.associateAddress(r -> r.allocationId(address).instanceId(instance));
    launched(image, null, "yours");
    ec2.attachNetworkInterface(r -> r.networkInterfaceId(eni).instanceId(instance).deviceIndex(1));
    String first =
        ec2
            .describeInstances(r -> r.instanceIds(instance))
            .reservations()
            .getFirst()
            .instances()
            .getFirst()
            .networkInterfaces()
            .stream()
            .map(InstanceNetworkInterface::networkInterfaceId)
            .filter(one -> !one.equals(eni))
            .findFirst()
            .orElseThrow();
    ec2.assignIpv6Addresses(r -> r.networkInterfaceId(first).ipv6AddressCount(1));

    String role =
        iam.createRole(r -> r.roleName("flows").assumeRolePolicyDocument(TRUST)).role().arn();
    String flowLog =
        ec2.createFlowLogs(r ->
                r.resourceType("VPC")
                    .resourceIds(vpc, other)
                    .trafficType("ALL")
                    .logGroupName("flows")
                    .deliverLogsPermissionArn(role))
            .flowLogIds()
            .getFirst();
    for (String one :
        List.of(
            vpc,
            flowLog,
            eigw,
            subnet,
            igw,
            list,
            group,
            eni,
            allocation,
            table,
            nat,
            peering,
            acl,
            instance,
            dhcp,
            pair,
            endpoint,
            template,
            rule)) {
      ec2.createTags(r -> r.resources(one).tags(tag("Owner", "a")));
    }
    for (String one : List.of(other, unused)) {
      ec2.createTags(r -> r.resources(one).tags(tag("Owner", "b"), tag("Only", "here")));
    }
  }

  private static Tag tag(String key, String value) {
    return Tag.builder().key(key).value(value).build();
  }

  private String launched(String image, @Nullable String subnet, String key) {
    String id =
        ec2.runInstances(r ->
                r.imageId(image)
                    .instanceType("t3.micro")
                    .keyName(key)
                    .iamInstanceProfile(p -> p.name("LabInstanceProfile"))
                    .clientToken("for " + key)
                    .minCount(1)
                    .maxCount(1)
                    .subnetId(subnet))
            .instances()
            .getFirst()
            .instanceId();
    await(() ->
        ec2.describeInstances(r -> r.instanceIds(id))
            .reservations()
            .getFirst()
            .instances()
            .getFirst()
            .state()
            .nameAsString()
            .equals("running"));
    return id;
  }

  @TestFactory
  Stream<DynamicTest> everyDocumentedFilterFiltersOrIsRefused() throws Exception {
    List<Operation> all = operations();
    assertEquals(describes(), all.stream().map(Operation::name).collect(Collectors.toSet()));
    return all.stream()
        .flatMap(operation ->
            Stream.concat(
                operation.filters().entrySet().stream()
                    .map(filter ->
                        DynamicTest.dynamicTest(
                            operation.name() + " by " + filter.getKey(),
                            () -> filters(operation, filter.getKey(), filter.getValue()))),
                Stream.of(
                    DynamicTest.dynamicTest(
                        operation.name() + " in pages", () -> pages(operation)))));
  }

  /** The describes that are built and have filters; of the gets those that are like them. */
  private static Set<String> describes() {
    return Arrays.stream(Ec2.class.getDeclaredMethods())
        .filter(method -> method.getName().matches("(describe|get)[A-Z].*"))
        .filter(method -> member(request(method.getName()), "Filters", "Filter").isPresent())
        .map(method ->
            method.getName().substring(0, 1).toUpperCase(Locale.ROOT)
                + method.getName().substring(1))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private void filters(Operation operation, String filter, About about) {
    List<SdkPojo> all = all(operation);
    switch (about) {
      case About.Refused refused ->
          refused(
              "InvalidParameterValue",
              "The filter '" + filter + "' is invalid",
              () -> call(operation, filter(filter, "x")));
      case About.Nothing nothing ->
          assertEquals(List.of(), ids(operation, call(operation, filter(filter, "*"))));
      case About.Constant(String value) -> {
        assertEquals(
            ids(operation, all), ids(operation, call(operation, filter(filter, value))), value);
        assertEquals(List.of(), ids(operation, call(operation, filter(filter, "not " + value))));
      }
      case About.Tagged(String key) -> filters(operation, filter, one -> tagged(one, key));
      case About.Path(List<String> segments) ->
          filters(operation, filter, one -> values(one, segments));
      case About.OfGroup(List<String> segments) ->
          filters(operation, filter, one -> values(one, segments).map(this::groupName));
      case About.OfInterfaces(List<String> segments) ->
          filters(operation, filter, one -> interfaces(one).flatMap(eni -> values(eni, segments)));
    }
  }

  private void filters(
      Operation operation, String filter, Function<SdkPojo, Stream<String>> values) {
    List<SdkPojo> all = all(operation);
    Set<String> present =
        all.stream().flatMap(values).collect(Collectors.toCollection(TreeSet::new));
    assertFalse(present.isEmpty(), "nothing has any");
    for (String value : present) {
      List<String> expected =
          ids(
              operation,
              all.stream().filter(one -> values.apply(one).anyMatch(value::equals)).toList());
      String literally = value.replaceAll("([*?\\\\])", "\\\\$1");
      assertEquals(expected, ids(operation, call(operation, filter(filter, literally))), value);
    }
    assertEquals(
        List.of(), ids(operation, call(operation, filter(filter, "no such thing"))), filter);
  }

  private String groupName(String id) {
    return ec2.describeSecurityGroups(r -> r.groupIds(id)).securityGroups().getFirst().groupName();
  }

  private Stream<NetworkInterface> interfaces(SdkPojo reservation) {
    return values(reservation, List.of("Instances", "InstanceId"))
        .flatMap(id ->
            ec2
                .describeNetworkInterfaces(r -> r.filters(filter("attachment.instance-id", id)))
                .networkInterfaces()
                .stream());
  }

  /** The value of the tag with a key, wherever what is described bears its tags. */
  private static Stream<String> tagged(SdkPojo one, String key) {
    Optional<SdkField<?>> inside = member(one, "Instances");
    if (inside.isPresent()) {
      Object all = inside.get().getValueOrDefault(one);
      return ((List<?>) all).stream().flatMap(each -> tagged((SdkPojo) each, key));
    }
    Object tags =
        member(one, "Tags", "TagSet")
            .<Object>map(field -> field.getValueOrDefault(one))
            .orElse(List.of(one)); // a tag is described by itself
    return ((List<?>) tags)
        .stream()
            .filter(tag -> values(tag, List.of("Key")).anyMatch(key::equals))
            .flatMap(tag -> values(tag, List.of("Value")));
  }

  private void pages(Operation operation) {
    refused(
        "InvalidParameterValue",
        "The filter 'no-such-filter' is invalid",
        () -> call(operation, filter("no-such-filter", "x")));
    if (operation.least() == 0) {
      assertTrue(member(request(operation.name()), "MaxResults").isEmpty());
      return;
    }
    String small = "Value (" + (operation.least() - 1) + ") for parameter maxResults is invalid. ";
    refused(
        "InvalidParameterValue",
        small + "Expecting a value greater than or equal to " + operation.least() + ".",
        () -> page(operation, operation.least() - 1, null));
    refused(
        "InvalidParameterValue",
        "Value ("
            + (operation.most() + 1)
            + ") for parameter maxResults is invalid. Expecting a value less than or equal to "
            + operation.most()
            + ".",
        () -> page(operation, operation.most() + 1, null));
    refused(
        "InvalidParameterValue",
        "Invalid value 'no token' for nextToken",
        () -> page(operation, operation.least(), "no token"));
    page(operation, operation.most(), null);
    List<String> seen = new ArrayList<>();
    String token = null;
    do {
      SdkPojo answer = page(operation, operation.least(), token);
      List<String> shown = ids(operation, items(operation, answer));
      assertTrue(shown.size() <= operation.least(), shown::toString);
      seen.addAll(shown);
      token = (String) member(answer, "NextToken").orElseThrow().getValueOrDefault(answer);
    } while (token != null);
    assertEquals(ids(operation, all(operation)), seen.stream().sorted().toList());
  }

  // What the SDK's own description of its classes says.

  private static SdkPojo request(String operation) {
    try {
      String name = operation.substring(0, 1).toUpperCase(Locale.ROOT) + operation.substring(1);
      Class<?> type =
          Class.forName("software.amazon.awssdk.services.ec2.model." + name + "Request");
      return (SdkPojo) type.getMethod("builder").invoke(null);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Optional<SdkField<?>> member(SdkPojo of, String... names) {
    return of.sdkFields().stream()
        .filter(field -> Arrays.asList(names).contains(field.memberName()))
        .findFirst();
  }

  private SdkPojo answer(Operation operation, SdkPojo builder) {
    try {
      Object request = software.amazon.awssdk.utils.builder.Buildable.class.cast(builder).build();
      String name =
          operation.name().substring(0, 1).toLowerCase(Locale.ROOT) + operation.name().substring(1);
      Method method = Ec2Client.class.getMethod(name, request.getClass());
      return (SdkPojo) assertNotNullAnd(method.invoke(ec2, request));
    } catch (InvocationTargetException e) {
      throw e.getCause() instanceof Ec2Exception refusal ? refusal : new IllegalStateException(e);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Object assertNotNullAnd(@Nullable Object value) {
    assertNotNull(value);
    return value;
  }

  private List<SdkPojo> call(Operation operation, Filter... filters) {
    SdkPojo builder = request(operation.name());
    member(builder, "Filters", "Filter").orElseThrow().set(builder, List.of(filters));
    furnish(operation, builder);
    return items(operation, answer(operation, builder));
  }

  private SdkPojo page(Operation operation, int size, @Nullable String token) {
    SdkPojo builder = request(operation.name());
    member(builder, "MaxResults").orElseThrow().set(builder, size);
    member(builder, "NextToken").orElseThrow().set(builder, token);
    furnish(operation, builder);
    return answer(operation, builder);
  }

  /** What a request cannot do without. */
  private void furnish(Operation operation, SdkPojo builder) {
    switch (operation.name()) {
      case "DescribeLaunchTemplateVersions" ->
          member(builder, "Versions").orElseThrow().set(builder, List.of("$Latest"));
      case "GetSecurityGroupsForVpc" -> member(builder, "VpcId").orElseThrow().set(builder, vpc);
      default -> {}
    }
  }

  private List<SdkPojo> all(Operation operation) {
    return call(operation);
  }

  private static List<SdkPojo> items(Operation operation, SdkPojo answer) {
    Object items = member(answer, operation.items()).orElseThrow().getValueOrDefault(answer);
    return ((List<?>) items).stream().map(SdkPojo.class::cast).toList();
  }

  private static List<String> ids(Operation operation, List<SdkPojo> items) {
    return items.stream()
        .map(one ->
            Arrays.stream(operation.id().split("\\+", -1))
                .map(part -> values(one, List.of(part)).collect(Collectors.joining()))
                .collect(Collectors.joining("/")))
        .sorted()
        .toList();
  }

  /** What is at a path. */
  private static Stream<String> values(@Nullable Object at, List<String> path) {
    return switch (at) {
      case null -> Stream.empty();
      case Collection<?> all -> all.stream().flatMap(one -> values(one, path));
      case SdkPojo pojo when !path.isEmpty() -> {
        SdkField<?> field =
            pojo.sdkFields().stream()
                .filter(one -> named(one.memberName(), path.getFirst()))
                .findFirst()
                .orElseThrow(
                    () -> new AssertionError("no " + path + " in " + pojo.getClass().getName()));
        yield values(field.getValueOrDefault(pojo), path.subList(1, path.size()));
      }
      case SdkPojo pojo -> throw new AssertionError("no value: " + pojo);
      default -> {
        assertTrue(path.isEmpty(), () -> "nothing at " + path);
        yield Stream.of(at.toString());
      }
    };
  }

  /** Whether a member's name is a filter's segment in one of the ways in which AWS spells them. */
  private static boolean named(String member, String segment) {
    String plain = segment.replace("-", "").toLowerCase(Locale.ROOT);
    String name = member.toLowerCase(Locale.ROOT);
    return name.equals(plain)
        || name.equals(plain + "s")
        || name.equals(plain + "es")
        || (plain.endsWith("y") && name.equals(plain.substring(0, plain.length() - 1) + "ies"));
  }

  /** The table: an operation and its limits, then its filters, each with what it is about. */
  private static List<Operation> operations() throws Exception {
    try (InputStream in = DescribesTest.class.getResourceAsStream("describes.txt")) {
      List<Operation> all = new ArrayList<>();
      for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8).split("\n", -1)) {
        String[] words = line.trim().split(" +", -1);
        if (line.isBlank() || line.startsWith("#")) {
          continue;
        }
        if (!line.startsWith(" ")) {
          String[] sizes = words[3].split("-", -1);
          boolean paged = sizes.length == 2;
          all.add(
              new Operation(
                  words[0],
                  words[1],
                  words[2],
                  paged ? Integer.parseInt(sizes[0]) : 0,
                  paged ? Integer.parseInt(sizes[1]) : 0,
                  new LinkedHashMap<>()));
        } else {
          all.getLast().filters().put(words[0], about(words[0], words.length > 1 ? words[1] : ""));
        }
      }
      return all;
    }
  }

  private static About about(String filter, String word) {
    return switch (word) {
      case "-" -> new About.Nothing();
      case "!" -> new About.Refused();
      case "" ->
          filter.startsWith("tag:")
              ? new About.Tagged(filter.substring("tag:".length()))
              : new About.Path(List.of(filter.split("\\.", -1)));
      default ->
          switch (word.charAt(0)) {
            case '=' -> new About.Constant(word.substring(1));
            case '^' -> new About.OfGroup(List.of(word.substring(1).split("\\.", -1)));
            case '@' -> new About.OfInterfaces(List.of(word.substring(1).split("\\.", -1)));
            default -> new About.Path(List.of(word.split("\\.", -1)));
          };
    };
  }
}
