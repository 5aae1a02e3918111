package dev.muelle.services.cloudwatch.alarm;

import dev.muelle.loop.Timers;
import dev.muelle.services.AlarmActions;
import dev.muelle.services.EventOutbox;
import dev.muelle.services.Scope;
import dev.muelle.services.TagRules;
import dev.muelle.services.cloudwatch.math.Queries;
import dev.muelle.services.cloudwatch.series.Refuse;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatch.model.CompositeAlarm;
import software.amazon.awssdk.services.cloudwatch.model.DeleteAlarmsRequest;
import software.amazon.awssdk.services.cloudwatch.model.DeleteAlarmsResponse;
import software.amazon.awssdk.services.cloudwatch.model.DisableAlarmActionsRequest;
import software.amazon.awssdk.services.cloudwatch.model.DisableAlarmActionsResponse;
import software.amazon.awssdk.services.cloudwatch.model.EnableAlarmActionsRequest;
import software.amazon.awssdk.services.cloudwatch.model.EnableAlarmActionsResponse;
import software.amazon.awssdk.services.cloudwatch.model.HistoryItemType;
import software.amazon.awssdk.services.cloudwatch.model.ListTagsForResourceRequest;
import software.amazon.awssdk.services.cloudwatch.model.ListTagsForResourceResponse;
import software.amazon.awssdk.services.cloudwatch.model.MetricAlarm;
import software.amazon.awssdk.services.cloudwatch.model.PutCompositeAlarmRequest;
import software.amazon.awssdk.services.cloudwatch.model.PutCompositeAlarmResponse;
import software.amazon.awssdk.services.cloudwatch.model.PutMetricAlarmRequest;
import software.amazon.awssdk.services.cloudwatch.model.PutMetricAlarmResponse;
import software.amazon.awssdk.services.cloudwatch.model.SetAlarmStateRequest;
import software.amazon.awssdk.services.cloudwatch.model.SetAlarmStateResponse;
import software.amazon.awssdk.services.cloudwatch.model.StateValue;
import software.amazon.awssdk.services.cloudwatch.model.Tag;
import software.amazon.awssdk.services.cloudwatch.model.TagResourceRequest;
import software.amazon.awssdk.services.cloudwatch.model.TagResourceResponse;
import software.amazon.awssdk.services.cloudwatch.model.UntagResourceRequest;
import software.amazon.awssdk.services.cloudwatch.model.UntagResourceResponse;

/** Makes, changes and deletes alarms. */
public final class Alarms implements AutoCloseable {

  private static final int MOST_NAMES = 100;
  private static final int MOST_TAGS = 50;
  private static final int MOST_ALARMS = 5_000;

  private final Scope scope;
  private final Store store;
  private final Timers timers;
  private final AlarmRequests requests;
  private final History history = new History();
  private final AlarmEvents events;
  private final Transitions transitions = new Transitions(history);
  private final Watch watch;

  public Alarms(
      Scope scope,
      Store store,
      Timers timers,
      RandomGenerator random,
      Queries queries,
      AlarmActions actions,
      EventOutbox outbox) {
    this.scope = scope;
    this.store = store;
    this.timers = timers;
    requests = new AlarmRequests(scope, queries, actions);
    events = new AlarmEvents(outbox);
    Outbox acting = new Outbox(store, timers, random, actions, history);
    watch = new Watch(store, timers, random, queries, transitions, events, acting);
  }

  /** Watches on, and performs what an earlier server had yet to do. */
  public void start() {
    watch.start();
  }

  @Override
  public void close() {
    watch.close();
  }

  public PutMetricAlarmResponse put(PutMetricAlarmRequest request) {
    MetricAlarm asked = requests.metric(request, timers.instant());
    Map<String, String> tags = tags(request.tags());
    store.write(tx -> {
      Alarm before = before(tx, asked.alarmName(), false);
      Alarm alarm =
          before == null
              ? new Alarm(asked, null, tags, StateValue.INSUFFICIENT_DATA, null, false)
              : before.withMetric(keepingState(asked, before.metric()));
      return configure(tx, before, alarm);
    });
    watch.configured(asked.alarmName());
    return PutMetricAlarmResponse.builder().build();
  }

  private static MetricAlarm keepingState(MetricAlarm asked, @Nullable MetricAlarm before) {
    return before == null
        ? asked
        : asked.toBuilder()
            .stateValue(before.stateValue())
            .stateReason(before.stateReason())
            .stateReasonData(before.stateReasonData())
            .stateUpdatedTimestamp(before.stateUpdatedTimestamp())
            .stateTransitionedTimestamp(before.stateTransitionedTimestamp())
            .build();
  }

