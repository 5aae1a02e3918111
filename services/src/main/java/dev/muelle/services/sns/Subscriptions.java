package dev.muelle.services.sns;

import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.StoredJson;
import dev.muelle.services.sns.Message.Kind;
import dev.muelle.services.sns.Subscription.Protocol;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.sns.model.AuthorizationErrorException;
import software.amazon.awssdk.services.sns.model.ConfirmSubscriptionRequest;
import software.amazon.awssdk.services.sns.model.ConfirmSubscriptionResponse;
import software.amazon.awssdk.services.sns.model.GetSubscriptionAttributesRequest;
import software.amazon.awssdk.services.sns.model.GetSubscriptionAttributesResponse;
import software.amazon.awssdk.services.sns.model.ListSubscriptionsByTopicRequest;
import software.amazon.awssdk.services.sns.model.ListSubscriptionsByTopicResponse;
import software.amazon.awssdk.services.sns.model.ListSubscriptionsRequest;
import software.amazon.awssdk.services.sns.model.ListSubscriptionsResponse;
import software.amazon.awssdk.services.sns.model.SetSubscriptionAttributesRequest;
import software.amazon.awssdk.services.sns.model.SetSubscriptionAttributesResponse;
import software.amazon.awssdk.services.sns.model.SubscribeRequest;
import software.amazon.awssdk.services.sns.model.SubscribeResponse;
import software.amazon.awssdk.services.sns.model.SubscriptionLimitExceededException;
import software.amazon.awssdk.services.sns.model.UnsubscribeRequest;
import software.amazon.awssdk.services.sns.model.UnsubscribeResponse;

/** Subscriptions from their beginning, which their endpoint confirms, to their end. */
final class Subscriptions {

  /** Ended by a link: for a while, the link in the answer brings them back. Under their token. */
  private static final Table<Subscription> ENDED =
      Table.of("sns.ended", StoredJson.codec(Subscription.class));

  private static final int MAX_OF_TOPIC = 10_000;
  private static final int TOKEN_DIGITS = 256;
  private static final String PENDING = "pending confirmation";
  private static final String LISTED_PENDING = "PendingConfirmation";

  private final Scope scope;
  private final Store store;
  private final InstantSource clock;
  private final Ids ids;
  private final SubscriptionRules rules;
  private final Consumer<String> wake;

  Subscriptions(
      Scope scope,
      Store store,
      InstantSource clock,
      Ids ids,
      SubscriptionRules rules,
      Consumer<String> wake) {
    this.scope = scope;
    this.store = store;
    this.clock = clock;
    this.ids = ids;
    this.rules = rules;
    this.wake = wake;
  }

  /** A topic's subscriptions. */
  static List<Row<Subscription>> of(Tx tx, String topicArn) {
    return tx.list(Subscription.TABLE, topicArn + ":");
  }

  /**
   * Subscribes an endpoint, which is asked to confirm; one that is subscribed already is given, and
   * asked again if it has not confirmed.
   *
   * @see <a href="https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html">Subscribe</a>
   */
  SubscribeResponse make(SubscribeRequest request) {
    Protocol protocol = rules.protocol(request.protocol());
    String endpoint = rules.endpoint(protocol, request.endpoint());
    Instant now = clock.instant();
    Subscription made =
        store.write(tx -> {
          Topic topic = Topic.of(tx, request.topicArn());
          Map<String, String> attributes = rules.check(protocol, request.attributes());
          List<Row<Subscription>> all = of(tx, topic.arn());
          Optional<Subscription> there =
              all.stream()
                  .map(Row::value)
                  .filter(one -> one.protocol() == protocol && one.endpoint().equals(endpoint))
                  .findFirst();
          if (there.isPresent()) {
            return again(tx, there.get(), request.hasAttributes() ? attributes : null, now);
          }
          if (all.size() >= MAX_OF_TOPIC) {
            throw SubscriptionLimitExceededException.builder()
                .message("Subscription limit exceeded: " + MAX_OF_TOPIC + " of a topic")
                .build();
          }
          Subscription subscription =
              new Subscription(
                  topic.arn() + ":" + ids.uuid(),
                  topic.arn(),
                  protocol,
                  endpoint,
                  scope.account(),
                  attributes,
                  true,
                  false,
                  false,
                  ids.hex(TOKEN_DIGITS),
                  now);
          ask(tx, subscription, now);
          return subscription;
        });
    wake.accept(made.arn());
    boolean told = !made.pending() || Boolean.TRUE.equals(request.returnSubscriptionArn());
    return SubscribeResponse.builder().subscriptionArn(told ? made.arn() : PENDING).build();
  }

