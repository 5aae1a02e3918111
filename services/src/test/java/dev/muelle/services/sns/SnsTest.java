package dev.muelle.services.sns;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.loop.VirtualTimers;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.sns.SnsClient;
import software.amazon.awssdk.services.sns.model.MessageAttributeValue;
import software.amazon.awssdk.services.sns.model.PublishBatchRequestEntry;
import software.amazon.awssdk.services.sns.model.PublishBatchResponse;
import software.amazon.awssdk.services.sns.model.SnsException;
import software.amazon.awssdk.services.sns.model.Tag;

/** Topics and subscriptions, asked for with the SDK's client. */
class SnsTest {

  private static final String MISSING = "arn:aws:sns:us-east-1:000000000000:nobody";

  @TempDir private Path directory;
  private final VirtualTimers timers = new VirtualTimers(Instant.parse("2026-11-21T08:00:00Z"));
  private World world;
  private SnsClient sns;
  private String topic;

  @BeforeEach
  void open() throws Exception {
    world = new World(directory, timers, null);
    sns = world.sns;
    topic = sns.createTopic(create -> create.name("news")).topicArn();
  }

  @AfterEach
  void close() {
    world.close();
  }

  private static void refused(String code, String message, Runnable call) {
    SnsException refused = assertThrows(SnsException.class, call::run);
    assertEquals(code, refused.awsErrorDetails().errorCode());
    assertEquals(message, refused.awsErrorDetails().errorMessage());
  }

  private void setRefused(String name, String value, String message) {
    refused(
        "InvalidParameter",
        "Invalid parameter: " + message,
        () ->
            sns.setTopicAttributes(
                set -> set.topicArn(topic).attributeName(name).attributeValue(value)));
  }

  @Test
  void aTopicIsMadeOnce() {
    assertEquals("arn:aws:sns:us-east-1:000000000000:news", topic);
    assertEquals(topic, sns.createTopic(create -> create.name("news")).topicArn());
    refused(
        "InvalidParameter",
        "Invalid parameter: Attributes Reason: Topic already exists with different attributes",
        () ->
            sns.createTopic(create -> create.name("news").attributes(Map.of("DisplayName", "N"))));
    refused(
        "InvalidParameter",
        "Invalid parameter: Tags Reason: Topic already exists with different tags",
        () -> sns.createTopic(create -> create.name("news").tags(tag("a", "b"))));
    sns.deleteTopic(delete -> delete.topicArn(topic));
    sns.deleteTopic(delete -> delete.topicArn(topic));
    refused(
        "NotFound",
        "Topic does not exist",
        () -> sns.getTopicAttributes(get -> get.topicArn(topic)));
  }

  @Test
  void namesAreAmazons() {
    for (String name : List.of("", "a b", "ñ", "a".repeat(257))) {
      refused(
          "InvalidParameter",
          "Invalid parameter: Topic Name",
          () -> sns.createTopic(create -> create.name(name)));
    }
    refused(
        "InvalidParameter",
        "Invalid parameter: Topic Name Reason: a FIFO topic is not supported in this region",
        () -> sns.createTopic(create -> create.name("news.fifo")));
    refused(
        "InvalidParameter",
        "Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1",
        () -> sns.publish(publish -> publish.topicArn("news").message("m")));
  }

  @Test
  void groupsOfMessagesAreForQueues() {
    String refusal =
        "Invalid parameter: MessageGroupId Reason: a group of messages, for queues, is not supported"
            + " in this region";
    refused(
        "InvalidParameter",
        refusal,
        () -> sns.publish(publish -> publish.topicArn(topic).message("m").messageGroupId("g")));
    PublishBatchResponse batch =
        sns.publishBatch(publish ->
            publish
                .topicArn(topic)
                .publishBatchRequestEntries(
                    PublishBatchRequestEntry.builder().id("a").message("m").build(),
                    PublishBatchRequestEntry.builder()
                        .id("b")
                        .message("m")
                        .messageGroupId("g")
                        .build()));
    assertEquals("a", batch.successful().getFirst().id());
    assertEquals(refusal, batch.failed().getFirst().message());
  }

  @Test
  void noMemberOfADeliveryPolicyIsPassedOver() {
    setRefused(
        "DeliveryPolicy",
        "{\"http\":{},\"sqs\":{}}",
        "DeliveryPolicy: Unexpected JSON member: DeliveryPolicy.sqs");
    setRefused(
        "DeliveryPolicy",
        "{\"http\":{\"disableSubscriptionOverrides\":\"yes\"}}",
        "DeliveryPolicy: disableSubscriptionOverrides must be a boolean");
  }

