package dev.muelle.services.elasticloadbalancingv2.node;

import dev.muelle.balancer.Minimum;
import dev.muelle.services.elasticloadbalancingv2.request.GroupAttributes;
import dev.muelle.services.elasticloadbalancingv2.state.State;
import dev.muelle.services.elasticloadbalancingv2.state.State.Balancing;
import dev.muelle.services.elasticloadbalancingv2.state.State.Group;
import dev.muelle.services.elasticloadbalancingv2.state.State.Node;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BiPredicate;

/**
 * Which of a load balancer's nodes its name means: those of zones in which every target group has
 * as many healthy targets as it asks for, and that it is not shifted away from; all of them if
 * there is no such zone. Pure.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health.html">
 *     Target group health</a>
 */
public final class Zones {

  private Zones() {}

  /**
   * Says which.
   *
   * @param away the zone that it is shifted away from
   */
  public static List<Node> inDns(
      Balancing balancer,
      List<Group> groups,
      BiPredicate<Group, State.Target> healthy,
      Optional<String> away) {
    List<Node> enabled = balancer.enabled();
    List<Node> nodes = enabled.isEmpty() ? balancer.nodes() : enabled; // until new ones are made
    List<Node> able =
        nodes.stream()
            .filter(node ->
                !away.equals(Optional.of(node.zone()))
                    && groups.stream().allMatch(group -> serves(balancer, group, node, healthy)))
            .toList();
    return able.isEmpty() ? nodes : able;
  }

  private static boolean serves(
      Balancing balancer, Group group, Node node, BiPredicate<Group, State.Target> healthy) {
    Map<String, String> attributes = group.all();
    Minimum minimum = GroupAttributes.inDns(attributes);
    boolean all = GroupAttributes.crossZone(attributes, balancer.crossZone());
    List<State.Target> targets =
        group.targets().stream()
            .filter(target -> target.drainUntil() == null && balancer.covers(target))
            .filter(target ->
                all
                    || Objects.equals(target.zone(), node.zone())
                    || Objects.equals(target.zone(), "all"))
            .toList();
    long well = targets.stream().filter(target -> healthy.test(group, target)).count();
    return minimum.reached((int) well, targets.size());
  }
}
