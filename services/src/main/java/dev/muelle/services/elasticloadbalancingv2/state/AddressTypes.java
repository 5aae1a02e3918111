package dev.muelle.services.elasticloadbalancingv2.state;

import dev.muelle.services.elasticloadbalancingv2.request.Protocols;
import dev.muelle.services.elasticloadbalancingv2.request.Refuse;
import dev.muelle.services.elasticloadbalancingv2.state.State.Balancing;
import dev.muelle.services.elasticloadbalancingv2.state.State.Group;
import dev.muelle.store.Row;
import dev.muelle.store.Tx;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateTargetGroupRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.InvalidConfigurationRequestException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.IpAddressType;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Listener;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerSchemeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroup;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupIpAddressTypeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupTuple;
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
    if (type == IpAddressType.DUALSTACK_WITHOUT_PUBLIC_IPV4
        && scheme == LoadBalancerSchemeEnum.INTERNAL) {
      throw Refuse.invalid(
          "The IP address type '" + type + "' is not supported for internal load balancers");
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
    return family;
  }

  public static boolean ipv6(TargetGroup group) {
    return group.ipAddressType() == TargetGroupIpAddressTypeEnum.IPV6;
  }

  /** Refuses a type that does not go with what the load balancer listens to, or sends to. */
  public static void unlessFits(Tx tx, Balancing balancer, IpAddressType type, boolean prefixes) {
    String arn = balancer.balancer().loadBalancerArn();
    for (Row<Group> row : tx.list(State.GROUPS)) {
      if (row.value().group().loadBalancerArns().contains(arn)) {
        unlessReached(type, row.value().group());
      }
    }
    tx.find(State.LISTENERS, "balancer", arn)
        .forEach(row -> unlessSpoken(tx, type, prefixes, row.value().listener()));
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
   * Refuses datagrams of both families unless they go to targets of IPv6, towards which clients of
   * IPv4 have addresses out of prefixes.
   *
   * @param prefixes whether the load balancer has some
   * @see <a
   *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-listeners.html">
   *     Listeners for your Network Load Balancers</a>
   */
  public static void unlessSpoken(
      Tx tx, @Nullable IpAddressType type, boolean prefixes, Listener listener) {
    if (!dual(type) || !Protocols.datagrams(listener.protocol())) {
      return;
    }
    if (!prefixes) {
      throw invalid(
          "You cannot specify '"
              + type
              + "' for a load balancer with a UDP or TCP_UDP listener unless prefixes for IPv6"
              + " source NAT are enabled");
    }
    for (TargetGroupTuple tuple : State.groupsOf(listener.defaultActions().getLast())) {
      boolean wide =
          tx.get(State.GROUPS, tuple.targetGroupArn())
              .filter(row -> ipv6(row.value().group()))
              .isPresent();
      if (!wide) {
        throw invalid(
            "You cannot associate an IPv4 target group with a UDP or TCP_UDP listener of a load"
                + " balancer that has a '"
                + type
                + "' IP address type");
      }
    }
  }

  private static InvalidConfigurationRequestException invalid(String message) {
    return InvalidConfigurationRequestException.builder().message(message).build();
  }
}