  private Subscription again(
      Tx tx, Subscription there, @Nullable Map<String, String> attributes, Instant now) {
    if (attributes != null && !attributes.equals(there.attributes())) {
      throw Refuse.invalid(
          "Attributes Reason: Subscription already exists with different attributes");
    }
    if (there.pending()) {
      ask(tx, there.asked(ids.hex(TOKEN_DIGITS), now), now);
    }
    return there;
  }

  private void ask(Tx tx, Subscription subscription, Instant now) {
    tx.put(Subscription.TABLE, subscription.arn(), subscription);
    Message question =
        new Message(
            ids.uuid(),
            subscription.topicArn(),
            Kind.SUBSCRIPTION,
            null,
            Map.of(),
            Map.of(),
            subscription.token(),
            now);
    send(tx, question, subscription, null, now);
  }

  private static void send(
      Tx tx, Message message, Subscription to, @Nullable Subscription former, Instant now) {
    tx.put(Message.TABLE, message.id(), message);
    Delivery.put(tx, new Delivery(to.arn(), message.id(), 0, now, former));
  }

  /**
   * Confirms what a token was sent for.
   *
   * @param signed whether the request is somebody's, or a link that was followed
   */
  ConfirmSubscriptionResponse confirm(ConfirmSubscriptionRequest request, boolean signed) {
    String token = request.token() == null ? "" : request.token();
    boolean onlySignedEnd = signed && Boolean.parseBoolean(request.authenticateOnUnsubscribe());
    Instant now = clock.instant();
    String arn =
        store.write(tx -> {
          Topic topic = Topic.of(tx, request.topicArn());
          Subscription found =
              tx.find(Subscription.TABLE, "token", token).stream()
                  .findFirst()
                  .or(() -> tx.get(ENDED, token))
                  .map(Row::value)
                  .filter(one -> one.topicArn().equals(topic.arn()))
                  .orElseThrow(() -> Refuse.invalid("Token"));
          boolean subscribed = tx.get(Subscription.TABLE, found.arn()).isPresent();
          if (subscribed && !found.pending()) {
            return found.arn(); // a second time
          }
          if (now.isAfter(found.since().plus(Subscription.PATIENCE))) {
            throw Refuse.invalid("Token Reason: it has expired");
          }
          tx.delete(ENDED, token);
          tx.put(Subscription.TABLE, found.arn(), found.confirmed(signed, onlySignedEnd));
          return found.arn();
        });
    return ConfirmSubscriptionResponse.builder().subscriptionArn(arn).build();
  }

  /**
   * Ends a subscription; one that is not there has ended.
   *
   * @param signed whether the request is somebody's, or a link that was followed: then the endpoint
   *     is told, and how it can subscribe again
   */
  UnsubscribeResponse end(UnsubscribeRequest request, boolean signed) {
    String arn = Arns.check("SubscriptionArn", request.subscriptionArn());
    Instant now = clock.instant();
    store.write(tx -> {
      Subscription subscription = tx.get(Subscription.TABLE, arn).map(Row::value).orElse(null);
      if (subscription == null) {
        return false;
      }
      if (subscription.pending()) {
        throw Refuse.invalid(
            "SubscriptionArn Reason: This subscription is not confirmed. Only confirmed"
                + " subscriptions can be unsubscribed");
      }
      if (!signed && subscription.signedEnd()) {
        throw AuthorizationErrorException.builder()
            .message("This subscription can be ended by a signed request only")
            .build();
      }
      drop(tx, subscription);
      tx.get(Topic.TABLE, subscription.topicArn())
          .map(Row::value)
          .ifPresent(topic -> tx.put(Topic.TABLE, topic.arn(), topic.withOneDeleted()));
      if (!signed) {
        tellEnd(tx, subscription, now);
      }
      return true;
    });
    wake.accept(arn);
    return UnsubscribeResponse.builder().build();
  }

