package dev.muelle.services.autoscaling.policy;

import dev.muelle.services.Ids;
import dev.muelle.services.Refusals;
import dev.muelle.services.Scope;
import dev.muelle.services.autoscaling.state.GroupRecord;
import dev.muelle.services.autoscaling.state.Pages;
import dev.muelle.services.autoscaling.state.Refuse;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import software.amazon.awssdk.services.autoscaling.model.AdjustmentType;
import software.amazon.awssdk.services.autoscaling.model.Alarm;
import software.amazon.awssdk.services.autoscaling.model.DeletePolicyRequest;
import software.amazon.awssdk.services.autoscaling.model.DeletePolicyResponse;
import software.amazon.awssdk.services.autoscaling.model.DescribeAdjustmentTypesResponse;
import software.amazon.awssdk.services.autoscaling.model.DescribePoliciesRequest;
import software.amazon.awssdk.services.autoscaling.model.DescribePoliciesResponse;
import software.amazon.awssdk.services.autoscaling.model.GetPredictiveScalingForecastRequest;
import software.amazon.awssdk.services.autoscaling.model.GetPredictiveScalingForecastResponse;
import software.amazon.awssdk.services.autoscaling.model.PutScalingPolicyRequest;
import software.amazon.awssdk.services.autoscaling.model.PutScalingPolicyResponse;
import software.amazon.awssdk.services.autoscaling.model.ScalingPolicy;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.cloudwatch.model.CloudWatchException;
import software.amazon.awssdk.services.cloudwatch.model.MetricAlarm;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;

/** The policies of groups, and the alarms of those that track a target. */
public final class Policies {

  private static final int USUAL_PAGE = 50;
  private static final int MOST_ALARMS = 100;

  private final Scope scope;
  private final Store store;
  private final Ids ids;
  private final ElasticLoadBalancingV2Client elb;
  private final CloudWatchClient cloudWatch;
  private final PolicyAlarms alarms;

  public Policies(
      Scope scope,
      Store store,
      Ids ids,
      ElasticLoadBalancingV2Client elb,
      CloudWatchClient cloudWatch) {
    this.elb = elb;
    this.scope = scope;
    this.store = store;
    this.ids = ids;
    this.cloudWatch = cloudWatch;
    this.alarms = new PolicyAlarms(scope, ids, cloudWatch);
  }

  /**
   * The policy comes first: alarms can only call one that exists. If CloudWatch refuses an alarm,
   * everything is as before.
   */
  public PutScalingPolicyResponse put(PutScalingPolicyRequest request) {
    String name = Refuse.required("policyName", request.policyName());
    String type = Objects.requireNonNullElse(request.policyType(), PolicyRecord.SIMPLE);
    PolicyRules.check(request, type);
    PolicyRules.checkRequests(
        request, store.read(tx -> GroupRecord.changeable(tx, request.autoScalingGroupName())), elb);
    record Change(Optional<PolicyRecord> before, PolicyRecord after) {}
    Change change =
        store.write(tx -> {
          GroupRecord group = GroupRecord.changeable(tx, request.autoScalingGroupName());
          Optional<PolicyRecord> before = PolicyRecord.find(tx, group.name(), name);
          ScalingPolicy made =
              policy(request, type, before.map(PolicyRecord::arn).orElseGet(() -> arn(request)));
          PolicyRules.checkBeside(PolicyRecord.of(tx, group.name()), before, made);
          PolicyRecord bare =
              new PolicyRecord(made, before.map(PolicyRecord::answered).orElse(Map.of()));
          List<Alarm> own = alarms.of(bare, alarmsOf(before));
          PolicyRecord after =
              new PolicyRecord(made.toBuilder().alarms(own).build(), bare.answered());
          after.put(tx);
          return new Change(before, after);
        });
    ScalingPolicy policy = change.after().policy();
    try {
      alarms.put(policy);
    } catch (CloudWatchException e) {
      takeBack(change.after(), change.before());
      throw Refuse.invalid("Failed to create CloudWatch alarms: " + Refusals.words(e));
    }
    alarms.delete(PolicyAlarms.without(alarmsOf(change.before()), policy.alarms()));
    return PutScalingPolicyResponse.builder()
        .policyARN(policy.policyARN())
        .alarms(policy.alarms())
        .build();
  }

  private static List<Alarm> alarmsOf(Optional<PolicyRecord> policy) {
    return policy.map(one -> one.policy().alarms()).orElse(List.of());
  }

  private void takeBack(PolicyRecord policy, Optional<PolicyRecord> before) {
    alarms.delete(PolicyAlarms.without(policy.policy().alarms(), alarmsOf(before)));
    store.write(tx -> {
      before.ifPresentOrElse(old -> old.put(tx), () -> tx.delete(PolicyRecord.TABLE, policy.arn()));
      return true;
    });
    before.ifPresent(old -> alarms.put(old.policy()));
  }

  private String arn(PutScalingPolicyRequest request) {
    return scope.arn(
        "autoscaling",
        "scalingPolicy:"
            + ids.uuid()
            + ":autoScalingGroupName/"
            + request.autoScalingGroupName()
            + ":policyName/"
            + request.policyName());
  }

