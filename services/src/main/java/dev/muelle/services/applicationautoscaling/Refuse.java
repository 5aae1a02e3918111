package dev.muelle.services.applicationautoscaling;

import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.applicationautoscaling.model.InvalidNextTokenException;
import software.amazon.awssdk.services.applicationautoscaling.model.LimitExceededException;
import software.amazon.awssdk.services.applicationautoscaling.model.ObjectNotFoundException;
import software.amazon.awssdk.services.applicationautoscaling.model.ResourceNotFoundException;
import software.amazon.awssdk.services.applicationautoscaling.model.TooManyTagsException;
import software.amazon.awssdk.services.applicationautoscaling.model.ValidationException;

/** How Application Auto Scaling says that a request is wrong. */
final class Refuse {

  private Refuse() {}

  static ValidationException invalid(String message) {
    return ValidationException.builder().message(message).build();
  }

  /** A member that breaks a constraint of the API's model. */
  static ValidationException constraint(@Nullable Object value, String member, String constraint) {
    return invalid(
        "1 validation error detected: Value "
            + (value == null ? "null" : "'" + value + "'")
            + " at '"
            + member
            + "' failed to satisfy constraint: "
            + constraint);
  }

  static ValidationException missing(String member) {
    return constraint(null, member, "Member must not be null");
  }

  /** What this region does not have yet. */
  static ValidationException unsupported(String what) {
    return invalid(what + " is not supported by this region yet.");
  }

  static ObjectNotFoundException noTarget(TargetKey key) {
    return notFound("No scalable target registered for " + key.words());
  }

  static ObjectNotFoundException notFound(String message) {
    return ObjectNotFoundException.builder().message(message).build();
  }

  static ResourceNotFoundException noResource(String arn) {
    return ResourceNotFoundException.builder()
        .message("Unable to find scalable target: " + arn)
        .resourceName(arn)
        .build();
  }

  static LimitExceededException limit(String message) {
    return LimitExceededException.builder().message(message).build();
  }

  static TooManyTagsException tooManyTags(String arn) {
    return TooManyTagsException.builder()
        .message("The number of tags exceeds the limit of 50.")
        .resourceName(arn)
        .build();
  }

  static InvalidNextTokenException badToken() {
    return InvalidNextTokenException.builder().message("Invalid nextToken").build();
  }
}
