package dev.muelle.services.autoscaling.launch;

import dev.muelle.services.autoscaling.state.Refuse;
import java.util.Objects;
import java.util.Set;
import software.amazon.awssdk.services.autoscaling.model.InstancesDistribution;
import software.amazon.awssdk.services.autoscaling.model.LaunchTemplateOverrides;
import software.amazon.awssdk.services.autoscaling.model.LaunchTemplateSpecification;
import software.amazon.awssdk.services.autoscaling.model.MixedInstancesPolicy;

/**
 * Mixed instances policies: on-demand instances of the first type, as a policy with priorities has
 * it where every type can be had.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_MixedInstancesPolicy.html">MixedInstancesPolicy</a>
 */
public final class MixedPolicies {

  /** What a policy shows where nothing else is asked for; there are no Spot Instances. */
  private static final String SPOT = "lowest-price";

  private static final String PRIORITIZED = "prioritized";
  private static final int ALL = 100; // percent

  private MixedPolicies() {}

  /** Refuses what a policy may not say, or may not say here. */
  public static void check(MixedInstancesPolicy policy) {
    if (policy.launchTemplate() == null
        || policy.launchTemplate().launchTemplateSpecification() == null) {
      throw Refuse.invalid(
          "Valid requests must contain LaunchTemplateSpecification in MixedInstancesPolicy");
    }
    for (LaunchTemplateOverrides one : policy.launchTemplate().overrides()) {
      Refuse.unlessEffective(one, Set.of("InstanceType", "LaunchTemplateSpecification", "ImageId"));
      Refuse.required("overrides.instanceType", one.instanceType());
    }
    InstancesDistribution how = policy.instancesDistribution();
    if (how == null) {
      return;
    }
    if (how.onDemandAllocationStrategy() != null
        && !how.onDemandAllocationStrategy().equals(PRIORITIZED)) {
      throw Refuse.unsupported(
          "OnDemandAllocationStrategy with the value " + how.onDemandAllocationStrategy());
    }
    Integer above = how.onDemandPercentageAboveBaseCapacity();
    if (above != null && above != ALL) {
      throw Refuse.unsupported(
          "OnDemandPercentageAboveBaseCapacity with a value below 100 (Spot Instances)");
    }
    String spot = how.spotAllocationStrategy();
    if (spot != null && !spot.equals(SPOT)) {
      throw Refuse.unsupported("SpotAllocationStrategy with the value " + spot);
    }
    Refuse.unlessEffective(
        how,
        Set.of(
            "SpotAllocationStrategy",
            "OnDemandAllocationStrategy",
            "OnDemandBaseCapacity",
            "OnDemandPercentageAboveBaseCapacity"));
  }

  /** With its templates by their ids and names, and what it does not say. */
  public static MixedInstancesPolicy settled(MixedInstancesPolicy policy, Recipes recipes) {
    LaunchTemplateSpecification main =
        recipes.settled(policy.launchTemplate().launchTemplateSpecification());
    InstancesDistribution how = policy.instancesDistribution();
    int base = how == null ? 0 : Objects.requireNonNullElse(how.onDemandBaseCapacity(), 0);
    return policy.toBuilder()
        .launchTemplate(t ->
            t.launchTemplateSpecification(main)
                .overrides(
                    policy.launchTemplate().overrides().stream()
                        .map(one -> settled(one, recipes))
                        .toList()))
        .instancesDistribution(d ->
            d.onDemandAllocationStrategy(PRIORITIZED)
                .onDemandBaseCapacity(base)
                .onDemandPercentageAboveBaseCapacity(ALL)
                .spotAllocationStrategy(SPOT))
        .build();
  }

  private static LaunchTemplateOverrides settled(LaunchTemplateOverrides one, Recipes recipes) {
    LaunchTemplateSpecification own = one.launchTemplateSpecification();
    return own == null
        ? one
        : one.toBuilder().launchTemplateSpecification(recipes.settled(own)).build();
  }
}
