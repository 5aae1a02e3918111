package dev.muelle.services.elasticloadbalancingv2.balancer;

import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.ZonalShifts;
import dev.muelle.services.elasticloadbalancingv2.listener.ListenerCertificates;
import dev.muelle.services.elasticloadbalancingv2.listener.Listeners;
import dev.muelle.services.elasticloadbalancingv2.node.Fronts;
import dev.muelle.services.elasticloadbalancingv2.node.Placement;
import dev.muelle.services.elasticloadbalancingv2.node.Placements;
import dev.muelle.services.elasticloadbalancingv2.node.SourceNat;
import dev.muelle.services.elasticloadbalancingv2.request.Attributes;
import dev.muelle.services.elasticloadbalancingv2.request.NetworkAttributes;
import dev.muelle.services.elasticloadbalancingv2.request.Pages;
import dev.muelle.services.elasticloadbalancingv2.request.Refuse;
import dev.muelle.services.elasticloadbalancingv2.state.AddressTypes;
import dev.muelle.services.elasticloadbalancingv2.state.Associations;
import dev.muelle.services.elasticloadbalancingv2.state.Existing;
import dev.muelle.services.elasticloadbalancingv2.state.State;
import dev.muelle.services.elasticloadbalancingv2.state.State.Balancing;
import dev.muelle.services.elasticloadbalancingv2.state.Tags;
import dev.muelle.services.elasticloadbalancingv2.state.Wakes;
import dev.muelle.services.elasticloadbalancingv2.target.BalancerTargets;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.SecurityGroup;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateLoadBalancerRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateLoadBalancerResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeleteLoadBalancerRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeleteLoadBalancerResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeLoadBalancersRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeLoadBalancersResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DuplicateLoadBalancerNameException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.InvalidConfigurationRequestException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.InvalidSchemeException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.InvalidSecurityGroupException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.IpAddressType;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancer;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerNotFoundException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerSchemeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerStateEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerTypeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.OperationNotPermittedException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.SetSecurityGroupsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.SetSecurityGroupsResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TooManyLoadBalancersException;

/** Load balancers: made, described and deleted. */
public final class LoadBalancers {

  private static final LoadBalancerSchemeEnum INTERNET_FACING =
      LoadBalancerSchemeEnum.INTERNET_FACING;
  static final String NETWORK = ":loadbalancer/net/";
  static final String DOMAIN = ".elb.localhost";

  public static final int MAX = 50; // of each type
  private static final Set<String> CREATE =
      Set.of(
          "Name",
          "Subnets",
          "SubnetMappings",
          "SecurityGroups",
          "Scheme",
          "Tags",
          "Type",
          "IpAddressType",
          "EnablePrefixForIpv6SourceNat");

  private final Scope scope;
  private final Store store;
  private final InstantSource clock;
  private final Ids ids;
  private final Ec2Client ec2;
  private final Wakes wakes;
  private final Fronts fronts;
  private final ListenerCertificates certificates;

  public LoadBalancers(
      Scope scope,
      Store store,
      InstantSource clock,
      Ids ids,
      Ec2Client ec2,
      Wakes wakes,
      Fronts fronts,
      ListenerCertificates certificates) {
    this.scope = scope;
    this.store = store;
    this.clock = clock;
    this.ids = ids;
    this.ec2 = ec2;
    this.wakes = wakes;
    this.fronts = fronts;
    this.certificates = certificates;
  }

  /**
   * Sees to it that every load balancer has a loopback address that no other of this machine has.
   */
  public void settleFronts() {
    Map<String, Balancing> all = new HashMap<>();
    store.read(tx -> tx.list(State.BALANCERS)).forEach(row -> all.put(row.key(), row.value()));
    fronts.retain(scope.arn("elasticloadbalancing", "loadbalancer/"), all::containsKey);
    all.forEach((arn, b) -> {
      String front = b.balancer().scheme() == INTERNET_FACING ? fronts.take(arn) : "";
      if (!front.equals(b.front())) {
        store.write(tx -> tx.put(State.BALANCERS, arn, b.withFront(front)));
      }
    });
  }

