package dev.muelle.services.autoscaling.policy;

import dev.muelle.services.InstanceGroups;
import dev.muelle.services.autoscaling.state.GroupRecord;
import dev.muelle.services.autoscaling.state.Member;
import dev.muelle.services.autoscaling.state.Pool;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.autoscaling.model.ScalingPolicy;

/**
 * The time that an instance takes, once it is in service, until what it carries says something.
 * Until then it is no part of its group's metrics.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-default-instance-warmup.html">Default
 *     instance warmup</a>
 */
public final class Warmup implements InstanceGroups {

  private final Store store;
  private final InstantSource clock;

  public Warmup(Store store, InstantSource clock) {
    this.store = store;
    this.clock = clock;
  }

  /** A policy's own, or else the group's; where nobody said one, the group's cooldown. */
  static Duration of(ScalingPolicy policy, GroupRecord group) {
    Integer own = policy.estimatedInstanceWarmup();
    return Duration.ofSeconds(
        own != null
            ? own
            : Objects.requireNonNullElse(general(group), group.group().defaultCooldown()));
  }

  /** "To remove a value that you previously set, specify -1." */
  private static @Nullable Integer general(GroupRecord group) {
    Integer general = group.group().defaultInstanceWarmup();
    return general == null || general < 0 ? null : general;
  }

  static boolean over(Member member, Duration warmup, Instant now) {
    return member.inService()
        && (member.inServiceAt() == null || !now.isBefore(member.inServiceAt().plus(warmup)));
  }

  @Override
  public Optional<String> of(String instanceId) {
    Instant now = clock.instant();
    return store.read(tx ->
        Member.find(tx, instanceId)
            .filter(member ->
                GroupRecord.find(tx, member.group())
                    .map(group -> Duration.ofSeconds(Objects.requireNonNullElse(general(group), 0)))
                    .filter(warmup -> over(member, warmup, now))
                    .isPresent())
            .map(Member::group));
  }

  @Override
  public Optional<String> target(String instanceId) {
    return store.read(tx -> Member.find(tx, instanceId).map(member -> target(tx, member)));
  }

  private static String target(Tx tx, Member member) {
    return switch (member.state()) {
      case STANDBY, ENTERING_STANDBY -> "Standby";
      case DETACHING, DETACHED -> "Detached";
      case WARMED_STOPPED, WARMED_RUNNING -> member.instance().lifecycleStateAsString();
      default -> {
        if (member.going()) {
          yield "Terminated";
        }
        if (!member.pooled()) {
          yield "InService";
        }
        boolean stops = GroupRecord.find(tx, member.group()).filter(Pool::stops).isPresent();
        yield stops ? "Warmed:Stopped" : "Warmed:Running";
      }
    };
  }
}
