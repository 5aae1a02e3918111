package dev.muelle.services.applicationautoscaling;

import dev.muelle.scaling.Schedule;
import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.applicationautoscaling.State.Action;
import dev.muelle.services.applicationautoscaling.State.Target;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.applicationautoscaling.model.DeleteScheduledActionRequest;
import software.amazon.awssdk.services.applicationautoscaling.model.DeleteScheduledActionResponse;
import software.amazon.awssdk.services.applicationautoscaling.model.DescribeScheduledActionsRequest;
import software.amazon.awssdk.services.applicationautoscaling.model.DescribeScheduledActionsResponse;
import software.amazon.awssdk.services.applicationautoscaling.model.PutScheduledActionRequest;
import software.amazon.awssdk.services.applicationautoscaling.model.PutScheduledActionResponse;
import software.amazon.awssdk.services.applicationautoscaling.model.ScalableTargetAction;
import software.amazon.awssdk.services.applicationautoscaling.model.ScalingActivityStatusCode;
import software.amazon.awssdk.services.applicationautoscaling.model.ScheduledAction;
import software.amazon.awssdk.services.applicationautoscaling.model.ValidationException;

/**
 * Bounds that change by the clock.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScheduledAction.html">PutScheduledAction</a>
 */
final class ScheduledActions {

  private static final int PAGE = 50;
  private static final int MOST = 200; // of a target
  private static final int LONGEST_NAME = 256;
  private static final Pattern NAME =
      Pattern.compile(
          "(?!((^[ ]+.*)|(.*([\\u0000-\\u001f]|[\\u007f-\\u009f]|[:/|])+.*)|(.*[ ]+$))).+");

  private final Scope scope;
  private final Store store;
  private final InstantSource clock;
  private final Ids ids;
  private final Activities activities;
  private final Consumer<String> wake;

  ScheduledActions(
      Scope scope,
      Store store,
      InstantSource clock,
      Ids ids,
      Activities activities,
      Consumer<String> wake) {
    this.scope = scope;
    this.store = store;
    this.clock = clock;
    this.ids = ids;
    this.activities = activities;
    this.wake = wake;
  }

  private static String name(@Nullable String name) {
    if (name == null) {
      throw Refuse.missing("scheduledActionName");
    }
    if (name.length() > LONGEST_NAME || !NAME.matcher(name).matches()) {
      throw Refuse.constraint(
          name,
          "scheduledActionName",
          "Member must satisfy regular expression pattern: " + NAME.pattern());
    }
    return name;
  }

  PutScheduledActionResponse put(PutScheduledActionRequest request) {
    TargetKey target = TargetKey.of(request);
    String name = name(request.scheduledActionName());
    Instant now = clock.instant();
    store.write(tx -> {
      Targets.get(tx, target);
      Optional<Action> before = tx.get(State.ACTIONS, target.of(name)).map(Row::value);
      if (before.isEmpty() && tx.list(State.ACTIONS, target.prefix()).size() >= MOST) {
        throw Refuse.limit(
            "The maximum number of scheduled actions per scalable target is " + MOST);
      }
      ScheduledAction action =
          merged(request, target, name, before.map(Action::action).orElse(null), now);
      check(action, now);
      return tx.put(State.ACTIONS, target.of(name), new Action(action, now));
    });
    wake.accept(target.resourceId());
    return PutScheduledActionResponse.builder().build();
  }

