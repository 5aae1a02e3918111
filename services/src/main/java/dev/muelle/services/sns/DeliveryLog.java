package dev.muelle.services.sns;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.loop.Timers;
import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.cloudwatchlogs.CloudWatchLogsClient;
import software.amazon.awssdk.services.cloudwatchlogs.model.CloudWatchLogsException;
import software.amazon.awssdk.services.cloudwatchlogs.model.InputLogEvent;
import software.amazon.awssdk.services.cloudwatchlogs.model.ResourceAlreadyExistsException;
import software.amazon.awssdk.services.cloudwatchlogs.model.ResourceNotFoundException;

/**
 * Writes what became of notifications over HTTP to CloudWatch Logs, if their topic wants that.
 *
 * @see <a href="https://docs.aws.amazon.com/sns/latest/dg/sns-topic-attributes.html">Message
 *     delivery status</a>
 */
final class DeliveryLog {

  private static final Logger LOG = LoggerFactory.getLogger(DeliveryLog.class);
  private static final int PERCENT = 100;

  private final Scope scope;
  private final CloudWatchLogsClient logs;
  private final Timers timers;
  private final Ids ids;
  private final RandomGenerator random;
  private final String stream;

  DeliveryLog(
      Scope scope, CloudWatchLogsClient logs, Timers timers, Ids ids, RandomGenerator random) {
    this.scope = scope;
    this.logs = logs;
    this.timers = timers;
    this.ids = ids;
    this.random = random;
    stream = ids.uuid();
  }

  /** Where successes are told; failures are in a group of their own. */
  private String group(Topic topic, boolean success) {
    return "sns/"
        + scope.region()
        + "/"
        + scope.account()
        + "/"
        + topic.name()
        + (success ? "" : "/Failure");
  }

  /**
   * Tells of a delivery.
   *
   * @param begun when the last attempt began, by the machine's clock
   */
  void tell(
      Topic topic, Message message, Subscription to, Outcome outcome, int attempts, Instant begun) {
    Instant at = timers.fromMachine(begun);
    boolean success = outcome.result() == Outcome.Result.DELIVERED;
    if (to.protocol().isMail() || !wanted(topic, success)) {
      return;
    }
    ObjectNode told = Json.object();
    told.putObject("notification")
        .put("messageMD5Sum", md5(message.body(to.protocol())))
        .put("messageId", message.id())
        .put("topicArn", topic.arn())
        .put("timestamp", message.at().toString());
    ObjectNode delivery =
        told.putObject("delivery")
            .put("deliveryId", ids.uuid())
            .put("destination", to.shown())
            .put("providerResponse", outcome.said())
            .put("dwellTimeMs", Duration.between(message.at(), at).toMillis())
            .put("attempts", attempts);
    if (outcome.status() > 0) {
      delivery.put("statusCode", outcome.status());
    }
    told.put("status", success ? "SUCCESS" : "FAILURE");
    try {
      put(group(topic, success), told.toString(), at);
    } catch (CloudWatchLogsException e) {
      LOG.warn("the delivery status of {} was not logged", message.id(), e);
    }
  }

  private boolean wanted(Topic topic, boolean success) {
    if (!success) {
      return !topic.attribute(TopicRules.FAILURE_ROLE, "").isEmpty();
    }
    return !topic.attribute(TopicRules.SUCCESS_ROLE, "").isEmpty()
        && random.nextInt(PERCENT)
            < Integer.parseInt(topic.attribute(TopicRules.SUCCESS_RATE, "0"));
  }

  private void put(String group, String line, Instant at) {
    InputLogEvent event =
        InputLogEvent.builder().message(line).timestamp(at.toEpochMilli()).build();
    try {
      logs.putLogEvents(put -> put.logGroupName(group).logStreamName(stream).logEvents(event));
    } catch (ResourceNotFoundException e) {
      make(group);
      logs.putLogEvents(put -> put.logGroupName(group).logStreamName(stream).logEvents(event));
    }
  }

  private void make(String group) {
    try {
      logs.createLogGroup(create -> create.logGroupName(group));
    } catch (ResourceAlreadyExistsException e) {
      // only the stream is missing
    }
    try {
      logs.createLogStream(create -> create.logGroupName(group).logStreamName(stream));
    } catch (ResourceAlreadyExistsException e) {
      // somebody was quicker
    }
  }

  private static String md5(String text) {
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("MD5").digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every JDK has it
    }
  }
}
