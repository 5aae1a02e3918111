package dev.muelle.services.cloudwatchlogs;

import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatchlogs.model.InvalidParameterException;
import software.amazon.awssdk.services.cloudwatchlogs.model.LimitExceededException;
import software.amazon.awssdk.services.cloudwatchlogs.model.ResourceAlreadyExistsException;
import software.amazon.awssdk.services.cloudwatchlogs.model.ResourceNotFoundException;
import software.amazon.awssdk.services.cloudwatchlogs.model.ValidationException;

/** How CloudWatch Logs says that a request is wrong. */
final class Refuse {

  private static final int SHOWN = 1_024; // characters of a wrong value

  private Refuse() {}

  static InvalidParameterException invalid(String message) {
    return InvalidParameterException.builder().message(message).build();
  }

  /** A member that breaks a constraint of the API's model. */
  static InvalidParameterException constraint(
      @Nullable Object value, String member, String constraint) {
    String shown = String.valueOf(value);
    return invalid(
        "1 validation error detected: Value "
            + (value == null
                ? "null"
                : "'" + shown.substring(0, Math.min(SHOWN, shown.length())) + "'")
            + " at '"
            + member
            + "' failed to satisfy constraint: "
            + constraint);
  }

  /** A parameter that this region does not have yet. */
  static InvalidParameterException unsupported(String parameter) {
    return invalid("The parameter " + parameter + " is not supported by this region yet.");
  }

  static InvalidParameterException badToken() {
    return invalid("The specified nextToken is invalid.");
  }

  static ValidationException protectedFromDeletion(String group) {
    return ValidationException.builder()
        .message("The log group " + group + " cannot be deleted: deletion protection is enabled.")
        .build();
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

  static ResourceNotFoundException missing(String what) {
    return ResourceNotFoundException.builder()
        .message("The specified " + what + " does not exist.")
        .build();
  }

  static LimitExceededException limit() {
    return LimitExceededException.builder().message("Resource limit exceeded.").build();
  }

  static ResourceNotFoundException noResource() {
    return ResourceNotFoundException.builder()
        .message("The specified resource does not exist.")
        .build();
  }

  static ResourceAlreadyExistsException exists(String what) {
    return ResourceAlreadyExistsException.builder()
        .message("The specified " + what + " already exists")
        .build();
  }
}
