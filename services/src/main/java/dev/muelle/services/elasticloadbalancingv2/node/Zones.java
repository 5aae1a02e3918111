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
 * Which of a load balancer's zones are well: those in which every target group has as many healthy
 * targets as it asks for, and that it is not shifted away from. Pure.
 *
 * @param groups all of its target groups
 * @param away the zone that it is shifted away from
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health.html">
 *     Target group health</a>
 */
public record Zones(
    Balancing balancer,
    List<Group> groups,
    BiPredicate<Group, State.Target> healthy,
    Optional<String> away) {

  /** The nodes that its name means: those of zones that are well, or all if none is. */
  public List<Node> inDns() {
    List<Node> well = well();
    return well.isEmpty() ? nodes() : well;
  }

  /** The nodes of zones that are well. */
  public List<Node> well() {
    return nodes().stream()
        .filter(node ->
            !away.equals(Optional.of(node.zone()))
                && groups.stream().allMatch(group -> serves(group, node)))
        .toList();
  }

  private List<Node> nodes() {
    List<Node> enabled = balancer.enabled();
    return enabled.isEmpty() ? balancer.nodes() : enabled; // until new ones are made
  }

  private boolean serves(Group group, Node node) {
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