  private static ScalingPolicy policy(PutScalingPolicyRequest request, String type, String arn) {
    return ScalingPolicy.builder()
        .autoScalingGroupName(request.autoScalingGroupName())
        .policyName(request.policyName())
        .policyARN(arn)
        .policyType(type)
        .adjustmentType(request.adjustmentType())
        .minAdjustmentStep(request.minAdjustmentStep())
        .minAdjustmentMagnitude(request.minAdjustmentMagnitude())
        .scalingAdjustment(request.scalingAdjustment())
        .cooldown(request.cooldown())
        .stepAdjustments(request.stepAdjustments())
        .metricAggregationType(
            type.equals(PolicyRecord.STEPS)
                ? Objects.requireNonNullElse(request.metricAggregationType(), "Average")
                : null)
        .estimatedInstanceWarmup(request.estimatedInstanceWarmup())
        .targetTrackingConfiguration(request.targetTrackingConfiguration())
        .enabled(!Boolean.FALSE.equals(request.enabled()))
        .build();
  }

  /** Its alarms go first: if the server dies in between, the next one puts them back. */
  public DeletePolicyResponse delete(DeletePolicyRequest request) {
    PolicyRecord found =
        store.read(tx -> {
          if (request.autoScalingGroupName() != null) {
            GroupRecord.get(tx, request.autoScalingGroupName());
          }
          return PolicyRecord.find(tx, request.autoScalingGroupName(), request.policyName())
              .orElseThrow(() -> Refuse.invalid("Policy not found: " + request.policyName()));
        });
    delete(found);
    return DeletePolicyResponse.builder().build();
  }

  private void delete(PolicyRecord policy) {
    alarms.delete(policy.policy().alarms());
    store.write(tx -> tx.delete(PolicyRecord.TABLE, policy.arn()));
  }

  /**
   * Of a group that goes. Its policies go with it, so that another group with its name does not
   * have them; their alarms follow.
   */
  public static void forget(Tx tx, String group) {
    for (PolicyRecord policy : PolicyRecord.of(tx, group)) {
      tx.delete(PolicyRecord.TABLE, policy.arn());
      tx.put(PolicyRecord.GONE, policy.arn(), policy);
    }
  }

  /** Takes away the alarms of groups that are gone. */
  public void tidy() {
    for (Row<PolicyRecord> row : store.read(tx -> tx.list(PolicyRecord.GONE))) {
      alarms.delete(row.value().policy().alarms());
      store.write(tx -> tx.delete(PolicyRecord.GONE, row.key()));
    }
  }

  /** Makes the alarms that an earlier server died before it had made. */
  public void complete() {
    store
        .read(tx -> tx.list(PolicyRecord.TABLE))
        .forEach(row -> alarms.complete(row.value().policy()));
  }

  public DescribePoliciesResponse describe(DescribePoliciesRequest request) {
    List<ScalingPolicy> all =
        store.read(tx -> found(tx, request)).stream().map(this::shown).toList();
    Pages<ScalingPolicy> page =
        Pages.of(
            all,
            ScalingPolicy::policyARN,
            request.nextToken(),
            request.maxRecords(),
            USUAL_PAGE,
            Pages.MOST);
    return DescribePoliciesResponse.builder()
        .scalingPolicies(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  private static List<PolicyRecord> found(Tx tx, DescribePoliciesRequest request) {
    if (request.autoScalingGroupName() != null) {
      GroupRecord.get(tx, request.autoScalingGroupName());
    }
    Set<String> names = Set.copyOf(request.policyNames());
    return tx.list(PolicyRecord.TABLE).stream()
        .map(Row::value)
        .filter(one ->
            request.autoScalingGroupName() == null
                || one.group().equals(request.autoScalingGroupName()))
        .filter(one ->
            names.isEmpty()
                || names.contains(one.policy().policyName())
                || names.contains(one.arn()))
        .filter(one ->
            request.policyTypes().isEmpty()
                || request.policyTypes().contains(one.policy().policyType()))
        .toList();
  }

  /** With the alarms that name it, where its owner made them. */
  private ScalingPolicy shown(PolicyRecord one) {
    if (one.tracks()) {
      return one.policy();
    }
    List<Alarm> named = new ArrayList<>();
    for (MetricAlarm alarm :
        cloudWatch
            .describeAlarms(r -> r.actionPrefix(one.arn()).maxRecords(MOST_ALARMS))
            .metricAlarms()) {
      named.add(Alarm.builder().alarmName(alarm.alarmName()).alarmARN(alarm.alarmArn()).build());
    }
    return one.policy().toBuilder().alarms(named).build();
  }

  /**
   * No policy here is predictive, so there is none to tell forecasts of.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_GetPredictiveScalingForecast.html">GetPredictiveScalingForecast</a>
   */
  public GetPredictiveScalingForecastResponse forecast(
      GetPredictiveScalingForecastRequest request) {
    String name = Refuse.required("policyName", request.policyName());
    Refuse.required("startTime", request.startTime());
    Refuse.required("endTime", request.endTime());
    boolean known =
        store.read(tx -> {
          GroupRecord group = GroupRecord.get(tx, request.autoScalingGroupName());
          return PolicyRecord.of(tx, group.name()).stream()
              .anyMatch(one -> one.policy().policyName().equals(name) || one.arn().equals(name));
        });
    throw known
        ? Refuse.invalid("The policy " + name + " is not a predictive scaling policy.")
        : Refuse.invalid("Policy not found: " + name);
  }

  public DescribeAdjustmentTypesResponse adjustmentTypes() {
    return DescribeAdjustmentTypesResponse.builder()
        .adjustmentTypes(
            Stream.of("ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity")
                .map(type -> AdjustmentType.builder().adjustmentType(type).build())
                .toList())
        .build();
  }
}
