package dev.muelle.services.autoscaling.pool;

import dev.muelle.services.autoscaling.state.GroupRecord;
import dev.muelle.services.autoscaling.state.Member;
import dev.muelle.services.autoscaling.state.Pages;
import dev.muelle.services.autoscaling.state.Refuse;
import dev.muelle.store.Store;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.autoscaling.model.DeleteWarmPoolRequest;
import software.amazon.awssdk.services.autoscaling.model.DeleteWarmPoolResponse;
import software.amazon.awssdk.services.autoscaling.model.DescribeWarmPoolRequest;
import software.amazon.awssdk.services.autoscaling.model.DescribeWarmPoolResponse;
import software.amazon.awssdk.services.autoscaling.model.Instance;
import software.amazon.awssdk.services.autoscaling.model.PutWarmPoolRequest;
import software.amazon.awssdk.services.autoscaling.model.PutWarmPoolResponse;
import software.amazon.awssdk.services.autoscaling.model.WarmPoolConfiguration;
import software.amazon.awssdk.services.autoscaling.model.WarmPoolState;
import software.amazon.awssdk.services.autoscaling.model.WarmPoolStatus;

/**
 * Makes, shows and deletes the warm pools of groups; what is in them is the loop's.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutWarmPool.html">PutWarmPool</a>
 */
public final class WarmPools {

  /** Takes an earlier {@code MaxGroupPreparedCapacity} back. */
  private static final int NONE = -1;

  private static final int USUAL_PAGE = 50;

  /** By which ECS marks a group that it scales. */
  private static final String OF_ECS = "AmazonECSManaged";

  private final Store store;
  private final Consumer<String> wake;

  public WarmPools(Store store, Consumer<String> wake) {
    this.store = store;
    this.wake = wake;
  }

  /** What is not said stays as it was. */
  public PutWarmPoolResponse put(PutWarmPoolRequest request) {
    Refuse.unlessWithin(
        "maxGroupPreparedCapacity", request.maxGroupPreparedCapacity(), NONE, Integer.MAX_VALUE);
    Refuse.unlessWithin("minSize", request.minSize(), 0, Integer.MAX_VALUE);
    if (request.poolState() == WarmPoolState.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.invalid(
          "1 validation error detected: Value '"
              + request.poolStateAsString()
              + "' at 'poolState' failed to satisfy constraint: Member must satisfy enum value set:"
              + " [Stopped, Running, Hibernated]");
    }
    if (request.poolState() == WarmPoolState.HIBERNATED) { // no memory is written to a disk here
      throw Refuse.unsupported("PoolState with the value Hibernated");
    }
    store.write(tx -> {
      GroupRecord group = GroupRecord.changeable(tx, request.autoScalingGroupName());
      WarmPoolConfiguration before = group.group().warmPoolConfiguration();
      if (before != null && before.status() == WarmPoolStatus.PENDING_DELETE) {
        throw Refuse.inProgress(
            "The warm pool of AutoScalingGroup '" + group.name() + "' is pending delete.");
      }
      if (reuses(request)
          && group.group().tags().stream().anyMatch(tag -> tag.key().equals(OF_ECS))) {
        throw Refuse.invalid(
            "ReuseOnScaleIn cannot be set for the warm pool of a group that Amazon ECS manages.");
      }
      return group.with(g -> g.warmPoolConfiguration(changed(before, request))).put(tx);
    });
    wake.accept(request.autoScalingGroupName());
    return PutWarmPoolResponse.builder().build();
  }

  private static boolean reuses(PutWarmPoolRequest request) {
    return request.instanceReusePolicy() != null
        && Boolean.TRUE.equals(request.instanceReusePolicy().reuseOnScaleIn());
  }

  private static WarmPoolConfiguration changed(
      @Nullable WarmPoolConfiguration before, PutWarmPoolRequest request) {
    WarmPoolConfiguration.Builder next =
        before == null
            ? WarmPoolConfiguration.builder().minSize(0).poolState(WarmPoolState.STOPPED)
            : before.toBuilder();
    if (request.minSize() != null) {
      next.minSize(request.minSize());
    }
    if (request.maxGroupPreparedCapacity() != null) {
      next.maxGroupPreparedCapacity(
          request.maxGroupPreparedCapacity() == NONE ? null : request.maxGroupPreparedCapacity());
    }
    if (request.poolState() != null) {
      next.poolState(request.poolState());
    }
    if (request.instanceReusePolicy() != null) {
      next.instanceReusePolicy(request.instanceReusePolicy());
    }
    return next.build();
  }

  public DescribeWarmPoolResponse describe(DescribeWarmPoolRequest request) {
    return store.read(tx -> {
      GroupRecord group = GroupRecord.get(tx, request.autoScalingGroupName());
      List<Instance> all =
          Member.of(tx, group.name()).stream()
              .filter(member -> member.pooled() && member.id() != null)
              .map(Member::instance)
              .toList();
      Pages<Instance> page =
          Pages.of(
              all,
              Instance::instanceId,
              request.nextToken(),
              request.maxRecords(),
              USUAL_PAGE,
              USUAL_PAGE);
      return DescribeWarmPoolResponse.builder()
          .warmPoolConfiguration(group.group().warmPoolConfiguration())
          .instances(page.items())
          .nextToken(page.nextToken())
          .build();
    });
  }

  /**
   * Its instances are terminated; {@code ForceDelete} does not wait for them, so that the group can
   * have another pool at once.
   */
  public DeleteWarmPoolResponse delete(DeleteWarmPoolRequest request) {
    boolean forced = Boolean.TRUE.equals(request.forceDelete());
    store.write(tx -> {
      GroupRecord group = GroupRecord.changeable(tx, request.autoScalingGroupName());
      WarmPoolConfiguration before = group.group().warmPoolConfiguration();
      if (before == null) {
        throw Refuse.invalid("No warm pool found for Auto Scaling group " + group.name());
      }
      WarmPoolConfiguration left =
          forced ? null : before.toBuilder().status(WarmPoolStatus.PENDING_DELETE).build();
      return group.with(g -> g.warmPoolConfiguration(left)).put(tx);
    });
    wake.accept(request.autoScalingGroupName());
    return DeleteWarmPoolResponse.builder().build();
  }
}
