package dev.muelle.services.arczonalshift;

import dev.muelle.loop.Loop;
import dev.muelle.loop.Timers;
import dev.muelle.services.Ids;
import dev.muelle.services.ZonalShifts;
import dev.muelle.services.ZonalShifts.Shift;
import dev.muelle.services.ZonalShifts.Status;
import dev.muelle.services.arczonalshift.Resources.Managed;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.random.RandomGenerator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.arczonalshift.model.CancelZonalShiftRequest;
import software.amazon.awssdk.services.arczonalshift.model.CancelZonalShiftResponse;
import software.amazon.awssdk.services.arczonalshift.model.ConflictExceptionReason;
import software.amazon.awssdk.services.arczonalshift.model.ListZonalShiftsRequest;
import software.amazon.awssdk.services.arczonalshift.model.ListZonalShiftsResponse;
import software.amazon.awssdk.services.arczonalshift.model.ShiftType;
import software.amazon.awssdk.services.arczonalshift.model.StartZonalShiftRequest;
import software.amazon.awssdk.services.arczonalshift.model.StartZonalShiftResponse;
import software.amazon.awssdk.services.arczonalshift.model.UpdateZonalShiftRequest;
import software.amazon.awssdk.services.arczonalshift.model.UpdateZonalShiftResponse;
import software.amazon.awssdk.services.arczonalshift.model.ValidationExceptionReason;
import software.amazon.awssdk.services.arczonalshift.model.ZonalShiftStatus;
import software.amazon.awssdk.services.arczonalshift.model.ZonalShiftSummary;

/**
 * Shifts begin, are changed, and end when they are canceled or their time is over.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/arc-zonal-shift/latest/api/API_StartZonalShift.html">StartZonalShift</a>
 */
final class Shifts implements AutoCloseable {

  private static final Pattern EXPIRES_IN = Pattern.compile("([1-9][0-9]*)([mh])");
  private static final Duration LONGEST = Duration.ofHours(72);
  private static final int LONGEST_COMMENT = 128;
  private static final Pattern ID = Pattern.compile("[A-Za-z0-9-]+");
  private static final int SHORTEST_ID = 6;
  private static final int LONGEST_ID = 36;
  private static final int AT_ONCE = 2;

  /** Of those that are over, the last ones are kept: ARC does not say for how long it does. */
  private static final int MOST_ENDED = 1_000;

  private final Store store;
  private final Timers timers;
  private final Ids ids;
  private final Resources resources;
  private final Loop<String> ends;

  Shifts(Store store, Timers timers, Ids ids, RandomGenerator random, Resources resources) {
    this.store = store;
    this.timers = timers;
    this.ids = ids;
    this.resources = resources;
    ends = new Loop<>("arc-shift-ends", timers, random, AT_ONCE, this::end);
  }

  /** Ends from now on what is over, also what was while no server ran. */
  void start() {
    store.read(tx -> tx.list(ZonalShifts.TABLE)).forEach(row -> ends.wake(row.key()));
  }

  @Override
  public void close() {
    ends.close();
  }

  private @Nullable Duration end(String id) {
    Instant now = timers.instant();
    Optional<Shift> active =
        store.write(tx -> {
          Optional<Shift> shift =
              tx.get(ZonalShifts.TABLE, id)
                  .map(Row::value)
                  .filter(one -> one.status() == Status.ACTIVE);
          Optional<Shift> over = shift.filter(one -> !now.isBefore(one.expiry()));
          over.ifPresent(one ->
              tx.put(ZonalShifts.TABLE, id, one.with(one.expiry(), one.comment(), Status.EXPIRED)));
          return over.isPresent() ? Optional.empty() : shift;
        });
    return active.map(shift -> Duration.between(now, shift.expiry())).orElse(null);
  }

