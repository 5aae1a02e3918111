package dev.muelle.services.elasticloadbalancingv2.node;

import dev.muelle.services.elasticloadbalancingv2.state.State.Balancing;
import dev.muelle.services.elasticloadbalancingv2.state.State.Node;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.AssignedPrivateIpAddress;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.Ipv6PrefixSpecification;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.NetworkInterfaceIpv6Address;
import software.amazon.awssdk.services.ec2.model.NetworkInterfacePrivateIpAddress;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerAddress;

/**
 * The secondary addresses, IPv6 addresses and prefixes of a load balancer's nodes, once brought up
 * to what is stored: first those are given that are wanted, and when nobody listens at others any
 * more, those are taken away. What an earlier server had given and not written down is found at the
 * interfaces.
 */
public final class NodeAddresses {

  private final Ec2Client ec2;
  private final Balancing wanted;
  private final Map<String, List<String>> present = new HashMap<>();
  private final Map<String, List<String>> prefixes = new HashMap<>();
  private final Map<String, List<String>> secondary = new HashMap<>();
  private final Map<String, String> problems = new HashMap<>();

  public NodeAddresses(Ec2Client ec2, Balancing wanted) {
    this.ec2 = ec2;
    this.wanted = wanted;
  }

  /** Subnets in which a node lacks an address that it should have, and why. */
  public Map<String, String> problems() {
    return problems;
  }

  /** The nodes, each with an address if it is to have one. */
  public List<Node> of(List<Node> nodes, List<NetworkInterface> interfaces) {
    for (NetworkInterface eni : interfaces) {
      present.put(
          eni.networkInterfaceId(),
          eni.ipv6Addresses().stream().map(NetworkInterfaceIpv6Address::ipv6Address).toList());
      prefixes.put(
          eni.networkInterfaceId(),
          eni.ipv6Prefixes().stream().map(Ipv6PrefixSpecification::ipv6Prefix).toList());
      secondary.put(
          eni.networkInterfaceId(),
          eni.privateIpAddresses().stream()
              .filter(one -> !Boolean.TRUE.equals(one.primary()))
              .map(NetworkInterfacePrivateIpAddress::privateIpAddress)
              .toList());
    }
    return nodes.stream()
        .map(node ->
            new Node(
                node.subnet(),
                node.zone(),
                node.interfaceId(),
                node.address(),
                address(node),
                prefix(node),
                secondary(node)))
        .toList();
  }

  private @Nullable String address(Node node) {
    List<String> has = present.get(node.interfaceId());
    if (has == null) {
      return node.ipv6(); // it is about to go, with what it has
    }
    if (!wanted.dual()) {
      return null;
    }
    String named = named(node);
    if (named == null && !has.isEmpty()) {
      return has.contains(node.ipv6()) ? node.ipv6() : has.getFirst();
    }
    if (named != null && has.contains(named)) {
      return named;
    }
    try {
      return ec2.assignIpv6Addresses(r ->
              r.networkInterfaceId(node.interfaceId())
                  .applyMutation(asked -> {
                    if (named == null) {
                      asked.ipv6AddressCount(1);
                    } else {
                      asked.ipv6Addresses(named);
                    }
                  }))
          .assignedIpv6Addresses()
          .getFirst();
    } catch (Ec2Exception e) {
      problems.put(node.subnet(), "no IPv6 address: " + e.awsErrorDetails().errorMessage());
      return null;
    }
  }

  private @Nullable String prefix(Node node) {
    List<String> has = prefixes.get(node.interfaceId());
    if (has == null) {
      return node.prefix(); // it is about to go, with what it has
    }
    String own =
        wanted.balancer().availabilityZones().stream()
            .filter(zone -> zone.subnetId().equals(node.subnet()))
            .flatMap(zone -> zone.sourceNatIpv6Prefixes().stream())
            .findFirst()
            .orElse(null);
    if (own != null && !has.contains(own)) {
      try {
        ec2.assignIpv6Addresses(r -> r.networkInterfaceId(node.interfaceId()).ipv6Prefixes(own));
      } catch (Ec2Exception e) {
        problems.put(node.subnet(), "no IPv6 prefix: " + e.awsErrorDetails().errorMessage());
        return null;
      }
    }
    return own;
  }

  /**
   * Further addresses of IPv4, which it never loses.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-load-balancer-attributes.html#secondary-ip-addresses">
   *     Secondary IP addresses</a>
   */
  private List<String> secondary(Node node) {
    List<String> has = secondary.get(node.interfaceId());
    if (has == null) {
      return node.secondary(); // it is about to go, with what it has
    }
    int more = wanted.secondary() - has.size();
    if (more <= 0) {
      return has;
    }
    try {
      return Stream.concat(
              has.stream(),
              ec2
                  .assignPrivateIpAddresses(r ->
                      r.networkInterfaceId(node.interfaceId()).secondaryPrivateIpAddressCount(more))
                  .assignedPrivateIpAddresses()
                  .stream()
                  .map(AssignedPrivateIpAddress::privateIpAddress))
          .toList();
    } catch (Ec2Exception e) {
      problems.put(
          node.subnet(), "no secondary IPv4 addresses: " + e.awsErrorDetails().errorMessage());
      return has;
    }
  }

  /** The address that was asked for. */
  private @Nullable String named(Node node) {
    return wanted.balancer().availabilityZones().stream()
        .filter(zone -> zone.subnetId().equals(node.subnet()))
        .flatMap(zone -> zone.loadBalancerAddresses().stream())
        .map(LoadBalancerAddress::iPv6Address)
        .filter(Objects::nonNull)
        .findFirst()
        .orElse(null);
  }

  /** Takes away what nobody listens at. */
  public void shed(List<Node> nodes) {
    for (Node node : nodes) {
      List<String> gone = new ArrayList<>(present.getOrDefault(node.interfaceId(), List.of()));
      gone.remove(node.ipv6());
      if (!gone.isEmpty()) {
        ec2.unassignIpv6Addresses(
            r -> r.networkInterfaceId(node.interfaceId()).ipv6Addresses(gone));
      }
      List<String> left = new ArrayList<>(prefixes.getOrDefault(node.interfaceId(), List.of()));
      left.remove(node.prefix());
      if (!left.isEmpty()) {
        ec2.unassignIpv6Addresses(r -> r.networkInterfaceId(node.interfaceId()).ipv6Prefixes(left));
      }
    }
  }
}
