package dev.muelle.services.ec2;

import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;

/**
 * EC2's errors: it models none, they are codes.
 *
 * @see <a href="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html">Error
 *     codes</a>
 */
final class Faults {

  private Faults() {}

  static Ec2Exception of(String code, String message) {
    return status(400, code, message);
  }

  private static Ec2Exception status(int status, String code, String message) {
    return (Ec2Exception)
        Ec2Exception.builder()
            .awsErrorDetails(
                AwsErrorDetails.builder().errorCode(code).errorMessage(message).build())
            .message(message)
            .statusCode(status)
            .build();
  }

  static Ec2Exception missing(String parameter) {
    return of("MissingParameter", "The request must contain the parameter " + parameter);
  }

  static Ec2Exception invalid(String message) {
    return of("InvalidParameterValue", message);
  }

  /** A parameter of AWS's that has no effect here yet. */
  static Ec2Exception unsupported(String parameter) {
    return of(
        "UnsupportedOperation",
        "The parameter " + parameter + " is not supported by this region yet.");
  }

  static Ec2Exception inUse(String what, String id) {
    return of(
        "DependencyViolation",
        "The " + what + " '" + id + "' has dependencies and cannot be deleted.");
  }

  /** Answers a rehearsal: the caller may, and nothing was done. */
  static void dryRun(Boolean dryRun) {
    if (Boolean.TRUE.equals(dryRun)) {
      throw status(412, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.");
    }
  }
}
