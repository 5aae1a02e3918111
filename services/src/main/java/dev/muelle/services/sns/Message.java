package dev.muelle.services.sns;

import dev.muelle.services.StoredJson;
import dev.muelle.store.Table;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Something to be delivered: once for all its receivers.
 *
 * @param bodies by protocol, and the one for all others as {@code default}
 * @param token that a confirmation is asked with; empty for notifications
 */
record Message(
    String id,
    String topicArn,
    Kind kind,
    @Nullable String subject,
    Map<String, String> bodies,
    Map<String, Attribute> attributes,
    String token,
    Instant at) {

  /** Under the id. */
  static final Table<Message> TABLE = Table.of("sns.messages", StoredJson.codec(Message.class));

  static final String DEFAULT = "default";

  enum Kind {
    NOTIFICATION("Notification"),
    SUBSCRIPTION("SubscriptionConfirmation"),
    END("UnsubscribeConfirmation");

    private final String named;

    Kind(String named) {
      this.named = named;
    }

    String named() {
      return named;
    }
  }

  String body(Subscription.Protocol protocol) {
    String own = bodies.get(protocol.named());
    return own == null ? bodies.getOrDefault(DEFAULT, "") : own;
  }
}
