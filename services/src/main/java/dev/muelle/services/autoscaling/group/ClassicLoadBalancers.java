package dev.muelle.services.autoscaling.group;

import dev.muelle.services.autoscaling.state.GroupRecord;
import dev.muelle.services.autoscaling.state.Pages;
import dev.muelle.services.autoscaling.state.Refuse;
import dev.muelle.store.Store;
import java.util.List;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.autoscaling.model.AttachLoadBalancersRequest;
import software.amazon.awssdk.services.autoscaling.model.AttachLoadBalancersResponse;
import software.amazon.awssdk.services.autoscaling.model.DescribeLoadBalancersRequest;
import software.amazon.awssdk.services.autoscaling.model.DescribeLoadBalancersResponse;
import software.amazon.awssdk.services.autoscaling.model.DetachLoadBalancersRequest;
import software.amazon.awssdk.services.autoscaling.model.DetachLoadBalancersResponse;
import software.amazon.awssdk.services.autoscaling.model.LoadBalancerState;

/**
 * Classic Load Balancers, of which this region has none: no group has one, and what a request names
 * does not exist, as AWS says it of a name that is wrong, or that is another kind's.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_AttachLoadBalancers.html">AttachLoadBalancers</a>
 */
public final class ClassicLoadBalancers {

  private static final int MOST_OF_A_REQUEST = 10;

  private final Store store;

  public ClassicLoadBalancers(Store store) {
    this.store = store;
  }

  static void mustExist(List<String> names) {
    if (!names.isEmpty()) {
      throw unknown();
    }
  }

  private static RuntimeException unknown() {
    return Refuse.invalid(
        "Provided Load Balancers may not be valid. Please ensure they exist and try again.");
  }

  public AttachLoadBalancersResponse attach(AttachLoadBalancersRequest request) {
    named(request.autoScalingGroupName(), request.loadBalancerNames());
    throw unknown();
  }

  public DetachLoadBalancersResponse detach(DetachLoadBalancersRequest request) {
    named(request.autoScalingGroupName(), request.loadBalancerNames());
    throw Refuse.invalid("Trying to remove Load Balancers that are not part of the group.");
  }

  private void named(@Nullable String group, List<String> names) {
    store.read(tx -> GroupRecord.changeable(tx, group));
    if (names.isEmpty()) {
      throw Refuse.invalid("At least one load balancer must be specified.");
    }
    if (names.size() > MOST_OF_A_REQUEST) {
      throw Refuse.invalid(
          "At most " + MOST_OF_A_REQUEST + " load balancers can be specified at once.");
    }
  }

  public DescribeLoadBalancersResponse describe(DescribeLoadBalancersRequest request) {
    store.read(tx -> GroupRecord.get(tx, request.autoScalingGroupName()));
    Pages<LoadBalancerState> page =
        Pages.of(
            List.of(),
            LoadBalancerState::loadBalancerName,
            request.nextToken(),
            request.maxRecords(),
            Pages.MOST,
            Pages.MOST);
    return DescribeLoadBalancersResponse.builder().loadBalancers(page.items()).build();
  }
}
