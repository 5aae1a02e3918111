package dev.muelle.services.elasticloadbalancingv2.state;

import dev.muelle.services.ZonalShifts;
import dev.muelle.services.ZonalShifts.Shift;
import dev.muelle.services.elasticloadbalancingv2.request.Attributes;
import dev.muelle.services.elasticloadbalancingv2.request.FlowGroupAttributes;
import dev.muelle.services.elasticloadbalancingv2.request.GroupAttributes;
import dev.muelle.services.elasticloadbalancingv2.request.Protocols;
import dev.muelle.services.elasticloadbalancingv2.state.State.Balancing;
import dev.muelle.services.elasticloadbalancingv2.state.State.Group;
import dev.muelle.store.Row;
import dev.muelle.store.Tx;
import java.util.Optional;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.InvalidConfigurationRequestException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetTypeEnum;

/**
 * What zonal shifts mean for load balancers that let themselves be shifted.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/zonal-shift.html">
 *     Zonal shift for your Application Load Balancer</a>
 * @see <a href="https://docs.aws.amazon.com/elasticloadbalancing/latest/network/zonal-shift.html">
 *     Zonal shift for your Network Load Balancer</a>
 */
public final class Shifts {

  private Shifts() {}

  /** The name of the zone that a load balancer is shifted away from now. */
  public static Optional<String> away(Tx tx, Balancing balancer) {
    return enabled(balancer)
        ? ZonalShifts.active(tx, balancer.balancer().loadBalancerArn()).map(Shift::zone)
        : Optional.empty();
  }

  /** Whether a load balancer lets itself be shifted. */
  public static boolean enabled(Balancing balancer) {
    return "true".equals(balancer.attributes().get(Attributes.ZONAL_SHIFT));
  }

  /** Whether nodes send to other zones: else only the load balancer's name keeps from a zone. */
  public static boolean crosses(Balancing balancer, Group group) {
    return GroupAttributes.crossZone(group.all(), balancer.crossZone());
  }

  /**
   * A network load balancer whose nodes send to other zones can be shifted only with target groups
   * of connections, which stay when their target is left.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/r53recovery/latest/dg/arc-zonal-shift.resource-types.network-load-balancers.html">
   *     Network Load Balancers</a>
   */
  public static void unlessShiftable(Tx tx, Balancing balancer) {
    if (!enabled(balancer) || !balancer.network() || !balancer.crossZone()) {
      return;
    }
    for (Row<Group> row : tx.list(State.GROUPS)) {
      Group group = row.value();
      if (group.group().loadBalancerArns().contains(balancer.balancer().loadBalancerArn())
          && !shiftable(balancer, group)) {
        throw InvalidConfigurationRequestException.builder()
            .message(
                "Zonal shift with cross-zone load balancing is not supported for target group '"
                    + row.key()
                    + "': its protocol must be TCP or TLS, its targets no load balancers,"
                    + " cross-zone load balancing on, and connection termination for unhealthy"
                    + " targets off")
            .build();
      }
    }
  }

  private static boolean shiftable(Balancing balancer, Group group) {
    return !Protocols.datagrams(group.group().protocol())
        && group.group().targetType() != TargetTypeEnum.ALB
        && crosses(balancer, group)
        && !FlowGroupAttributes.cutsUnhealthy(group.all());
  }
}
