package dev.muelle.services.ec2.endpoint;

import dev.muelle.services.Api;
import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.StoredJson;
import dev.muelle.services.ec2.eni.NetworkInterfaces;
import dev.muelle.services.ec2.plane.DataPlane;
import dev.muelle.services.ec2.state.ClientToken;
import dev.muelle.services.ec2.state.EndpointRecord;
import dev.muelle.services.ec2.state.Filters;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Pages;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.services.ec2.state.Tags;
import dev.muelle.store.Codec;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.CreateVpcEndpointRequest;
import software.amazon.awssdk.services.ec2.model.CreateVpcEndpointResponse;
import software.amazon.awssdk.services.ec2.model.DeleteVpcEndpointsRequest;
import software.amazon.awssdk.services.ec2.model.DeleteVpcEndpointsResponse;
import software.amazon.awssdk.services.ec2.model.DescribeVpcEndpointsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeVpcEndpointsResponse;
import software.amazon.awssdk.services.ec2.model.DnsOptions;
import software.amazon.awssdk.services.ec2.model.DnsOptionsSpecification;
import software.amazon.awssdk.services.ec2.model.DnsRecordIpType;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.GroupIdentifier;
import software.amazon.awssdk.services.ec2.model.IpAddressType;
import software.amazon.awssdk.services.ec2.model.ModifyVpcEndpointRequest;
import software.amazon.awssdk.services.ec2.model.ModifyVpcEndpointResponse;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.SecurityGroupIdentifier;
import software.amazon.awssdk.services.ec2.model.Tag;
import software.amazon.awssdk.services.ec2.model.UnsuccessfulItem;
import software.amazon.awssdk.services.ec2.model.VpcEndpoint;
import software.amazon.awssdk.services.ec2.model.VpcEndpointType;

/**
 * Interface endpoints: one of the region's own APIs at an interface in each of some subnets, under
 * groups. What is stored is brought to life by {@link EndpointServers} a moment later.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html">Access
 *     an AWS service using an interface VPC endpoint</a>
 */
public final class VpcEndpoints {

  /** A VPC's quota. */
  private static final int MOST = 50;

  private static final Codec<CreateVpcEndpointRequest> REQUEST =
      StoredJson.codec(CreateVpcEndpointRequest.class);

  private static final Filters<VpcEndpoint> FILTERS =
      new Filters<>(VpcEndpoint::tags)
          .by("ip-address-type", VpcEndpoint::ipAddressTypeAsString)
          .by("service-name", VpcEndpoint::serviceName)
          .by("service-region", VpcEndpoint::serviceRegion)
          .by("vpc-id", VpcEndpoint::vpcId)
          .by("vpc-endpoint-id", VpcEndpoint::vpcEndpointId)
          .by("vpc-endpoint-state", VpcEndpoint::stateAsString)
          .by("vpc-endpoint-type", VpcEndpoint::vpcEndpointTypeAsString);

  private final Scope scope;
  private final Store store;
  private final InstantSource clock;
  private final Ids ids;
  private final DataPlane plane;
  private final NetworkInterfaces interfaces;
  private final EndpointServices services;
  private final EndpointNames names;
  private final Consumer<String> wake;

  /**
   * VPC endpoints.
   *
   * @param wake has one brought to what is stored of it
   */
  public VpcEndpoints(
      Scope scope,
      Store store,
      InstantSource clock,
      Ids ids,
      DataPlane plane,
      NetworkInterfaces interfaces,
      EndpointServices services,
      EndpointNames names,
      Consumer<String> wake) {
    this.scope = scope;
    this.store = store;
    this.clock = clock;
    this.ids = ids;
    this.plane = plane;
    this.interfaces = interfaces;
    this.services = services;
    this.names = names;
    this.wake = wake;
  }

