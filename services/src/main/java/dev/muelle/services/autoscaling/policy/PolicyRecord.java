package dev.muelle.services.autoscaling.policy;

import dev.muelle.services.StoredJson;
import dev.muelle.services.autoscaling.state.Refuse;
import dev.muelle.store.Row;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.autoscaling.model.ScalingPolicy;
import software.amazon.awssdk.services.autoscaling.model.TargetTrackingConfiguration;

/**
 * A policy as stored, under its ARN.
 *
 * @param answered which call of each alarm, by its time, was answered last: after a server's death
 *     an alarm may call again
 */
record PolicyRecord(ScalingPolicy policy, Map<String, Instant> answered) {

  static final Table<PolicyRecord> TABLE =
      Table.of("autoscaling.policies", StoredJson.codec(PolicyRecord.class))
          .remember()
          .index("group", record -> record.policy().autoScalingGroupName());

  /** Those of groups that are gone, whose alarms are yet to go. */
  static final Table<PolicyRecord> GONE =
      Table.of("autoscaling.gone_policies", StoredJson.codec(PolicyRecord.class));

  static final String SIMPLE = "SimpleScaling";
  static final String STEPS = "StepScaling";
  static final String TRACKING = "TargetTrackingScaling";

  PolicyRecord {
    answered = Map.copyOf(answered);
  }

  static List<PolicyRecord> of(Tx tx, String group) {
    return tx.find(TABLE, "group", group).stream().map(Row::value).toList();
  }

  static Optional<PolicyRecord> byArn(Tx tx, String arn) {
    return tx.get(TABLE, arn).map(Row::value);
  }

  /** A request's policy, which it calls by its ARN, or by its name and its group. */
  static Optional<PolicyRecord> find(Tx tx, @Nullable String group, @Nullable String nameOrArn) {
    String asked = Refuse.required("policyName", nameOrArn);
    if (asked.startsWith("arn:")) {
      return byArn(tx, asked).filter(one -> group == null || one.group().equals(group));
    }
    return of(tx, Refuse.required("autoScalingGroupName", group)).stream()
        .filter(one -> one.policy().policyName().equals(asked))
        .findFirst();
  }

  /** Writes it down. */
  void put(Tx tx) {
    tx.put(TABLE, arn(), this);
  }

  PolicyRecord answering(String alarm, Instant at) {
    Map<String, Instant> now = new TreeMap<>(answered);
    now.put(alarm, at);
    return new PolicyRecord(policy, now);
  }

  boolean hasAnswered(String alarm, Instant at) {
    return at.equals(answered.get(alarm));
  }

  String arn() {
    return policy.policyARN();
  }

  String group() {
    return policy.autoScalingGroupName();
  }

  boolean tracks() {
    return TRACKING.equals(policy.policyType());
  }

  boolean enabled() {
    return !Boolean.FALSE.equals(policy.enabled());
  }

  /** Whether it tracks a target, and may scale in, too. */
  boolean scalesIn() {
    TargetTrackingConfiguration tracking = policy.targetTrackingConfiguration();
    return tracking != null && !Boolean.TRUE.equals(tracking.disableScaleIn());
  }
}
