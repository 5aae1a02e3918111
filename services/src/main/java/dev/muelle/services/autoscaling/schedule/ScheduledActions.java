package dev.muelle.services.autoscaling.schedule;

import dev.muelle.scaling.Cron;
import dev.muelle.scaling.Schedule;
import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.StoredJson;
import dev.muelle.services.autoscaling.state.Causes;
import dev.muelle.services.autoscaling.state.GroupRecord;
import dev.muelle.services.autoscaling.state.Pages;
import dev.muelle.services.autoscaling.state.Refuse;
import dev.muelle.services.autoscaling.state.ScalingProcess;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.autoscaling.model.AutoScalingException;
import software.amazon.awssdk.services.autoscaling.model.AutoScalingGroup;
import software.amazon.awssdk.services.autoscaling.model.BatchDeleteScheduledActionRequest;
import software.amazon.awssdk.services.autoscaling.model.BatchDeleteScheduledActionResponse;
import software.amazon.awssdk.services.autoscaling.model.BatchPutScheduledUpdateGroupActionRequest;
import software.amazon.awssdk.services.autoscaling.model.BatchPutScheduledUpdateGroupActionResponse;
import software.amazon.awssdk.services.autoscaling.model.DeleteScheduledActionRequest;
import software.amazon.awssdk.services.autoscaling.model.DeleteScheduledActionResponse;
import software.amazon.awssdk.services.autoscaling.model.DescribeScheduledActionsRequest;
import software.amazon.awssdk.services.autoscaling.model.DescribeScheduledActionsResponse;
import software.amazon.awssdk.services.autoscaling.model.FailedScheduledUpdateGroupActionRequest;
import software.amazon.awssdk.services.autoscaling.model.PutScheduledUpdateGroupActionRequest;
import software.amazon.awssdk.services.autoscaling.model.PutScheduledUpdateGroupActionResponse;
import software.amazon.awssdk.services.autoscaling.model.ScheduledUpdateGroupAction;
import software.amazon.awssdk.services.autoscaling.model.ScheduledUpdateGroupActionRequest;

/**
 * Scheduled actions: once, or by a cron expression in a time zone.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-scheduled-scaling.html">Scheduled
 *     scaling</a>
 */
public final class ScheduledActions {

  /** A clock may be set: whatever a schedule says, it is asked this often. */
  private static final Duration LONGEST_WAIT = Duration.ofMinutes(1);

  private static final int MOST_OF_A_GROUP = 125; // the default quota
  private static final int MOST_OF_A_REQUEST = 50;
  private static final int LONGEST_NAME = 255;
  private static final int USUAL_PAGE = 50;

  private static final Table<Entry> TABLE =
      Table.of("autoscaling.scheduled_actions", StoredJson.codec(Entry.class))
          .remember()
          .index("group", entry -> entry.action().autoScalingGroupName());

  private final Scope scope;
  private final Store store;
  private final InstantSource clock;
  private final Ids ids;
  private final Consumer<String> wake;
  private final Consumer<String> changed;

  /**
   * An action.
   *
   * @param done until when it was done whenever it was due
   */
  record Entry(ScheduledUpdateGroupAction action, Instant done) {

    /** When it is due next; empty if it never is again. */
    Optional<Instant> next() {
      Instant start = action.startTime();
      if (action.recurrence() == null) {
        return Optional.ofNullable(start).filter(due -> due.isAfter(done));
      }
      Instant after = start != null && start.isAfter(done) ? start.minusNanos(1) : done;
      return Cron.unix(action.recurrence())
          .flatMap(cron -> cron.next(after, zone()))
          .filter(due -> action.endTime() == null || !due.isAfter(action.endTime()));
    }

    private ZoneId zone() {
      return ZoneId.of(action.timeZone() == null ? "UTC" : action.timeZone());
    }
  }

  /**
   * Scheduled actions.
   *
   * @param wake has a group's actions looked at
   * @param changed has a group looked at
   */
  public ScheduledActions(
      Scope scope,
      Store store,
      InstantSource clock,
      Ids ids,
      Consumer<String> wake,
      Consumer<String> changed) {
    this.scope = scope;
    this.store = store;
    this.clock = clock;
    this.ids = ids;
    this.wake = wake;
    this.changed = changed;
  }

