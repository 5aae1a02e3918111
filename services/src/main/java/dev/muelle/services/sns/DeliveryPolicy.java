package dev.muelle.services.sns;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.Iterator;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * How often, and when, a delivery is tried again, and with what head.
 *
 * <p>Retries come in four phases: at once, after the least delay, with delays that grow from the
 * least to the greatest, and after the greatest. AWS draws how the four functions grow without
 * their formulas: here linear ones grow by equal steps, arithmetic ones by steps that grow by equal
 * amounts, geometric ones by an equal factor, and exponential ones by doubling.
 *
 * @param retries of all phases together
 * @param perSecond at most so many messages in a second; 0 for any number
 * @param contentType of what is not a JSON envelope's usual one; null for the usual one
 * @see <a
 *     href="https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html">Message
 *     delivery retries</a>
 */
record DeliveryPolicy(
    int minDelay,
    int maxDelay,
    int retries,
    int maxDelayRetries,
    int noDelayRetries,
    int minDelayRetries,
    Backoff backoff,
    int perSecond,
    @Nullable String contentType) {

  /** What endpoints get for which nothing is said. */
  static final DeliveryPolicy HTTP =
      new DeliveryPolicy(20, 20, 3, 0, 0, 0, Backoff.LINEAR, 0, null);

  /** What AWS does for mail, and nobody can change. */
  static final DeliveryPolicy MAIL =
      new DeliveryPolicy(10, 600, 50, 38, 0, 2, Backoff.EXPONENTIAL, 0, null);

  private static final int MAX_RETRIES = 100;
  private static final int MAX_SECONDS = 3600;
  private static final Pattern CONTENT_TYPE =
      Pattern.compile("[\\w!#$&^.+-]+/[\\w!#$&^.+-]+(; ?[\\w!#$&^.+-]+=[\\w!#$&^.+\"-]+)*");

  enum Backoff {
    LINEAR,
    ARITHMETIC,
    GEOMETRIC,
    EXPONENTIAL;

    /** How long to wait before this one of the retries that grow, counted from 0, in seconds. */
    double delay(int step, int steps, double min, double max) {
      double part = steps < 2 ? 1 : step / (steps - 1.0);
      return switch (this) {
        case LINEAR -> min + (max - min) * part;
        case ARITHMETIC ->
            steps < 2 ? max : min + (max - min) * step * (step + 1) / ((steps - 1.0) * steps);
        case GEOMETRIC -> min * Math.pow(max / min, part);
        case EXPONENTIAL -> Math.min(max, min * Math.pow(2, step));
      };
    }
  }

  /** How long after this many attempts the next one is made; empty when there is none. */
  Optional<Duration> next(int attempts) {
    int retry = attempts - 1;
    if (retry >= retries) {
      return Optional.empty();
    }
    return Optional.of(Duration.ofMillis(Math.round(delay(retry) * 1000)));
  }

  private double delay(int retry) {
    int growing = retries - noDelayRetries - minDelayRetries - maxDelayRetries;
    if (retry < noDelayRetries) {
      return 0;
    }
    int later = retry - noDelayRetries;
    if (later < minDelayRetries) {
      return minDelay;
    }
    later -= minDelayRetries;
    return later < growing ? backoff.delay(later, growing, minDelay, maxDelay) : maxDelay;
  }

  /** A topic's policy: what its subscriptions get that say nothing themselves. */
  static DeliveryPolicy ofTopic(String json) {
    JsonNode policy = Json.read("DeliveryPolicy", json);
    known(policy, "DeliveryPolicy", Set.of("http"));
    JsonNode http = policy.path("http");
    if (!http.isObject()) {
      throw Refuse.invalid("DeliveryPolicy: http must be an object");
    }
    known(
        http,
        "http",
        Set.of(
            "defaultHealthyRetryPolicy",
            "disableSubscriptionOverrides",
            "defaultThrottlePolicy",
            "defaultRequestPolicy"));
    JsonNode overrides = http.path("disableSubscriptionOverrides");
    if (!overrides.isMissingNode() && !overrides.isBoolean()) {
      throw Refuse.invalid("DeliveryPolicy: disableSubscriptionOverrides must be a boolean");
    }
    return read(
        http, "defaultHealthyRetryPolicy", "defaultThrottlePolicy", "defaultRequestPolicy", HTTP);
  }

  /** Whether a topic's subscriptions may not have policies of their own. */
  static boolean overridesDisabled(String json) {
    return Json.read("DeliveryPolicy", json)
        .path("http")
        .path("disableSubscriptionOverrides")
        .asBoolean();
  }

  static DeliveryPolicy ofSubscription(String json, DeliveryPolicy topic) {
    JsonNode policy = Json.read("DeliveryPolicy", json);
    known(
        policy,
        "DeliveryPolicy",
        Set.of("healthyRetryPolicy", "sicklyRetryPolicy", "throttlePolicy", "requestPolicy"));
    if (policy.hasNonNull("sicklyRetryPolicy")) {
      throw Refuse.unsupported("DeliveryPolicy: sicklyRetryPolicy");
    }
    return read(policy, "healthyRetryPolicy", "throttlePolicy", "requestPolicy", topic);
  }

  /** What holds for a subscription. */
  static DeliveryPolicy effective(Topic topic, Subscription subscription) {
    if (subscription.protocol().isMail()) {
      return MAIL;
    }
    String ofTopic = topic.attribute(TopicRules.DELIVERY_POLICY, "");
    DeliveryPolicy general = ofTopic.isEmpty() ? HTTP : ofTopic(ofTopic);
    String own = subscription.attributes().getOrDefault(TopicRules.DELIVERY_POLICY, "");
    return own.isEmpty() || !ofTopic.isEmpty() && overridesDisabled(ofTopic)
        ? general
        : ofSubscription(own, general);
  }

  private static DeliveryPolicy read(
      JsonNode policy, String retry, String throttle, String request, DeliveryPolicy otherwise) {
    JsonNode retries = policy.path(retry);
    known(
        retries,
        retry,
        Set.of(
            "minDelayTarget",
            "maxDelayTarget",
            "numRetries",
            "numMaxDelayRetries",
            "numNoDelayRetries",
            "numMinDelayRetries",
            "backoffFunction"));
    known(policy.path(throttle), throttle, Set.of("maxReceivesPerSecond"));
    known(policy.path(request), request, Set.of("headerContentType"));
    DeliveryPolicy base = retries.isObject() ? HTTP : otherwise;
    int min = number(retries, "minDelayTarget", base.minDelay, 1, MAX_SECONDS);
    DeliveryPolicy read =
        new DeliveryPolicy(
            min,
            number(retries, "maxDelayTarget", Math.max(min, base.maxDelay), min, MAX_SECONDS),
            number(retries, "numRetries", base.retries, 0, MAX_RETRIES),
            number(retries, "numMaxDelayRetries", base.maxDelayRetries, 0, MAX_RETRIES),
            number(retries, "numNoDelayRetries", base.noDelayRetries, 0, MAX_RETRIES),
            number(retries, "numMinDelayRetries", base.minDelayRetries, 0, MAX_RETRIES),
            backoff(retries, base),
            number(
                policy.path(throttle),
                "maxReceivesPerSecond",
                otherwise.perSecond,
                1,
                Integer.MAX_VALUE),
            contentType(policy.path(request), otherwise));
    return read.checked();
  }

  private DeliveryPolicy checked() {
    if (noDelayRetries + minDelayRetries + maxDelayRetries > retries) {
      throw Refuse.invalid(
          "DeliveryPolicy: numRetries must be at least the sum of numNoDelayRetries,"
              + " numMinDelayRetries and numMaxDelayRetries");
    }
    double all = 0;
    for (int retry = 0; retry < retries; retry++) {
      all += delay(retry);
    }
    if (all > MAX_SECONDS) {
      throw Refuse.invalid(
          "DeliveryPolicy: the total policy retry time must not be greater than "
              + MAX_SECONDS
              + " seconds");
    }
    return this;
  }

  private static void known(JsonNode node, String where, Set<String> members) {
    if (!node.isMissingNode() && !node.isNull() && !node.isObject()) {
      throw Refuse.invalid("DeliveryPolicy: " + where + " must be an object");
    }
    for (Iterator<String> names = node.fieldNames(); names.hasNext(); ) {
      String name = names.next();
      if (!members.contains(name)) {
        throw Refuse.invalid("DeliveryPolicy: Unexpected JSON member: " + where + "." + name);
      }
    }
  }

  private static int number(JsonNode node, String name, int otherwise, int min, int max) {
    JsonNode value = node.path(name);
    if (value.isMissingNode() || value.isNull()) {
      return otherwise;
    }
    if (!value.canConvertToInt() || !value.isIntegralNumber()) {
      throw Refuse.invalid("DeliveryPolicy: " + name + " must be an integer");
    }
    if (value.intValue() < min || value.intValue() > max) {
      throw Refuse.invalid(
          "DeliveryPolicy: "
              + name
              + " must be "
              + (value.intValue() < min
                  ? "greater than or equal to " + min
                  : "less than or equal to " + max));
    }
    return value.intValue();
  }

  private static Backoff backoff(JsonNode retries, DeliveryPolicy base) {
    String named = retries.path("backoffFunction").asText("");
    if (named.isEmpty()) {
      return base.backoff;
    }
    for (Backoff one : Backoff.values()) {
      if (one.name().toLowerCase(Locale.ROOT).equals(named)) {
        return one;
      }
    }
    throw Refuse.invalid(
        "DeliveryPolicy: backoffFunction must be one of linear, arithmetic, geometric, exponential");
  }

  private static @Nullable String contentType(JsonNode request, DeliveryPolicy otherwise) {
    JsonNode value = request.path("headerContentType");
    if (value.isMissingNode() || value.isNull()) {
      return otherwise.contentType;
    }
    if (!value.isTextual() || !CONTENT_TYPE.matcher(value.textValue()).matches()) {
      throw Refuse.invalid("DeliveryPolicy: headerContentType is not valid");
    }
    return value.textValue();
  }

  /** As {@code EffectiveDeliveryPolicy} of a topic tells it. */
  String toldOfTopic(boolean overridesDisabled) {
    ObjectNode http = Json.object();
    http.set("defaultHealthyRetryPolicy", toldRetries());
    http.put("disableSubscriptionOverrides", overridesDisabled);
    rest(http, "defaultThrottlePolicy", "defaultRequestPolicy");
    ObjectNode told = Json.object();
    told.set("http", http);
    return told.toString();
  }

  /** As {@code EffectiveDeliveryPolicy} of a subscription tells it. */
  String told() {
    ObjectNode told = Json.object();
    told.set("healthyRetryPolicy", toldRetries());
    rest(told, "throttlePolicy", "requestPolicy");
    return told.toString();
  }

  private void rest(ObjectNode told, String throttle, String request) {
    if (perSecond > 0) {
      told.set(throttle, Json.object().put("maxReceivesPerSecond", perSecond));
    }
    told.set(
        request,
        Json.object()
            .put("headerContentType", contentType == null ? Envelope.CONTENT_TYPE : contentType));
  }

  private ObjectNode toldRetries() {
    return Json.object()
        .put("minDelayTarget", minDelay)
        .put("maxDelayTarget", maxDelay)
        .put("numRetries", retries)
        .put("numMaxDelayRetries", maxDelayRetries)
        .put("numNoDelayRetries", noDelayRetries)
        .put("numMinDelayRetries", minDelayRetries)
        .put("backoffFunction", backoff.name().toLowerCase(Locale.ROOT));
  }
}
