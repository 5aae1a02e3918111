package dev.muelle.services.sns;

import dev.muelle.services.StoredJson;
import dev.muelle.store.Row;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A message on its way to one endpoint.
 *
 * @param attempts made so far
 * @param former the subscription as it was, if it has ended and its endpoint is told so
 */
record Delivery(
    String subscriptionArn,
    String messageId,
    int attempts,
    Instant due,
    @Nullable Subscription former) {

  /** Of each subscription in the order in which they are due. */
  static final Table<Delivery> TABLE =
      Table.of("sns.deliveries", StoredJson.codec(Delivery.class))
          .index("message", Delivery::messageId);

  static String prefix(String subscriptionArn) {
    return subscriptionArn + "/";
  }

  static String key(String subscriptionArn, Instant due, String messageId) {
    return "%s%019d/%s".formatted(prefix(subscriptionArn), due.toEpochMilli(), messageId);
  }

  static void put(Tx tx, Delivery delivery) {
    tx.put(TABLE, key(delivery.subscriptionArn(), delivery.due(), delivery.messageId()), delivery);
  }

  /** Ends a delivery; nobody keeps a message that goes to nobody. */
  static void end(Tx tx, Row<Delivery> row) {
    if (tx.delete(TABLE, row.key())
        && tx.find(TABLE, "message", row.value().messageId()).isEmpty()) {
      tx.delete(Message.TABLE, row.value().messageId());
    }
  }

  static void endAll(Tx tx, String subscriptionArn) {
    tx.list(TABLE, prefix(subscriptionArn)).forEach(row -> end(tx, row));
  }

  Delivery again(Instant at) {
    return new Delivery(subscriptionArn, messageId, attempts + 1, at, former);
  }
}
