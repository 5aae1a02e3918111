package dev.muelle.services.sns;

import dev.muelle.services.sns.Subscription.Protocol;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.sns.model.InvalidParameterException;

/**
 * Which subscriptions there may be: what each says has its effect, or is refused by name.
 *
 * @see <a href="https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html">Subscribe</a>
 */
final class SubscriptionRules {

  private static final Set<String> LATER =
      Set.of("sms", "sqs", "lambda", "firehose", "application");
  private static final int MAX_ENDPOINT = 2048;
  private static final Pattern MAIL =
      Pattern.compile("[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)*");

  private final Senders senders;

  SubscriptionRules(Senders senders) {
    this.senders = senders;
  }

  Protocol protocol(@Nullable String name) {
    if (name != null && LATER.contains(name)) {
      throw Refuse.unsupported("Protocol Reason: " + name);
    }
    for (Protocol protocol : Protocol.values()) {
      if (protocol.named().equals(name)) {
        if (protocol.isMail() && !senders.hasMail()) {
          throw Refuse.unsupported(
              "Protocol Reason: "
                  + name
                  + " needs a mail server, which ./muelle up --smtp HOST:PORT names; without one it");
        }
        return protocol;
      }
    }
    throw Refuse.invalid("Amazon SNS does not support this protocol string: " + name);
  }

  String endpoint(Protocol protocol, @Nullable String endpoint) {
    if (endpoint == null || endpoint.isEmpty() || endpoint.length() > MAX_ENDPOINT) {
      throw Refuse.invalid("Endpoint");
    }
    if (protocol.isMail()) {
      if (!MAIL.matcher(endpoint).matches()) {
        throw Refuse.invalid("Email address");
      }
      return endpoint;
    }
    if (!endpoint.startsWith(protocol.named() + "://")) {
      throw Refuse.invalid("Endpoint must match the specified protocol");
    }
    try {
      URI uri = new URI(endpoint);
      if (uri.getHost() == null || uri.getRawFragment() != null) {
        throw Refuse.invalid("Endpoint");
      }
      senders
          .refusal(uri)
          .ifPresent(why -> {
            throw Refuse.invalid("Endpoint Reason: " + why);
          });
    } catch (URISyntaxException e) {
      throw Refuse.invalid("Endpoint");
    }
    return endpoint;
  }

  /** Attributes of a new subscription; in AWS's words, these are wrong for a reason. */
  Map<String, String> check(Protocol protocol, Map<String, String> attributes) {
    Map<String, String> set = new LinkedHashMap<>();
    FilterPolicy.Scope scope = FilterPolicy.Scope.named(attributes.get(Subscription.SCOPE));
    attributes.forEach((name, value) -> {
      try {
        check(protocol, scope, name, value);
      } catch (InvalidParameterException e) {
        throw Refuse.invalid(
            "Attributes Reason: "
                + String.valueOf(e.getMessage()).replaceFirst("^Invalid parameter: ", ""));
      }
      if (!Subscription.takesBack(name, value)) {
        set.put(name, value);
      }
    });
    return set;
  }

  /** One attribute, as it would be after the change. */
  void check(Subscription changed, String name, String value) {
    check(changed.protocol(), changed.filterScope(), name, value);
    String filter = changed.filter();
    if (filter != null && name.equals(Subscription.SCOPE)) {
      FilterPolicy.of(filter, changed.filterScope());
    }
  }

  private static void check(
      Protocol protocol, FilterPolicy.Scope scope, String name, String value) {
    switch (name) {
      case TopicRules.DELIVERY_POLICY -> {
        if (protocol.isMail()) {
          throw Refuse.invalid(
              "DeliveryPolicy: Delivery protocol ["
                  + protocol.named()
                  + "] does not support a delivery policy.");
        }
        if (!value.isEmpty()) {
          DeliveryPolicy.ofSubscription(value, DeliveryPolicy.HTTP);
        }
      }
      case Subscription.FILTER -> {
        if (!Subscription.takesBack(name, value)) {
          FilterPolicy.of(value, scope);
        }
      }
      case Subscription.SCOPE -> FilterPolicy.Scope.named(value);
      case "RawMessageDelivery" -> {
        if (!value.equals("true") && !value.equals("false")) {
          throw Refuse.invalid(
              "RawMessageDelivery: Invalid value [" + value + "]. Must be true or false.");
        }
        if (protocol.isMail() && value.equals("true")) {
          throw Refuse.invalid(
              "RawMessageDelivery: Delivery protocol ["
                  + protocol.named()
                  + "] does not support raw message delivery.");
        }
      }
      case "RedrivePolicy" -> {
        if (!value.isEmpty()) { // until there are queues
          throw Refuse.unsupported("RedrivePolicy: a dead-letter queue");
        }
      }
      case "ReplayPolicy" ->
          throw Refuse.invalid("ReplayPolicy: it can only be set for FIFO topics");
      default -> throw Refuse.invalid("AttributeName");
    }
  }
}
