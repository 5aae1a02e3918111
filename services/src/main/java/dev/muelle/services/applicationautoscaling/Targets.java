package dev.muelle.services.applicationautoscaling;

import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.applicationautoscaling.State.Target;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.applicationautoscaling.model.DeregisterScalableTargetRequest;
import software.amazon.awssdk.services.applicationautoscaling.model.DeregisterScalableTargetResponse;
import software.amazon.awssdk.services.applicationautoscaling.model.DescribeScalableTargetsRequest;
import software.amazon.awssdk.services.applicationautoscaling.model.DescribeScalableTargetsResponse;
import software.amazon.awssdk.services.applicationautoscaling.model.ListTagsForResourceRequest;
import software.amazon.awssdk.services.applicationautoscaling.model.ListTagsForResourceResponse;
import software.amazon.awssdk.services.applicationautoscaling.model.RegisterScalableTargetRequest;
import software.amazon.awssdk.services.applicationautoscaling.model.RegisterScalableTargetResponse;
import software.amazon.awssdk.services.applicationautoscaling.model.ScalableTarget;
import software.amazon.awssdk.services.applicationautoscaling.model.ScalingActivityStatusCode;
import software.amazon.awssdk.services.applicationautoscaling.model.SuspendedState;
import software.amazon.awssdk.services.applicationautoscaling.model.TagResourceRequest;
import software.amazon.awssdk.services.applicationautoscaling.model.TagResourceResponse;
import software.amazon.awssdk.services.applicationautoscaling.model.UntagResourceRequest;
import software.amazon.awssdk.services.applicationautoscaling.model.UntagResourceResponse;

/**
 * What may be scaled, and how far.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html">RegisterScalableTarget</a>
 */
final class Targets {

  private static final int PAGE = 50;
  private static final int MOST_TAGS = 50;
  private static final String ROLE =
      "role/aws-service-role/ecs.application-autoscaling.amazonaws.com/"
          + "AWSServiceRoleForApplicationAutoScaling_ECSService";

  private final Scope scope;
  private final Store store;
  private final InstantSource clock;
  private final Ids ids;
  private final Capacities capacities;
  private final Policies policies;
  private final Consumer<String> wake;

  Targets(
      Scope scope,
      Store store,
      InstantSource clock,
      Ids ids,
      Capacities capacities,
      Policies policies,
      Consumer<String> wake) {
    this.scope = scope;
    this.store = store;
    this.clock = clock;
    this.ids = ids;
    this.capacities = capacities;
    this.policies = policies;
    this.wake = wake;
  }

  /** The target that must be registered. */
  static Target get(Tx tx, TargetKey key) {
    return tx.get(State.TARGETS, key.resourceId())
        .map(Row::value)
        .orElseThrow(() -> Refuse.noTarget(key));
  }

  RegisterScalableTargetResponse register(RegisterScalableTargetRequest request) {
    TargetKey key = TargetKey.of(request);
    checkTags(request.tags());
    if (request.tags().size() > MOST_TAGS) {
      throw Refuse.limit("The number of tags exceeds the limit of " + MOST_TAGS + ".");
    }
    if (capacities.of(key).isEmpty()) {
      throw Refuse.invalid("ECS service doesn't exist: " + key.resourceId());
    }
    Instant now = clock.instant();
    Target registered =
        store.write(tx -> {
          Target before = tx.get(State.TARGETS, key.resourceId()).map(Row::value).orElse(null);
          Target target = before == null ? created(key, request, now) : changed(before, request);
          tx.put(State.TARGETS, key.resourceId(), target);
          return target;
        });
    wake.accept(key.resourceId());
    return RegisterScalableTargetResponse.builder()
        .scalableTargetARN(registered.target().scalableTargetARN())
        .build();
  }

  private Target created(TargetKey key, RegisterScalableTargetRequest request, Instant now) {
    if (request.minCapacity() == null || request.maxCapacity() == null) {
      throw Refuse.invalid(
          "Both MinCapacity and MaxCapacity must be specified when a scalable target is"
              + " registered for the first time");
    }
    ScalableTarget target =
        ScalableTarget.builder()
            .serviceNamespace(TargetKey.NAMESPACE)
            .resourceId(key.resourceId())
            .scalableDimension(TargetKey.DIMENSION)
            .minCapacity(request.minCapacity())
            .maxCapacity(request.maxCapacity())
            // ECS has a service-linked role for this: a role that a request names has no effect
            .roleARN(scope.globalArn("iam", ROLE))
            .creationTime(now)
            .suspendedState(suspended(request.suspendedState(), null))
            .scalableTargetARN(
                scope.arn("application-autoscaling", "scalable-target/" + ids.hex(36)))
            .build();
    checkBounds(target.minCapacity(), target.maxCapacity());
    return new Target(target, Map.copyOf(new TreeMap<>(request.tags())), null, true);
  }

  private static Target changed(Target before, RegisterScalableTargetRequest request) {
    if (!request.tags().isEmpty()) {
      throw Refuse.invalid(
          "Tags can be specified only when a scalable target is registered for the first time."
              + " Use TagResource to add tags to an existing scalable target.");
    }
    Target bounded = bounded(before, request.minCapacity(), request.maxCapacity());
    SuspendedState suspended =
        suspended(request.suspendedState(), before.target().suspendedState());
    return bounded.with(bounded.target().copy(t -> t.suspendedState(suspended)));
  }

