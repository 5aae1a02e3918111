package dev.muelle.services.elasticloadbalancingv2.node;

import dev.muelle.network.Cidr6;
import dev.muelle.services.Ids;
import dev.muelle.services.elasticloadbalancingv2.request.Refuse;
import dev.muelle.services.elasticloadbalancingv2.state.AddressTypes;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.Ipv6PrefixSpecification;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.EnablePrefixForIpv6SourceNatEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.InvalidConfigurationRequestException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.IpAddressType;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancer;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.SubnetMapping;

/**
 * Prefixes of IPv6, one in each subnet, under which a dual-stack network load balancer sends
 * datagrams of IPv4 clients to targets of IPv6.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_SubnetMapping.html">
 *     SubnetMapping</a>
 */
public record SourceNat(Ec2Client ec2, Ids ids) {

  private static final String ANY = "auto_assigned";
  private static final int LENGTH = 80;

  /** The bits of a prefix behind those of its subnet. */
  private static final int OWN_BITS = LENGTH - Long.SIZE;

  /**
   * What gives a load balancer its prefixes; null if it is to have none.
   *
   * @param asked as the request has it; null if it says nothing
   * @param before whether it has some
   */
  public static @Nullable SourceNat of(
      Ec2Client ec2,
      Ids ids,
      @Nullable String asked,
      boolean network,
      IpAddressType families,
      boolean before) {
    return enabled(asked, network, families, before) ? new SourceNat(ec2, ids) : null;
  }

  private static boolean enabled(
      @Nullable String asked, boolean network, IpAddressType families, boolean before) {
    if (asked == null) {
      return before && AddressTypes.dual(families);
    }
    boolean on = EnablePrefixForIpv6SourceNatEnum.ON.toString().equals(asked);
    if (!on && !EnablePrefixForIpv6SourceNatEnum.OFF.toString().equals(asked)) {
      throw Refuse.invalid(
          "1 validation error detected: Value '"
              + asked
              + "' at 'enablePrefixForIpv6SourceNat' failed to satisfy constraint: Member must"
              + " satisfy enum value set: [on, off]");
    }
    if (on && !network) {
      throw Refuse.invalid(
          "'EnablePrefixForIpv6SourceNat' is only supported for Network Load Balancers");
    }
    if (on && !AddressTypes.dual(families)) {
      throw refused("The IP address type must be 'dualstack' to enable prefixes for source NAT");
    }
    return on;
  }

  /**
   * The prefix that a load balancer is to have in a subnet: what is asked for, or what it has
   * there, or any.
   *
   * @param before the load balancer as it is now; null for one that is to be made
   */
  public String prefix(Subnet subnet, List<SubnetMapping> mappings, @Nullable LoadBalancer before) {
    Optional<String> had =
        before == null
            ? Optional.empty()
            : before.availabilityZones().stream()
                .filter(zone -> zone.subnetId().equals(subnet.subnetId()))
                .flatMap(zone -> zone.sourceNatIpv6Prefixes().stream())
                .findFirst();
    Optional<String> asked =
        mappings.stream()
            .filter(mapping -> subnet.subnetId().equals(mapping.subnetId()))
            .map(SubnetMapping::sourceNatIpv6Prefix)
            .filter(one -> one != null && !one.equals(ANY))
            .findFirst();
    Cidr6 block = Cidr6.parse(subnet.ipv6CidrBlockAssociationSet().getFirst().ipv6CidrBlock());
    if (asked.isEmpty()) {
      return had.orElseGet(() -> any(subnet, block));
    }
    Cidr6 prefix = parsed(subnet, block, asked.get());
    if (!had.equals(Optional.of(prefix.toString())) && !free(subnet, block, prefix)) {
      throw refused("The prefix '" + prefix + "' is already in use");
    }
    return prefix.toString();
  }

  private static Cidr6 parsed(Subnet subnet, Cidr6 block, String asked) {
    try {
      Cidr6 prefix = Cidr6.parse(asked);
      if (prefix.prefix() == LENGTH && block.contains(prefix)) {
        return prefix;
      }
    } catch (IllegalArgumentException e) {
      // answered below
    }
    throw Refuse.invalid(
        "The prefix '"
            + asked
            + "' for IPv6 source NAT is not '"
            + ANY
            + "', nor one of /80 in the range of subnet '"
            + subnet.subnetId()
            + "'");
  }

  private String any(Subnet subnet, Cidr6 block) {
    while (true) { // out of 2^16
      long number = Long.parseLong(ids.hex(OWN_BITS / 4), 16);
      Cidr6 prefix = new Cidr6(block.high(), number << Long.SIZE - OWN_BITS, LENGTH);
      if (free(subnet, block, prefix)) {
        return prefix.toString();
      }
    }
  }

  /** Neither the subnet's own addresses nor anybody else's are in it. */
  private boolean free(Subnet subnet, Cidr6 block, Cidr6 prefix) {
    Filter here = Filter.builder().name("subnet-id").values(subnet.subnetId()).build();
    return !prefix.contains(block.at(0))
        && !prefix.contains(block.at(-1))
        && ec2.describeNetworkInterfaces(r -> r.filters(here)).networkInterfaces().stream()
            .noneMatch(eni -> in(eni, prefix));
  }

  private static boolean in(NetworkInterface eni, Cidr6 prefix) {
    return eni.ipv6Addresses().stream().anyMatch(one -> prefix.contains(one.ipv6Address()))
        || eni.ipv6Prefixes().stream()
            .map(Ipv6PrefixSpecification::ipv6Prefix)
            .anyMatch(one -> Objects.equals(one, prefix.toString()));
  }

  private static InvalidConfigurationRequestException refused(String message) {
    return InvalidConfigurationRequestException.builder().message(message).build();
  }
}
