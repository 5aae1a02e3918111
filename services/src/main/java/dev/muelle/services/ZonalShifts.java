package dev.muelle.services;

import dev.muelle.store.Row;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.time.Instant;
import java.util.Optional;

/**
 * Zonal shifts: ARC writes them down, and whose resources they move goes by what is written. A
 * shift that ends is one that is written anew, which the store tells.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/r53recovery/latest/dg/arc-zonal-shift.how-it-works.html">How
 *     a zonal shift works</a>
 */
public final class ZonalShifts {

  /** Under the shift's id. */
  public static final Table<Shift> TABLE =
      Table.of("arczonalshift.shifts", StoredJson.codec(Shift.class))
          .index("resource", Shift::resource);

  private ZonalShifts() {}

  /** What has become of one. */
  public enum Status {
    ACTIVE,
    EXPIRED,
    CANCELED
  }

  /**
   * A shift.
   *
   * @param resource its ARN
   * @param zoneId for example {@code use1-az1}
   * @param zone the same one's name, {@code us-east-1a}
   * @param expiry when it ends by itself
   */
  public record Shift(
      String id,
      String resource,
      String zoneId,
      String zone,
      Instant start,
      Instant expiry,
      String comment,
      Status status) {

    /** The same, as it is from now on. */
    public Shift with(Instant otherExpiry, String otherComment, Status other) {
      return new Shift(id, resource, zoneId, zone, start, otherExpiry, otherComment, other);
    }
  }

  /** The one that moves a resource now: there is one at most. */
  public static Optional<Shift> active(Tx tx, String resource) {
    return tx.find(TABLE, "resource", resource).stream()
        .map(Row::value)
        .filter(shift -> shift.status() == Status.ACTIVE)
        .findFirst();
  }

  /** Ends what moves a resource that goes. */
  public static void cancel(Tx tx, String resource) {
    active(tx, resource)
        .ifPresent(shift ->
            tx.put(
                TABLE, shift.id(), shift.with(shift.expiry(), shift.comment(), Status.CANCELED)));
  }
}
