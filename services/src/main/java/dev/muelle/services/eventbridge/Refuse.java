package dev.muelle.services.eventbridge;

import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.core.SdkField;
import software.amazon.awssdk.core.SdkPojo;
import software.amazon.awssdk.core.util.SdkAutoConstructList;
import software.amazon.awssdk.core.util.SdkAutoConstructMap;
import software.amazon.awssdk.services.eventbridge.model.EventBridgeException;
import software.amazon.awssdk.services.eventbridge.model.ResourceNotFoundException;

/** How EventBridge says that a request is wrong. */
final class Refuse {

  private static final int BAD_REQUEST = 400;

  private Refuse() {}

  static EventBridgeException invalid(String message) {
    return (EventBridgeException)
        EventBridgeException.builder()
            .message(message)
            .statusCode(BAD_REQUEST)
            .awsErrorDetails(
                AwsErrorDetails.builder()
                    .errorCode("ValidationException")
                    .errorMessage(message)
                    .build())
            .build();
  }

  /** As AWS says that one member breaks its constraint. */
  static EventBridgeException constraint(String member, @Nullable Object value, String constraint) {
    return invalid(
        "1 validation error detected: Value "
            + (value == null ? "null" : "'" + value + "'")
            + " at '"
            + member
            + "' failed to satisfy constraint: Member must "
            + constraint);
  }

  static EventBridgeException unsupported(String what) {
    return invalid(what + " is not supported in this region.");
  }

  static ResourceNotFoundException missing(String what) {
    return ResourceNotFoundException.builder().message(what + " does not exist.").build();
  }

  /** Refuses by name every one of these members that is set. */
  static void ifSet(SdkPojo value, String... members) {
    for (SdkField<?> field : value.sdkFields()) {
      Object set = field.getValueOrDefault(value);
      boolean unset =
          set == null || set instanceof SdkAutoConstructList || set instanceof SdkAutoConstructMap;
      if (!unset && java.util.List.of(members).contains(field.memberName())) {
        throw unsupported("The parameter " + field.memberName());
      }
    }
  }
}
