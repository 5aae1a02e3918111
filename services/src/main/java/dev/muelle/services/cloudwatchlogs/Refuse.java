package dev.muelle.services.cloudwatchlogs;

import software.amazon.awssdk.services.cloudwatchlogs.model.InvalidParameterException;
import software.amazon.awssdk.services.cloudwatchlogs.model.ResourceNotFoundException;

/** How CloudWatch Logs says that a request is wrong. */
final class Refuse {

  private Refuse() {}

  static InvalidParameterException invalid(String message) {
    return InvalidParameterException.builder().message(message).build();
  }

  static ResourceNotFoundException noGroup() {
    return ResourceNotFoundException.builder()
        .message("The specified log group does not exist.")
        .build();
  }

  static ResourceNotFoundException noStream() {
    return ResourceNotFoundException.builder()
        .message("The specified log stream does not exist.")
        .build();
  }
}
