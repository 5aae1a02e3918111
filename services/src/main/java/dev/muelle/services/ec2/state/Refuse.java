package dev.muelle.services.ec2.state;

import java.util.Collection;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.core.SdkField;
import software.amazon.awssdk.core.SdkPojo;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;

/**
 * How EC2 says no: it models no exceptions, only codes.
 *
 * @see <a href="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html">Error
 *     codes</a>
 */
public final class Refuse {

  private Refuse() {}

  public static Ec2Exception because(String code, String message) {
    return because(400, code, message);
  }

  private static Ec2Exception because(int status, String code, String message) {
    return (Ec2Exception)
        Ec2Exception.builder()
            .awsErrorDetails(
                AwsErrorDetails.builder()
                    .serviceName("Ec2")
                    .errorCode(code)
                    .errorMessage(message)
                    .build())
            .message(message)
            .statusCode(status)
            .build();
  }

  public static Ec2Exception invalidValue(String message) {
    return because("InvalidParameterValue", message);
  }

  public static Ec2Exception invalidValue(String value, String parameter, String why) {
    return invalidValue("Value (" + value + ") for parameter " + parameter + " is invalid. " + why);
  }

  /** An attribute that what is asked does not have. */
  public static Ec2Exception unknownAttribute(String attribute) {
    return invalidValue(attribute, "attribute", "Unknown attribute.");
  }

  public static Ec2Exception combination(String message) {
    return because("InvalidParameterCombination", message);
  }

  public static Ec2Exception dependency(String message) {
    return because("DependencyViolation", message);
  }

  public static Ec2Exception unsupported(String message) {
    return because("UnsupportedOperation", message);
  }

  /** A parameter that the request must have. */
  public static <T> T required(@Nullable T value, String parameter) {
    if (value == null || value.equals("")) {
      throw missing(parameter);
    }
    return value;
  }

  public static Ec2Exception missing(String parameter) {
    return because("MissingParameter", "The request must contain the parameter " + parameter);
  }

  /** To be asked when everything else about a request has been found right. */
  public static void ifDryRun(@Nullable Boolean dryRun) {
    if (Boolean.TRUE.equals(dryRun)) {
      throw because(
          412, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.");
    }
  }

  /**
   * Refuses by name every parameter that is set and would have no effect here.
   *
   * @param effective the names of the members that have their effect
   */
  public static void unlessEffective(SdkPojo request, Set<String> effective) {
    for (SdkField<?> field : request.sdkFields()) {
      if (!effective.contains(field.memberName()) && says(field.getValueOrDefault(request))) {
        throw unsupported(
            "The parameter " + field.memberName() + " is not supported by this region yet.");
      }
    }
  }

  /** Whether a member says anything: an absent, empty or false one does not. */
  private static boolean says(@Nullable Object value) {
    return switch (value) {
      case null -> false;
      case Boolean flag -> flag;
      case String text -> !text.isEmpty();
      case Collection<?> items -> !items.isEmpty();
      case Map<?, ?> entries -> !entries.isEmpty();
      case SdkPojo pojo ->
          pojo.sdkFields().stream().anyMatch(field -> says(field.getValueOrDefault(pojo)));
      default -> true;
    };
  }
}
