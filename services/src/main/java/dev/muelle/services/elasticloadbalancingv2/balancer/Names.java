package dev.muelle.services.elasticloadbalancingv2.balancer;

import dev.muelle.services.elasticloadbalancingv2.node.Zones;
import dev.muelle.services.elasticloadbalancingv2.state.Existing;
import dev.muelle.services.elasticloadbalancingv2.state.Shifts;
import dev.muelle.services.elasticloadbalancingv2.state.State;
import dev.muelle.services.elasticloadbalancingv2.state.State.Balancing;
import dev.muelle.services.elasticloadbalancingv2.state.State.Group;
import dev.muelle.services.elasticloadbalancingv2.target.BalancerTargets;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** What load balancers' names mean inside their VPCs. */
public record Names(Store store) {

  private static final String AWS_DOMAIN = ".elb.amazonaws.com";

  /**
   * The addresses of a load balancer's name inside its VPC. There the name's form on AWS means the
   * same: curl and browsers take every name under {@code .localhost} for the container itself,
   * without asking a resolver (RFC 6761, section 6.3).
   */
  public Optional<List<String>> lookup(String vpcId, String asked) {
    String name =
        asked.endsWith(AWS_DOMAIN)
            ? asked.substring(0, asked.length() - AWS_DOMAIN.length()) + LoadBalancers.DOMAIN
            : asked;
    if (!name.endsWith(LoadBalancers.DOMAIN)) {
      return Optional.empty();
    }
    return store.read(tx ->
        Existing.balancers(tx).stream()
            .map(Row::value)
            .filter(b ->
                b.balancer().vpcId().equals(vpcId)
                    && b.balancer().dnsName().toLowerCase(Locale.ROOT).equals(name))
            .findFirst()
            .map(b -> inDns(tx, b).stream().flatMap(node -> b.named(node).stream()).toList()));
  }

  private static List<State.Node> inDns(Tx tx, Balancing balancer) {
    List<Group> groups =
        tx.list(State.GROUPS).stream()
            .map(Row::value)
            .filter(group ->
                group.group().loadBalancerArns().contains(balancer.balancer().loadBalancerArn()))
            .map(group -> BalancerTargets.reached(tx, group))
            .toList();
    return Zones.inDns(
        balancer,
        groups,
        (group, target) ->
            tx.get(
                    State.HEALTH,
                    State.healthKey(
                        group.group().targetGroupArn(), target.address(), target.port()))
                .filter(row -> row.value().health().equals("HEALTHY"))
                .isPresent(),
        Shifts.away(tx, balancer));
  }
}