  private static List<Entry> of(Tx tx, String group) {
    return tx.find(TABLE, "group", group).stream().map(Row::value).toList();
  }

  private static Optional<Entry> find(Tx tx, String group, String name) {
    return of(tx, group).stream()
        .filter(one -> one.action().scheduledActionName().equals(name))
        .findFirst();
  }

  /** One look at a group's actions; gives when to look again, or null if none is due any more. */
  public @Nullable Duration look(String name) {
    Instant now = clock.instant();
    boolean did = store.write(tx -> act(tx, name, now));
    if (did) {
      changed.accept(name);
    }
    return store.read(tx -> of(tx, name)).stream()
        .flatMap(entry -> entry.next().stream())
        .min(Comparator.naturalOrder())
        .map(due -> Duration.between(now, due))
        .map(wait -> wait.compareTo(LONGEST_WAIT) > 0 ? LONGEST_WAIT : wait)
        .orElse(null);
  }

  private static boolean act(Tx tx, String name, Instant now) {
    boolean did = false;
    for (Entry entry : of(tx, name)) {
      Optional<Instant> due = entry.next().filter(at -> !at.isAfter(now));
      if (due.isEmpty()) {
        continue;
      }
      String key = entry.action().scheduledActionARN();
      Optional<GroupRecord> group = GroupRecord.find(tx, name).filter(g -> !g.deleting());
      group
          .filter(g -> ScalingProcess.SCHEDULED_ACTIONS.runs(g.group()))
          .ifPresent(g -> apply(tx, g, entry.action(), now));
      Entry after = new Entry(entry.action(), now);
      if (group.isEmpty() || after.next().isEmpty()) {
        tx.delete(TABLE, key);
      } else {
        tx.put(TABLE, key, after);
      }
      did = true;
    }
    return did;
  }

  /** What an action does not say stays, but that the desired capacity follows the bounds. */
  private static void apply(
      Tx tx, GroupRecord group, ScheduledUpdateGroupAction action, Instant now) {
    AutoScalingGroup g = group.group();
    int least = Objects.requireNonNullElse(action.minSize(), g.minSize());
    int most = Math.max(least, Objects.requireNonNullElse(action.maxSize(), g.maxSize()));
    int asked = Objects.requireNonNullElse(action.desiredCapacity(), g.desiredCapacity());
    int desired = Math.clamp(asked, least, most);
    GroupRecord next = group.with(b -> b.minSize(least).maxSize(most).desiredCapacity(desired));
    (desired == g.desiredCapacity()
            ? next
            : next.because(
                Causes.updated(
                    now, "a scheduled action", least, most, desired, g.desiredCapacity())))
        .put(tx);
  }

  /** Of a group that goes. */
  public static void forget(Tx tx, String group) {
    tx.find(TABLE, "group", group).forEach(row -> tx.delete(TABLE, row.key()));
  }

  public PutScheduledUpdateGroupActionResponse put(PutScheduledUpdateGroupActionRequest request) {
    put(
        request.autoScalingGroupName(),
        ScheduledUpdateGroupActionRequest.builder()
            .scheduledActionName(request.scheduledActionName())
            .startTime(request.startTime() == null ? request.time() : request.startTime())
            .endTime(request.endTime())
            .recurrence(request.recurrence())
            .minSize(request.minSize())
            .maxSize(request.maxSize())
            .desiredCapacity(request.desiredCapacity())
            .timeZone(request.timeZone())
            .build());
    return PutScheduledUpdateGroupActionResponse.builder().build();
  }

  private void put(@Nullable String groupName, ScheduledUpdateGroupActionRequest asked) {
    String name = Refuse.required("scheduledActionName", asked.scheduledActionName());
    if (name.length() > LONGEST_NAME) {
      throw Refuse.invalid(
          "1 validation error detected: Value '"
              + name
              + "' at 'scheduledActionName' failed to satisfy constraint: Member must have length"
              + " less than or equal to "
              + LONGEST_NAME);
    }
    Instant now = clock.instant();
    check(asked, now);
    String group =
        store.write(tx -> {
          GroupRecord of = GroupRecord.changeable(tx, groupName);
          Optional<Entry> before = find(tx, of.name(), name);
          if (before.isEmpty() && of(tx, of.name()).size() >= MOST_OF_A_GROUP) {
            throw Refuse.tooMany("A group has at most " + MOST_OF_A_GROUP + " scheduled actions.");
          }
          String arn =
              before
                  .map(one -> one.action().scheduledActionARN())
                  .orElseGet(() -> arn(of.name(), name));
          Entry entry = new Entry(action(asked, of.name(), arn), now);
          checkUnique(tx, entry);
          tx.put(TABLE, arn, entry);
          return of.name();
        });
    wake.accept(group);
  }

