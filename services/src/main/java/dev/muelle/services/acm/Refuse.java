package dev.muelle.services.acm;

import dev.muelle.services.acm.State.Held;
import dev.muelle.store.Row;
import dev.muelle.store.Tx;
import java.util.Collection;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.SdkField;
import software.amazon.awssdk.core.SdkPojo;
import software.amazon.awssdk.services.acm.model.InvalidArnException;
import software.amazon.awssdk.services.acm.model.InvalidParameterException;
import software.amazon.awssdk.services.acm.model.ResourceNotFoundException;
import software.amazon.awssdk.services.acm.model.ValidationException;

/** How ACM says that a request is wrong. */
final class Refuse {

  private static final String ARN =
      "arn:aws:acm:[a-z0-9-]+:[0-9]{12}:certificate/[0-9A-Za-z_-]{1,64}";

  private Refuse() {}

  static ValidationException invalid(String message) {
    return ValidationException.builder().message(message).build();
  }

  static InvalidParameterException parameter(String message) {
    return InvalidParameterException.builder().message(message).build();
  }

  /** As AWS says that one member breaks its constraint. */
  static ValidationException constraint(String member, @Nullable Object value, String constraint) {
    return invalid(
        "1 validation error detected: Value "
            + (value == null ? "null" : "'" + value + "'")
            + " at '"
            + member
            + "' failed to satisfy constraint: Member must "
            + constraint);
  }

  /** The certificate, if there is one of this ARN. */
  static Held unlessThere(Tx tx, @Nullable String arn) {
    if (arn == null) {
      throw constraint("certificateArn", null, "not be null");
    }
    if (!arn.matches(ARN)) {
      throw InvalidArnException.builder().message(arn + " is not a valid ARN").build();
    }
    return tx.get(State.CERTIFICATES, arn)
        .map(Row::value)
        .orElseThrow(() ->
            ResourceNotFoundException.builder()
                .message("Could not find certificate " + arn + ".")
                .build());
  }

  /** Refuses by name every member that is set and would have no effect here. */
  static void unlessEffective(SdkPojo value, Set<String> effective) {
    for (SdkField<?> field : value.sdkFields()) {
      Object set = field.getValueOrDefault(value);
      boolean empty = set == null || set instanceof Collection<?> list && list.isEmpty();
      if (!empty && !effective.contains(field.memberName())) {
        throw invalid("The parameter " + field.memberName() + " is not supported in this region");
      }
    }
  }
}
