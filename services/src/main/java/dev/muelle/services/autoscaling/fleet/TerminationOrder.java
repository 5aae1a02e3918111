package dev.muelle.services.autoscaling.fleet;

import dev.muelle.services.autoscaling.launch.Recipes;
import dev.muelle.services.autoscaling.state.Member;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.autoscaling.model.AutoScalingGroup;
import software.amazon.awssdk.services.autoscaling.model.LaunchTemplateOverrides;
import software.amazon.awssdk.services.autoscaling.model.LaunchTemplateSpecification;

/**
 * Which instance goes when a group becomes smaller: one of the zone that has the most, chosen by
 * the group's termination policies one after the other. Each leaves those that are equally good for
 * it; among the last, the one that was launched first.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-termination-policies.html">Termination
 *     policies</a>
 */
public final class TerminationOrder {

  /** The policies that there are. */
  public static final List<String> POLICIES =
      List.of(
          "AllocationStrategy",
          "ClosestToNextInstanceHour",
          "Default",
          "NewestInstance",
          "OldestInstance",
          "OldestLaunchConfiguration",
          "OldestLaunchTemplate");

  private static final long HOUR = Duration.ofHours(1).toMillis();

  private final AutoScalingGroup group;
  private final Instant now;

  private TerminationOrder(AutoScalingGroup group, Instant now) {
    this.group = group;
    this.now = now;
  }

  /** The one that is to go; empty if all are protected. */
  static Optional<Member> choose(
      AutoScalingGroup group, List<Place> places, List<Member> members, Instant now) {
    return Zones.fullest(places, members, TerminationOrder::may)
        .flatMap(zone ->
            new TerminationOrder(group, now)
                .first(
                    members.stream()
                        .filter(TerminationOrder::may)
                        .filter(member -> member.zone().equals(zone))
                        .toList()));
  }

  private static boolean may(Member member) {
    return member.counts() && member.id() != null && !member.isProtected();
  }

  private Optional<Member> first(List<Member> candidates) {
    List<Member> left = candidates;
    List<String> policies =
        group.terminationPolicies().isEmpty() ? List.of("Default") : group.terminationPolicies();
    for (String policy : policies) {
      left = by(policy, left);
    }
    return left.stream().min(Comparator.comparing(Member::since).thenComparing(Member::token));
  }

  private List<Member> by(String policy, List<Member> left) {
    return switch (policy) {
      case "OldestInstance" -> least(left, member -> member.since().toEpochMilli());
      case "NewestInstance" -> least(left, member -> -member.since().toEpochMilli());
      case "OldestLaunchConfiguration" -> oldestConfiguration(left);
      case "OldestLaunchTemplate" -> oldestTemplate(left);
      case "ClosestToNextInstanceHour" -> least(left, this::untilNextHour);
      case "AllocationStrategy" -> least(left, member -> -rank(member));
      case "Default" -> {
        List<Member> some = by("AllocationStrategy", left);
        some = by("OldestLaunchConfiguration", some);
        some = by("OldestLaunchTemplate", some);
        yield by("ClosestToNextInstanceHour", some);
      }
      default -> throw new IllegalStateException("no termination policy " + policy);
    };
  }

  private static List<Member> least(List<Member> members, ToLongFunction<Member> measure) {
    long least = members.stream().mapToLong(measure).min().orElse(0);
    return members.stream().filter(member -> measure.applyAsLong(member) == least).toList();
  }

  private long untilNextHour(Member member) {
    return HOUR - Math.floorMod(Duration.between(member.since(), now).toMillis(), HOUR);
  }

  /** Where its type stands among those of a mixed group: the last ones go first. */
  private long rank(Member member) {
    if (group.mixedInstancesPolicy() == null) {
      return 0;
    }
    List<String> types =
        group.mixedInstancesPolicy().launchTemplate().overrides().stream()
            .map(LaunchTemplateOverrides::instanceType)
            .toList();
    int index = types.indexOf(member.instance().instanceType());
    return index < 0 ? types.size() : index;
  }

  /** Those that were launched by a configuration the group does not have any more. */
  private List<Member> oldestConfiguration(List<Member> left) {
    List<Member> old =
        left.stream()
            .filter(member -> member.instance().launchConfigurationName() != null)
            .filter(member ->
                !member
                    .instance()
                    .launchConfigurationName()
                    .equals(group.launchConfigurationName()))
            .toList();
    return old.isEmpty() ? left : oldestOf(old, m -> m.instance().launchConfigurationName());
  }

  /** Those of another template than the group's, else those of its oldest version. */
  private List<Member> oldestTemplate(List<Member> left) {
    LaunchTemplateSpecification current = Recipes.template(group);
    List<Member> others =
        left.stream()
            .filter(member -> template(member) != null)
            .filter(member ->
                current == null || !Objects.equals(template(member), current.launchTemplateId()))
            .toList();
    if (!others.isEmpty()) {
      return oldestOf(others, TerminationOrder::template);
    }
    return least(
        left,
        member ->
            template(member) == null
                ? Long.MAX_VALUE
                : Long.parseLong(member.instance().launchTemplate().version()));
  }

  private static @Nullable String template(Member member) {
    LaunchTemplateSpecification template = member.instance().launchTemplate();
    return template == null ? null : template.launchTemplateId();
  }

  /** All of the kind of the one that was launched first. */
  private static List<Member> oldestOf(
      List<Member> members, Function<Member, @Nullable String> kind) {
    String oldest =
        kind.apply(members.stream().min(Comparator.comparing(Member::since)).orElseThrow());
    return members.stream().filter(m -> Objects.equals(kind.apply(m), oldest)).toList();
  }
}
