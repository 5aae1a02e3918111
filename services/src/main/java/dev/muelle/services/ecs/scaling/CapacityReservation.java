package dev.muelle.services.ecs.scaling;

import dev.muelle.services.ecs.placement.Constraint;
import dev.muelle.services.ecs.placement.Demand;
import dev.muelle.services.ecs.placement.Offer;
import dev.muelle.services.ecs.placement.Reason;
import dev.muelle.services.ecs.placement.Request;
import dev.muelle.services.ecs.task.WaitingTasks;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntBinaryOperator;
import software.amazon.awssdk.services.ecs.model.ManagedScaling;

/**
 * The metric {@code CapacityProviderReservation}: a pure function of what a group has and of what
 * waits for it.
 *
 * @param needed M: how many instances the group should have
 * @param present N: how many it has in service
 * @see <a
 *     href="https://aws.amazon.com/blogs/containers/deep-dive-on-amazon-ecs-cluster-auto-scaling/">Deep
 *     dive on Amazon ECS cluster auto scaling</a>
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cluster-auto-scaling.html">Automatically
 *     manage Amazon ECS capacity with cluster auto scaling</a>
 */
record CapacityReservation(int needed, int present) {

  private static final int NOTHING_MISSES = 100;
  private static final int FROM_ZERO = 200;
  private static final int UNBOUNDED = Integer.MAX_VALUE;

  /** M / N × 100; without instances 200 if any is needed, and 100 if none is. */
  double percent() {
    if (present == 0) {
      return needed == 0 ? NOTHING_MISSES : FROM_ZERO;
    }
    return 100.0 * needed / present;
  }

  /** Tasks that take the same of an instance. */
  private record Alike(Demand demand, boolean alone, String group) {}

  /**
   * Computes it.
   *
   * @param present how many instances are in service
   * @param used how many of them run a task that is no daemon's
   * @param waiting tasks that found no room
   * @param types what an instance of each type that the group may launch has for tasks
   */
  static CapacityReservation of(
      int present,
      int used,
      List<WaitingTasks.Unplaced> waiting,
      Collection<Offer> types,
      ManagedScaling settings) {
    if (waiting.isEmpty()) {
      return new CapacityReservation(used, present);
    }
    int missing = missing(waiting, types);
    if (missing == 0) {
      return new CapacityReservation(present, present); // more instances would not help
    }
    int step =
        Math.min(
            Math.max(missing, settings.minimumScalingStepSize()),
            settings.maximumScalingStepSize());
    return new CapacityReservation(present + step, present);
  }

  /** How many more instances the group with the greatest need wants. */
  private static int missing(List<WaitingTasks.Unplaced> waiting, Collection<Offer> types) {
    if (types.isEmpty()) {
      return 0;
    }
    Offer smallest = of(types, Math::min);
    Offer largest = of(types, Math::max);
    Map<Alike, Integer> groups = new HashMap<>();
    for (WaitingTasks.Unplaced task : waiting) {
      if (task.why().closest() == null || task.why().closest().reason() != Reason.MEMBER_OF) {
        groups.merge(alike(task.request()), 1, Integer::sum);
      }
    }
    int most = 0;
    for (Map.Entry<Alike, Integer> group : groups.entrySet()) {
      if (fit(group.getKey(), smallest) > 0) {
        most = Math.max(most, Math.ceilDiv(group.getValue(), fit(group.getKey(), largest)));
      }
    }
    return most;
  }

  private static Alike alike(Request request) {
    boolean distinct = request.constraints().contains(new Constraint.DistinctInstance());
    Demand demand = request.demand();
    boolean fixedPorts = !demand.tcp().isEmpty() || !demand.udp().isEmpty();
    return new Alike(demand, distinct || fixedPorts, distinct ? request.group() : "");
  }

  /** How many such tasks fit on an empty instance. */
  private static int fit(Alike task, Offer offer) {
    Demand demand = task.demand();
    boolean blocked =
        demand.tcp().stream().anyMatch(offer.reservedTcp()::contains)
            || demand.udp().stream().anyMatch(offer.reservedUdp()::contains);
    if (blocked) {
      return 0;
    }
    int fit = task.alone() ? 1 : UNBOUNDED;
    fit = Math.min(fit, fit(offer.cpu(), demand.cpu()));
    fit = Math.min(fit, fit(offer.memory(), demand.memory()));
    fit = Math.min(fit, fit(offer.interfaces(), demand.interfaces()));
    return Math.min(fit, fit(offer.gpus(), demand.gpus()));
  }

  private static int fit(int offered, int demanded) {
    return demanded == 0 ? UNBOUNDED : offered / demanded;
  }

  /** The smallest or the largest of each parameter. */
  private static Offer of(Collection<Offer> types, IntBinaryOperator choose) {
    Set<Integer> tcp = types.iterator().next().reservedTcp();
    Set<Integer> udp = types.iterator().next().reservedUdp();
    return types.stream()
        .reduce((a, b) ->
            new Offer(
                choose.applyAsInt(a.cpu(), b.cpu()),
                choose.applyAsInt(a.memory(), b.memory()),
                tcp,
                udp,
                choose.applyAsInt(a.interfaces(), b.interfaces()),
                choose.applyAsInt(a.gpus(), b.gpus())))
        .orElseThrow();
  }
}
