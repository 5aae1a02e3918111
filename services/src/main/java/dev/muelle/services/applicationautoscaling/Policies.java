package dev.muelle.services.applicationautoscaling;

import dev.muelle.services.Ids;
import dev.muelle.services.Refusals;
import dev.muelle.services.Scope;
import dev.muelle.services.applicationautoscaling.State.Policy;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.applicationautoscaling.model.Alarm;
import software.amazon.awssdk.services.applicationautoscaling.model.DeleteScalingPolicyRequest;
import software.amazon.awssdk.services.applicationautoscaling.model.DeleteScalingPolicyResponse;
import software.amazon.awssdk.services.applicationautoscaling.model.DescribeScalingPoliciesRequest;
import software.amazon.awssdk.services.applicationautoscaling.model.DescribeScalingPoliciesResponse;
import software.amazon.awssdk.services.applicationautoscaling.model.GetPredictiveScalingForecastRequest;
import software.amazon.awssdk.services.applicationautoscaling.model.GetPredictiveScalingForecastResponse;
import software.amazon.awssdk.services.applicationautoscaling.model.PutScalingPolicyRequest;
import software.amazon.awssdk.services.applicationautoscaling.model.PutScalingPolicyResponse;
import software.amazon.awssdk.services.applicationautoscaling.model.ScalingPolicy;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.cloudwatch.model.CloudWatchException;
import software.amazon.awssdk.services.cloudwatch.model.MetricAlarm;

/** Makes, changes and deletes policies, with the alarms that belong to them. */
final class Policies {

  private static final int PAGE = 10;
  private static final int MOST = 50; // of a target

  private final Scope scope;
  private final Store store;
  private final InstantSource clock;
  private final Ids ids;
  private final Capacities capacities;
  private final CloudWatchClient cloudWatch;
  private final PolicyAlarms alarms;

  Policies(
      Scope scope,
      Store store,
      InstantSource clock,
      Ids ids,
      Capacities capacities,
      CloudWatchClient cloudWatch) {
    this.capacities = capacities;
    this.scope = scope;
    this.store = store;
    this.clock = clock;
    this.ids = ids;
    this.cloudWatch = cloudWatch;
    alarms = new PolicyAlarms(scope, ids, cloudWatch);
  }

  /** The policy that an alarm's action names. */
  Optional<Policy> byArn(String arn) {
    return store.read(tx -> tx.find(State.POLICIES, "arn", arn)).stream()
        .map(Row::value)
        .findFirst();
  }

  static List<Policy> of(Tx tx, TargetKey target) {
    return tx.list(State.POLICIES, target.prefix()).stream().map(Row::value).toList();
  }

  /** What an earlier server did not come to. */
  void complete() {
    store.read(tx -> tx.list(State.POLICIES)).forEach(row -> alarms.complete(row.value()));
  }

  /**
   * The policy comes first: alarms can only call one that exists. If CloudWatch refuses an alarm,
   * everything is as before.
   */
  PutScalingPolicyResponse put(PutScalingPolicyRequest request) {
    TargetKey target = TargetKey.of(request);
    String name = PolicyRules.name(request.policyName());
    ScalingPolicy.Builder asked = PolicyRules.policy(request);
    store.read(tx -> Targets.get(tx, target));
    PolicyRules.requests(request).ifPresent(label -> capacities.mustCount(target, label));
    Instant now = clock.instant();
    String key = target.of(name);
    Optional<Policy> before = store.read(tx -> tx.get(State.POLICIES, key)).map(Row::value);
    Policy policy =
        store.write(tx -> {
          Targets.get(tx, target);
          Policy made =
              made(
                  target,
                  name,
                  asked,
                  tx.get(State.POLICIES, key).map(Row::value).orElse(null),
                  now);
          checkBeside(Policies.of(tx, target), made);
          tx.put(State.POLICIES, key, made);
          return made;
        });
    try {
      alarms.put(policy);
    } catch (CloudWatchException e) {
      takeBack(policy, before);
      throw Refuse.invalid("Failed to create CloudWatch alarms: " + Refusals.words(e));
    }
    before.ifPresent(old ->
        alarms.delete(PolicyAlarms.without(old.policy().alarms(), policy.policy().alarms())));
    return PutScalingPolicyResponse.builder()
        .policyARN(policy.policy().policyARN())
        .alarms(policy.policy().alarms())
        .build();
  }

  private Policy made(
      TargetKey target,
      String name,
      ScalingPolicy.Builder asked,
      @Nullable Policy before,
      Instant now) {
    String arn =
        before != null
            ? before.policy().policyARN()
            : scope.arn(
                "autoscaling",
                "scalingPolicy:%s:resource/%s/%s:policyName/%s"
                    .formatted(ids.uuid(), TargetKey.NAMESPACE, target.resourceId(), name));
    ScalingPolicy policy =
        asked
            .policyARN(arn)
            .policyName(name)
            .serviceNamespace(TargetKey.NAMESPACE)
            .resourceId(target.resourceId())
            .scalableDimension(TargetKey.DIMENSION)
            .creationTime(before == null ? now : before.policy().creationTime())
            .build();
    Policy bare = new Policy(policy, before == null ? Map.of() : before.answered());
    List<Alarm> own =
        alarms.of(target, bare, before == null ? List.of() : before.policy().alarms());
    return new Policy(policy.copy(p -> p.alarms(own)), bare.answered());
  }