  public CreateLoadBalancerResponse create(CreateLoadBalancerRequest request) {
    Refuse.unlessEffective(request, CREATE);
    String name = Refuse.unlessPresent("name", request.name());
    if (!name.matches("[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?")
        || name.startsWith("internal-")) {
      throw Refuse.invalid(
          "The load balancer name '"
              + name
              + "' must have at most 32 alphanumeric characters or hyphens, must not begin or end"
              + " with a hyphen, and must not begin with 'internal-'");
    }
    LoadBalancerTypeEnum type =
        request.type() == null ? LoadBalancerTypeEnum.APPLICATION : request.type();
    boolean network = type == LoadBalancerTypeEnum.NETWORK;
    if (type != LoadBalancerTypeEnum.APPLICATION && !network) {
      throw Refuse.invalid(
          "Load balancers of type '"
              + request.typeAsString()
              + "' are not supported in this region");
    }
    LoadBalancerSchemeEnum scheme =
        request.scheme() == null ? LoadBalancerSchemeEnum.INTERNET_FACING : request.scheme();
    if (scheme == LoadBalancerSchemeEnum.UNKNOWN_TO_SDK_VERSION) {
      throw InvalidSchemeException.builder()
          .message("Load balancer scheme '" + request.schemeAsString() + "' is not valid")
          .build();
    }
    Tags.check(request.tags());
    IpAddressType addresses = AddressTypes.of(request.ipAddressTypeAsString(), network, scheme);
    Placement placement =
        new Placements(
                ec2,
                network,
                scheme,
                addresses,
                SourceNat.of(
                    ec2,
                    ids,
                    request.enablePrefixForIpv6SourceNatAsString(),
                    network,
                    addresses,
                    false))
            .of(request.subnets(), request.subnetMappings(), null);
    String vpc = placement.vpc();
    List<String> groups =
        network && request.securityGroups().isEmpty()
            ? List.of()
            : securityGroups(request.securityGroups(), vpc);
    String path = (network ? "net/" : "app/") + name + "/" + ids.hex(16);
    String arn = scope.arn("elasticloadbalancing", "loadbalancer/" + path);
    String front = scheme == INTERNET_FACING ? fronts.take(arn) : "";
    boolean used = false;
    Balancing made;
    try {
      made = insert(request, scheme, placement, groups, arn, front);
      used = made.balancer().loadBalancerArn().equals(arn);
    } finally {
      if (!used) {
        fronts.release(arn);
      }
    }
    wakes.balancers().wake(made.balancer().loadBalancerArn());
    return CreateLoadBalancerResponse.builder().loadBalancers(made.balancer()).build();
  }

  private Balancing insert(
      CreateLoadBalancerRequest request,
      LoadBalancerSchemeEnum scheme,
      Placement placement,
      List<String> groups,
      String arn,
      String front) {
    String name = request.name();
    return store.write(tx -> {
      List<Row<Balancing>> all = Existing.balancers(tx);
      Optional<Balancing> same =
          all.stream()
              .map(Row::value)
              .filter(b -> b.balancer().loadBalancerName().equals(name))
              .findFirst();
      if (same.isPresent()) {
        return existing(same.get(), scheme, placement, groups, request);
      }
      boolean network = arn.contains(NETWORK);
      if (all.stream().filter(row -> row.value().network() == network).count() >= MAX) {
        throw TooManyLoadBalancersException.builder()
            .message("The maximum number of load balancers has been reached")
            .build();
      }
      Balancing fresh =
          new Balancing(
              describe(arn, name, scheme, placement, groups),
              Attributes.ofScheme(
                  network ? NetworkAttributes.DEFAULTS : Attributes.BALANCER, scheme),
              request.tags(),
              List.of(),
              front,
              Map.of(),
              false);
      tx.insert(State.BALANCERS, arn, fresh);
      return fresh;
    });
  }

