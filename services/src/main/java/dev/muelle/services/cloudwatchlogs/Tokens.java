package dev.muelle.services.cloudwatchlogs;

import dev.muelle.services.PageToken;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.SdkField;
import software.amazon.awssdk.services.cloudwatchlogs.model.CloudWatchLogsRequest;

/** Where the next page of a list starts: {@link PageToken}, refused as CloudWatch Logs does. */
final class Tokens {

  private Tokens() {}

  static String of(CloudWatchLogsRequest request, String position) {
    return PageToken.of(question(request), position);
  }

  /** The position, or null if the request has no token. */
  static @Nullable String position(CloudWatchLogsRequest request) {
    String token = request.getValueForField("nextToken", String.class).orElse(null);
    return token == null
        ? null
        : PageToken.position(question(request), token).orElseThrow(Refuse::badToken);
  }

  /** All of a request but which page is wanted, and how long a one. */
  private static Object question(CloudWatchLogsRequest request) {
    StringBuilder question = new StringBuilder(request.getClass().getSimpleName());
    for (SdkField<?> field : request.sdkFields()) {
      switch (field.memberName()) {
        case "nextToken", "limit", "maxResults" -> {}
        default -> question.append('\n').append(field.getValueOrDefault(request));
      }
    }
    return question.toString();
  }
}
