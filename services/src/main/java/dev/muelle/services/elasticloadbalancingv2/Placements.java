package dev.muelle.services.elasticloadbalancingv2;

import java.net.InetAddress;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.Address;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.AllocationIdNotFoundException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.AvailabilityZone;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.InvalidConfigurationRequestException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerAddress;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerSchemeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.SubnetMapping;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.SubnetNotFoundException;

/**
 * Where a load balancer of one kind may be.
 *
 * @param network whether it is a network load balancer, for which one zone is enough
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_SubnetMapping.html">
 *     SubnetMapping</a>
 */
record Placements(Ec2Client ec2, boolean network, LoadBalancerSchemeEnum scheme) {

  private static final LoadBalancerSchemeEnum INTERNET_FACING =
      LoadBalancerSchemeEnum.INTERNET_FACING;

  /**
   * What is asked for.
   *
   * @param before where the load balancer is now: it keeps its addresses there
   * @throws
   *     software.amazon.awssdk.services.elasticloadbalancingv2.model.ElasticLoadBalancingV2Exception
   *     if it cannot be there
   */
  Placement of(List<String> ids, List<SubnetMapping> mappings, List<AvailabilityZone> before) {
    List<Subnet> subnets = subnets(subnetIds(ids, mappings));
    Map<String, LoadBalancerAddress> kept = new HashMap<>();
    before.forEach(zone ->
        zone.loadBalancerAddresses().forEach(address -> kept.put(zone.subnetId(), address)));
    Set<String> present = new HashSet<>();
    before.forEach(zone -> present.add(zone.subnetId()));
    Map<String, LoadBalancerAddress> addresses = addresses(subnets, mappings, present, kept);
    return new Placement(
        subnets.getFirst().vpcId(),
        subnets.stream()
            .map(subnet -> {
              LoadBalancerAddress address = addresses.get(subnet.subnetId());
              return AvailabilityZone.builder()
                  .zoneName(subnet.availabilityZone())
                  .subnetId(subnet.subnetId())
                  .loadBalancerAddresses(address == null ? List.of() : List.of(address))
                  .build();
            })
            .toList());
  }

  private List<String> subnetIds(List<String> subnets, List<SubnetMapping> mappings) {
    if (!subnets.isEmpty() && !mappings.isEmpty()) {
      throw Refuse.invalid("You cannot specify both 'Subnets' and 'SubnetMappings'");
    }
    mappings.forEach(mapping ->
        Refuse.unlessEffective(
            mapping,
            network
                ? Set.of("SubnetId", "AllocationId", "PrivateIPv4Address")
                : Set.of("SubnetId")));
    return mappings.isEmpty() ? subnets : mappings.stream().map(SubnetMapping::subnetId).toList();
  }

  /** The addresses that are asked for or kept, by subnet. */
  private Map<String, LoadBalancerAddress> addresses(
      List<Subnet> subnets,
      List<SubnetMapping> mappings,
      Set<String> present,
      Map<String, LoadBalancerAddress> kept) {
    Map<String, LoadBalancerAddress> addresses = new HashMap<>(kept);
    for (SubnetMapping mapping : mappings) {
      LoadBalancerAddress had = kept.get(mapping.subnetId());
      if (present.contains(mapping.subnetId()) && asksOnlyFor(mapping, had)) {
        continue;
      }
      if (present.contains(mapping.subnetId())) {
        throw InvalidConfigurationRequestException.builder()
            .message("The addresses of subnet '" + mapping.subnetId() + "' cannot be changed")
            .build();
      }
      LoadBalancerAddress asked = address(subnets, mapping);
      if (!asked.equals(LoadBalancerAddress.builder().build())) {
        addresses.put(mapping.subnetId(), asked);
      }
    }
    return addresses;
  }

  private static boolean asksOnlyFor(SubnetMapping mapping, @Nullable LoadBalancerAddress had) {
    LoadBalancerAddress present = had == null ? LoadBalancerAddress.builder().build() : had;
    return (mapping.allocationId() == null
            || Objects.equals(mapping.allocationId(), present.allocationId()))
        && (mapping.privateIPv4Address() == null
            || Objects.equals(mapping.privateIPv4Address(), present.privateIPv4Address()));
  }

  private LoadBalancerAddress address(List<Subnet> subnets, SubnetMapping mapping) {
    LoadBalancerAddress.Builder address = LoadBalancerAddress.builder();
    if (mapping.allocationId() != null) {
      if (scheme != INTERNET_FACING) {
        throw Refuse.invalid("You cannot specify an allocation ID for an internal load balancer");
      }
      address.allocationId(mapping.allocationId()).ipAddress(elastic(mapping.allocationId()));
    }
    if (mapping.privateIPv4Address() != null) {
      if (scheme == INTERNET_FACING) {
        throw Refuse.invalid(
            "You cannot specify a private IPv4 address for an internet-facing load balancer");
      }
      String block =
          subnets.stream()
              .filter(subnet -> subnet.subnetId().equals(mapping.subnetId()))
              .map(Subnet::cidrBlock)
              .findFirst()
              .orElseThrow();
      if (!Blocks.isAddress(mapping.privateIPv4Address())
          || !Blocks.within(
              block, InetAddress.ofLiteral(mapping.privateIPv4Address()).getAddress())) {
        throw Refuse.invalid(
            "The private IPv4 address '"
                + mapping.privateIPv4Address()
                + "' is not in the range of subnet '"
                + mapping.subnetId()
                + "'");
      }
      address.privateIPv4Address(mapping.privateIPv4Address());
    }
    return address.build();
  }

  /** The public address of an allocation that nobody uses. */
  private String elastic(String allocation) {
    Address address;
    try {
      address = ec2.describeAddresses(r -> r.allocationIds(allocation)).addresses().getFirst();
    } catch (Ec2Exception e) {
      throw AllocationIdNotFoundException.builder()
          .message("The allocation IDs '[" + allocation + "]' do not exist")
          .build();
    }
    if (address.associationId() != null) {
      throw InvalidConfigurationRequestException.builder()
          .message("The allocation ID '" + allocation + "' is already in use")
          .build();
    }
    return address.publicIp();
  }

  private List<Subnet> subnets(List<String> wanted) {
    if (wanted.isEmpty()) {
      throw Refuse.invalid("A load balancer must have at least one subnet: specify 'Subnets'");
    }
    List<Subnet> subnets;
    try {
      subnets = ec2.describeSubnets(r -> r.subnetIds(new TreeSet<>(wanted))).subnets();
    } catch (Ec2Exception e) {
      throw SubnetNotFoundException.builder().message(e.awsErrorDetails().errorMessage()).build();
    }
    Set<String> zones = new HashSet<>();
    Set<String> vpcs = new HashSet<>();
    for (Subnet subnet : subnets) {
      vpcs.add(subnet.vpcId());
      if (!zones.add(subnet.availabilityZone())) {
        throw InvalidConfigurationRequestException.builder()
            .message(
                "A load balancer cannot be attached to multiple subnets in the same Availability Zone")
            .build();
      }
    }
    if (vpcs.size() != 1) {
      throw InvalidConfigurationRequestException.builder()
          .message("All subnets must belong to the same VPC: '" + String.join("', '", wanted) + "'")
          .build();
    }
    if (zones.size() < (network ? 1 : 2)) {
      throw Refuse.invalid(
          "At least two subnets in two different Availability Zones must be specified");
    }
    return subnets;
  }
}