  StartZonalShiftResponse start(StartZonalShiftRequest request) {
    String arn = Refuse.unlessPresent("resourceIdentifier", request.resourceIdentifier());
    String away = Refuse.unlessPresent("awayFrom", request.awayFrom());
    Duration length = length(Refuse.unlessPresent("expiresIn", request.expiresIn()));
    String comment = comment(Refuse.unlessPresent("comment", request.comment()));
    Managed managed = resources.find(arn);
    String zone = managed.zones().get(away);
    if (zone == null) {
      throw Refuse.invalid(
          ValidationExceptionReason.INVALID_AZ,
          "The Availability Zone " + away + " is not one of the resource " + arn + ".");
    }
    Instant now = now();
    Shift started =
        store.write(tx -> {
          ZonalShifts.active(tx, arn)
              .ifPresent(other -> {
                throw Refuse.conflict(
                    ConflictExceptionReason.ZONAL_SHIFT_ALREADY_EXISTS,
                    other.id(),
                    "There is already an active zonal shift for the resource " + arn + ".");
              });
          Shift shift =
              new Shift(ids.uuid(), arn, away, zone, now, now.plus(length), comment, Status.ACTIVE);
          tx.put(ZonalShifts.TABLE, shift.id(), shift);
          forgetOldest(tx);
          return shift;
        });
    ends.wake(started.id());
    return StartZonalShiftResponse.builder()
        .zonalShiftId(started.id())
        .resourceIdentifier(started.resource())
        .awayFrom(started.zoneId())
        .startTime(started.start())
        .expiryTime(started.expiry())
        .status(status(started))
        .comment(started.comment())
        .build();
  }

  private static void forgetOldest(Tx tx) {
    List<Shift> ended =
        all(tx, null).stream()
            .filter(shift -> shift.status() != Status.ACTIVE)
            .sorted(Comparator.comparing(Shift::start))
            .toList();
    ended.stream()
        .limit(Math.max(0, ended.size() - MOST_ENDED))
        .forEach(shift -> tx.delete(ZonalShifts.TABLE, shift.id()));
  }

  /** As fine as the answers tell it. */
  private Instant now() {
    return timers.instant().truncatedTo(ChronoUnit.MILLIS);
  }

  private static Duration length(String expiresIn) {
    Matcher found = EXPIRES_IN.matcher(expiresIn);
    if (found.matches() && expiresIn.length() <= 5) {
      long number = Long.parseLong(found.group(1));
      Duration length =
          found.group(2).equals("h") ? Duration.ofHours(number) : Duration.ofMinutes(number);
      if (length.compareTo(LONGEST) <= 0) {
        return length;
      }
    }
    throw Refuse.invalid(
        ValidationExceptionReason.INVALID_EXPIRES_IN,
        "The value '"
            + expiresIn
            + "' of expiresIn is not valid: it must be a number of minutes (m) or hours (h), of 72"
            + " hours at most.");
  }

  private static String comment(String comment) {
    if (comment.length() > LONGEST_COMMENT) {
      throw Refuse.constraint(
          "1 validation error detected: Value at 'comment' failed to satisfy constraint: Member"
              + " must have length less than or equal to 128");
    }
    return comment;
  }

  UpdateZonalShiftResponse update(UpdateZonalShiftRequest request) {
    Duration length = request.expiresIn() == null ? null : length(request.expiresIn());
    String comment = request.comment() == null ? null : comment(request.comment());
    Instant now = now();
    Shift changed =
        change(
            request.zonalShiftId(),
            shift ->
                shift.with(
                    length == null ? shift.expiry() : now.plus(length),
                    comment == null ? shift.comment() : comment,
                    Status.ACTIVE));
    return UpdateZonalShiftResponse.builder()
        .zonalShiftId(changed.id())
        .resourceIdentifier(changed.resource())
        .awayFrom(changed.zoneId())
        .startTime(changed.start())
        .expiryTime(changed.expiry())
        .status(status(changed))
        .comment(changed.comment())
        .build();
  }

