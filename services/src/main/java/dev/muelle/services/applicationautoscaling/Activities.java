package dev.muelle.services.applicationautoscaling;

import dev.muelle.services.Ids;
import dev.muelle.services.applicationautoscaling.State.Activity;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import software.amazon.awssdk.services.applicationautoscaling.model.DescribeScalingActivitiesRequest;
import software.amazon.awssdk.services.applicationautoscaling.model.DescribeScalingActivitiesResponse;
import software.amazon.awssdk.services.applicationautoscaling.model.NotScaledReason;
import software.amazon.awssdk.services.applicationautoscaling.model.ScalingActivity;
import software.amazon.awssdk.services.applicationautoscaling.model.ScalingActivityStatusCode;

/**
 * What has been done, or not, and why: in AWS's words.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-scaling-activities.html">Scaling
 *     activities for Application Auto Scaling</a>
 */
final class Activities {

  private static final Duration KEPT = Duration.ofDays(42); // "the previous six weeks"
  private static final int PAGE = 50;
  private static final int OLD_AT_ONCE = 20;
  static final String SET = "Successfully set desired count to %d. ";

  private final Store store;
  private final Ids ids;

  Activities(Store store, Ids ids) {
    this.store = store;
    this.ids = ids;
  }

  static String alarmCause(String alarm, String state, String policy) {
    return "monitor alarm " + alarm + " in state " + state + " triggered policy " + policy;
  }

  /** The latest comes first. */
  private static String key(TargetKey target, Instant at, String id) {
    return target.of("%019d/%s".formatted(Long.MAX_VALUE - at.toEpochMilli(), id));
  }

  static Optional<Row<Activity>> open(Tx tx, TargetKey target) {
    return tx.find(State.ACTIVITIES, "open", target.resourceId()).stream().findFirst();
  }

  /** Begins a change of the capacity, in place of one that is under way. */
  void begin(Tx tx, TargetKey target, String cause, int before, int desired, Instant now) {
    open(tx, target)
        .ifPresent(row ->
            end(
                tx,
                row,
                ScalingActivityStatusCode.OVERRIDDEN,
                "The change of the desired count to %d was overridden by a newer scaling activity."
                    .formatted(row.value().desired()),
                now));
    add(
        tx,
        target,
        new Activity(
            activity(target, cause, now)
                .description("Setting desired count to " + desired + ".")
                .statusCode(ScalingActivityStatusCode.PENDING)
                .build(),
            before,
            desired,
            true));
  }

  /** Notes something that is done, or has failed, as soon as it is begun. */
  void note(
      Tx tx,
      TargetKey target,
      String cause,
      String description,
      ScalingActivityStatusCode status,
      String message,
      Instant now) {
    add(
        tx,
        target,
        new Activity(
            activity(target, cause, now)
                .description(description)
                .statusCode(status)
                .statusMessage(message)
                .endTime(now)
                .build(),
            0,
            0,
            false));
  }

  /** Notes why nothing is done; as long as nothing changes, once. */
  void notScaled(Tx tx, TargetKey target, String cause, NotScaledReason reason, Instant now) {
    boolean said =
        tx.range(State.ACTIVITIES, target.prefix(), target.of("~"), false, 1).stream()
            .map(row -> row.value().activity())
            .anyMatch(last ->
                last.cause().equals(cause) && last.notScaledReasons().equals(List.of(reason)));
    if (!said) {
      add(
          tx,
          target,
          new Activity(
              activity(target, cause, now)
                  .description("Attempting to scale due to alarm triggered")
                  .statusCode(ScalingActivityStatusCode.FAILED)
                  .notScaledReasons(reason)
                  .endTime(now)
                  .build(),
              0,
              0,
              false));
    }
  }

  private ScalingActivity.Builder activity(TargetKey target, String cause, Instant now) {
    return ScalingActivity.builder()
        .activityId(ids.uuid())
        .serviceNamespace(TargetKey.NAMESPACE)
        .resourceId(target.resourceId())
        .scalableDimension(TargetKey.DIMENSION)
        .cause(cause)
        .startTime(now);
  }

  private static void add(Tx tx, TargetKey target, Activity activity) {
    Instant now = activity.activity().startTime();
    String old = key(target, now.minus(KEPT), "");
    tx.range(State.ACTIVITIES, old, target.of("~"), false, OLD_AT_ONCE)
        .forEach(row -> tx.delete(State.ACTIVITIES, row.key()));
    tx.put(State.ACTIVITIES, key(target, now, activity.activity().activityId()), activity);
  }

  static void inProgress(Tx tx, Row<Activity> row) {
    String message =
        SET.formatted(row.value().desired()) + "Waiting for change to be fulfilled by ecs.";
    Activity activity = row.value();
    tx.put(
        State.ACTIVITIES,
        row.key(),
        new Activity(
            activity
                .activity()
                .copy(a ->
                    a.statusCode(ScalingActivityStatusCode.IN_PROGRESS).statusMessage(message)),
            activity.before(),
            activity.desired(),
            true));
  }

  static void end(
      Tx tx, Row<Activity> row, ScalingActivityStatusCode status, String message, Instant now) {
    Activity activity = row.value();
    tx.put(
        State.ACTIVITIES,
        row.key(),
        new Activity(
            activity.activity().copy(a -> a.statusCode(status).statusMessage(message).endTime(now)),
            activity.before(),
            activity.desired(),
            false));
  }

  DescribeScalingActivitiesResponse describe(DescribeScalingActivitiesRequest request) {
    TargetKey.namespace(request.serviceNamespaceAsString());
    TargetKey.dimension(request.scalableDimensionAsString());
    if (request.scalableDimensionAsString() != null && request.resourceId() == null) {
      throw Refuse.invalid("ResourceId must be specified when ScalableDimension is specified");
    }
    String prefix =
        request.resourceId() == null ? "" : new TargetKey(request.resourceId()).prefix();
    boolean all = Boolean.TRUE.equals(request.includeNotScaledActivities());
    List<Row<Activity>> rows =
        store.read(tx -> tx.list(State.ACTIVITIES, prefix)).stream()
            .filter(row -> all || row.value().activity().notScaledReasons().isEmpty())
            .sorted(Comparator.comparing(Activities::time))
            .toList();
    var page = Pages.of(rows, Activities::time, request.maxResults(), PAGE, request.nextToken());
    return DescribeScalingActivitiesResponse.builder()
        .scalingActivities(page.items().stream().map(row -> row.value().activity()).toList())
        .nextToken(page.next())
        .build();
  }

  private static String time(Row<Activity> row) {
    return row.key().substring(row.key().indexOf("//"));
  }
}
