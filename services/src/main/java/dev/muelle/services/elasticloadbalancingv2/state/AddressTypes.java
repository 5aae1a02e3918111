package dev.muelle.services.elasticloadbalancingv2.state;

import dev.muelle.services.elasticloadbalancingv2.request.Protocols;
import dev.muelle.services.elasticloadbalancingv2.request.Refuse;
import dev.muelle.services.elasticloadbalancingv2.state.State.Balancing;
import dev.muelle.services.elasticloadbalancingv2.state.State.Group;
import dev.muelle.store.Row;
import dev.muelle.store.Tx;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateTargetGroupRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.InvalidConfigurationRequestException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.IpAddressType;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerSchemeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ProtocolEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroup;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupIpAddressTypeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetTypeEnum;

/**
 * Which families of addresses load balancers are reached at, and which their target groups have.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_SetIpAddressType.html">
 *     SetIpAddressType</a>
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/network/create-target-group.html">
 *     Create a target group for your Network Load Balancer</a>
 */
public final class AddressTypes {

  private AddressTypes() {}

  /** Whether a load balancer of this type is reached over IPv6, too. */
  public static boolean dual(@Nullable IpAddressType type) {
    return type == IpAddressType.DUALSTACK || type == IpAddressType.DUALSTACK_WITHOUT_PUBLIC_IPV4;
  }

  /**
   * What a load balancer is to be.
   *
   * @param text as the request has it; null for one of IPv4 only
   */
  public static IpAddressType of(
      @Nullable String text, boolean network, LoadBalancerSchemeEnum scheme) {
    IpAddressType type = text == null ? IpAddressType.IPV4 : IpAddressType.fromValue(text);
    if (type == IpAddressType.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.invalid(
          "1 validation error detected: Value '"
              + text
              + "' at 'ipAddressType' failed to satisfy constraint: Member must satisfy enum value"
              + " set: [ipv4, dualstack, dualstack-without-public-ipv4]");
    }
    if (network && type == IpAddressType.DUALSTACK_WITHOUT_PUBLIC_IPV4) {
      throw Refuse.invalid(
          "The IP address type '" + type + "' is not supported for Network Load Balancers");
    }
    if (dual(type) && scheme == LoadBalancerSchemeEnum.INTERNAL) {
      throw Refuse.invalid("Internal load balancers must use the 'ipv4' IP address type");
    }
    return type;
  }

  /** What a target group is to be: of addresses of one of the two families. */
  public static TargetGroupIpAddressTypeEnum of(
      CreateTargetGroupRequest request, TargetTypeEnum type) {
    TargetGroupIpAddressTypeEnum family =
        request.ipAddressType() == null
            ? TargetGroupIpAddressTypeEnum.IPV4
            : request.ipAddressType();
    String asked = "The IP address type '" + request.ipAddressTypeAsString() + "' is not supported";
    if (family == TargetGroupIpAddressTypeEnum.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.invalid(
          "1 validation error detected: Value '"
              + request.ipAddressTypeAsString()
              + "' at 'ipAddressType' failed to satisfy constraint: Member must satisfy enum value"
              + " set: [ipv4, ipv6]");
    }
    if (family == TargetGroupIpAddressTypeEnum.IPV6 && type != TargetTypeEnum.IP) {
      throw Refuse.invalid(asked + " for target groups with target type '" + type + "'");
    }
    if (family == TargetGroupIpAddressTypeEnum.IPV6 && Protocols.datagrams(request.protocol())) {
      throw Refuse.invalid(
          asked + " for target groups with the protocol '" + request.protocol() + "'");
    }
    return family;
  }

  public static boolean ipv6(TargetGroup group) {
    return group.ipAddressType() == TargetGroupIpAddressTypeEnum.IPV6;
  }

  /** Refuses a type that does not go with what the load balancer listens to, or sends to. */
  public static void unlessFits(Tx tx, Balancing balancer, IpAddressType type) {
    String arn = balancer.balancer().loadBalancerArn();
    for (Row<Group> row : tx.list(State.GROUPS)) {
      if (row.value().group().loadBalancerArns().contains(arn)) {
        unlessReached(type, row.value().group());
      }
    }
    tx.find(State.LISTENERS, "balancer", arn)
        .forEach(row -> unlessSpoken(type, row.value().listener().protocol()));
  }

  /** Refuses targets that a load balancer has no address of its own towards. */
  public static void unlessReached(@Nullable IpAddressType type, TargetGroup group) {
    if (ipv6(group) && !dual(type)) {
      throw invalid(
          "You cannot associate an IPv6 target group with a load balancer that has an 'ipv4' IP"
              + " address type");
    }
  }

  /**
   * Refuses datagrams over IPv6: towards targets they are sent under prefixes of the load
   * balancer's own, which are not given out here.
   */
  public static void unlessSpoken(@Nullable IpAddressType type, ProtocolEnum protocol) {
    if (dual(type) && Set.of(ProtocolEnum.UDP, ProtocolEnum.TCP_UDP).contains(protocol)) {
      throw invalid(
          "You cannot specify '"
              + type
              + "' for a load balancer with a UDP or TCP_UDP listener unless prefixes for source"
              + " NAT are enabled, which are not supported in this region");
    }
  }

  private static InvalidConfigurationRequestException invalid(String message) {
    return InvalidConfigurationRequestException.builder().message(message).build();
  }
}