  public CreateVpcEndpointResponse create(CreateVpcEndpointRequest request) {
    Refuse.unlessEffective(
        request,
        Set.of(
            "VpcEndpointType",
            "VpcId",
            "ServiceName",
            "ServiceRegion",
            "PolicyDocument",
            "SubnetIds",
            "SubnetConfigurations",
            "SecurityGroupIds",
            "IpAddressType",
            "DnsOptions",
            "PrivateDnsEnabled",
            "RouteTableIds",
            "TagSpecifications",
            "ClientToken",
            "DryRun"));
    String vpcId = Refuse.required(request.vpcId(), "VpcId");
    String serviceName = Refuse.required(request.serviceName(), "ServiceName");
    mustBeInterface(request);
    if (request.serviceRegion() != null && !request.serviceRegion().equals(scope.region())) {
      throw Refuse.unsupported(
          "The parameter ServiceRegion with another region is not supported by this region yet.");
    }
    Api api = services.find(serviceName).orElseThrow(() -> EndpointServices.missing(serviceName));
    mustMatch(request.vpcEndpointType());
    if (!request.routeTableIds().isEmpty()) {
      throw EndpointRules.invalid("Route table IDs are for endpoints of type Gateway only");
    }
    EndpointRules.mustBeOpen(request.policyDocument());
    EndpointRules.families(request.ipAddressTypeAsString(), request.dnsOptions());
    Map<String, String> subnets =
        EndpointRules.subnets(request.subnetIds(), request.subnetConfigurations());
    List<Tag> tags = Tags.given("vpc-endpoint", request.tagSpecifications());
    String asked =
        ClientToken.fingerprint(REQUEST, request.toBuilder().clientToken("").dryRun(null).build());
    String fresh = ids.ec2("vpce");
    String label = fresh + "-" + ids.hex(8);
    boolean privately = !Boolean.FALSE.equals(request.privateDnsEnabled());
    VpcEndpoint made =
        store.write(tx -> {
          Optional<String> done = ClientToken.done(tx, request.clientToken(), asked);
          if (done.isPresent()) {
            return shown(tx, Kind.ENDPOINT.get(tx, done.get()));
          }
          Kind.VPC.get(tx, vpcId);
          EndpointRules.mustFit(tx, vpcId, subnets.keySet());
          if (tx.find(Tables.ENDPOINTS, "vpc", vpcId).size() >= MOST) {
            throw Refuse.because(
                "VpcEndpointLimitExceeded",
                "The maximum number of VPC endpoints has been reached.");
          }
          List<GroupIdentifier> groups =
              NetworkInterfaces.groups(tx, vpcId, request.securityGroupIds());
          EndpointRecord record =
              new EndpointRecord(
                  VpcEndpoint.builder()
                      .vpcEndpointId(fresh)
                      .vpcEndpointType(VpcEndpointType.INTERFACE)
                      .vpcId(vpcId)
                      .serviceName(serviceName)
                      .serviceRegion(scope.region())
                      .state(EndpointRecord.PENDING)
                      .policyDocument(EndpointRules.OPEN_POLICY)
                      .groups(identifiers(groups))
                      .ipAddressType(IpAddressType.IPV4)
                      .dnsOptions(DnsOptions.builder().dnsRecordIpType(records(request)).build())
                      .privateDnsEnabled(privately)
                      .requesterManaged(false)
                      .creationTimestamp(clock.instant())
                      .ownerId(scope.account())
                      .build(),
                  label);
          if (privately) {
            EndpointRules.mayBePrivate(tx, record, api.host(scope.region()));
          }
          record = in(tx, record, subnets);
          tx.insert(Tables.ENDPOINTS, fresh, record);
          Tags.put(tx, fresh, tags);
          ClientToken.put(tx, request.clientToken(), asked, fresh);
          Refuse.ifDryRun(request.dryRun());
          return shown(tx, record);
        });
    wake.accept(made.vpcEndpointId());
    return CreateVpcEndpointResponse.builder()
        .clientToken(request.clientToken())
        .vpcEndpoint(made)
        .build();
  }

  private static DnsRecordIpType records(CreateVpcEndpointRequest request) {
    DnsOptionsSpecification asked = request.dnsOptions();
    return asked == null || asked.dnsRecordIpType() == null
        ? DnsRecordIpType.IPV4
        : asked.dnsRecordIpType();
  }

  /** Other kinds are not built; a gateway is what is meant where nothing is said. */
  private static void mustBeInterface(CreateVpcEndpointRequest request) {
    VpcEndpointType type = request.vpcEndpointType();
    if (type == null) {
      return;
    }
    switch (type) {
      case GATEWAY, INTERFACE -> {}
      case GATEWAY_LOAD_BALANCER, RESOURCE, SERVICE_NETWORK ->
          throw Refuse.unsupported(
              "VPC endpoints of the type " + type + " are not supported by this region yet.");
      case UNKNOWN_TO_SDK_VERSION ->
          throw Refuse.invalidValue(
              request.vpcEndpointTypeAsString(), "VpcEndpointType", "Unknown endpoint type.");
    }
  }