  public PutCompositeAlarmResponse put(PutCompositeAlarmRequest request) {
    CompositeAlarm asked = requests.composite(request, timers.instant());
    Map<String, String> tags = tags(request.tags());
    store.write(tx -> {
      Alarm before = before(tx, asked.alarmName(), true);
      Alarm alarm =
          before == null
              ? new Alarm(null, asked, tags, StateValue.INSUFFICIENT_DATA, null, false)
              : before.withComposite(keepingState(asked, before.isComposite())).withByHand(false);
      List<String> named = new ArrayList<>(alarm.children());
      if (alarm.suppressor() != null) {
        named.add(alarm.suppressor());
      }
      named.removeIf(name -> name.equals(alarm.name()) || tx.get(Alarm.TABLE, name).isPresent());
      if (!named.isEmpty()) {
        throw Refuse.validation(
            "Could not save the composite alarm as alarms "
                + named
                + " in the alarm rule do not exist");
      }
      return configure(tx, before, alarm);
    });
    watch.configured(asked.alarmName());
    return PutCompositeAlarmResponse.builder().build();
  }

  private static CompositeAlarm keepingState(CompositeAlarm asked, CompositeAlarm before) {
    return asked.toBuilder()
        .stateValue(before.stateValue())
        .stateReason(before.stateReason())
        .stateReasonData(before.stateReasonData())
        .stateUpdatedTimestamp(before.stateUpdatedTimestamp())
        .stateTransitionedTimestamp(before.stateTransitionedTimestamp())
        .build();
  }

  private static @Nullable Alarm before(Tx tx, String name, boolean composite) {
    Alarm before = tx.get(Alarm.TABLE, name).map(Row::value).orElse(null);
    if (before != null && (before.composite() != null) != composite) {
      throw Refuse.invalid("An alarm of another type with the name " + name + " exists already.");
    }
    if (before == null && tx.count(Alarm.TABLE) >= MOST_ALARMS) {
      throw Refuse.limit("The maximum number of alarms, " + MOST_ALARMS + ", is reached.");
    }
    return before;
  }

  private Alarm configure(Tx tx, @Nullable Alarm before, Alarm alarm) {
    tx.put(Alarm.TABLE, alarm.name(), alarm);
    configured(
        tx,
        before,
        alarm,
        before == null ? "Create" : "Update",
        "Alarm \"" + alarm.name() + "\" " + (before == null ? "created" : "updated"));
    return alarm;
  }

  /** Tells of a change; without {@code now} the alarm is gone. */
  private void configured(
      Tx tx, @Nullable Alarm before, @Nullable Alarm now, String type, String summary) {
    Alarm alarm = Objects.requireNonNull(now == null ? before : now);
    Instant at = timers.instant();
    events.configured(tx, before, now, at);
    var data = Json.object().put("type", type);
    data.set(
        switch (type) {
          case "Create" -> "createdAlarm";
          case "Update" -> "updatedAlarm";
          default -> "deletedAlarm";
        },
        Json.configuration(alarm));
    history.add(tx, alarm, HistoryItemType.CONFIGURATION_UPDATE, summary, Json.text(data), at);
  }

  public DeleteAlarmsResponse delete(DeleteAlarmsRequest request) {
    List<String> names = names(request.alarmNames());
    store.write(tx -> {
      List<Alarm> gone = existing(tx, names);
      if (gone.stream().filter(alarm -> alarm.composite() != null).count() > 1) {
        throw Refuse.invalid("You can't delete more than one composite alarm at a time.");
      }
      Set<String> needed = new LinkedHashSet<>();
      for (Row<Alarm> row : tx.list(Alarm.TABLE)) {
        if (!names.contains(row.key())) {
          needed.addAll(row.value().children());
        }
      }
      needed.retainAll(names);
      if (!needed.isEmpty()) {
        throw Refuse.validation(
            "Cannot delete "
                + String.join(",", needed)
                + " as there are composite alarm(s) depending on "
                + (needed.size() == 1 ? "it." : "them."));
      }
      for (Alarm alarm : gone) {
        tx.delete(Alarm.TABLE, alarm.name());
        configured(tx, alarm, null, "Delete", "Alarm \"" + alarm.name() + "\" deleted");
      }
      return gone.size();
    });
    return DeleteAlarmsResponse.builder().build();
  }

  public EnableAlarmActionsResponse enable(EnableAlarmActionsRequest request) {
    enable(names(request.alarmNames()), true);
    return EnableAlarmActionsResponse.builder().build();
  }

  public DisableAlarmActionsResponse disable(DisableAlarmActionsRequest request) {
    enable(names(request.alarmNames()), false);
    return DisableAlarmActionsResponse.builder().build();
  }

  private void enable(List<String> names, boolean enabled) {
    store.write(tx -> {
      for (Alarm alarm : existing(tx, names)) {
        configure(tx, alarm, alarm.withActionsEnabled(enabled));
      }
      return names.size();
    });
  }

