package dev.muelle.services.autoscaling.state;

import java.util.Collection;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.core.SdkField;
import software.amazon.awssdk.core.SdkPojo;
import software.amazon.awssdk.http.SdkHttpResponse;
import software.amazon.awssdk.services.autoscaling.model.ActiveInstanceRefreshNotFoundException;
import software.amazon.awssdk.services.autoscaling.model.AlreadyExistsException;
import software.amazon.awssdk.services.autoscaling.model.AutoScalingException;
import software.amazon.awssdk.services.autoscaling.model.IdempotentParameterMismatchErrorException;
import software.amazon.awssdk.services.autoscaling.model.InstanceRefreshInProgressException;
import software.amazon.awssdk.services.autoscaling.model.IrreversibleInstanceRefreshException;
import software.amazon.awssdk.services.autoscaling.model.LimitExceededException;
import software.amazon.awssdk.services.autoscaling.model.ResourceInUseException;
import software.amazon.awssdk.services.autoscaling.model.ScalingActivityInProgressException;

/**
 * How Auto Scaling says that a request is wrong.
 *
 * @see <a href="https://docs.aws.amazon.com/autoscaling/ec2/APIReference/CommonErrors.html">Common
 *     errors</a>
 */
public final class Refuse {

  private static final int BAD_REQUEST = 400;

  private Refuse() {}

  public static AutoScalingException invalid(String message) {
    return (AutoScalingException)
        AutoScalingException.builder()
            .message(message)
            .statusCode(BAD_REQUEST)
            .awsErrorDetails(details("ValidationError", message))
            .build();
  }

  public static AutoScalingException exists(String message) {
    return (AutoScalingException)
        AlreadyExistsException.builder()
            .message(message)
            .statusCode(BAD_REQUEST)
            .awsErrorDetails(details("AlreadyExists", message))
            .build();
  }

  public static AutoScalingException inUse(String message) {
    return (AutoScalingException)
        ResourceInUseException.builder()
            .message(message)
            .statusCode(BAD_REQUEST)
            .awsErrorDetails(details("ResourceInUse", message))
            .build();
  }

  public static AutoScalingException tooMany(String message) {
    return (AutoScalingException)
        LimitExceededException.builder()
            .message(message)
            .statusCode(BAD_REQUEST)
            .awsErrorDetails(details("LimitExceeded", message))
            .build();
  }

  public static AutoScalingException inProgress(String message) {
    return (AutoScalingException)
        ScalingActivityInProgressException.builder()
            .message(message)
            .statusCode(BAD_REQUEST)
            .awsErrorDetails(details("ScalingActivityInProgress", message))
            .build();
  }

  public static AutoScalingException refreshing() {
    String message =
        "An Instance Refresh is already in progress and blocks the execution of this Instance"
            + " Refresh.";
    return (AutoScalingException)
        InstanceRefreshInProgressException.builder()
            .message(message)
            .statusCode(BAD_REQUEST)
            .awsErrorDetails(details("InstanceRefreshInProgress", message))
            .build();
  }

  public static AutoScalingException notRefreshing(String group) {
    String message =
        "No in progress or pending Instance Refresh found for Auto Scaling group " + group;
    return (AutoScalingException)
        ActiveInstanceRefreshNotFoundException.builder()
            .message(message)
            .statusCode(BAD_REQUEST)
            .awsErrorDetails(details("ActiveInstanceRefreshNotFound", message))
            .build();
  }

  public static AutoScalingException irreversible(String message) {
    return (AutoScalingException)
        IrreversibleInstanceRefreshException.builder()
            .message(message)
            .statusCode(BAD_REQUEST)
            .awsErrorDetails(details("IrreversibleInstanceRefresh", message))
            .build();
  }

  /** A token that was used for something else. */
  public static AutoScalingException otherParameters(String token) {
    String message = "The client token '" + token + "' was used before with different parameters.";
    return (AutoScalingException)
        IdempotentParameterMismatchErrorException.builder()
            .message(message)
            .statusCode(BAD_REQUEST)
            .awsErrorDetails(details("IdempotentParameterMismatch", message))
            .build();
  }

  private static AwsErrorDetails details(String code, String message) {
    return AwsErrorDetails.builder()
        .errorCode(code)
        .errorMessage(message)
        .serviceName("AutoScaling")
        .sdkHttpResponse(SdkHttpResponse.builder().statusCode(BAD_REQUEST).build())
        .build();
  }

  /** The value of a required member, or AWS's error that names it. */
  public static <T> T required(String member, @Nullable T value) {
    if (value == null || value.equals("")) {
      throw invalid(
          "1 validation error detected: Value "
              + (value == null ? "null" : "''")
              + " at '"
              + member
              + "' failed to satisfy constraint: Member must "
              + (value == null ? "not be null" : "have length greater than or equal to 1"));
    }
    return value;
  }

  /** Refuses a number that is out of its bounds; null is within them. */
  public static void unlessWithin(String member, @Nullable Integer value, int least, int most) {
    if (value != null && (value < least || value > most)) {
      throw invalid(
          "1 validation error detected: Value '"
              + value
              + "' at '"
              + member
              + "' failed to satisfy constraint: Member must have value "
              + (value < least
                  ? "greater than or equal to " + least
                  : "less than or equal to " + most));
    }
  }

  /** Refuses a desired capacity that is out of the bounds. */
  public static void unlessBetween(int desired, int least, int most) {
    if (desired < least || desired > most) {
      throw invalid(
          "Desired capacity:"
              + desired
              + " must be between the specified min size:"
              + least
              + " and max size:"
              + most);
    }
  }

  /** A value that AWS knows, and this region does not do. */
  public static AutoScalingException unsupported(String what) {
    return invalid("The parameter " + what + " is not supported by this region yet.");
  }

  /** Refuses by name every member that is set and would have no effect here. */
  public static void unlessEffective(SdkPojo value, Set<String> effective) {
    for (SdkField<?> field : value.sdkFields()) {
      Object set = field.getValueOrDefault(value);
      boolean empty =
          set == null
              || set instanceof Collection<?> list && list.isEmpty()
              || set instanceof Map<?, ?> map && map.isEmpty();
      if (!empty && !effective.contains(field.memberName())) {
        throw unsupported(field.memberName());
      }
    }
  }
}
