package dev.muelle.services.sns;

import dev.muelle.services.StoredJson;
import dev.muelle.store.Row;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A subscription as it is stored.
 *
 * @param endpoint as it was given, with its password if it has one
 * @param attributes those that were set
 * @param pending whether its endpoint has yet to confirm it
 * @param authenticated whether whoever confirmed it signed
 * @param signedEnd whether only a signed request ends it
 * @param token that confirms it
 */
record Subscription(
    String arn,
    String topicArn,
    Protocol protocol,
    String endpoint,
    String owner,
    Map<String, String> attributes,
    boolean pending,
    boolean authenticated,
    boolean signedEnd,
    String token,
    Instant since) {

  /** Under the ARN, which begins with the topic's. */
  static final Table<Subscription> TABLE =
      Table.of("sns.subscriptions", StoredJson.codec(Subscription.class))
          .index("token", Subscription::token)
          .remember();

  /** How long a token confirms, and an endpoint that says nothing is waited for. */
  static final Duration PATIENCE = Duration.ofDays(2);

  static final String FILTER = "FilterPolicy";
  static final String SCOPE = "FilterPolicyScope";

  Subscription {
    attributes = Map.copyOf(attributes);
  }

  /** How what is published reaches an endpoint. */
  enum Protocol {
    HTTP("http"),
    HTTPS("https"),
    EMAIL("email"),
    EMAIL_JSON("email-json");

    private final String named;

    Protocol(String named) {
      this.named = named;
    }

    String named() {
      return named;
    }

    boolean isMail() {
      return this == EMAIL || this == EMAIL_JSON;
    }
  }

  static Subscription of(Tx tx, @Nullable String arn) {
    return tx.get(TABLE, Arns.check("SubscriptionArn", arn))
        .map(Row::value)
        .orElseThrow(() -> Refuse.missing("Subscription"));
  }

  boolean raw() {
    return Boolean.parseBoolean(attributes.get("RawMessageDelivery"));
  }

  /** What its messages have to match; null for all. */
  @Nullable String filter() {
    return attributes.get(FILTER);
  }

  FilterPolicy.Scope filterScope() {
    return FilterPolicy.Scope.named(attributes.get(SCOPE));
  }

  /** The endpoint without its password, as it is told. */
  String shown() {
    if (protocol.isMail()) {
      return endpoint;
    }
    String user = URI.create(endpoint).getRawUserInfo();
    return user == null
        ? endpoint
        : endpoint.replaceFirst("//[^@/]*@", "//" + user.replaceFirst(":.*", ":****") + "@");
  }

  /**
   * Whether a value takes an attribute back: an empty one does, and an empty filter policy.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/sns/latest/dg/message-filtering-policy-remove.html">Removing
   *     a subscription filter policy</a>
   */
  static boolean takesBack(String name, String value) {
    return value.isEmpty()
        || (name.equals(FILTER)
            && Json.tree(value).filter(node -> node.isObject() && node.isEmpty()).isPresent());
  }

  Subscription with(Map<String, String> changed) {
    Map<String, String> all = new LinkedHashMap<>(attributes);
    changed.forEach((name, value) -> {
      if (takesBack(name, value)) {
        all.remove(name);
      } else {
        all.put(name, value);
      }
    });
    return new Subscription(
        arn,
        topicArn,
        protocol,
        endpoint,
        owner,
        all,
        pending,
        authenticated,
        signedEnd,
        token,
        since);
  }

  Subscription confirmed(boolean signed, boolean onlySignedEnd) {
    return new Subscription(
        arn,
        topicArn,
        protocol,
        endpoint,
        owner,
        attributes,
        false,
        signed,
        onlySignedEnd,
        token,
        since);
  }

  Subscription asked(String newToken, Instant at) {
    return new Subscription(
        arn,
        topicArn,
        protocol,
        endpoint,
        owner,
        attributes,
        pending,
        authenticated,
        signedEnd,
        newToken,
        at);
  }
}
