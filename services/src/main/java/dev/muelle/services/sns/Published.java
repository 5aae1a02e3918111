package dev.muelle.services.sns;

import com.fasterxml.jackson.databind.JsonNode;
import dev.muelle.loop.Timers;
import dev.muelle.services.Ids;
import dev.muelle.services.sns.FilterPolicy.Scope;
import dev.muelle.services.sns.Message.Kind;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.services.sns.model.BatchEntryIdsNotDistinctException;
import software.amazon.awssdk.services.sns.model.BatchRequestTooLongException;
import software.amazon.awssdk.services.sns.model.BatchResultErrorEntry;
import software.amazon.awssdk.services.sns.model.EmptyBatchRequestException;
import software.amazon.awssdk.services.sns.model.InvalidBatchEntryIdException;
import software.amazon.awssdk.services.sns.model.InvalidParameterException;
import software.amazon.awssdk.services.sns.model.InvalidParameterValueException;
import software.amazon.awssdk.services.sns.model.MessageAttributeValue;
import software.amazon.awssdk.services.sns.model.PublishBatchRequest;
import software.amazon.awssdk.services.sns.model.PublishBatchRequestEntry;
import software.amazon.awssdk.services.sns.model.PublishBatchResponse;
import software.amazon.awssdk.services.sns.model.PublishBatchResultEntry;
import software.amazon.awssdk.services.sns.model.PublishRequest;
import software.amazon.awssdk.services.sns.model.PublishResponse;
import software.amazon.awssdk.services.sns.model.ThrottledException;
import software.amazon.awssdk.services.sns.model.TooManyEntriesInBatchRequestException;

/**
 * Takes what is published, and puts it down for everybody who gets it.
 *
 * @see <a href="https://docs.aws.amazon.com/sns/latest/api/API_Publish.html">Publish</a>
 */
final class Published {

  private static final int MAX_BYTES = 256 * 1024;
  private static final int MAX_SUBJECT = 100;
  private static final int MAX_BATCH = 10;
  private static final int MAX_FILTERS = 10_000;
  private static final long MAX_WAITING = 100_000;
  private static final Pattern ENTRY_ID = Pattern.compile("[A-Za-z0-9_-]{1,80}");

  private final Store store;
  private final Timers timers;
  private final Ids ids;
  private final TopicMetrics metrics;
  private final Consumer<String> wake;
  private final Map<Filter, FilterPolicy> filters = new ConcurrentHashMap<>();

  /** At least as many as wait: counted anew when it reaches the limit. */
  private final AtomicLong waiting = new AtomicLong();

  private record Filter(String policy, Scope scope) {}

  /** What a caller gave, checked. */
  private record Checked(
      @Nullable String subject,
      Map<String, String> bodies,
      Map<String, Attribute> attributes,
      int bytes) {}

  /** Who gets it, and for whom it was not. */
  private record Sent(Message message, List<String> to, List<Scope> filteredOut) {}

  Published(Store store, Timers timers, Ids ids, TopicMetrics metrics, Consumer<String> wake) {
    this.store = store;
    this.timers = timers;
    this.ids = ids;
    this.metrics = metrics;
    this.wake = wake;
  }

  PublishResponse publish(PublishRequest request) {
    if (request.phoneNumber() != null) {
      throw Refuse.unsupported("PhoneNumber Reason: sms");
    }
    if (request.topicArn() != null && request.targetArn() != null) {
      throw Refuse.invalid("Cannot specify both TopicArn and TargetArn");
    }
    String topic = request.topicArn() == null ? request.targetArn() : request.topicArn();
    if (topic == null) {
      throw Refuse.invalid("TopicArn or TargetArn Reason: no value for required parameter");
    }
    refuseFifo(request.messageDeduplicationId(), request.messageGroupId());
    Checked checked =
        check(
            request.message(),
            request.subject(),
            request.messageStructure(),
            request.messageAttributes());
    return PublishResponse.builder().messageId(send(topic, List.of(checked)).getFirst()).build();
  }

