package dev.muelle.services.elasticloadbalancingv2.target;

import dev.muelle.services.elasticloadbalancingv2.node.Zones;
import dev.muelle.services.elasticloadbalancingv2.state.Shifts;
import dev.muelle.services.elasticloadbalancingv2.state.State;
import dev.muelle.services.elasticloadbalancingv2.state.State.Balancing;
import dev.muelle.services.elasticloadbalancingv2.state.State.Group;
import dev.muelle.store.Row;
import dev.muelle.store.Tx;
import java.util.List;

/** How a load balancer's zones are, by what is stored of its targets' health. */
public final class ZoneHealth {

  private ZoneHealth() {}

  /** A load balancer's, as of now. */
  public static Zones of(Tx tx, Balancing balancer) {
    return new Zones(
        balancer,
        groups(tx, balancer),
        (group, target) -> healthy(tx, group, target),
        Shifts.away(tx, balancer));
  }

  private static List<Group> groups(Tx tx, Balancing balancer) {
    return tx.list(State.GROUPS).stream()
        .map(Row::value)
        .filter(group ->
            group.group().loadBalancerArns().contains(balancer.balancer().loadBalancerArn()))
        .map(group -> BalancerTargets.reached(tx, group))
        .toList();
  }

  private static boolean healthy(Tx tx, Group group, State.Target target) {
    return tx.get(
            State.HEALTH,
            State.healthKey(group.group().targetGroupArn(), target.address(), target.port()))
        .filter(row -> row.value().health().equals("HEALTHY"))
        .isPresent();
  }
}
