package dev.muelle.services.cloudwatch.alarm;

import dev.muelle.services.StoredJson;
import dev.muelle.store.Table;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatch.model.CompositeAlarm;
import software.amazon.awssdk.services.cloudwatch.model.MetricAlarm;
import software.amazon.awssdk.services.cloudwatch.model.StateValue;

/**
 * An alarm as it is stored: one of its two forms is set.
 *
 * @param acted the state whose actions were the last to be taken up; a composite alarm whose
 *     actions are suppressed falls behind
 * @param suppressedUntil when the present wait or extension period ends
 * @param byHand whether a composite alarm has the state that somebody set: it keeps it until an
 *     alarm changes that it looks at, or its configuration
 */
record Alarm(
    @Nullable MetricAlarm metric,
    @Nullable CompositeAlarm composite,
    Map<String, String> tags,
    StateValue acted,
    @Nullable Instant suppressedUntil,
    boolean byHand) {

  /** Keyed by name; few and often read. */
  static final Table<Alarm> TABLE =
      Table.of("cloudwatch.alarms", StoredJson.codec(Alarm.class)).remember();

  /** What may be done in each state, by the name that AWS gives the list of it. */
  static final Map<StateValue, String> LISTS =
      Map.of(
          StateValue.OK, "okActions",
          StateValue.ALARM, "alarmActions",
          StateValue.INSUFFICIENT_DATA, "insufficientDataActions");

  String name() {
    return metric == null ? isComposite().alarmName() : metric.alarmName();
  }

  String arn() {
    return metric == null ? isComposite().alarmArn() : metric.alarmArn();
  }

  CompositeAlarm isComposite() {
    return Objects.requireNonNull(composite);
  }

  StateValue state() {
    return metric == null ? isComposite().stateValue() : metric.stateValue();
  }

  String reason() {
    return metric == null ? isComposite().stateReason() : metric.stateReason();
  }

  @Nullable String reasonData() {
    return metric == null ? isComposite().stateReasonData() : metric.stateReasonData();
  }

  boolean actionsEnabled() {
    return metric == null ? isComposite().actionsEnabled() : metric.actionsEnabled();
  }

  /** What is to be done in a state. */
  List<String> actions(StateValue state) {
    return switch (state) {
      case OK -> metric == null ? isComposite().okActions() : metric.okActions();
      case ALARM -> metric == null ? isComposite().alarmActions() : metric.alarmActions();
      default ->
          metric == null
              ? isComposite().insufficientDataActions()
              : metric.insufficientDataActions();
    };
  }

  List<String> allActions() {
    return LISTS.keySet().stream().flatMap(state -> actions(state).stream()).toList();
  }

  /** The alarms that this one looks at, by name. */
  List<String> children() {
    return composite == null ? List.of() : List.copyOf(Rule.parse(composite.alarmRule()).alarms());
  }

  /** The alarm that keeps this one from acting, by name. */
  @Nullable String suppressor() {
    return composite == null || composite.actionsSuppressor() == null
        ? null
        : Rule.name(composite.actionsSuppressor());
  }

  Alarm withState(StateValue state, String reason, @Nullable String data, Instant at) {
    boolean changed = state != state();
    return metric == null
        ? withComposite(
            isComposite().toBuilder()
                .stateValue(state)
                .stateReason(reason)
                .stateReasonData(data)
                .stateUpdatedTimestamp(at)
                .stateTransitionedTimestamp(
                    changed ? at : isComposite().stateTransitionedTimestamp())
                .build())
        : withMetric(
            metric.toBuilder()
                .stateValue(state)
                .stateReason(reason)
                .stateReasonData(data)
                .stateUpdatedTimestamp(at)
                .stateTransitionedTimestamp(changed ? at : metric.stateTransitionedTimestamp())
                .build());
  }

  Alarm withActionsEnabled(boolean enabled) {
    return metric == null
        ? withComposite(isComposite().toBuilder().actionsEnabled(enabled).build())
        : withMetric(metric.toBuilder().actionsEnabled(enabled).build());
  }

  Alarm withTags(Map<String, String> other) {
    return new Alarm(metric, composite, other, acted, suppressedUntil, byHand);
  }

  Alarm withActed(StateValue state) {
    return new Alarm(metric, composite, tags, state, suppressedUntil, byHand);
  }

  Alarm withSuppressedUntil(@Nullable Instant until) {
    return new Alarm(metric, composite, tags, acted, until, byHand);
  }

  Alarm withMetric(MetricAlarm other) {
    return new Alarm(other, null, tags, acted, suppressedUntil, byHand);
  }

  Alarm withComposite(CompositeAlarm other) {
    return new Alarm(null, other, tags, acted, suppressedUntil, byHand);
  }

  Alarm withByHand(boolean set) {
    return new Alarm(metric, composite, tags, acted, suppressedUntil, set);
  }
}
