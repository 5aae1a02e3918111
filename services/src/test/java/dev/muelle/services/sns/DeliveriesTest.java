package dev.muelle.services.sns;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.loop.PacedTimers;
import dev.muelle.loop.VirtualTimers;
import dev.muelle.services.AlarmActions.Transition;
import dev.muelle.services.sns.Endpoint.Got;
import java.io.ByteArrayInputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.cloudwatch.model.StateValue;
import software.amazon.awssdk.services.sns.SnsClient;
import software.amazon.awssdk.services.sns.model.MessageAttributeValue;

/** What endpoints get, how often, and what they cannot do. */
@Timeout(120)
class DeliveriesTest {

  private static final String ROLE = "arn:aws:iam::000000000000:role/feedback";

  @TempDir private Path directory;
  private final VirtualTimers timers = new VirtualTimers(Instant.parse("2026-11-21T08:00:00Z"));
  private Endpoint endpoint;
  private World world;
  private SnsClient sns;
  private String topic;

  @BeforeEach
  void open() throws Exception {
    endpoint = new Endpoint();
    world = new World(directory, timers, null);
    sns = world.sns;
    topic = sns.createTopic(create -> create.name("news")).topicArn();
  }

  @AfterEach
  void close() {
    world.close();
    endpoint.close();
  }

  /** Subscribes the endpoint, and confirms. */
  private String subscribed(Map<String, String> attributes) {
    sns.subscribe(
        to -> to.topicArn(topic).protocol("http").endpoint(endpoint.url()).attributes(attributes));
    timers.settle();
    return world.visit(endpoint.last().text("SubscribeURL"));
  }

  private String publish(String message) {
    String id = sns.publish(publish -> publish.topicArn(topic).message(message)).messageId();
    timers.settle();
    return id;
  }

  private void set(String attribute, String value) {
    sns.setTopicAttributes(
        set -> set.topicArn(topic).attributeName(attribute).attributeValue(value));
  }

  /** Verifies as AWS's page says, and that the region's authority answers for the key. */
  private void verify(Got got, List<String> signed, String algorithm) throws Exception {
    StringBuilder text = new StringBuilder();
    for (String member : signed) {
      if (got.json().has(member)) {
        text.append(member).append('\n').append(got.text(member)).append('\n');
      }
    }
    String path = got.text("SigningCertURL").replace("http://localhost:4566", "");
    X509Certificate certificate =
        (X509Certificate)
            CertificateFactory.getInstance("X.509")
                .generateCertificate(
                    new ByteArrayInputStream(
                        world
                            .senders
                            .certificate(path)
                            .orElseThrow()
                            .getBytes(StandardCharsets.US_ASCII)));
    certificate.verify(world.authority.certificate().getPublicKey());
    Signature verifier = Signature.getInstance(algorithm);
    verifier.initVerify(certificate);
    verifier.update(text.toString().getBytes(StandardCharsets.UTF_8));
    assertTrue(verifier.verify(Base64.getDecoder().decode(got.text("Signature"))));
  }

  @Test
  void anEndpointConfirmsAndGetsWhatIsSigned() throws Exception {
    sns.subscribe(to -> to.topicArn(topic).protocol("http").endpoint(endpoint.url()));
    publish("too early");
    assertEquals(1, endpoint.got().size());
    Got question = endpoint.last();
    assertEquals("SubscriptionConfirmation", question.headers().getFirst("x-amz-sns-message-type"));
    assertEquals("text/plain; charset=UTF-8", question.headers().getFirst("Content-Type"));
    assertEquals(
        "Amazon Simple Notification Service Agent", question.headers().getFirst("User-Agent"));
    List<String> signed =
        List.of("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type");
    verify(question, signed, "SHA1withRSA");
    String arn = world.visit(question.text("SubscribeURL"));

    sns.publish(publish ->
        publish
            .topicArn(topic)
            .subject("¡Hola!")
            .message("two\nlines \"quoted\" ñ")
            .messageAttributes(
                Map.of(
                    "n",
                    MessageAttributeValue.builder().dataType("Number").stringValue("7").build())));
    timers.settle();
    Got notification = endpoint.last();
    assertEquals("two\nlines \"quoted\" ñ", notification.text("Message"));
    assertEquals(arn, notification.headers().getFirst("x-amz-sns-subscription-arn"));
    assertEquals(
        "{\"n\":{\"Type\":\"Number\",\"Value\":\"7\"}}",
        notification.json().path("MessageAttributes").toString());
    List<String> members =
        List.of("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type");
    verify(notification, members, "SHA1withRSA");
    set("SignatureVersion", "2");
    publish("newer");
    assertEquals("2", endpoint.last().text("SignatureVersion"));
    verify(endpoint.last(), members, "SHA256withRSA");
    assertEquals(2.0, world.measured.get("NumberOfNotificationsDelivered"));
  }