  /** "A scheduled action must have a unique time value." */
  private static void checkUnique(Tx tx, Entry entry) {
    Optional<Instant> due = entry.next();
    String own = entry.action().scheduledActionARN();
    of(tx, entry.action().autoScalingGroupName()).stream()
        .filter(other -> !other.action().scheduledActionARN().equals(own))
        .filter(other -> due.isPresent() && due.equals(other.next()))
        .findFirst()
        .ifPresent(other -> {
          throw Refuse.exists(
              "The scheduled action "
                  + other.action().scheduledActionName()
                  + " already has the start time "
                  + due.get());
        });
  }

  private String arn(String group, String name) {
    return scope.arn(
        "autoscaling",
        "scheduledUpdateGroupAction:"
            + ids.uuid()
            + ":autoScalingGroupName/"
            + group
            + ":scheduledActionName/"
            + name);
  }

  private static ScheduledUpdateGroupAction action(
      ScheduledUpdateGroupActionRequest asked, String group, String arn) {
    return ScheduledUpdateGroupAction.builder()
        .autoScalingGroupName(group)
        .scheduledActionName(asked.scheduledActionName())
        .scheduledActionARN(arn)
        .startTime(asked.startTime())
        .endTime(asked.endTime())
        .recurrence(asked.recurrence())
        .timeZone(asked.timeZone())
        .minSize(asked.minSize())
        .maxSize(asked.maxSize())
        .desiredCapacity(asked.desiredCapacity())
        .build();
  }

  private static void check(ScheduledUpdateGroupActionRequest asked, Instant now) {
    if (asked.minSize() == null && asked.maxSize() == null && asked.desiredCapacity() == null) {
      throw Refuse.invalid(
          "At least one of MinSize, MaxSize and DesiredCapacity must be specified");
    }
    Refuse.unlessWithin("minSize", asked.minSize(), 0, Integer.MAX_VALUE);
    Refuse.unlessWithin("maxSize", asked.maxSize(), 0, Integer.MAX_VALUE);
    Refuse.unlessWithin("desiredCapacity", asked.desiredCapacity(), 0, Integer.MAX_VALUE);
    if (asked.minSize() != null && asked.maxSize() != null && asked.maxSize() < asked.minSize()) {
      throw Refuse.invalid(
          "Max bound, "
              + asked.maxSize()
              + ", must be greater than or equal to min bound, "
              + asked.minSize());
    }
    if (asked.desiredCapacity() != null) {
      Refuse.unlessBetween(
          asked.desiredCapacity(),
          Objects.requireNonNullElse(asked.minSize(), 0),
          Objects.requireNonNullElse(asked.maxSize(), Integer.MAX_VALUE));
    }
    if (asked.startTime() == null && asked.recurrence() == null) {
      throw Refuse.invalid("Either StartTime or Recurrence must be specified");
    }
    if (asked.startTime() != null && asked.startTime().isBefore(now)) {
      throw Refuse.invalid("Given start time is in the past");
    }
    if (asked.endTime() != null
        && (asked.endTime().isBefore(now)
            || (asked.startTime() != null && asked.endTime().isBefore(asked.startTime())))) {
      throw Refuse.invalid("Given end time is in the past, or before the start time");
    }
    if (asked.recurrence() != null && Cron.unix(asked.recurrence()).isEmpty()) {
      throw Refuse.invalid("Given recurrence string: " + asked.recurrence() + " is invalid");
    }
    if (asked.timeZone() != null && !Schedule.isZone(asked.timeZone())) {
      throw Refuse.invalid("Given time zone: " + asked.timeZone() + " is invalid");
    }
  }

