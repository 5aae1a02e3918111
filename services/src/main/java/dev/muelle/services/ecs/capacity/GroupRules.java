package dev.muelle.services.ecs.capacity;

import dev.muelle.services.ecs.state.Refuse;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.AutoScalingGroupProvider;
import software.amazon.awssdk.services.ecs.model.AutoScalingGroupProviderUpdate;
import software.amazon.awssdk.services.ecs.model.CapacityProvider;
import software.amazon.awssdk.services.ecs.model.ManagedDraining;
import software.amazon.awssdk.services.ecs.model.ManagedScaling;
import software.amazon.awssdk.services.ecs.model.ManagedScalingStatus;
import software.amazon.awssdk.services.ecs.model.ManagedTerminationProtection;

/**
 * What a capacity provider may say of its Auto Scaling group, and what holds where it says nothing.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_AutoScalingGroupProvider.html">AutoScalingGroupProvider</a>
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ManagedScaling.html">ManagedScaling</a>
 */
public final class GroupRules {

  private static final int MOST_STEPS = 10_000;
  private static final int WARM_UP_SECONDS = 300;
  private static final int MOST_WARM_UP = 10_000;
  private static final int ALL = 100;

  private static final String NOT_PROTECTED =
      "The managed termination protection setting for the capacity provider is invalid. To enable"
          + " managed termination protection for a capacity provider, ";

  private GroupRules() {}

  public static boolean scales(CapacityProvider provider) {
    return scales(provider.autoScalingGroupProvider());
  }

  static boolean scales(AutoScalingGroupProvider settings) {
    return settings.managedScaling().status() == ManagedScalingStatus.ENABLED;
  }

  public static boolean drains(CapacityProvider provider) {
    return provider.autoScalingGroupProvider().managedDraining() == ManagedDraining.ENABLED;
  }

  public static boolean protects(CapacityProvider provider) {
    return protects(provider.autoScalingGroupProvider());
  }

  private static boolean protects(AutoScalingGroupProvider settings) {
    return settings.managedTerminationProtection() == ManagedTerminationProtection.ENABLED;
  }

  /** The settings with everything that was left out. */
  static AutoScalingGroupProvider settled(AutoScalingGroupProvider given) {
    return given.toBuilder()
        .managedScaling(settled(given.managedScaling()))
        .managedTerminationProtection(
            Objects.requireNonNullElse(
                given.managedTerminationProtection(), ManagedTerminationProtection.DISABLED))
        .managedDraining(
            Objects.requireNonNullElse(given.managedDraining(), ManagedDraining.ENABLED))
        .build();
  }

  private static ManagedScaling settled(@Nullable ManagedScaling given) {
    if (given == null) {
      return ManagedScaling.builder().status(ManagedScalingStatus.DISABLED).build();
    }
    return given.toBuilder()
        .status(Objects.requireNonNullElse(given.status(), ManagedScalingStatus.ENABLED))
        .targetCapacity(Objects.requireNonNullElse(given.targetCapacity(), ALL))
        .minimumScalingStepSize(Objects.requireNonNullElse(given.minimumScalingStepSize(), 1))
        .maximumScalingStepSize(
            Objects.requireNonNullElse(given.maximumScalingStepSize(), MOST_STEPS))
        .instanceWarmupPeriod(
            Objects.requireNonNullElse(given.instanceWarmupPeriod(), WARM_UP_SECONDS))
        .build();
  }

  /** What an update leaves out stays as it is. */
  static AutoScalingGroupProvider updated(
      AutoScalingGroupProvider old, @Nullable AutoScalingGroupProviderUpdate update) {
    if (update == null) {
      throw Refuse.client("An Auto Scaling group provider must be specified.");
    }
    AutoScalingGroupProvider.Builder next = old.toBuilder();
    ManagedScaling scaling = update.managedScaling();
    if (scaling != null) {
      ManagedScaling before = old.managedScaling();
      next.managedScaling(
          settled(
              before.toBuilder()
                  .status(Objects.requireNonNullElse(scaling.status(), before.status()))
                  .targetCapacity(or(scaling.targetCapacity(), before.targetCapacity()))
                  .minimumScalingStepSize(
                      or(scaling.minimumScalingStepSize(), before.minimumScalingStepSize()))
                  .maximumScalingStepSize(
                      or(scaling.maximumScalingStepSize(), before.maximumScalingStepSize()))
                  .instanceWarmupPeriod(
                      or(scaling.instanceWarmupPeriod(), before.instanceWarmupPeriod()))
                  .build()));
    }
    if (update.managedTerminationProtection() != null) {
      next.managedTerminationProtection(update.managedTerminationProtection());
    }
    if (update.managedDraining() != null) {
      next.managedDraining(update.managedDraining());
    }
    return next.build();
  }

  private static @Nullable Integer or(@Nullable Integer given, @Nullable Integer before) {
    return given == null ? before : given;
  }

  /** Refuses what cannot be, and what the group is not made for. */
  static void check(AutoScalingGroupProvider settings, AutoScalingGroups.Group group) {
    if (settings.managedTerminationProtection()
            == ManagedTerminationProtection.UNKNOWN_TO_SDK_VERSION
        || settings.managedDraining() == ManagedDraining.UNKNOWN_TO_SDK_VERSION
        || settings.managedScaling().status() == ManagedScalingStatus.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.invalid("The settings of a capacity provider must be ENABLED or DISABLED.");
    }
    if (scales(settings)) {
      check(settings.managedScaling());
    }
    if (!protects(settings)) {
      return;
    }
    if (!scales(settings)) {
      throw Refuse.client(NOT_PROTECTED + "managed scaling must be enabled.");
    }
    boolean isProtected =
        group.protectsNew()
            && group.members(AutoScalingGroups.Life.IN_SERVICE).stream()
                .allMatch(AutoScalingGroups.Member::isProtected);
    if (!isProtected && !group.managed()) {
      throw Refuse.client(
          NOT_PROTECTED
              + "the Auto Scaling group must have instance protection from scale in enabled.");
    }
  }

  private static void check(ManagedScaling scaling) {
    within("targetCapacity", scaling.targetCapacity(), 1, ALL);
    within("minimumScalingStepSize", scaling.minimumScalingStepSize(), 1, MOST_STEPS);
    within("maximumScalingStepSize", scaling.maximumScalingStepSize(), 1, MOST_STEPS);
    within("instanceWarmupPeriod", scaling.instanceWarmupPeriod(), 0, MOST_WARM_UP);
    if (scaling.minimumScalingStepSize() > scaling.maximumScalingStepSize()) {
      throw Refuse.invalid(
          "The minimumScalingStepSize cannot be greater than the maximumScalingStepSize.");
    }
  }

  private static void within(String name, int value, int least, int most) {
    if (value < least || value > most) {
      throw Refuse.invalid(
          "Invalid "
              + name
              + " of managed scaling: "
              + value
              + ". It must be between "
              + least
              + " and "
              + most
              + ".");
    }
  }
}
