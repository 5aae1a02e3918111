package dev.muelle.services.sns;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Names of topics and subscriptions as requests bring them. */
final class Arns {

  private static final int PARTS = 6;

  private Arns() {}

  /** An ARN in its outer form; what it names need not be there. */
  static String check(String parameter, @Nullable String arn) {
    if (arn == null || arn.isEmpty()) {
      throw Refuse.invalid(parameter);
    }
    List<String> parts = List.of(arn.split(":", -1));
    if (parts.size() < PARTS) {
      throw Refuse.invalid(
          parameter
              + " Reason: An ARN must have at least "
              + PARTS
              + " elements, not "
              + parts.size());
    }
    if (!parts.getFirst().equals("arn") || !parts.get(2).equals("sns")) {
      throw Refuse.invalid(parameter);
    }
    return arn;
  }

  /** The last part: a topic's name. */
  static String name(String topicArn) {
    return topicArn.substring(topicArn.lastIndexOf(':') + 1);
  }
}