  @Test
  void theDefaultPolicyIsThatOfATopicThatIsThere() {
    String policy = sns.getTopicAttributes(get -> get.topicArn(topic)).attributes().get("Policy");
    sns.setTopicAttributes(
        set -> set.topicArn(topic).attributeName("Policy").attributeValue(policy));
    refused(
        "NotFound",
        "Topic does not exist",
        () ->
            sns.setTopicAttributes(set ->
                set.topicArn(MISSING)
                    .attributeName("Policy")
                    .attributeValue(policy.replace(topic, MISSING))));
  }

  @Test
  void attributesHaveTheirEffectOrAreRefused() {
    setRefused("DisplayName", "x".repeat(101), "DisplayName");
    setRefused("SignatureVersion", "3", "SignatureVersion");
    setRefused(
        "KmsMasterKeyId",
        "alias/aws/sns",
        "KmsMasterKeyId Reason: encryption with a key of KMS is not supported in this region");
    setRefused(
        "Policy",
        "{}",
        "Policy Reason: another policy than the default is not supported in this region");
    setRefused(
        "TracingConfig", "Active", "TracingConfig Reason: Active is not supported in this region");
    setRefused(
        "SQSFailureFeedbackRoleArn",
        "arn:aws:iam::000000000000:role/x",
        "SQSFailureFeedbackRoleArn Reason: that protocol is not supported in this region");
    setRefused("Colour", "red", "AttributeName");
    setRefused("HTTPSuccessFeedbackSampleRate", "101", "HTTPSuccessFeedbackSampleRate");
    Map<String, String> told = sns.getTopicAttributes(get -> get.topicArn(topic)).attributes();
    assertEquals("0", told.get("SubscriptionsConfirmed"));
    assertEquals("000000000000", told.get("Owner"));
    sns.setTopicAttributes(
        set -> set.topicArn(topic).attributeName("Policy").attributeValue(told.get("Policy")));
    sns.setTopicAttributes(
        set -> set.topicArn(topic).attributeName("DisplayName").attributeValue("News"));
    assertEquals(
        "News", sns.getTopicAttributes(get -> get.topicArn(topic)).attributes().get("DisplayName"));
  }

  @Test
  void deliveryPoliciesAreChecked() {
    setRefused("DeliveryPolicy", "nonsense", "DeliveryPolicy: failed to parse JSON.");
    setRefused(
        "DeliveryPolicy",
        "{\"http\":{\"defaultHealthyRetryPolicy\":{\"numRetries\":101}}}",
        "DeliveryPolicy: numRetries must be less than or equal to 100");
    setRefused(
        "DeliveryPolicy",
        "{\"http\":{\"defaultHealthyRetryPolicy\":{\"minDelayTarget\":9,\"maxDelayTarget\":8}}}",
        "DeliveryPolicy: maxDelayTarget must be greater than or equal to 9");
    setRefused(
        "DeliveryPolicy",
        "{\"http\":{\"sickly\":1}}",
        "DeliveryPolicy: Unexpected JSON member: http.sickly");
    setRefused(
        "DeliveryPolicy",
        "{\"http\":{\"defaultHealthyRetryPolicy\":{\"minDelayTarget\":400,\"maxDelayTarget\":400,"
            + "\"numRetries\":10}}}",
        "DeliveryPolicy: the total policy retry time must not be greater than 3600 seconds");
  }

  @Test
  void whatThereIsComesInPages() {
    for (int i = 0; i < 150; i++) {
      int number = i;
      sns.createTopic(create -> create.name("t" + number));
    }
    Set<String> seen = new HashSet<>();
    sns.listTopicsPaginator().topics().forEach(one -> assertTrue(seen.add(one.topicArn())));
    assertEquals(151, seen.size());
    assertEquals(100, sns.listTopics().topics().size());
    refused(
        "InvalidParameter",
        "Invalid parameter: NextToken",
        () -> sns.listTopics(list -> list.nextToken("!")));
  }

