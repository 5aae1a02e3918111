package dev.muelle.services.autoscaling.activity;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.services.EventOutbox;
import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.StoredJson;
import dev.muelle.services.autoscaling.notice.Notices;
import dev.muelle.services.autoscaling.state.GroupRecord;
import dev.muelle.services.autoscaling.state.Member;
import dev.muelle.services.autoscaling.state.Pages;
import dev.muelle.services.autoscaling.state.Refuse;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.autoscaling.model.Activity;
import software.amazon.awssdk.services.autoscaling.model.DescribeScalingActivitiesRequest;
import software.amazon.awssdk.services.autoscaling.model.DescribeScalingActivitiesResponse;
import software.amazon.awssdk.services.autoscaling.model.ScalingActivityStatusCode;

/**
 * The history of groups: one entry for everything that is done to an instance, kept for six weeks.
 * When one is over, the event bus is told in the same transaction.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_Activity.html">Activity</a>
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-event-reference.html">Event
 *     reference</a>
 */
public final class Activities {

  private static final Duration KEPT = Duration.ofDays(42);
  private static final int MOST_OF_A_GROUP = 1_000;
  private static final int ALL_OF_IT = 100; // percent
  private static final int HALF_OF_IT = 50;
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);

  private static final Table<Entry> TABLE =
      Table.of("autoscaling.activities", StoredJson.codec(Entry.class))
          .index("group", entry -> entry.activity().autoScalingGroupName());

  private static final Comparator<Activity> ORDER =
      Comparator.<Activity, Boolean>comparing(activity -> activity.endTime() != null)
          .thenComparing(Activity::startTime, Comparator.reverseOrder())
          .thenComparing(Activity::activityId);

  private final Scope scope;
  private final Store store;
  private final Ids ids;
  private final EventOutbox events;
  private final Notices notices;

  public Activities(Scope scope, Store store, Ids ids, EventOutbox events, Notices notices) {
    this.scope = scope;
    this.store = store;
    this.ids = ids;
    this.events = events;
    this.notices = notices;
  }

  record Entry(Activity activity, Kind kind, @Nullable String instance) {}

  /** Begins to do something to an instance, and gives the activity's id. */
  public String begin(
      Tx tx, GroupRecord group, Member member, Kind kind, String cause, Instant now) {
    forget(tx, group.name(), now);
    String id = ids.uuid();
    boolean nameless = member.id() == null;
    ObjectNode details = JsonNodeFactory.instance.objectNode();
    details.put("Subnet ID", member.subnet());
    details.put("Availability Zone", member.zone());
    Activity activity =
        Activity.builder()
            .activityId(id)
            .autoScalingGroupName(group.name())
            .autoScalingGroupARN(group.group().autoScalingGroupARN())
            .description(kind.description(member.id()))
            .cause(cause)
            .startTime(now)
            .statusCode(
                nameless
                    ? ScalingActivityStatusCode.WAITING_FOR_INSTANCE_ID
                    : ScalingActivityStatusCode.IN_PROGRESS)
            .progress(0)
            .details(details.toString())
            .build();
    tx.put(TABLE, id, new Entry(activity, kind, member.id()));
    return id;
  }

  /** It has come further. */
  public void proceed(Tx tx, Member member, ScalingActivityStatusCode status, int progress) {
    change(tx, member, a -> a.statusCode(status).progress(progress));
  }

  /** It is done. */
  public void succeed(Tx tx, GroupRecord group, Member member, Instant now) {
    finish(tx, group, member, ScalingActivityStatusCode.SUCCESSFUL, null, now);
  }

  /** It cannot be done. */
  public void fail(Tx tx, GroupRecord group, Member member, String why, Instant now) {
    finish(tx, group, member, ScalingActivityStatusCode.FAILED, why, now);
  }

  /** It is not wanted any more. */
  public void cancel(Tx tx, GroupRecord group, Member member, String why, Instant now) {
    finish(tx, group, member, ScalingActivityStatusCode.CANCELLED, why, now);
  }

  private void finish(
      Tx tx,
      GroupRecord group,
      Member member,
      ScalingActivityStatusCode status,
      @Nullable String why,
      Instant now) {
    change(
            tx,
            member,
            a -> a.statusCode(status).statusMessage(why).progress(ALL_OF_IT).endTime(now))
        .ifPresent(entry -> tell(tx, group, entry, now));
  }

  private static Optional<Entry> change(
      Tx tx, Member member, UnaryOperator<Activity.Builder> change) {
    Optional<Entry> found =
        member.activity() == null
            ? Optional.empty()
            : tx.get(TABLE, member.activity()).map(Row::value);
    return found.map(entry -> {
      Activity next =
          change
              .apply(
                  entry.activity().toBuilder().description(entry.kind().description(member.id())))
              .build();
      Entry changed = new Entry(next, entry.kind(), member.id());
      if (!changed.equals(entry)) {
        tx.put(TABLE, next.activityId(), changed);
      }
      return changed;
    });
  }

  private void tell(Tx tx, GroupRecord group, Entry entry, Instant now) {
    boolean well = entry.activity().statusCode() == ScalingActivityStatusCode.SUCCESSFUL;
    String event = entry.kind().event();
    if (event != null) {
      events.put(
          tx,
          "aws.autoscaling",
          event + (well ? " Successful" : " Unsuccessful"),
          resources(group, entry),
          now,
          () -> detail(entry, well).put("AutoScalingGroupName", group.name()).toString());
    }
    Kind.Notice notice = entry.kind().notice();
    if (notice != null) {
      notices.tell(tx, group, notice.type(well), notice.subject(well), message(entry, well), now);
    }
  }

  private List<String> resources(GroupRecord group, Entry entry) {
    List<String> resources = new ArrayList<>();
    resources.add(group.group().autoScalingGroupARN());
    if (entry.instance() != null) {
      resources.add(scope.arn("ec2", "instance/" + entry.instance()));
    }
    return resources;
  }

  private static ObjectNode message(Entry entry, boolean well) {
    ObjectNode message = detail(entry, well);
    String why = entry.activity().statusMessage();
    if (!well && why != null) {
      message.put("Description", entry.activity().description() + ".  Status Reason: " + why);
    }
    return message.put("Progress", well ? HALF_OF_IT : ALL_OF_IT);
  }

  /**
   * What both the bus and the topics are told. An activity that went well is still in progress
   * there, to this day.
   */
  private static ObjectNode detail(Entry entry, boolean well) {
    Activity activity = entry.activity();
    ObjectNode detail = JsonNodeFactory.instance.objectNode();
    detail.put(
        "StatusCode",
        well ? ScalingActivityStatusCode.IN_PROGRESS.toString() : activity.statusCodeAsString());
    detail.put("ActivityId", activity.activityId());
    try {
      detail.set("Details", JSON.readTree(activity.details()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    detail.put("RequestId", activity.activityId());
    detail.put("StatusMessage", activity.statusMessage() == null ? "" : activity.statusMessage());
    detail.put("StartTime", TIME.format(activity.startTime()));
    detail.put("EndTime", TIME.format(activity.endTime()));
    detail.put("EC2InstanceId", entry.instance() == null ? "" : entry.instance());
    detail.put("Cause", activity.cause());
    detail.put("Description", activity.description());
    detail.put("Origin", entry.kind().way().origin().toString());
    detail.put("Destination", entry.kind().way().destination().toString());
    return detail;
  }

  /** What a request has begun. */
  public Activity get(Tx tx, String id) {
    return tx.get(TABLE, id).orElseThrow().value().activity();
  }

  private static List<Activity> of(Tx tx, String group) {
    return tx.find(TABLE, "group", group).stream()
        .map(row -> row.value().activity())
        .sorted(ORDER)
        .toList();
  }

  private static void forget(Tx tx, String group, Instant now) {
    List<Activity> all = of(tx, group);
    for (int i = 0; i < all.size(); i++) {
      Activity one = all.get(i);
      boolean old = one.endTime() != null && one.endTime().plus(KEPT).isBefore(now);
      if (old || i >= MOST_OF_A_GROUP) {
        tx.delete(TABLE, one.activityId());
      }
    }
  }

  public DescribeScalingActivitiesResponse describe(DescribeScalingActivitiesRequest request) {
    Refuse.unlessEffective(
        request,
        java.util.Set.of(
            "ActivityIds",
            "AutoScalingGroupName",
            "IncludeDeletedGroups",
            "MaxRecords",
            "NextToken"));
    List<Activity> found =
        store.read(tx -> {
          String name = request.autoScalingGroupName();
          boolean gone = Boolean.TRUE.equals(request.includeDeletedGroups());
          if (name != null && !gone) {
            GroupRecord.get(tx, name);
          }
          List<Activity> all =
              name != null
                  ? of(tx, name)
                  : tx.list(TABLE).stream()
                      .map(row -> row.value().activity())
                      .sorted(ORDER)
                      .toList();
          return all.stream()
              .filter(one ->
                  request.activityIds().isEmpty()
                      || request.activityIds().contains(one.activityId()))
              .filter(one -> gone || GroupRecord.find(tx, one.autoScalingGroupName()).isPresent())
              .map(one -> shown(tx, one))
              .toList();
        });
    Pages<Activity> page =
        Pages.of(
            found,
            Activity::activityId,
            request.nextToken(),
            request.maxRecords(),
            Pages.MOST,
            Pages.MOST);
    return DescribeScalingActivitiesResponse.builder()
        .activities(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  private static Activity shown(Tx tx, Activity activity) {
    return GroupRecord.find(tx, activity.autoScalingGroupName()).isPresent()
        ? activity
        : activity.toBuilder().autoScalingGroupState("Deleted").build();
  }
}