  private static Balancing existing(
      Balancing same,
      LoadBalancerSchemeEnum scheme,
      Placement placement,
      List<String> groups,
      CreateLoadBalancerRequest request) {
    Set<String> had = new TreeSet<>();
    same.balancer().availabilityZones().forEach(z -> had.add(z.subnetId()));
    Set<String> asked = new TreeSet<>();
    placement.zones().forEach(z -> asked.add(z.subnetId()));
    if (same.balancer().scheme() == scheme
        && same.network() == (request.type() == LoadBalancerTypeEnum.NETWORK)
        && same.balancer().ipAddressType() == placement.addresses()
        && same.prefixes() == placement.prefixes()
        && had.equals(asked)
        && new TreeSet<>(same.balancer().securityGroups()).equals(new TreeSet<>(groups))
        && new HashSet<>(same.tags()).equals(new HashSet<>(request.tags()))) {
      return same;
    }
    throw DuplicateLoadBalancerNameException.builder()
        .message(
            "A load balancer with the same name '"
                + request.name()
                + "' exists, but with different settings")
        .build();
  }

  private LoadBalancer describe(
      String arn,
      String name,
      LoadBalancerSchemeEnum scheme,
      Placement placement,
      List<String> groups) {
    long number = Long.parseUnsignedLong(ids.hex(8), 16);
    String prefix = scheme == LoadBalancerSchemeEnum.INTERNAL ? "internal-" : "";
    return LoadBalancer.builder()
        .loadBalancerArn(arn)
        .loadBalancerName(name)
        .dnsName(prefix + name + "-" + number + "." + scope.region() + DOMAIN)
        .canonicalHostedZoneId("Z35SXDOTRQ7X7K")
        .createdTime(clock.instant().truncatedTo(java.time.temporal.ChronoUnit.MILLIS))
        .scheme(scheme)
        .vpcId(placement.vpc())
        .state(s -> s.code(LoadBalancerStateEnum.PROVISIONING))
        .type(
            arn.contains(NETWORK) ? LoadBalancerTypeEnum.NETWORK : LoadBalancerTypeEnum.APPLICATION)
        .ipAddressType(placement.addresses())
        .enablePrefixForIpv6SourceNat(arn.contains(NETWORK) ? placement.enabled() : null)
        .securityGroups(groups)
        .availabilityZones(placement.zones())
        .build();
  }

  private List<String> securityGroups(List<String> wanted, String vpc) {
    if (wanted.isEmpty()) {
      return ec2
          .describeSecurityGroups(r ->
              r.filters(
                  Filter.builder().name("vpc-id").values(vpc).build(),
                  Filter.builder().name("group-name").values("default").build()))
          .securityGroups()
          .stream()
          .map(SecurityGroup::groupId)
          .toList();
    }
    try {
      for (SecurityGroup group :
          ec2.describeSecurityGroups(r -> r.groupIds(wanted)).securityGroups()) {
        if (!group.vpcId().equals(vpc) && !associated(group, vpc)) {
          throw invalidGroup(
              "Security group '" + group.groupId() + "' does not belong to VPC '" + vpc + "'");
        }
      }
    } catch (Ec2Exception e) {
      throw invalidGroup(e.awsErrorDetails().errorMessage());
    }
    return wanted;
  }

  /**
   * Whether a group of another VPC can be used in this one.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/vpc/latest/userguide/security-group-assoc.html">Associate
   *     security groups with multiple VPCs</a>
   */
  private boolean associated(SecurityGroup group, String vpc) {
    return !ec2.describeSecurityGroupVpcAssociations(r ->
            r.filters(
                Filter.builder().name("group-id").values(group.groupId()).build(),
                Filter.builder().name("vpc-id").values(vpc).build()))
        .securityGroupVpcAssociations()
        .isEmpty();
  }

