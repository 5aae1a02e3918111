package dev.muelle.services.sns;

import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Which attributes topics may have: each has its effect, or is refused by name.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html">SetTopicAttributes</a>
 */
final class TopicRules {

  static final String DISPLAY_NAME = "DisplayName";
  static final String DELIVERY_POLICY = "DeliveryPolicy";
  static final String SIGNATURE_VERSION = "SignatureVersion";
  static final String SUCCESS_ROLE = "HTTPSuccessFeedbackRoleArn";
  static final String SUCCESS_RATE = "HTTPSuccessFeedbackSampleRate";
  static final String FAILURE_ROLE = "HTTPFailureFeedbackRoleArn";

  private static final int MAX_DISPLAY_NAME = 100;
  private static final int MAX_NAME = 256;
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-]{1," + MAX_NAME + "}");
  private static final Pattern ROLE =
      Pattern.compile("arn:aws[a-z-]*:iam::\\d{12}:role/[\\w+=,.@/-]+");
  private static final Pattern PERCENT = Pattern.compile("100|[1-9]?[0-9]");
  private static final Set<String> FIFO_ONLY =
      Set.of("ContentBasedDeduplication", "FifoThroughputScope", "ArchivePolicy");
  private static final Pattern OTHER_FEEDBACK =
      Pattern.compile(
          "(Application|Firehose|Lambda|SQS)(SuccessFeedback(RoleArn|SampleRate)|FailureFeedbackRoleArn)");

  private TopicRules() {}

  static String name(@Nullable String name) {
    if (name != null && name.endsWith(".fifo")) {
      throw Refuse.unsupported("Topic Name Reason: a FIFO topic");
    }
    if (name == null || !NAME.matcher(name).matches()) {
      throw Refuse.invalid("Topic Name");
    }
    return name;
  }

  static void check(Map<String, String> attributes) {
    attributes.forEach(TopicRules::check);
  }

  static void check(String name, String value) {
    switch (name) {
      case DISPLAY_NAME -> {
        if (value.length() > MAX_DISPLAY_NAME || !value.chars().allMatch(c -> c >= ' ')) {
          throw Refuse.invalid("DisplayName");
        }
      }
      case DELIVERY_POLICY -> {
        if (!value.isEmpty()) {
          DeliveryPolicy.ofTopic(value);
        }
      }
      case SIGNATURE_VERSION -> {
        if (!value.equals("1") && !value.equals("2")) {
          throw Refuse.invalid("SignatureVersion");
        }
      }
      case SUCCESS_ROLE, FAILURE_ROLE -> {
        if (!value.isEmpty() && !ROLE.matcher(value).matches()) {
          throw Refuse.invalid(name);
        }
      }
      case SUCCESS_RATE -> {
        if (!PERCENT.matcher(value).matches()) {
          throw Refuse.invalid(name);
        }
      }
      case "TracingConfig" -> {
        if (!value.equals("PassThrough")) { // what a topic does that says nothing
          throw Refuse.unsupported("TracingConfig Reason: " + value);
        }
      }
      case "FifoTopic" -> {
        if (!value.equals("false")) {
          throw Refuse.unsupported("FifoTopic Reason: a FIFO topic");
        }
      }
      case "KmsMasterKeyId" -> {
        if (!value.isEmpty()) {
          throw Refuse.unsupported("KmsMasterKeyId Reason: encryption with a key of KMS");
        }
      }
      case "Policy" -> throw Refuse.unsupported("Policy Reason: another policy than the default");
      case "DataProtectionPolicy" ->
          throw Refuse.unsupported("DataProtectionPolicy Reason: data protection");
      default -> throw other(name);
    }
  }

  private static RuntimeException other(String name) {
    if (FIFO_ONLY.contains(name)) {
      return Refuse.invalid(name + " Reason: it can only be set for FIFO topics");
    }
    return OTHER_FEEDBACK.matcher(name).matches()
        ? Refuse.unsupported(name + " Reason: that protocol")
        : Refuse.invalid("AttributeName");
  }
}