  CancelZonalShiftResponse cancel(CancelZonalShiftRequest request) {
    Shift changed =
        change(
            request.zonalShiftId(),
            shift -> shift.with(shift.expiry(), shift.comment(), Status.CANCELED));
    return CancelZonalShiftResponse.builder()
        .zonalShiftId(changed.id())
        .resourceIdentifier(changed.resource())
        .awayFrom(changed.zoneId())
        .startTime(changed.start())
        .expiryTime(changed.expiry())
        .status(status(changed))
        .comment(changed.comment())
        .build();
  }

  /**
   * The id of a shift, if it could be one.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/arc-zonal-shift/latest/api/API_CancelZonalShift.html">CancelZonalShift</a>
   */
  private static String id(@Nullable String asked) {
    String id = Refuse.unlessPresent("zonalShiftId", asked);
    String constraint =
        id.length() < SHORTEST_ID
            ? "Member must have length greater than or equal to " + SHORTEST_ID
            : id.length() > LONGEST_ID
                ? "Member must have length less than or equal to " + LONGEST_ID
                : ID.matcher(id).matches()
                    ? null
                    : "Member must satisfy regular expression pattern: " + ID;
    if (constraint != null) {
      throw Refuse.constraint(
          "1 validation error detected: Value '"
              + id
              + "' at 'zonalShiftId' failed to satisfy constraint: "
              + constraint);
    }
    return id;
  }

  /** Changes a shift that is active. */
  private Shift change(@Nullable String id, UnaryOperator<Shift> step) {
    String asked = id(id);
    Shift changed =
        store.write(tx -> {
          Shift shift =
              tx.get(ZonalShifts.TABLE, asked)
                  .map(Row::value)
                  .orElseThrow(
                      () -> Refuse.missing("The zonal shift " + asked + " was not found."));
          if (shift.status() != Status.ACTIVE) {
            throw Refuse.conflict(
                ConflictExceptionReason.ZONAL_SHIFT_STATUS_NOT_ACTIVE,
                asked,
                "The zonal shift " + asked + " is not active.");
          }
          Shift next = step.apply(shift);
          tx.put(ZonalShifts.TABLE, asked, next);
          return next;
        });
    ends.wake(asked);
    return changed;
  }

  ListZonalShiftsResponse list(ListZonalShiftsRequest request) {
    if (request.status() == ZonalShiftStatus.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.invalid(
          ValidationExceptionReason.INVALID_STATUS,
          "The status '" + request.statusAsString() + "' is not valid.");
    }
    List<Shift> found =
        store.read(tx -> all(tx, request.resourceIdentifier())).stream()
            .filter(shift -> request.status() == null || status(shift) == request.status())
            .toList();
    Pages<Shift> page =
        Pages.of(
            found,
            shift -> shift.start() + " " + shift.id(),
            request.toBuilder().nextToken(null).maxResults(null).build(),
            request.nextToken(),
            request.maxResults());
    return ListZonalShiftsResponse.builder()
        .items(page.items().stream().map(Shifts::summary).toList())
        .nextToken(page.next())
        .build();
  }

  private static List<Shift> all(Tx tx, @Nullable String resource) {
    List<Row<Shift>> rows =
        resource == null
            ? tx.list(ZonalShifts.TABLE)
            : tx.find(ZonalShifts.TABLE, "resource", resource);
    return rows.stream().map(Row::value).toList();
  }

  private static ZonalShiftSummary summary(Shift shift) {
    return ZonalShiftSummary.builder()
        .zonalShiftId(shift.id())
        .resourceIdentifier(shift.resource())
        .awayFrom(shift.zoneId())
        .startTime(shift.start())
        .expiryTime(shift.expiry())
        .status(status(shift))
        .comment(shift.comment())
        .shiftType(ShiftType.ZONAL_SHIFT)
        .build();
  }

  private static ZonalShiftStatus status(Shift shift) {
    return ZonalShiftStatus.valueOf(shift.status().name());
  }
}
