package dev.muelle.services.elasticloadbalancingv2.state;

import dev.muelle.services.elasticloadbalancingv2.state.State.Group;
import dev.muelle.services.elasticloadbalancingv2.state.State.Listening;
import dev.muelle.store.Row;
import dev.muelle.store.Tx;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupAssociationLimitException;

/** Which load balancers send to which target groups. */
public final class Associations {

  private Associations() {}

  /** Tells every target group which load balancers send to it now. */
  public static void update(Tx tx, String balancerArn) {
    Set<String> used = new HashSet<>();
    for (Row<Listening> row : tx.find(State.LISTENERS, "balancer", balancerArn)) {
      State.groupsOf(row.value().listener().defaultActions().getLast())
          .forEach(tuple -> used.add(tuple.targetGroupArn()));
    }
    for (Row<State.Ruling> row : tx.find(State.RULES, "balancer", balancerArn)) {
      State.groupsOf(row.value().rule().actions().getLast())
          .forEach(tuple -> used.add(tuple.targetGroupArn()));
    }
    for (Row<Group> row : tx.list(State.GROUPS)) {
      Group group = row.value();
      List<String> arns = new ArrayList<>(group.group().loadBalancerArns());
      boolean had = arns.contains(balancerArn);
      boolean has = used.contains(row.key());
      if (had == has) {
        continue;
      }
      if (has) {
        if (!arns.isEmpty()) {
          throw softwareLimit(row.key());
        }
        arns.add(balancerArn);
      } else {
        arns.remove(balancerArn);
      }
      tx.put(
          State.GROUPS,
          row.key(),
          new Group(
              group.group().toBuilder().loadBalancerArns(arns).build(),
              group.attributes(),
              group.tags(),
              group.targets()));
    }
    tx.get(State.BALANCERS, balancerArn)
        .ifPresent(balancer -> Shifts.unlessShiftable(tx, balancer.value()));
  }

  private static RuntimeException softwareLimit(String groupArn) {
    return TargetGroupAssociationLimitException.builder()
        .message(
            "The following target groups cannot be associated with more than one load balancer: "
                + groupArn)
        .build();
  }
}
