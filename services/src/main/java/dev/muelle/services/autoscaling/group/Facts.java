package dev.muelle.services.autoscaling.group;

import dev.muelle.services.autoscaling.fleet.TerminationOrder;
import dev.muelle.services.autoscaling.launch.LaunchConfigurations;
import dev.muelle.services.autoscaling.state.GroupRecord;
import dev.muelle.store.Store;
import software.amazon.awssdk.services.autoscaling.model.DescribeAccountLimitsResponse;
import software.amazon.awssdk.services.autoscaling.model.DescribeTerminationPolicyTypesResponse;

/** What this region's Auto Scaling can do. */
public final class Facts {

  private final Store store;

  public Facts(Store store) {
    this.store = store;
  }

  public DescribeTerminationPolicyTypesResponse terminationPolicies() {
    return DescribeTerminationPolicyTypesResponse.builder()
        .terminationPolicyTypes(TerminationOrder.POLICIES)
        .build();
  }

  public DescribeAccountLimitsResponse limits() {
    return store.read(tx ->
        DescribeAccountLimitsResponse.builder()
            .maxNumberOfAutoScalingGroups(Groups.MOST)
            .maxNumberOfLaunchConfigurations(LaunchConfigurations.MOST)
            .numberOfAutoScalingGroups((int) tx.count(GroupRecord.TABLE))
            .numberOfLaunchConfigurations((int) LaunchConfigurations.count(tx))
            .build());
  }
}