  @Test
  void tagsAreKept() {
    sns.tagResource(tags -> tags.resourceArn(topic).tags(tag("a", "1"), tag("b", "2")));
    sns.untagResource(tags -> tags.resourceArn(topic).tagKeys("a"));
    assertEquals(
        List.of(tag("b", "2")), sns.listTagsForResource(list -> list.resourceArn(topic)).tags());
    refused(
        "ResourceNotFound",
        "Resource does not exist",
        () -> sns.listTagsForResource(list -> list.resourceArn(MISSING)));
    refused(
        "InvalidParameter",
        "Invalid parameter: Tags Reason: the key 'aws:x' is not valid",
        () -> sns.tagResource(tags -> tags.resourceArn(topic).tags(tag("aws:x", "1"))));
  }

  private static Tag tag(String key, String value) {
    return Tag.builder().key(key).value(value).build();
  }

  private void subscribeRefused(String protocol, String endpoint, String message) {
    refused(
        "InvalidParameter",
        "Invalid parameter: " + message,
        () -> sns.subscribe(to -> to.topicArn(topic).protocol(protocol).endpoint(endpoint)));
  }

  @Test
  void endpointsMustFit() {
    subscribeRefused(
        "sqs", "arn:aws:sqs:x", "Protocol Reason: sqs is not supported in this region");
    subscribeRefused("pigeon", "x", "Amazon SNS does not support this protocol string: pigeon");
    subscribeRefused("http", "https://a/", "Endpoint must match the specified protocol");
    subscribeRefused("http", "http://", "Endpoint");
    subscribeRefused("http", "http://a b/", "Endpoint");
    subscribeRefused(
        "http", "http://127.0.0.1:4566/", "Endpoint Reason: port 4566 is the region's own");
    subscribeRefused(
        "http", "http://x.elb.localhost:4566/", "Endpoint Reason: port 4566 is the region's own");
    subscribeRefused(
        "http",
        "http://169.254.169.254/latest",
        "Endpoint Reason: the address 169.254.169.254 may not be sent to");
    subscribeRefused(
        "http",
        "http://[::ffff:169.254.169.254]/", // the same in another dress
        "Endpoint Reason: the address 169.254.169.254 may not be sent to");
    subscribeRefused(
        "http", "http://0.0.0.0:4566/", "Endpoint Reason: the address 0.0.0.0 may not be sent to");
    subscribeRefused(
        "email",
        "a@example.com",
        "Protocol Reason: email needs a mail server, which ./muelle up --smtp HOST:PORT names;"
            + " without one it is not supported in this region");
    refused(
        "NotFound",
        "Topic does not exist",
        () -> sns.subscribe(to -> to.topicArn(MISSING).protocol("http").endpoint("http://a/")));
  }

  private void attributeRefused(String name, String value, String message) {
    refused(
        "InvalidParameter",
        "Invalid parameter: Attributes Reason: " + message,
        () ->
            sns.subscribe(to ->
                to.topicArn(topic)
                    .protocol("http")
                    .endpoint("http://192.0.2.1/")
                    .attributes(Map.of(name, value))));
  }

  @Test
  void attributesOfSubscriptionsAreChecked() {
    attributeRefused(
        "RawMessageDelivery",
        "yes",
        "RawMessageDelivery: Invalid value [yes]. Must be true or false.");
    attributeRefused(
        "RedrivePolicy",
        "{}",
        "RedrivePolicy: a dead-letter queue is not supported in this region");
    attributeRefused("Colour", "red", "AttributeName");
    attributeRefused(
        "FilterPolicy",
        "{\"a\":[]}",
        "FilterPolicy: Empty arrays are not allowed\n"
            + " at [Source: (String)\"{\"a\":[]}\"; line: 1, column: 8]");
  }

  @Test
  void aSubscriptionIsMadeOnceAndForgottenUnconfirmed() {
    assertEquals("pending confirmation", subscribe(false));
    String arn = subscribe(true);
    assertEquals(arn, subscribe(true));
    assertEquals(
        "PendingConfirmation",
        sns.listSubscriptions().subscriptions().getFirst().subscriptionArn());
    refused(
        "InvalidParameter",
        "Invalid parameter: SubscriptionArn Reason: This subscription is not confirmed. Only"
            + " confirmed subscriptions can be unsubscribed",
        () -> sns.unsubscribe(end -> end.subscriptionArn(arn)));
    refused(
        "InvalidParameter",
        "Invalid parameter: Token",
        () -> sns.confirmSubscription(confirm -> confirm.topicArn(topic).token("guess")));
    Map<String, String> told =
        sns.getSubscriptionAttributes(get -> get.subscriptionArn(arn)).attributes();
    assertEquals("true", told.get("PendingConfirmation"));
    assertEquals("http://user:****@192.0.2.1/", told.get("Endpoint"));
    timers.advance(Duration.ofDays(2));
    assertEquals(List.of(), sns.listSubscriptions().subscriptions());
  }