  /**
   * "To update a scheduled action, specify the parameters that you want to change. If you don't
   * specify start and end times, the old values are deleted."
   */
  private ScheduledAction merged(
      PutScheduledActionRequest request,
      TargetKey target,
      String name,
      @Nullable ScheduledAction before,
      Instant now) {
    ScheduledAction.Builder action =
        before != null
            ? before.toBuilder()
            : ScheduledAction.builder()
                .scheduledActionName(name)
                .scheduledActionARN(
                    scope.arn(
                        "autoscaling",
                        "scheduledAction:%s:resource/%s/%s:scheduledActionName/%s"
                            .formatted(ids.uuid(), TargetKey.NAMESPACE, target.resourceId(), name)))
                .serviceNamespace(TargetKey.NAMESPACE)
                .resourceId(target.resourceId())
                .scalableDimension(TargetKey.DIMENSION)
                .creationTime(now);
    action.startTime(request.startTime()).endTime(request.endTime());
    if (request.schedule() != null) {
      // another schedule is another action: its zone does not stay
      action.schedule(request.schedule()).timezone(request.timezone());
    }
    if (request.timezone() != null) {
      action.timezone(request.timezone());
    }
    if (request.scalableTargetAction() != null) {
      action.scalableTargetAction(request.scalableTargetAction());
    }
    return action.build();
  }

  private static void check(ScheduledAction action, Instant now) {
    if (action.schedule() == null) {
      throw Refuse.invalid("Schedule must be specified");
    }
    if (action.timezone() != null && !Schedule.isZone(action.timezone())) {
      throw Refuse.invalid("Invalid timezone: " + action.timezone());
    }
    Schedule schedule =
        Schedule.parse(action.schedule(), action.timezone(), now)
            .orElseThrow(() -> Refuse.invalid("Invalid schedule expression: " + action.schedule()));
    if (schedule instanceof Schedule.At && schedule.next(now).isEmpty()) {
      throw Refuse.invalid("Scheduled action time is in the past: " + action.schedule());
    }
    if (action.startTime() != null
        && action.endTime() != null
        && !action.startTime().isBefore(action.endTime())) {
      throw Refuse.invalid("StartTime must be before EndTime");
    }
    if (action.endTime() != null && action.endTime().isBefore(now)) {
      throw Refuse.invalid("EndTime must be in the future");
    }
    ScalableTargetAction bounds = action.scalableTargetAction();
    if (bounds == null || (bounds.minCapacity() == null && bounds.maxCapacity() == null)) {
      throw Refuse.invalid("ScalableTargetAction must specify MinCapacity, MaxCapacity, or both");
    }
    int min = bounds.minCapacity() == null ? 0 : bounds.minCapacity();
    Targets.checkBounds(min, bounds.maxCapacity() == null ? min : bounds.maxCapacity());
  }

  /**
   * When an action is next due; empty if it never is again.
   *
   * <p>"If you specify a start time, Application Auto Scaling performs the action at this time, and
   * then performs the action based on the specified recurrence."
   */
  private static Optional<Instant> due(Action scheduled) {
    ScheduledAction action = scheduled.action();
    Instant from = scheduled.from();
    Instant start = action.startTime();
    Instant begin = start == null ? action.creationTime() : start;
    // what an earlier version took for a schedule, and this one does not, is never due
    return Schedule.parse(action.schedule(), action.timezone(), begin)
        .flatMap(schedule ->
            start != null && from.isBefore(start) && !(schedule instanceof Schedule.At)
                ? Optional.of(start)
                : schedule.next(from))
        .filter(at -> action.endTime() == null || !at.isAfter(action.endTime()));
  }

  /** Runs what is due for a target, and says when the next is. */
  Optional<Instant> run(TargetKey target, Instant now) {
    rewind(target, now);
    boolean due =
        store.read(tx ->
            tx.list(State.ACTIONS, target.prefix()).stream()
                .anyMatch(row -> due(row.value()).filter(at -> !at.isAfter(now)).isPresent()));
    if (due) {
      store.write(tx -> {
        tx.list(State.ACTIONS, target.prefix()).stream()
            .map(Row::value)
            .filter(action -> due(action).filter(at -> !at.isAfter(now)).isPresent())
            .forEach(action -> run(tx, action, now));
        return true;
      });
    }
    return store.read(tx ->
        tx.list(State.ACTIONS, target.prefix()).stream()
            .flatMap(row -> due(row.value()).stream())
            .min(Instant::compareTo));
  }