  /**
   * Publishes up to ten messages; each that is wrong is said to be, the others are published.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html">PublishBatch</a>
   */
  PublishBatchResponse publish(PublishBatchRequest request) {
    List<PublishBatchRequestEntry> entries = request.publishBatchRequestEntries();
    checkEntries(entries);
    String arn = Arns.check("TopicArn", request.topicArn());
    store.read(tx -> Topic.of(tx, arn));
    List<String> accepted = new ArrayList<>();
    List<Checked> messages = new ArrayList<>();
    List<BatchResultErrorEntry> failed = new ArrayList<>();
    for (PublishBatchRequestEntry entry : entries) {
      try {
        refuseFifo(entry.messageDeduplicationId(), entry.messageGroupId());
        messages.add(
            check(
                entry.message(),
                entry.subject(),
                entry.messageStructure(),
                entry.messageAttributes()));
        accepted.add(entry.id());
      } catch (InvalidParameterException e) {
        failed.add(failure(entry, "InvalidParameter", e));
      } catch (InvalidParameterValueException e) {
        failed.add(failure(entry, "ParameterValueInvalid", e));
      }
    }
    if (messages.stream().mapToInt(Checked::bytes).sum() > MAX_BYTES) {
      throw BatchRequestTooLongException.builder()
          .message(
              "The length of all the batch messages put together is more than the limit of "
                  + MAX_BYTES
                  + " bytes")
          .build();
    }
    List<String> sent = messages.isEmpty() ? List.of() : send(arn, messages);
    List<PublishBatchResultEntry> successful = new ArrayList<>();
    for (int i = 0; i < sent.size(); i++) {
      successful.add(
          PublishBatchResultEntry.builder().id(accepted.get(i)).messageId(sent.get(i)).build());
    }
    return PublishBatchResponse.builder().successful(successful).failed(failed).build();
  }

  private static BatchResultErrorEntry failure(
      PublishBatchRequestEntry entry, String code, AwsServiceException e) {
    return BatchResultErrorEntry.builder()
        .id(entry.id())
        .code(code)
        .message(e.getMessage())
        .senderFault(true)
        .build();
  }

  private static void checkEntries(List<PublishBatchRequestEntry> entries) {
    if (entries.isEmpty()) {
      throw EmptyBatchRequestException.builder()
          .message("The batch request doesn't contain any entries.")
          .build();
    }
    if (entries.size() > MAX_BATCH) {
      throw TooManyEntriesInBatchRequestException.builder()
          .message("The batch request contains more entries than permissible.")
          .build();
    }
    Set<String> seen = new HashSet<>();
    for (PublishBatchRequestEntry entry : entries) {
      if (entry.id() == null || !ENTRY_ID.matcher(entry.id()).matches()) {
        throw InvalidBatchEntryIdException.builder()
            .message(
                "The Id of a batch entry in a batch request doesn't abide by the specification.")
            .build();
      }
      if (!seen.add(entry.id())) {
        throw BatchEntryIdsNotDistinctException.builder()
            .message("Two or more batch entries in the request have the same Id.")
            .build();
      }
    }
  }

  /**
   * Refuses what is for FIFO topics. A group is for queues, too, that are fair to its members:
   * nothing else looks at it.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html">Amazon
   *     SQS fair queues</a>
   */
  private static void refuseFifo(@Nullable String deduplication, @Nullable String group) {
    if (group != null) {
      throw Refuse.unsupported("MessageGroupId Reason: a group of messages, for queues,");
    }
    if (deduplication != null) {
      throw Refuse.invalid(
          "MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter"
              + " that is not valid for this topic type");
    }
  }

  private static Checked check(
      @Nullable String message,
      @Nullable String subject,
      @Nullable String structure,
      Map<String, MessageAttributeValue> attributes) {
    if (message == null || message.isEmpty()) {
      throw Refuse.invalid("Empty message");
    }
    if (subject != null
        && (subject.isEmpty()
            || subject.length() > MAX_SUBJECT
            || subject.chars().anyMatch(Character::isISOControl)
            || subject.startsWith(" "))) {
      throw Refuse.invalid("Subject");
    }
    Map<String, Attribute> read = Attribute.read(attributes);
    int bytes = message.getBytes(StandardCharsets.UTF_8).length;
    for (Map.Entry<String, Attribute> one : read.entrySet()) {
      bytes += one.getKey().length() + one.getValue().bytes();
    }
    if (bytes > MAX_BYTES) {
      throw Refuse.invalid("Message too long");
    }
    return new Checked(subject, bodies(message, structure), read, bytes);
  }

