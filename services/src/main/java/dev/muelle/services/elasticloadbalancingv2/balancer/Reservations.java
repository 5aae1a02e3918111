package dev.muelle.services.elasticloadbalancingv2.balancer;

import dev.muelle.services.elasticloadbalancingv2.request.Refuse;
import dev.muelle.services.elasticloadbalancingv2.state.Existing;
import dev.muelle.services.elasticloadbalancingv2.state.State.Balancing;
import dev.muelle.store.Store;
import java.util.Set;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeCapacityReservationRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeCapacityReservationResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.InsufficientCapacityException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyCapacityReservationRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyCapacityReservationResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyIpPoolsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyIpPoolsResponse;

/**
 * What could be set aside for a load balancer: capacity, and pools of public addresses. All load
 * balancers share one machine's processors, of which none can be promised, and there are no pools;
 * so nothing ever is, and whoever asks is told.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ModifyCapacityReservation.html">
 *     ModifyCapacityReservation</a>
 */
public final class Reservations {

  private static final int DECREASES_A_DAY = 2;

  private final Store store;

  public Reservations(Store store) {
    this.store = store;
  }

  /** The capacity that nothing is set aside of. */
  public DescribeCapacityReservationResponse describe(DescribeCapacityReservationRequest request) {
    store.read(tx -> Existing.balancer(tx, request.loadBalancerArn()));
    return DescribeCapacityReservationResponse.builder()
        .decreaseRequestsRemaining(DECREASES_A_DAY)
        .build();
  }

  public ModifyCapacityReservationResponse modify(ModifyCapacityReservationRequest request) {
    store.read(tx -> Existing.balancer(tx, request.loadBalancerArn()));
    boolean reset = Boolean.TRUE.equals(request.resetCapacityReservation());
    if (reset == (request.minimumLoadBalancerCapacity() != null)) {
      throw Refuse.invalid(
          "You must specify either 'MinimumLoadBalancerCapacity' or 'ResetCapacityReservation'");
    }
    if (!reset) {
      throw InsufficientCapacityException.builder()
          .message(
              "There is insufficient capacity to reserve: the load balancers of this region share"
                  + " one machine")
          .build();
    }
    return ModifyCapacityReservationResponse.builder()
        .decreaseRequestsRemaining(DECREASES_A_DAY)
        .build();
  }

  /** Takes a load balancer out of pools that it is not in. */
  public ModifyIpPoolsResponse modify(ModifyIpPoolsRequest request) {
    Refuse.unlessEffective(request, Set.of("LoadBalancerArn", "RemoveIpamPools"));
    Balancing balancer = store.read(tx -> Existing.balancer(tx, request.loadBalancerArn()));
    if (balancer.network()) {
      throw Refuse.invalid("IP pools are only for Application Load Balancers");
    }
    return ModifyIpPoolsResponse.builder().build();
  }
}
