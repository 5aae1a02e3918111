package dev.muelle.services.arczonalshift;

import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.arczonalshift.model.ConflictException;
import software.amazon.awssdk.services.arczonalshift.model.ConflictExceptionReason;
import software.amazon.awssdk.services.arczonalshift.model.ResourceNotFoundException;
import software.amazon.awssdk.services.arczonalshift.model.ValidationException;
import software.amazon.awssdk.services.arczonalshift.model.ValidationExceptionReason;

/** How ARC says that a request is wrong. */
final class Refuse {

  private Refuse() {}

  static ValidationException invalid(ValidationExceptionReason reason, String message) {
    return ValidationException.builder().reason(reason).message(message).build();
  }

  static ConflictException conflict(ConflictExceptionReason reason, String id, String message) {
    return ConflictException.builder().reason(reason).zonalShiftId(id).message(message).build();
  }

  static ResourceNotFoundException missing(String message) {
    return ResourceNotFoundException.builder().message(message).build();
  }

  /** A value that breaks the constraint of its member; AWS has no reason for that. */
  static ValidationException constraint(String message) {
    return ValidationException.builder().message(message).build();
  }

  /** A member that has to be there. */
  static String unlessPresent(String member, @Nullable String value) {
    if (value == null) {
      throw invalid(
          ValidationExceptionReason.MISSING_VALUE,
          "1 validation error detected: Value null at '"
              + member
              + "' failed to satisfy constraint: Member must not be null");
    }
    return value;
  }
}