  /** A target with other bounds; its capacity is then brought into them. */
  static Target bounded(Target before, @Nullable Integer min, @Nullable Integer max) {
    int low = Objects.requireNonNullElse(min, before.min());
    int high = Objects.requireNonNullElse(max, before.max());
    checkBounds(low, high);
    boolean moved = low != before.min() || high != before.max();
    return before
        .with(before.target().copy(t -> t.minCapacity(low).maxCapacity(high)))
        .withMoved(before.moved() || moved);
  }

  static void checkBounds(int min, int max) {
    if (min < 0) {
      throw Refuse.invalid("Minimum capacity cannot be less than 0");
    }
    if (max < min) {
      throw Refuse.invalid("Maximum capacity cannot be less than minimum capacity");
    }
  }

  private static SuspendedState suspended(
      @Nullable SuspendedState asked, @Nullable SuspendedState before) {
    SuspendedState.Builder state =
        before == null
            ? SuspendedState.builder()
                .dynamicScalingInSuspended(false)
                .dynamicScalingOutSuspended(false)
                .scheduledScalingSuspended(false)
            : before.toBuilder();
    if (asked != null && asked.dynamicScalingInSuspended() != null) {
      state.dynamicScalingInSuspended(asked.dynamicScalingInSuspended());
    }
    if (asked != null && asked.dynamicScalingOutSuspended() != null) {
      state.dynamicScalingOutSuspended(asked.dynamicScalingOutSuspended());
    }
    if (asked != null && asked.scheduledScalingSuspended() != null) {
      state.scheduledScalingSuspended(asked.scheduledScalingSuspended());
    }
    return state.build();
  }

  DescribeScalableTargetsResponse describe(DescribeScalableTargetsRequest request) {
    TargetKey.namespace(request.serviceNamespaceAsString());
    TargetKey.dimension(request.scalableDimensionAsString());
    if (request.scalableDimensionAsString() != null && request.resourceIds().isEmpty()) {
      throw Refuse.invalid("ResourceIds must be specified when ScalableDimension is specified");
    }
    List<ScalableTarget> all =
        store.read(tx -> tx.list(State.TARGETS)).stream()
            .map(row -> row.value().target())
            .filter(t ->
                request.resourceIds().isEmpty() || request.resourceIds().contains(t.resourceId()))
            .toList();
    var page =
        Pages.of(all, ScalableTarget::resourceId, request.maxResults(), PAGE, request.nextToken());
    return DescribeScalableTargetsResponse.builder()
        .scalableTargets(page.items())
        .nextToken(page.next())
        .build();
  }

  /** What belongs to a target goes with it, but for its activities, which tell of the past. */
  DeregisterScalableTargetResponse deregister(DeregisterScalableTargetRequest request) {
    TargetKey key = TargetKey.of(request);
    if (store.read(tx -> tx.get(State.TARGETS, key.resourceId())).isEmpty()) {
      throw Refuse.notFound("No scalable target found for " + key.words());
    }
    policies.deleteAll(key);
    Instant now = clock.instant();
    store.write(tx -> {
      tx.deletePrefix(State.ACTIONS, key.prefix());
      Activities.open(tx, key)
          .ifPresent(row ->
              Activities.end(
                  tx,
                  row,
                  ScalingActivityStatusCode.OVERRIDDEN,
                  "The scalable target was deregistered.",
                  now));
      return tx.delete(State.TARGETS, key.resourceId());
    });
    return DeregisterScalableTargetResponse.builder().build();
  }

  private static Target byArn(Tx tx, @Nullable String arn) {
    if (arn == null) {
      throw Refuse.missing("resourceARN");
    }
    return tx.find(State.TARGETS, "arn", arn).stream()
        .map(Row::value)
        .findFirst()
        .orElseThrow(() -> Refuse.noResource(arn));
  }

  private static void checkTags(Map<String, String> tags) {
    tags.forEach((key, value) -> {
      if (key.isEmpty() || key.length() > 128 || key.startsWith("aws:")) {
        throw Refuse.constraint(
            key,
            "tags",
            "Map keys must satisfy constraint: [Member must have length between 1 and"
                + " 128, inclusive, and not begin with aws:]");
      }
      if (value.length() > 256) {
        throw Refuse.constraint(
            value,
            "tags",
            "Map value must satisfy constraint: [Member must have length less than"
                + " or equal to 256]");
      }
    });
  }

  TagResourceResponse tag(TagResourceRequest request) {
    if (!request.hasTags()) {
      throw Refuse.missing("tags");
    }
    checkTags(request.tags());
    store.write(tx -> {
      Target target = byArn(tx, request.resourceARN());
      Map<String, String> tags = new TreeMap<>(target.tags());
      tags.putAll(request.tags());
      if (tags.size() > MOST_TAGS) {
        throw Refuse.tooManyTags(request.resourceARN());
      }
      return tx.put(State.TARGETS, target.target().resourceId(), target.withTags(tags));
    });
    return TagResourceResponse.builder().build();
  }

  UntagResourceResponse untag(UntagResourceRequest request) {
    if (!request.hasTagKeys()) {
      throw Refuse.missing("tagKeys");
    }
    store.write(tx -> {
      Target target = byArn(tx, request.resourceARN());
      Map<String, String> tags = new TreeMap<>(target.tags());
      request.tagKeys().forEach(tags::remove);
      return tx.put(State.TARGETS, target.target().resourceId(), target.withTags(tags));
    });
    return UntagResourceResponse.builder().build();
  }

  ListTagsForResourceResponse tags(ListTagsForResourceRequest request) {
    return ListTagsForResourceResponse.builder()
        .tags(store.read(tx -> byArn(tx, request.resourceARN())).tags())
        .build();
  }
}