  private void tellEnd(Tx tx, Subscription subscription, Instant now) {
    Subscription former = subscription.asked(ids.hex(TOKEN_DIGITS), now);
    for (Row<Subscription> row : tx.list(ENDED)) {
      if (now.isAfter(row.value().since().plus(Subscription.PATIENCE))) {
        tx.delete(ENDED, row.key());
      }
    }
    tx.put(ENDED, former.token(), former);
    Message message =
        new Message(
            ids.uuid(), former.topicArn(), Kind.END, null, Map.of(), Map.of(), former.token(), now);
    send(tx, message, former, former, now);
  }

  static void drop(Tx tx, Subscription subscription) {
    Delivery.endAll(tx, subscription.arn());
    tx.delete(Subscription.TABLE, subscription.arn());
  }

  ListSubscriptionsResponse list(ListSubscriptionsRequest request) {
    Page<Subscription> page =
        store.read(tx -> Page.of(tx, Subscription.TABLE, "", request.nextToken()));
    return ListSubscriptionsResponse.builder()
        .subscriptions(page.rows().stream().map(row -> told(row.value())).toList())
        .nextToken(page.next())
        .build();
  }

  ListSubscriptionsByTopicResponse list(ListSubscriptionsByTopicRequest request) {
    Page<Subscription> page =
        store.read(tx ->
            Page.of(
                tx,
                Subscription.TABLE,
                Topic.of(tx, request.topicArn()).arn() + ":",
                request.nextToken()));
    return ListSubscriptionsByTopicResponse.builder()
        .subscriptions(page.rows().stream().map(row -> told(row.value())).toList())
        .nextToken(page.next())
        .build();
  }

  private static software.amazon.awssdk.services.sns.model.Subscription told(Subscription one) {
    return software.amazon.awssdk.services.sns.model.Subscription.builder()
        .subscriptionArn(one.pending() ? LISTED_PENDING : one.arn())
        .topicArn(one.topicArn())
        .protocol(one.protocol().named())
        .endpoint(one.shown())
        .owner(one.owner())
        .build();
  }

  GetSubscriptionAttributesResponse get(GetSubscriptionAttributesRequest request) {
    return store.read(tx -> {
      Subscription one = Subscription.of(tx, request.subscriptionArn());
      Map<String, String> told = new LinkedHashMap<>();
      told.put("SubscriptionArn", one.arn());
      told.put("TopicArn", one.topicArn());
      told.put("Owner", one.owner());
      told.put("SubscriptionPrincipal", "arn:aws:iam::" + one.owner() + ":root");
      told.put("Protocol", one.protocol().named());
      told.put("Endpoint", one.shown());
      told.put("PendingConfirmation", String.valueOf(one.pending()));
      told.put("ConfirmationWasAuthenticated", String.valueOf(one.authenticated()));
      told.put("RawMessageDelivery", "false");
      told.put(
          "EffectiveDeliveryPolicy",
          DeliveryPolicy.effective(Topic.of(tx, one.topicArn()), one).told());
      if (one.filter() != null) {
        told.put(Subscription.SCOPE, FilterPolicy.Scope.ATTRIBUTES.named());
      }
      told.putAll(one.attributes());
      return GetSubscriptionAttributesResponse.builder().attributes(told).build();
    });
  }

  SetSubscriptionAttributesResponse set(SetSubscriptionAttributesRequest request) {
    String name = request.attributeName() == null ? "" : request.attributeName();
    String value = request.attributeValue() == null ? "" : request.attributeValue();
    store.write(tx -> {
      Subscription one = Subscription.of(tx, request.subscriptionArn());
      Subscription changed = one.with(Map.of(name, value));
      rules.check(changed, name, value);
      return tx.put(Subscription.TABLE, changed.arn(), changed);
    });
    return SetSubscriptionAttributesResponse.builder().build();
  }
}