  private static void mustMatch(@Nullable VpcEndpointType type) {
    if (type != VpcEndpointType.INTERFACE) {
      throw EndpointRules.invalid(
          "Endpoint type ("
              + VpcEndpointType.GATEWAY
              + ") does not match available service types (["
              + VpcEndpointType.INTERFACE
              + "]).");
    }
  }

  private static List<SecurityGroupIdentifier> identifiers(List<GroupIdentifier> groups) {
    return groups.stream()
        .map(one -> SecurityGroupIdentifier.builder().groupId(one.groupId()).build())
        .toList();
  }

  private static List<String> groups(EndpointRecord record) {
    return record.endpoint().groups().stream().map(SecurityGroupIdentifier::groupId).toList();
  }

  /** With an interface in each of these further subnets. */
  private EndpointRecord in(Tx tx, EndpointRecord record, Map<String, String> subnets) {
    List<String> all = new ArrayList<>(record.endpoint().subnetIds());
    List<String> enis = new ArrayList<>(record.endpoint().networkInterfaceIds());
    subnets.forEach((subnet, address) -> {
      all.add(subnet);
      enis.add(
          interfaces
              .makeForEndpoint(
                  tx,
                  record.id(),
                  Kind.SUBNET.get(tx, subnet),
                  groups(record),
                  address.isEmpty() ? null : address,
                  clock.instant())
              .networkInterfaceId());
    });
    return record.with(one -> one.subnetIds(all).networkInterfaceIds(enis));
  }

  public ModifyVpcEndpointResponse modify(ModifyVpcEndpointRequest request) {
    Refuse.unlessEffective(
        request,
        Set.of(
            "VpcEndpointId",
            "ResetPolicy",
            "PolicyDocument",
            "AddSubnetIds",
            "RemoveSubnetIds",
            "AddSecurityGroupIds",
            "RemoveSecurityGroupIds",
            "IpAddressType",
            "DnsOptions",
            "PrivateDnsEnabled",
            "SubnetConfigurations",
            "DryRun"));
    String id = Refuse.required(request.vpcEndpointId(), "VpcEndpointId");
    if (Boolean.TRUE.equals(request.resetPolicy()) && request.policyDocument() != null) {
      throw Refuse.combination("ResetPolicy and PolicyDocument cannot be used together");
    }
    EndpointRules.mustBeOpen(request.policyDocument());
    EndpointRules.families(request.ipAddressTypeAsString(), request.dnsOptions());
    EndpointRecord changed =
        store.write(tx -> {
          EndpointRecord record = Kind.ENDPOINT.get(tx, id);
          if (record.in(EndpointRecord.DELETING)) {
            throw Refuse.because("IncorrectState", "The VPC endpoint " + id + " is being deleted");
          }
          record = moved(tx, regrouped(tx, record, request), request);
          record = named(tx, record, request);
          tx.put(Tables.ENDPOINTS, id, record);
          Refuse.ifDryRun(request.dryRun());
          return record;
        });
    for (String eni : changed.endpoint().networkInterfaceIds()) {
      plane.interfaceAlone(eni); // its groups act when this returns
    }
    wake.accept(id);
    return ModifyVpcEndpointResponse.builder().returnValue(true).build();
  }

  private EndpointRecord regrouped(Tx tx, EndpointRecord record, ModifyVpcEndpointRequest request) {
    Set<String> groups = new LinkedHashSet<>(groups(record));
    Set<String> gone = Set.copyOf(request.removeSecurityGroupIds());
    if (!groups.containsAll(gone)) {
      throw EndpointRules.invalid(
          "A security group that is to be removed is none of " + record.id());
    }
    groups.removeAll(gone);
    groups.addAll(request.addSecurityGroupIds());
    if (groups.isEmpty()) {
      throw EndpointRules.invalid("A VPC endpoint must have at least one security group");
    }
    List<String> wanted = List.copyOf(groups);
    if (wanted.equals(groups(record))) {
      return record;
    }
    List<GroupIdentifier> identified =
        NetworkInterfaces.groups(tx, record.endpoint().vpcId(), wanted);
    record.endpoint().networkInterfaceIds().forEach(eni -> interfaces.regroup(tx, eni, wanted));
    return record.with(one -> one.groups(identifiers(identified)));
  }

