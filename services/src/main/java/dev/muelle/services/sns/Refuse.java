package dev.muelle.services.sns;

import software.amazon.awssdk.services.sns.model.InvalidParameterException;
import software.amazon.awssdk.services.sns.model.InvalidParameterValueException;
import software.amazon.awssdk.services.sns.model.NotFoundException;

/** How SNS says that a request is wrong. */
final class Refuse {

  private Refuse() {}

  static InvalidParameterException invalid(String what) {
    return InvalidParameterException.builder().message("Invalid parameter: " + what).build();
  }

  static InvalidParameterValueException value(String message) {
    return InvalidParameterValueException.builder().message(message).build();
  }

  /** What AWS has and this region does not have. */
  static InvalidParameterException unsupported(String what) {
    return invalid(what + " is not supported in this region");
  }

  static NotFoundException missing(String what) {
    return NotFoundException.builder().message(what + " does not exist").build();
  }
}
