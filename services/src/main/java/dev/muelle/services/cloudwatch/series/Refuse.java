package dev.muelle.services.cloudwatch.series;

import java.util.Collection;
import java.util.stream.Collectors;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.services.cloudwatch.model.CloudWatchException;
import software.amazon.awssdk.services.cloudwatch.model.InvalidFormatException;
import software.amazon.awssdk.services.cloudwatch.model.InvalidNextTokenException;
import software.amazon.awssdk.services.cloudwatch.model.InvalidParameterCombinationException;
import software.amazon.awssdk.services.cloudwatch.model.InvalidParameterValueException;
import software.amazon.awssdk.services.cloudwatch.model.LimitExceededException;
import software.amazon.awssdk.services.cloudwatch.model.MissingRequiredParameterException;
import software.amazon.awssdk.services.cloudwatch.model.ResourceNotFoundException;

/** CloudWatch's errors, in its words. */
public final class Refuse {

  private Refuse() {}

  public static InvalidParameterValueException invalid(String message) {
    return InvalidParameterValueException.builder().message(message).build();
  }

  public static InvalidParameterValueException value(String parameter, Object value) {
    return invalid("The value " + value + " for parameter " + parameter + " is invalid.");
  }

  /** A parameter, or a value of one, that this region does not have yet. */
  public static InvalidParameterValueException unsupported(String what) {
    return invalid(what + " is not supported by this region yet.");
  }

  public static MissingRequiredParameterException missing(String parameter) {
    return MissingRequiredParameterException.builder()
        .message("The parameter " + parameter + " is required.")
        .build();
  }

  public static InvalidParameterCombinationException combination(String message) {
    return InvalidParameterCombinationException.builder().message(message).build();
  }

  public static InvalidNextTokenException token() {
    return InvalidNextTokenException.builder().message("The next token is invalid.").build();
  }

  public static InvalidFormatException badFormat(String message) {
    return InvalidFormatException.builder().message(message).build();
  }

  public static LimitExceededException limit(String message) {
    return LimitExceededException.builder().message(message).build();
  }

  /** A resource that has tags. */
  public static ResourceNotFoundException noResource(String message) {
    return ResourceNotFoundException.builder().message(message).build();
  }

  /** An alarm: the model's older shape, of which the SDK for Java has no class. */
  public static CloudWatchException noAlarm(String message) {
    return coded("ResourceNotFound", 404, message);
  }

  private static CloudWatchException coded(String code, int status, String message) {
    return (CloudWatchException)
        CloudWatchException.builder()
            .message(message)
            .statusCode(status)
            .awsErrorDetails(
                AwsErrorDetails.builder().errorCode(code).errorMessage(message).build())
            .build();
  }

  /** One of the operations on data does not know a value; they have words of their own for it. */
  public static InvalidParameterValueException noneOf(String parameter, Collection<?> known) {
    return invalid(
        known.stream()
            .map(String::valueOf)
            .collect(
                Collectors.joining(
                    ", ", "The parameter " + parameter + " must be a value in the set [ ", " ].")));
  }

  /** The same of all others. */
  public static CloudWatchException noneOf(String value, String member, Collection<?> known) {
    return validation(value, member, "Member must satisfy enum value set: " + known);
  }

  /** What is wrong with a request as a whole, said without a member. */
  public static CloudWatchException validation(String message) {
    return coded("ValidationError", 400, message);
  }

  /** What the query services say of a value that breaks a constraint of the model. */
  public static CloudWatchException validation(Object value, String member, String constraint) {
    String message =
        "1 validation error detected: Value '"
            + value
            + "' at '"
            + member
            + "' failed to satisfy constraint: "
            + constraint;
    return coded("ValidationError", 400, message);
  }
}