  private EndpointRecord moved(Tx tx, EndpointRecord record, ModifyVpcEndpointRequest request) {
    Set<String> left = new LinkedHashSet<>(record.endpoint().subnetIds());
    Set<String> gone = Set.copyOf(request.removeSubnetIds());
    if (!left.containsAll(gone)) {
      throw EndpointRules.invalid("A subnet that is to be removed is none of " + record.id());
    }
    left.removeAll(gone);
    Map<String, String> added =
        new HashMap<>(
            EndpointRules.subnets(request.addSubnetIds(), request.subnetConfigurations()));
    for (String subnet : List.copyOf(added.keySet())) {
      if (left.contains(subnet)) {
        String address = added.remove(subnet);
        if (!Objects.requireNonNull(address).isEmpty()) {
          throw Refuse.unsupported(
              "Another address of an endpoint in a subnet where it is already is not supported by"
                  + " this region yet.");
        }
      }
    }
    List<String> kept =
        EndpointNames.interfaces(tx, record).stream()
            .filter(eni -> left.contains(eni.subnetId()))
            .map(NetworkInterface::networkInterfaceId)
            .toList();
    Set<String> all = new LinkedHashSet<>(left);
    all.addAll(added.keySet());
    EndpointRules.mustFit(tx, record.endpoint().vpcId(), all);
    return in(tx, record.with(one -> one.subnetIds(left).networkInterfaceIds(kept)), added);
  }

  private EndpointRecord named(Tx tx, EndpointRecord record, ModifyVpcEndpointRequest request) {
    EndpointRecord changed = record;
    DnsOptionsSpecification options = request.dnsOptions();
    if (options != null && options.dnsRecordIpType() != null) {
      changed =
          changed.with(one ->
              one.dnsOptions(
                  DnsOptions.builder().dnsRecordIpType(options.dnsRecordIpType()).build()));
    }
    Boolean privately = request.privateDnsEnabled();
    if (privately == null || privately.equals(record.endpoint().privateDnsEnabled())) {
      return changed;
    }
    if (privately) {
      String host =
          services
              .find(record.endpoint().serviceName())
              .map(api -> api.host(scope.region()))
              .orElse(record.endpoint().serviceName());
      EndpointRules.mayBePrivate(tx, record, host);
    }
    return changed.with(one -> one.privateDnsEnabled(privately));
  }

  public DeleteVpcEndpointsResponse delete(DeleteVpcEndpointsRequest request) {
    if (request.vpcEndpointIds().isEmpty()) {
      throw Refuse.missing("VpcEndpointId");
    }
    List<UnsuccessfulItem> missing = new ArrayList<>();
    List<String> going = new ArrayList<>();
    store.write(tx -> {
      for (String id : request.vpcEndpointIds().stream().distinct().toList()) {
        tx.get(Tables.ENDPOINTS, id)
            .ifPresentOrElse(
                row -> {
                  tx.put(
                      Tables.ENDPOINTS,
                      id,
                      row.value().with(one -> one.state(EndpointRecord.DELETING)));
                  going.add(id);
                },
                () -> missing.add(unsuccessful(id)));
      }
      Refuse.ifDryRun(request.dryRun());
      return true;
    });
    going.forEach(wake);
    return DeleteVpcEndpointsResponse.builder().unsuccessful(missing).build();
  }

  private static UnsuccessfulItem unsuccessful(String id) {
    Ec2Exception why = Kind.ENDPOINT.missing(id);
    return UnsuccessfulItem.builder()
        .resourceId(id)
        .error(e ->
            e.code("InvalidVpcEndpoint.NotFound").message(why.awsErrorDetails().errorMessage()))
        .build();
  }

  private VpcEndpoint shown(Tx tx, EndpointRecord record) {
    return record.endpoint().toBuilder()
        .groups(
            record.endpoint().groups().stream()
                .map(group ->
                    group.toBuilder()
                        .groupName(Kind.GROUP.get(tx, group.groupId()).groupName())
                        .build())
                .toList())
        .dnsEntries(names.entries(tx, record))
        .tags(Tags.of(tx, record.id()))
        .build();
  }

  public DescribeVpcEndpointsResponse describe(DescribeVpcEndpointsRequest request) {
    Refuse.ifDryRun(request.dryRun());
    List<VpcEndpoint> all =
        store.read(tx ->
            Kind.ENDPOINT.list(tx, request.vpcEndpointIds()).stream()
                .map(record -> shown(tx, record))
                .toList());
    Pages<VpcEndpoint> page =
        Pages.of(
            FILTERS.select(all, request.filters()),
            VpcEndpoint::vpcEndpointId,
            request.vpcEndpointIds(),
            request.nextToken(),
            request.maxResults());
    return DescribeVpcEndpointsResponse.builder()
        .vpcEndpoints(page.items())
        .nextToken(page.nextToken())
        .build();
  }
}