  @Test
  void whoFollowsTheLinkEndsAndCanBeginAgain() {
    subscribed(Map.of());
    publish("one");
    world.visitEnd(endpoint.last().text("UnsubscribeURL"));
    timers.settle();
    Got end = endpoint.last();
    assertEquals("UnsubscribeConfirmation", end.text("Type"));
    assertEquals(List.of(), sns.listSubscriptions().subscriptions());
    publish("two");
    assertEquals(3, endpoint.got().size());
    world.visit(end.text("SubscribeURL"));
    publish("three");
    assertEquals("three", endpoint.last().text("Message"));
  }

  @Test
  void rawIsRaw() {
    subscribed(
        Map.of(
            "RawMessageDelivery",
            "true",
            "DeliveryPolicy",
            "{\"requestPolicy\":{\"headerContentType\":\"application/json\"}}"));
    sns.publish(publish ->
        publish
            .topicArn(topic)
            .messageStructure("json")
            .message("{\"default\":\"d\",\"http\":\"{}\"}"));
    timers.settle();
    assertEquals("{}", endpoint.last().body());
    assertEquals("true", endpoint.last().headers().getFirst("x-amz-sns-rawdelivery"));
    assertEquals("application/json", endpoint.last().headers().getFirst("Content-Type"));
  }

  @Test
  void whatFailsIsTriedThreeTimesMore() {
    subscribed(Map.of());
    set("HTTPFailureFeedbackRoleArn", ROLE);
    set("HTTPSuccessFeedbackRoleArn", ROLE);
    set("HTTPSuccessFeedbackSampleRate", "100");
    endpoint.answers(500);
    publish("m");
    assertEquals(2, endpoint.got().size());
    timers.advance(Duration.ofSeconds(19));
    assertEquals(2, endpoint.got().size());
    timers.advance(Duration.ofSeconds(1));
    assertEquals(3, endpoint.got().size());
    timers.advance(Duration.ofHours(1));
    assertEquals(5, endpoint.got().size());
    assertEquals(1.0, world.measured.get("NumberOfNotificationsFailed"));
    String failure = logged("sns/us-east-1/000000000000/news/Failure");
    assertTrue(
        failure.contains("\"attempts\":4,\"statusCode\":500},\"status\":\"FAILURE\""), failure);
    endpoint.answers(200);
    publish("m");
    String success = logged("sns/us-east-1/000000000000/news");
    assertTrue(
        success.contains("\"attempts\":1,\"statusCode\":200},\"status\":\"SUCCESS\""), success);
  }

  @Test
  void receiversAreWaitedForAsLongAsEverWhenTheRegionsTimeIsFast() throws Exception {
    world.close();
    Duration ahead = Duration.ofDays(3);
    PacedTimers fast = new PacedTimers(timers, () -> timers.millis() * 1_000_000, 20, ahead);
    world = new World(directory, fast, null);
    sns = world.sns;
    subscribed(Map.of());
    set("HTTPFailureFeedbackRoleArn", ROLE);
    endpoint.answers(500);
    publish("m");
    assertEquals(2, endpoint.got().size());
    assertEquals(
        timers.instant().plus(ahead),
        Instant.parse(endpoint.last().text("Timestamp")),
        "what is told is the region's time");
    timers.advance(Duration.ofSeconds(19));
    assertEquals(2, endpoint.got().size());
    timers.advance(Duration.ofSeconds(1));
    assertEquals(3, endpoint.got().size());
    timers.advance(Duration.ofMinutes(1));
    String failure = logged("sns/us-east-1/000000000000/news/Failure");
    assertTrue(failure.contains("\"dwellTimeMs\":1200000,\"attempts\":4"), failure);
  }

