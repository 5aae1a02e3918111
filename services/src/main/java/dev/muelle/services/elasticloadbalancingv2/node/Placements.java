package dev.muelle.services.elasticloadbalancingv2.node;

import dev.muelle.network.Cidr6;
import dev.muelle.services.elasticloadbalancingv2.request.Refuse;
import dev.muelle.services.elasticloadbalancingv2.state.AddressTypes;
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
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.AllocationIdNotFoundException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.AvailabilityZone;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.InvalidConfigurationRequestException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.IpAddressType;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancer;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerAddress;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerSchemeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.SubnetMapping;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.SubnetNotFoundException;

/**
 * Where a load balancer of one kind may be.
 *
 * @param network whether it is a network load balancer, for which one zone is enough
 * @param families of its addresses
 * @param sourceNat gives it prefixes of IPv6 to send from; null if it is to have none
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_SubnetMapping.html">
 *     SubnetMapping</a>
 */
public record Placements(
    Ec2Client ec2,
    boolean network,
    LoadBalancerSchemeEnum scheme,
    IpAddressType families,
    @Nullable SourceNat sourceNat) {

  private static final LoadBalancerSchemeEnum INTERNET_FACING =
      LoadBalancerSchemeEnum.INTERNET_FACING;
  private static final LoadBalancerAddress NONE = LoadBalancerAddress.builder().build();

  /**
   * What is asked for.
   *
   * @param before the load balancer as it is now: where it stays it keeps its addresses; null for
   *     one that is to be made
   * @throws
   *     software.amazon.awssdk.services.elasticloadbalancingv2.model.ElasticLoadBalancingV2Exception
   *     if it cannot be there
   */
  public Placement of(
      List<String> ids, List<SubnetMapping> mappings, @Nullable LoadBalancer before) {
    List<Subnet> subnets = subnets(subnetIds(ids, mappings));
    Map<String, LoadBalancerAddress> kept = new HashMap<>();
    if (before != null) {
      before
          .availabilityZones()
          .forEach(zone ->
              kept.put(
                  zone.subnetId(),
                  zone.loadBalancerAddresses().stream()
                      .findFirst()
                      .map(this::spoken)
                      .orElse(NONE)));
    }
    boolean fresh6 = before == null || !AddressTypes.dual(before.ipAddressType());
    Map<String, LoadBalancerAddress> addresses = addresses(subnets, mappings, kept, fresh6);
    return new Placement(
        subnets.getFirst().vpcId(),
        subnets.stream()
            .map(subnet -> {
              LoadBalancerAddress address = addresses.getOrDefault(subnet.subnetId(), NONE);
              return AvailabilityZone.builder()
                  .zoneName(subnet.availabilityZone())
                  .subnetId(subnet.subnetId())
                  .loadBalancerAddresses(address.equals(NONE) ? List.of() : List.of(address))
                  .sourceNatIpv6Prefixes(
                      sourceNat == null
                          ? null
                          : List.of(sourceNat.prefix(subnet, mappings, before)))
                  .build();
            })
            .toList(),
        families,
        sourceNat != null);
  }

  /** An address that it had, as far as it still speaks its family. */
  private LoadBalancerAddress spoken(LoadBalancerAddress had) {
    return AddressTypes.dual(families) ? had : had.toBuilder().iPv6Address(null).build();
  }

  private List<String> subnetIds(List<String> subnets, List<SubnetMapping> mappings) {
    if (!subnets.isEmpty() && !mappings.isEmpty()) {
      throw Refuse.invalid("You cannot specify both 'Subnets' and 'SubnetMappings'");
    }
    mappings.forEach(mapping ->
        Refuse.unlessEffective(
            mapping,
            network
                ? Set.of(
                    "SubnetId",
                    "AllocationId",
                    "PrivateIPv4Address",
                    "IPv6Address",
                    "SourceNatIpv6Prefix")
                : Set.of("SubnetId")));
    if (sourceNat == null
        && mappings.stream().anyMatch(mapping -> mapping.sourceNatIpv6Prefix() != null)) {
      throw Refuse.invalid(
          "You cannot specify a prefix for IPv6 source NAT unless 'EnablePrefixForIpv6SourceNat' is"
              + " 'on'");
    }
    return mappings.isEmpty() ? subnets : mappings.stream().map(SubnetMapping::subnetId).toList();
  }

  /**
   * The addresses that are asked for or kept, by subnet.
   *
   * @param fresh6 whether it has no address of IPv6 yet
   */
  private Map<String, LoadBalancerAddress> addresses(
      List<Subnet> subnets,
      List<SubnetMapping> mappings,
      Map<String, LoadBalancerAddress> kept,
      boolean fresh6) {
    Map<String, LoadBalancerAddress> addresses = new HashMap<>(kept);
    for (SubnetMapping mapping : mappings) {
      String subnet = mapping.subnetId();
      LoadBalancerAddress had = kept.get(subnet);
      if (had == null) {
        addresses.put(subnet, address(subnets, mapping));
      } else if (!asksOnlyFor(mapping, had, fresh6)) {
        throw InvalidConfigurationRequestException.builder()
            .message("The addresses of subnet '" + subnet + "' cannot be changed")
            .build();
      } else if (fresh6 && mapping.iPv6Address() != null) {
        addresses.put(subnet, had.toBuilder().iPv6Address(ipv6(subnets, mapping)).build());
      }
    }
    return addresses;
  }

  private static boolean asksOnlyFor(
      SubnetMapping mapping, LoadBalancerAddress had, boolean fresh6) {
    return (mapping.allocationId() == null
            || Objects.equals(mapping.allocationId(), had.allocationId()))
        && (mapping.privateIPv4Address() == null
            || Objects.equals(mapping.privateIPv4Address(), had.privateIPv4Address()))
        && (mapping.iPv6Address() == null
            || fresh6
            || Objects.equals(Blocks.normal6(mapping.iPv6Address()), had.iPv6Address()));
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
    if (mapping.iPv6Address() != null) {
      address.iPv6Address(ipv6(subnets, mapping));
    }
    return address.build();
  }

  /** An address of IPv6 that is asked for, if it is free. */
  private String ipv6(List<Subnet> subnets, SubnetMapping mapping) {
    if (!AddressTypes.dual(families)) {
      throw Refuse.invalid(
          "You cannot specify an IPv6 address for a load balancer that has an 'ipv4' IP address"
              + " type");
    }
    Cidr6 block =
        subnets.stream()
            .filter(subnet -> subnet.subnetId().equals(mapping.subnetId()))
            .map(subnet -> subnet.ipv6CidrBlockAssociationSet().getFirst().ipv6CidrBlock())
            .map(Cidr6::parse)
            .findFirst()
            .orElseThrow();
    String address = Blocks.normal6(mapping.iPv6Address());
    if (address == null || !block.contains(address) || Blocks.reserved(block, address)) {
      throw Refuse.invalid(
          "The IPv6 address '"
              + mapping.iPv6Address()
              + "' is not in the range of subnet '"
              + mapping.subnetId()
              + "'");
    }
    Filter here = Filter.builder().name("subnet-id").values(mapping.subnetId()).build();
    Filter same = Filter.builder().name("ipv6-addresses.ipv6-address").values(address).build();
    if (!ec2.describeNetworkInterfaces(r -> r.filters(here, same)).networkInterfaces().isEmpty()) {
      throw InvalidConfigurationRequestException.builder()
          .message("The IPv6 address '" + address + "' is already in use")
          .build();
    }
    return address;
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
    if (AddressTypes.dual(families)
        && subnets.stream().anyMatch(subnet -> subnet.ipv6CidrBlockAssociationSet().isEmpty())) {
      throw Refuse.invalid("You must specify subnets with an associated IPv6 CIDR block.");
    }
    return subnets;
  }
}