  private static Map<String, String> bodies(String message, @Nullable String structure) {
    if (structure == null || structure.isEmpty()) {
      return Map.of(Message.DEFAULT, message);
    }
    if (!structure.equals("json")) {
      throw Refuse.invalid("MessageStructure");
    }
    JsonNode read =
        Json.tree(message)
            .filter(JsonNode::isObject)
            .orElseThrow(
                () -> Refuse.invalid("Message Structure - JSON message body failed to parse"));
    if (!read.path(Message.DEFAULT).isTextual()) {
      throw Refuse.invalid("Message Structure - No default entry in JSON message body");
    }
    Map<String, String> bodies = new TreeMap<>();
    read.properties()
        .forEach(member -> {
          if (member.getValue().isTextual()) { // whatever else there is, SNS ignores
            bodies.put(member.getKey(), member.getValue().textValue());
          }
        });
    return bodies;
  }

  private List<String> send(String topicArn, List<Checked> messages) {
    limit();
    Instant now = timers.instant();
    Instant due = timers.machine().instant();
    List<String> named = messages.stream().map(any -> ids.uuid()).toList();
    List<Sent> sent =
        store.write(tx -> {
          Topic topic = Topic.of(tx, topicArn);
          List<Subscription> subscriptions =
              Subscriptions.of(tx, topic.arn()).stream()
                  .map(Row::value)
                  .filter(one -> !one.pending())
                  .toList();
          List<Sent> all = new ArrayList<>();
          for (int i = 0; i < messages.size(); i++) {
            Checked one = messages.get(i);
            Message message =
                new Message(
                    named.get(i),
                    topic.arn(),
                    Kind.NOTIFICATION,
                    one.subject(),
                    one.bodies(),
                    one.attributes(),
                    "",
                    now);
            all.add(send(tx, message, subscriptions, due));
          }
          return all;
        });
    String topic = Arns.name(topicArn);
    messages.forEach(one -> metrics.published(topic, one.bytes()));
    for (Sent one : sent) {
      waiting.addAndGet(one.to().size());
      one.to().forEach(wake);
      one.filteredOut()
          .forEach(
              scope -> metrics.filteredOut(topic, scope, !one.message().attributes().isEmpty()));
    }
    return named;
  }

  private Sent send(Tx tx, Message message, List<Subscription> subscriptions, Instant due) {
    List<String> to = new ArrayList<>();
    List<Scope> filteredOut = new ArrayList<>();
    for (Subscription one : subscriptions) {
      Optional<FilterPolicy> filter = filter(one);
      if (filter.isEmpty()
          || filter.get().passes(message.body(one.protocol()), message.attributes())) {
        to.add(one.arn());
        Delivery.put(tx, new Delivery(one.arn(), message.id(), 0, due, null));
      } else {
        filteredOut.add(one.filterScope());
      }
    }
    if (!to.isEmpty()) {
      tx.put(Message.TABLE, message.id(), message);
    }
    return new Sent(message, to, filteredOut);
  }

  private Optional<FilterPolicy> filter(Subscription one) {
    String policy = one.filter();
    if (policy == null) {
      return Optional.empty();
    }
    if (filters.size() > MAX_FILTERS) {
      filters.clear();
    }
    return Optional.of(
        filters.computeIfAbsent(
            new Filter(policy, one.filterScope()),
            filter -> FilterPolicy.of(filter.policy(), filter.scope())));
  }

  private void limit() {
    if (waiting.get() > MAX_WAITING) {
      waiting.set(store.read(tx -> tx.count(Delivery.TABLE)));
      if (waiting.get() > MAX_WAITING) {
        throw ThrottledException.builder()
            .message("Rate exceeded: " + MAX_WAITING + " deliveries wait already")
            .build();
      }
    }
  }
}
