package dev.muelle.services.elasticloadbalancingv2.target;

import dev.muelle.services.elasticloadbalancingv2.request.Refuse;
import dev.muelle.services.elasticloadbalancingv2.state.State;
import dev.muelle.services.elasticloadbalancingv2.state.State.Balancing;
import dev.muelle.services.elasticloadbalancingv2.state.State.Group;
import dev.muelle.store.Row;
import dev.muelle.store.Tx;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.InvalidTargetException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ResourceInUseException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetDescription;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroup;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TooManyRegistrationsForTargetIdException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TooManyTargetsException;

/**
 * Application load balancers that are targets of network load balancers: registered by their ARN,
 * reached at their nodes.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/network/application-load-balancer-target.html">
 *     Use Application Load Balancers as targets of a Network Load Balancer</a>
 */
public final class BalancerTargets {

  /** In so many target groups one may be, and so before so many network load balancers. */
  private static final int MAX_GROUPS = 2;

  private BalancerTargets() {}

  /** The target that a request means; it is not known yet whether it may be one. */
  static State.Target target(TargetDescription t, TargetGroup group, int port) {
    if (t.availabilityZone() != null) {
      throw Refuse.invalid(
          "You cannot specify an Availability Zone for a target group of target type '"
              + group.targetTypeAsString()
              + "'");
    }
    String arn = Refuse.unlessArn(t.id(), "loadbalancer/app/", "Application Load Balancer");
    return new State.Target(null, arn, port, null, null);
  }

  /**
   * Whether a group may have this target.
   *
   * @param targets those that it has then
   */
  static void unlessAllowed(
      Tx tx, TargetGroup group, State.Target target, List<State.Target> targets) {
    String arn = target.id();
    Balancing balancer =
        tx.get(State.BALANCERS, arn)
            .map(Row::value)
            .filter(b -> !b.deleted())
            .orElseThrow(() ->
                InvalidTargetException.builder()
                    .message("The following targets are not valid load balancers: '" + arn + "'")
                    .build());
    if (!group.vpcId().equals(balancer.balancer().vpcId())) {
      throw InvalidTargetException.builder()
          .message(
              "The following targets are not in the target group VPC '"
                  + group.vpcId()
                  + "': '"
                  + arn
                  + "'")
          .build();
    }
    if (tx.find(State.LISTENERS, "balancer", arn).stream()
        .noneMatch(row -> row.value().listener().port() == target.port())) {
      throw Refuse.invalid(
          "If the target type is ALB, the target must have at least one listener that matches the"
              + " target group port or any specified port overrides");
    }
    if (targets.stream().filter(t -> t.drainUntil() == null).count() > 1) {
      throw TooManyTargetsException.builder()
          .message("You can register one Application Load Balancer per target group")
          .build();
    }
    long others =
        holding(tx, arn)
            .filter(other -> !other.group().targetGroupArn().equals(group.targetGroupArn()))
            .count();
    if (others >= MAX_GROUPS) {
      throw TooManyRegistrationsForTargetIdException.builder()
          .message(
              "Target '" + arn + "' is registered with " + MAX_GROUPS + " target groups already")
          .build();
    }
  }

  /** The groups in which a load balancer is registered. */
  private static Stream<Group> holding(Tx tx, String arn) {
    return tx.list(State.GROUPS).stream()
        .map(Row::value)
        .filter(
            group -> group.targets().stream().anyMatch(t -> t.drainUntil() == null && is(t, arn)));
  }

  private static boolean is(State.Target target, String arn) {
    return target.balancer() && target.id().equals(arn);
  }

  /** Who is a target is not deleted before it is deregistered. */
  public static void unlessFree(Tx tx, String arn) {
    if (holding(tx, arn).findAny().isPresent()) {
      throw ResourceInUseException.builder()
          .message(
              "Load balancer '"
                  + arn
                  + "' cannot be deleted because it is currently associated with another service")
          .build();
    }
  }

  /** Nor is its listener at the port at which it is one. */
  public static void unlessFree(Tx tx, String arn, int port) {
    boolean used =
        holding(tx, arn)
            .flatMap(group -> group.targets().stream())
            .anyMatch(t -> t.drainUntil() == null && is(t, arn) && t.port() == port);
    if (used) {
      throw ResourceInUseException.builder()
          .message(
              "Listener port '"
                  + port
                  + "' is in use by registered target '"
                  + arn
                  + "' and cannot be removed.")
          .build();
    }
  }

  /** A load balancer and those that send to it, which have to hear when its nodes change. */
  public static Set<String> withThoseBefore(Tx tx, String arn) {
    Set<String> all = new LinkedHashSet<>(Set.of(arn));
    for (Row<Group> row : tx.list(State.GROUPS)) {
      if (row.value().targets().stream().anyMatch(t -> is(t, arn))) {
        all.addAll(row.value().group().loadBalancerArns());
      }
    }
    return all;
  }

  /** Where a target is reached: at its address; a load balancer at each of its nodes. */
  public static List<State.Target> reached(Tx tx, State.Target target) {
    if (!target.balancer()) {
      return List.of(target);
    }
    return tx.get(State.BALANCERS, target.id()).map(Row::value).filter(b -> !b.deleted()).stream()
        .flatMap(b -> b.enabled().stream())
        .map(node ->
            new State.Target(
                target.id(), node.address(), target.port(), node.zone(), target.drainUntil()))
        .toList();
  }

  /** A group whose targets are the places at which they are reached. */
  public static Group reached(Tx tx, Group group) {
    return new Group(
        group.group(),
        group.attributes(),
        group.tags(),
        group.targets().stream().flatMap(target -> reached(tx, target).stream()).toList());
  }
}