  private String subscribe(boolean told) {
    return sns.subscribe(to ->
            to.topicArn(topic)
                .protocol("http")
                .endpoint("http://user:secret@192.0.2.1/")
                .returnSubscriptionArn(told))
        .subscriptionArn();
  }

  private void publishRefused(
      String code,
      String message,
      Consumer<software.amazon.awssdk.services.sns.model.PublishRequest.Builder> what) {
    refused(code, message, () -> sns.publish(what.andThen(publish -> publish.topicArn(topic))));
  }

  @Test
  void messagesAreChecked() {
    publishRefused("InvalidParameter", "Invalid parameter: Empty message", publish -> {});
    publishRefused(
        "InvalidParameter",
        "Invalid parameter: Message too long",
        publish -> publish.message("x".repeat(256 * 1024 + 1)));
    publishRefused(
        "InvalidParameter",
        "Invalid parameter: Subject",
        publish -> publish.message("m").subject("a\nBcc: everybody"));
    publishRefused(
        "InvalidParameter",
        "Invalid parameter: Message Structure - No default entry in JSON message body",
        publish -> publish.message("{\"http\":\"x\"}").messageStructure("json"));
    publishRefused(
        "InvalidParameter",
        "Invalid parameter: Message Structure - JSON message body failed to parse",
        publish -> publish.message("{").messageStructure("json"));
    publishRefused(
        "ParameterValueInvalid",
        "Could not cast message attribute 'n' value to number.",
        publish -> publish.message("m").messageAttributes(Map.of("n", value("Number", "ten"))));
    publishRefused(
        "ParameterValueInvalid",
        "Could not cast message attribute 'n' value to number.",
        publish ->
            publish.message("m").messageAttributes(Map.of("n", value("Number", "1e999999999"))));
    publishRefused(
        "ParameterValueInvalid",
        "The message attribute 'n' has an invalid message attribute type, the set of supported"
            + " type prefixes is Binary, Number, and String.",
        publish -> publish.message("m").messageAttributes(Map.of("n", value("Colour", "red"))));
    publishRefused(
        "ParameterValueInvalid",
        "The message attribute 'n' must contain non-empty message attribute value for message"
            + " attribute type 'Binary'.",
        publish ->
            publish
                .message("m")
                .messageAttributes(
                    Map.of(
                        "n",
                        MessageAttributeValue.builder()
                            .dataType("Binary")
                            .binaryValue(SdkBytes.fromUtf8String(""))
                            .build())));
    sns.publish(publish -> publish.topicArn(topic).message("x".repeat(256 * 1024)));
  }

  private static MessageAttributeValue value(String type, String value) {
    return MessageAttributeValue.builder().dataType(type).stringValue(value).build();
  }

  @Test
  void ofABatchTheGoodArePublished() {
    PublishBatchResponse response =
        sns.publishBatch(batch ->
            batch.topicArn(topic).publishBatchRequestEntries(entry("a", "m"), entry("b", "")));
    assertEquals("a", response.successful().getFirst().id());
    assertFalse(response.successful().getFirst().messageId().isEmpty());
    assertEquals("InvalidParameter", response.failed().getFirst().code());
    assertEquals(1.0, world.measured.get("NumberOfMessagesPublished"));
    refused(
        "BatchEntryIdsNotDistinct",
        "Two or more batch entries in the request have the same Id.",
        () ->
            sns.publishBatch(batch ->
                batch
                    .topicArn(topic)
                    .publishBatchRequestEntries(entry("a", "m"), entry("a", "m"))));
    refused(
        "EmptyBatchRequest",
        "The batch request doesn't contain any entries.",
        () ->
            sns.publishBatch(batch -> batch.topicArn(topic).publishBatchRequestEntries(List.of())));
  }

  private static PublishBatchRequestEntry entry(String id, String message) {
    return PublishBatchRequestEntry.builder().id(id).message(message).build();
  }

  @Test
  void everyMessageHasAnIdOfItsOwn() {
    assertNotEquals(
        sns.publish(publish -> publish.topicArn(topic).message("m")).messageId(),
        sns.publish(publish -> publish.targetArn(topic).message("m")).messageId());
  }
}
