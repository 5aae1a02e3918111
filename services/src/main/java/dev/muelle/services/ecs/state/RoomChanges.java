package dev.muelle.services.ecs.state;

import dev.muelle.services.StoredJson;
import dev.muelle.store.Row;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;

/**
 * How often the room that is left on a container instance has changed. Tasks book it, not the
 * instance's own row; but whoever follows the instance by its events compares their {@code version}
 * with the one that DescribeContainerInstances shows. It is counted while somebody listens.
 */
public record RoomChanges(long count) {

  /** Keyed by the instance's id. */
  private static final Table<RoomChanges> TABLE =
      Table.of("ecs.instance_room_changes", StoredJson.codec(RoomChanges.class)).remember();

  public static long of(Tx tx, String instance) {
    return tx.get(TABLE, instance).map(Row::value).map(RoomChanges::count).orElse(0L);
  }

  public static void count(Tx tx, String instance) {
    tx.put(TABLE, instance, new RoomChanges(of(tx, instance) + 1));
  }

  public static void forget(Tx tx, String instance) {
    tx.delete(TABLE, instance);
  }
}