  private String logged(String group) {
    return world
        .logs
        .filterLogEvents(
            software.amazon.awssdk.services.cloudwatchlogs.model.FilterLogEventsRequest.builder()
                .logGroupName(group)
                .build())
        .events()
        .getFirst()
        .message();
  }

  @Test
  void whoIsAtFaultHimselfIsNotAskedAgain() {
    subscribed(Map.of());
    endpoint.answers(404);
    publish("m");
    timers.advance(Duration.ofHours(1));
    assertEquals(2, endpoint.got().size());
    endpoint.answers(exchange -> {
      exchange.getResponseHeaders().set("Location", endpoint.url() + "/elsewhere");
      exchange.sendResponseHeaders(302, -1);
    });
    publish("m");
    timers.advance(Duration.ofHours(1));
    assertEquals(3, endpoint.got().size(), "nobody follows a redirect");
    assertEquals(2.0, world.measured.get("NumberOfNotificationsFailed"));
  }

  @Test
  void anAnswerWithoutEndIsNotReadToItsEnd() {
    subscribed(Map.of());
    endpoint.answers(exchange -> {
      exchange.sendResponseHeaders(200, 0);
      OutputStream out = exchange.getResponseBody();
      while (true) {
        out.write(new byte[8192]); // until nobody reads any more
      }
    });
    publish("m");
    assertEquals(1.0, world.measured.get("NumberOfNotificationsDelivered"));
  }

  /** It was taken for good; its topic's server is gone when its name leads home later. */
  @Test
  void anAddressIsLookedAtAgainWhenItIsSentTo() {
    Outcome outcome =
        new HttpSender(
                address ->
                    address.getPort() == endpoint.port()
                        ? java.util.Optional.of("not this one")
                        : java.util.Optional.empty(),
                world.authority.certificate())
            .post(endpoint.url(), "text/plain", Map.of(), "m");
    assertEquals(new Outcome(Outcome.Result.NEVER, 0, "not this one"), outcome);
    assertEquals(List.of(), endpoint.got());
  }

  @Test
  void whatWasTakenIsDeliveredByTheNextServer() {
    subscribed(Map.of());
    String id = sns.publish(publish -> publish.topicArn(topic).message("m")).messageId();
    world.restart(); // before anything was due
    timers.settle();
    assertEquals(id, endpoint.last().text("MessageId"));
    endpoint.answers(503);
    sns = world.sns;
    publish("n");
    world.restart();
    endpoint.answers(200);
    timers.advance(Duration.ofSeconds(20));
    assertEquals("n", endpoint.last().text("Message"));
    int got = endpoint.got().size();
    world.restart();
    timers.advance(Duration.ofHours(1));
    assertEquals(got, endpoint.got().size(), "what has arrived is not sent again");
  }

  @Test
  void aLimitSpreadsMessages() {
    subscribed(Map.of("DeliveryPolicy", "{\"throttlePolicy\":{\"maxReceivesPerSecond\":2}}"));
    timers.advance(Duration.ofSeconds(1)); // the question counts, too
    for (int i = 0; i < 6; i++) {
      sns.publish(publish -> publish.topicArn(topic).message("m"));
    }
    timers.settle();
    assertEquals(1 + 2, endpoint.got().size());
    timers.advance(Duration.ofSeconds(1));
    assertEquals(1 + 4, endpoint.got().size());
    timers.advance(Duration.ofSeconds(1));
    assertEquals(1 + 6, endpoint.got().size());
  }