  private static List<FailedScheduledUpdateGroupActionRequest> each(
      List<String> names, List<Runnable> work) {
    List<FailedScheduledUpdateGroupActionRequest> failed = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      String name = names.get(i);
      try {
        work.get(i).run();
      } catch (AutoScalingException e) {
        failed.add(
            FailedScheduledUpdateGroupActionRequest.builder()
                .scheduledActionName(name)
                .errorCode(e.awsErrorDetails().errorCode())
                .errorMessage(e.awsErrorDetails().errorMessage())
                .build());
      }
    }
    return failed;
  }

  private static <T> List<T> some(List<T> given) {
    if (given.isEmpty() || given.size() > MOST_OF_A_REQUEST) {
      throw Refuse.invalid(
          "Between 1 and " + MOST_OF_A_REQUEST + " scheduled actions must be specified");
    }
    return given;
  }

  public BatchPutScheduledUpdateGroupActionResponse put(
      BatchPutScheduledUpdateGroupActionRequest request) {
    store.read(tx -> GroupRecord.changeable(tx, request.autoScalingGroupName()));
    List<ScheduledUpdateGroupActionRequest> asked = some(request.scheduledUpdateGroupActions());
    return BatchPutScheduledUpdateGroupActionResponse.builder()
        .failedScheduledUpdateGroupActions(
            each(
                asked.stream().map(one -> String.valueOf(one.scheduledActionName())).toList(),
                asked.stream()
                    .<Runnable>map(one -> () -> put(request.autoScalingGroupName(), one))
                    .toList()))
        .build();
  }

  public DeleteScheduledActionResponse delete(DeleteScheduledActionRequest request) {
    delete(
        request.autoScalingGroupName(),
        Refuse.required("scheduledActionName", request.scheduledActionName()));
    return DeleteScheduledActionResponse.builder().build();
  }

  private void delete(@Nullable String groupName, String name) {
    store.write(tx -> {
      GroupRecord group = GroupRecord.get(tx, groupName);
      Entry found =
          find(tx, group.name(), name)
              .orElseThrow(() -> Refuse.invalid("Scheduled action name not found: " + name));
      return tx.delete(TABLE, found.action().scheduledActionARN());
    });
  }

  public BatchDeleteScheduledActionResponse delete(BatchDeleteScheduledActionRequest request) {
    store.read(tx -> GroupRecord.get(tx, request.autoScalingGroupName()));
    List<String> names = some(request.scheduledActionNames());
    return BatchDeleteScheduledActionResponse.builder()
        .failedScheduledActions(
            each(
                names,
                names.stream()
                    .<Runnable>map(name -> () -> delete(request.autoScalingGroupName(), name))
                    .toList()))
        .build();
  }

  public DescribeScheduledActionsResponse describe(DescribeScheduledActionsRequest request) {
    List<ScheduledUpdateGroupAction> all =
        store.read(tx -> {
          if (request.autoScalingGroupName() != null) {
            GroupRecord.get(tx, request.autoScalingGroupName());
          }
          return tx.list(TABLE).stream()
              .map(Row::value)
              .filter(entry ->
                  request.autoScalingGroupName() == null
                      || entry
                          .action()
                          .autoScalingGroupName()
                          .equals(request.autoScalingGroupName()))
              .filter(entry ->
                  request.scheduledActionNames().isEmpty()
                      || request
                          .scheduledActionNames()
                          .contains(entry.action().scheduledActionName()))
              .map(ScheduledActions::shown)
              .filter(one -> !request.scheduledActionNames().isEmpty() || within(one, request))
              .toList();
        });
    Pages<ScheduledUpdateGroupAction> page =
        Pages.of(
            all,
            ScheduledUpdateGroupAction::scheduledActionARN,
            request.nextToken(),
            request.maxRecords(),
            USUAL_PAGE,
            Pages.MOST);
    return DescribeScheduledActionsResponse.builder()
        .scheduledUpdateGroupActions(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  /** With the time at which it is due next. */
  private static ScheduledUpdateGroupAction shown(Entry entry) {
    Instant next = entry.next().orElse(entry.action().startTime());
    return entry.action().toBuilder().time(next).startTime(next).build();
  }

  private static boolean within(
      ScheduledUpdateGroupAction action, DescribeScheduledActionsRequest request) {
    Instant at = action.startTime();
    return at == null
        || ((request.startTime() == null || !at.isBefore(request.startTime()))
            && (request.endTime() == null || !at.isAfter(request.endTime())));
  }
}