  /** A clock that was set back does not silence an action until it is late again. */
  private void rewind(TargetKey target, Instant now) {
    boolean ahead =
        store.read(tx ->
            tx.list(State.ACTIONS, target.prefix()).stream()
                .anyMatch(row -> row.value().from().isAfter(now)));
    if (ahead) {
      store.write(tx -> {
        tx.list(State.ACTIONS, target.prefix()).stream()
            .filter(row -> row.value().from().isAfter(now))
            .forEach(
                row -> tx.put(State.ACTIONS, row.key(), new Action(row.value().action(), now)));
        return true;
      });
    }
  }

  /** However often it was missed while no server ran, it runs once. */
  private void run(Tx tx, Action scheduled, Instant now) {
    ScheduledAction action = scheduled.action();
    if (action.schedule().strip().startsWith("at")) {
      tx.delete(State.ACTIONS, scheduled.key()); // AWS forgets it, too
    } else {
      tx.put(State.ACTIONS, scheduled.key(), new Action(action, now));
    }
    Target target = tx.get(State.TARGETS, action.resourceId()).map(Row::value).orElse(null);
    if (target == null || target.target().suspendedState().scheduledScalingSuspended()) {
      return;
    }
    ScalableTargetAction bounds = action.scalableTargetAction();
    String cause = "scheduled action name " + action.scheduledActionName() + " was triggered";
    String what = words(bounds);
    try {
      Target changed = Targets.bounded(target, bounds.minCapacity(), bounds.maxCapacity());
      tx.put(State.TARGETS, action.resourceId(), changed);
      activities.note(
          tx,
          target.key(),
          cause,
          "Setting " + what,
          ScalingActivityStatusCode.SUCCESSFUL,
          "Successfully set " + what,
          now);
    } catch (ValidationException e) {
      activities.note(
          tx,
          target.key(),
          cause,
          "Setting " + what,
          ScalingActivityStatusCode.FAILED,
          "Failed to set " + what + ". Reason: " + e.getMessage(),
          now);
    }
  }

  private static String words(ScalableTargetAction bounds) {
    String min = "min capacity to " + bounds.minCapacity();
    String max = "max capacity to " + bounds.maxCapacity();
    if (bounds.minCapacity() == null) {
      return max;
    }
    return bounds.maxCapacity() == null ? min : min + " and " + max;
  }

  DescribeScheduledActionsResponse describe(DescribeScheduledActionsRequest request) {
    TargetKey.namespace(request.serviceNamespaceAsString());
    TargetKey.dimension(request.scalableDimensionAsString());
    if (request.scalableDimensionAsString() != null && request.resourceId() == null) {
      throw Refuse.invalid("ResourceId must be specified when ScalableDimension is specified");
    }
    List<Action> all =
        store.read(tx -> tx.list(State.ACTIONS)).stream()
            .map(Row::value)
            .filter(a ->
                request.resourceId() == null
                    || request.resourceId().equals(a.action().resourceId()))
            .filter(a ->
                request.scheduledActionNames().isEmpty()
                    || request.scheduledActionNames().contains(a.action().scheduledActionName()))
            .toList();
    Pages<Action> page =
        Pages.of(all, Action::key, request.maxResults(), PAGE, request.nextToken());
    return DescribeScheduledActionsResponse.builder()
        .scheduledActions(page.items().stream().map(Action::action).toList())
        .nextToken(page.next())
        .build();
  }

  DeleteScheduledActionResponse delete(DeleteScheduledActionRequest request) {
    TargetKey target = TargetKey.of(request);
    String name = name(request.scheduledActionName());
    if (!store.write(tx -> tx.delete(State.ACTIONS, target.of(name)))) {
      throw Refuse.notFound(
          "No scheduled action found for " + target.words() + ", scheduled action name: " + name);
    }
    return DeleteScheduledActionResponse.builder().build();
  }
}