  private static InvalidSecurityGroupException invalidGroup(String message) {
    return InvalidSecurityGroupException.builder().message(message).build();
  }

  public DescribeLoadBalancersResponse describe(DescribeLoadBalancersRequest request) {
    return store.read(tx -> {
      List<LoadBalancer> all =
          Existing.balancers(tx).stream().map(row -> row.value().balancer()).toList();
      for (String arn : request.loadBalancerArns()) {
        Existing.balancer(tx, arn);
      }
      for (String name : request.names()) {
        if (all.stream().noneMatch(b -> b.loadBalancerName().equals(name))) {
          throw LoadBalancerNotFoundException.builder()
              .message("Load balancers '[" + name + "]' not found")
              .build();
        }
      }
      List<LoadBalancer> found =
          all.stream()
              .filter(b ->
                  (request.loadBalancerArns().isEmpty()
                          || request.loadBalancerArns().contains(b.loadBalancerArn()))
                      && (request.names().isEmpty()
                          || request.names().contains(b.loadBalancerName())))
              .toList();
      Pages<LoadBalancer> page =
          Pages.of(found, LoadBalancer::loadBalancerArn, request.marker(), request.pageSize());
      return DescribeLoadBalancersResponse.builder()
          .loadBalancers(page.items())
          .nextMarker(page.next())
          .build();
    });
  }

  public DeleteLoadBalancerResponse delete(DeleteLoadBalancerRequest request) {
    String arn = request.loadBalancerArn();
    Refuse.unlessArn(arn, "loadbalancer/(?:app|net)/", "load balancer");
    store.write(tx -> {
      Optional<Balancing> present =
          tx.get(State.BALANCERS, arn).map(Row::value).filter(b -> !b.deleted());
      if (present.isEmpty()) {
        return true; // deleting what is not there succeeds, as on AWS
      }
      Balancing b = present.get();
      if ("true".equals(b.attributes().get(Attributes.PROTECTED))) {
        throw OperationNotPermittedException.builder()
            .message(
                "Load balancer '"
                    + arn
                    + "' cannot be deleted because deletion protection is enabled")
            .build();
      }
      BalancerTargets.unlessFree(tx, arn);
      tx.find(State.LISTENERS, "balancer", arn).forEach(row -> Listeners.delete(tx, row.key()));
      tx.put(
          State.BALANCERS,
          arn,
          new Balancing(
              b.balancer(), b.attributes(), b.tags(), b.nodes(), b.front(), b.problems(), true));
      Associations.update(tx, arn);
      certificates.settle(tx, arn);
      ZonalShifts.cancel(tx, arn);
      return true;
    });
    wakes.now(List.of(arn));
    return DeleteLoadBalancerResponse.builder().build();
  }

  public SetSecurityGroupsResponse setSecurityGroups(SetSecurityGroupsRequest request) {
    Refuse.unlessEffective(request, Set.of("LoadBalancerArn", "SecurityGroups"));
    String arn = request.loadBalancerArn();
    Balancing before = store.read(tx -> Existing.balancer(tx, arn));
    if (before.network()
        && before.balancer().securityGroups().isEmpty() != request.securityGroups().isEmpty()) {
      throw InvalidConfigurationRequestException.builder()
          .message(
              before.balancer().securityGroups().isEmpty()
                  ? "You cannot set security groups for a Network Load Balancer that was created"
                      + " without security groups"
                  : "You cannot remove all security groups from a Network Load Balancer")
          .build();
    }
    List<String> groups =
        before.network() && request.securityGroups().isEmpty()
            ? List.of()
            : securityGroups(request.securityGroups(), before.balancer().vpcId());
    store.write(tx -> {
      Balancing b = Existing.balancer(tx, arn);
      tx.put(
          State.BALANCERS,
          arn,
          b.described(b.balancer().toBuilder().securityGroups(groups).build()));
      return true;
    });
    wakes.now(List.of(arn));
    return SetSecurityGroupsResponse.builder().securityGroupIds(groups).build();
  }
}