  @Test
  void onlyWhatPassesTheFilterArrives() {
    String arn = subscribed(Map.of("FilterPolicy", "{\"price\":[{\"numeric\":[\">=\",100]}]}"));
    publish("without attributes");
    assertEquals(1, endpoint.got().size());
    sns.publish(publish ->
        publish
            .topicArn(topic)
            .message("m")
            .messageAttributes(
                Map.of(
                    "price",
                    MessageAttributeValue.builder()
                        .dataType("Number")
                        .stringValue("100.0")
                        .build())));
    timers.settle();
    assertEquals(2, endpoint.got().size());
    assertEquals(1.0, world.measured.get("NumberOfNotificationsFilteredOut-NoMessageAttributes"));
    sns.setSubscriptionAttributes(set ->
        set.subscriptionArn(arn).attributeName("FilterPolicyScope").attributeValue("MessageBody"));
    publish("{\"price\":99}");
    publish("{\"price\":[1,101]}");
    assertEquals(3, endpoint.got().size());
    assertEquals("{\"price\":[1,101]}", endpoint.last().text("Message"));
    sns.setSubscriptionAttributes(
        set -> set.subscriptionArn(arn).attributeName("FilterPolicy").attributeValue("{}"));
    assertNull(
        sns.getSubscriptionAttributes(get -> get.subscriptionArn(arn))
            .attributes()
            .get("FilterPolicy"));
    publish("{\"price\":1}");
    assertEquals(4, endpoint.got().size(), "an empty policy takes it back");
  }

  @Test
  void alarmsAreToldAsCloudWatchTellsThem() {
    subscribed(Map.of());
    assertTrue(world.service.alarmActions().takes(topic));
    assertFalse(world.service.alarmActions().takes("arn:aws:sns:eu-west-1:000000000000:news"));
    world
        .service
        .alarmActions()
        .perform(
            topic,
            new Transition(
                "busy",
                "arn:aws:cloudwatch:us-east-1:000000000000:alarm:busy",
                """
                {"AlarmName":"busy","MetricName":"CPUUtilization","Namespace":"AWS/ECS",
                 "Statistic":"Average","Dimensions":[{"Name":"ServiceName","Value":"web"}],
                 "Period":60,"EvaluationPeriods":1,"Threshold":70.0,
                 "ComparisonOperator":"GreaterThanThreshold","AlarmActions":["%s"],
                 "AlarmConfigurationUpdatedTimestamp":"2026-11-21T07:00:00Z"}
                """
                    .formatted(topic),
                StateValue.OK,
                StateValue.ALARM,
                "Threshold Crossed",
                "",
                timers.instant()));
    timers.settle();
    assertEquals("ALARM: \"busy\" in US East (N. Virginia)", endpoint.last().text("Subject"));
    assertEquals(
        ("{'AlarmName':'busy','AlarmDescription':null,'AWSAccountId':'000000000000',"
                + "'AlarmConfigurationUpdatedTimestamp':'2026-11-21T07:00:00.000+0000',"
                + "'NewStateValue':'ALARM','NewStateReason':'Threshold Crossed',"
                + "'StateChangeTime':'2026-11-21T08:00:00.000+0000',"
                + "'Region':'US East (N. Virginia)',"
                + "'AlarmArn':'arn:aws:cloudwatch:us-east-1:000000000000:alarm:busy',"
                + "'OldStateValue':'OK','OKActions':[],'AlarmActions':['"
                + topic
                + "'],'InsufficientDataActions':[],'Trigger':{'MetricName':'CPUUtilization',"
                + "'Namespace':'AWS/ECS','StatisticType':'Statistic','Statistic':'AVERAGE',"
                + "'Unit':null,'Dimensions':[{'value':'web','name':'ServiceName'}],'Period':60,"
                + "'EvaluationPeriods':1,'ComparisonOperator':'GreaterThanThreshold',"
                + "'Threshold':70.0,'TreatMissingData':'missing',"
                + "'EvaluateLowSampleCountPercentile':''}}")
            .replace('\'', '"'),
        endpoint.last().text("Message"));
  }
}