  private static void checkBeside(List<Policy> others, Policy policy) {
    boolean fresh = others.stream().noneMatch(other -> other.key().equals(policy.key()));
    if (fresh && others.size() >= MOST) {
      throw Refuse.limit("The maximum number of scaling policies per scalable target is " + MOST);
    }
    boolean same =
        others.stream()
            .anyMatch(other ->
                !other.key().equals(policy.key())
                    && PolicyRules.sameMetric(other.policy(), policy.policy()));
    if (same) {
      throw Refuse.invalid(
          "Only one TargetTrackingScaling policy for a given metric specification is allowed.");
    }
  }

  private void takeBack(Policy policy, Optional<Policy> before) {
    alarms.delete(
        PolicyAlarms.without(
            policy.policy().alarms(), before.map(old -> old.policy().alarms()).orElse(List.of())));
    store.write(tx -> {
      before.ifPresentOrElse(
          old -> tx.put(State.POLICIES, old.key(), old),
          () -> tx.delete(State.POLICIES, policy.key()));
      return true;
    });
    before.ifPresent(alarms::put);
  }

  DescribeScalingPoliciesResponse describe(DescribeScalingPoliciesRequest request) {
    TargetKey.namespace(request.serviceNamespaceAsString());
    TargetKey.dimension(request.scalableDimensionAsString());
    if (request.scalableDimensionAsString() != null && request.resourceId() == null) {
      throw Refuse.invalid("ResourceId must be specified when ScalableDimension is specified");
    }
    List<Policy> all =
        store.read(tx -> tx.list(State.POLICIES)).stream()
            .map(Row::value)
            .filter(p ->
                request.resourceId() == null
                    || request.resourceId().equals(p.policy().resourceId()))
            .filter(p ->
                request.policyNames().isEmpty()
                    || request.policyNames().contains(p.policy().policyName()))
            .toList();
    Pages<Policy> page =
        Pages.of(all, Policy::key, request.maxResults(), PAGE, request.nextToken());
    return DescribeScalingPoliciesResponse.builder()
        .scalingPolicies(page.items().stream().map(this::withAlarms).toList())
        .nextToken(page.next())
        .build();
  }

  /** A step scaling policy's alarms are those that call it. */
  private ScalingPolicy withAlarms(Policy policy) {
    if (policy.tracks()) {
      return policy.policy();
    }
    List<Alarm> callers = new ArrayList<>();
    for (MetricAlarm alarm :
        cloudWatch
            .describeAlarms(r -> r.actionPrefix(policy.policy().policyARN()))
            .metricAlarms()) {
      callers.add(Alarm.builder().alarmName(alarm.alarmName()).alarmARN(alarm.alarmArn()).build());
    }
    return policy.policy().copy(p -> p.alarms(callers));
  }

  DeleteScalingPolicyResponse delete(DeleteScalingPolicyRequest request) {
    TargetKey target = TargetKey.of(request);
    String name = PolicyRules.name(request.policyName());
    delete(find(target, name).orElseThrow(() -> Refuse.notFound(unknown(target, name))));
    return DeleteScalingPolicyResponse.builder().build();
  }

  private Optional<Policy> find(TargetKey target, String name) {
    return store.read(tx -> tx.get(State.POLICIES, target.of(name))).map(Row::value);
  }

  private static String unknown(TargetKey target, String name) {
    return "No scaling policy found for " + target.words() + ", scaling policy name: " + name;
  }

  /** No policy here is predictive, so there is none to tell forecasts of. */
  GetPredictiveScalingForecastResponse forecast(GetPredictiveScalingForecastRequest request) {
    TargetKey target = TargetKey.of(request);
    String name = PolicyRules.name(request.policyName());
    if (request.startTime() == null) {
      throw Refuse.missing("startTime");
    }
    if (request.endTime() == null) {
      throw Refuse.missing("endTime");
    }
    throw Refuse.invalid(
        find(target, name).isPresent()
            ? "The scaling policy " + name + " is not a predictive one."
            : unknown(target, name));
  }

  void deleteAll(TargetKey target) {
    store.read(tx -> of(tx, target)).forEach(this::delete);
  }

  /** Its alarms go first: if the server dies in between, the next one puts them back. */
  private void delete(Policy policy) {
    alarms.delete(policy.policy().alarms());
    store.write(tx -> tx.delete(State.POLICIES, policy.key()));
  }
}