  /**
   * Sets a state by hand: a metric alarm's holds until its next evaluation, a composite one's until
   * an alarm changes that it looks at.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html">SetAlarmState</a>
   */
  public SetAlarmStateResponse set(SetAlarmStateRequest request) {
    String name = AlarmRequests.name(request.alarmName(), "AlarmName");
    if (request.stateValueAsString() == null) {
      throw Refuse.missing("StateValue");
    }
    if (request.stateValue() == StateValue.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.noneOf(request.stateValueAsString(), "stateValue", AlarmRequests.STATES);
    }
    String reason = request.stateReason();
    if (reason == null) {
      throw Refuse.missing("StateReason");
    }
    if (reason.length() > 1_023) {
      throw Refuse.validation(
          reason, "stateReason", "Member must have length less than or equal to 1023");
    }
    String data = request.stateReasonData();
    if (data != null && (data.length() > 4_000 || Json.read(data) == null)) {
      throw Refuse.badFormat("StateReasonData is not valid JSON");
    }
    Instant now = timers.instant();
    boolean composite =
        store.write(tx -> {
          Alarm alarm = existing(tx, List.of(name)).getFirst();
          boolean changed = transitions.set(tx, alarm, request.stateValue(), reason, data, now);
          if (alarm.composite() != null) {
            watch.setByHand(tx, name, changed, now);
          }
          events.changed(tx, alarm, existing(tx, List.of(name)).getFirst(), now);
          return alarm.composite() != null;
        });
    watch.changed(name);
    if (composite) {
      watch.configured(
          name); // its actions may be held back for a while, the end of which is waited for
    }
    return SetAlarmStateResponse.builder().build();
  }

  private static List<String> names(List<String> names) {
    if (names.isEmpty()) {
      throw Refuse.missing("AlarmNames");
    }
    if (names.size() > MOST_NAMES) {
      throw Refuse.validation(
          names.size(), "alarmNames", "Member must have length less than or equal to 100");
    }
    return names;
  }

  /** All of them or an error. */
  private static List<Alarm> existing(Tx tx, List<String> names) {
    List<String> unknown = new ArrayList<>();
    List<Alarm> found = new ArrayList<>();
    for (String name : names.stream().distinct().toList()) {
      tx.get(Alarm.TABLE, name)
          .ifPresentOrElse(row -> found.add(row.value()), () -> unknown.add(name));
    }
    if (!unknown.isEmpty()) {
      throw Refuse.noAlarm("Alarms not found: " + unknown);
    }
    return found;
  }

  /** Whether an ARN is an alarm's. */
  public boolean owns(@Nullable String arn) {
    return arn != null && arn.startsWith(scope.arn("cloudwatch", "alarm:"));
  }

  private Alarm tagged(Tx tx, @Nullable String arn) {
    if (arn == null) {
      throw Refuse.missing("ResourceARN");
    }
    return (owns(arn) ? tx.get(Alarm.TABLE, Rule.name(arn)) : Optional.<Row<Alarm>>empty())
        .map(Row::value)
        .orElseThrow(() -> Refuse.noResource(arn + " does not exist"));
  }

  public TagResourceResponse tag(TagResourceRequest request) {
    Map<String, String> added = tags(request.tags());
    store.write(tx -> {
      Alarm alarm = tagged(tx, request.resourceARN());
      Map<String, String> tags = new LinkedHashMap<>(alarm.tags());
      tags.putAll(added);
      if (tags.size() > MOST_TAGS) {
        throw Refuse.invalid("The number of tags exceeds the limit of " + MOST_TAGS + ".");
      }
      return tx.put(Alarm.TABLE, alarm.name(), alarm.withTags(tags));
    });
    return TagResourceResponse.builder().build();
  }

  public UntagResourceResponse untag(UntagResourceRequest request) {
    store.write(tx -> {
      Alarm alarm = tagged(tx, request.resourceARN());
      Map<String, String> tags = new LinkedHashMap<>(alarm.tags());
      request.tagKeys().forEach(tags::remove);
      return tx.put(Alarm.TABLE, alarm.name(), alarm.withTags(tags));
    });
    return UntagResourceResponse.builder().build();
  }

  public ListTagsForResourceResponse tags(ListTagsForResourceRequest request) {
    Alarm alarm = store.read(tx -> tagged(tx, request.resourceARN()));
    return ListTagsForResourceResponse.builder()
        .tags(
            alarm.tags().entrySet().stream()
                .map(tag -> Tag.builder().key(tag.getKey()).value(tag.getValue()).build())
                .toList())
        .build();
  }

  private static Map<String, String> tags(List<Tag> tags) {
    if (tags.size() > MOST_TAGS) {
      throw Refuse.validation(
          tags.size(), "tags", "Member must have length less than or equal to " + MOST_TAGS);
    }
    Map<String, String> map = new LinkedHashMap<>();
    for (Tag tag : tags) {
      if (tag.key() == null || tag.key().isEmpty() || tag.key().length() > 128) {
        throw Refuse.value("Tags.member.Key", String.valueOf(tag.key()));
      }
      if (TagRules.isReserved(tag.key())) {
        throw Refuse.invalid("Tag keys that start with aws: are reserved: " + tag.key());
      }
      if (tag.value() == null || tag.value().length() > 256) {
        throw Refuse.value("Tags.member.Value", String.valueOf(tag.value()));
      }
      map.put(tag.key(), tag.value());
    }
    return map;
  }
}
