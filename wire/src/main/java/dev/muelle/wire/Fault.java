package dev.muelle.wire;

/**
 * What can go wrong before, around and after a service method, with the code and HTTP status that
 * each protocol family has for it. Whatever a service itself finds wrong is not here: services
 * throw the SDK's exceptions.
 *
 * <p>Follows the common errors of <a
 * href="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html">EC2</a>, <a
 * href="https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html">the query
 * services</a> and <a
 * href="https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html">the
 * JSON services</a>.
 */
@SuppressWarnings("ImmutableEnumChecker") // records of strings are immutable
enum Fault {
  UNKNOWN_OPERATION(
      as("UnknownOperationException", 400), as("InvalidAction", 400), as("InvalidAction", 400)),
  NO_OPERATION(
      as("UnknownOperationException", 400), as("MissingAction", 400), as("MissingAction", 400)),
  NOT_IMPLEMENTED(as("NotImplemented", 501), as("NotImplemented", 501), as("NotImplemented", 501)),
  MALFORMED(
      as("SerializationException", 400),
      as("MalformedQueryString", 400),
      as("MalformedQueryString", 400)),
  BAD_VALUE(
      as("SerializationException", 400),
      as("MalformedInput", 400),
      as("InvalidParameterValue", 400)),
  UNKNOWN_MEMBER(
      as("SerializationException", 400), as("MalformedInput", 400), as("UnknownParameter", 400)),
  TOO_LARGE(
      as("RequestEntityTooLarge", 413),
      as("RequestEntityTooLarge", 413),
      as("RequestEntityTooLarge", 413)),
  MISSING_SIGNATURE(
      as("MissingAuthenticationTokenException", 400),
      as("MissingAuthenticationToken", 403),
      as("MissingAuthenticationToken", 403)),
  INCOMPLETE_SIGNATURE(
      as("IncompleteSignatureException", 400),
      as("IncompleteSignature", 400),
      as("IncompleteSignature", 400)),
  UNKNOWN_KEY(
      as("UnrecognizedClientException", 400),
      as("InvalidClientTokenId", 403),
      as("AuthFailure", 401, "AWS was not able to validate the provided access credentials")),
  WRONG_SIGNATURE(
      as("InvalidSignatureException", 400),
      as("SignatureDoesNotMatch", 403),
      as("AuthFailure", 401, "AWS was not able to validate the provided access credentials")),
  EXPIRED_SIGNATURE(
      as("InvalidSignatureException", 400),
      as("SignatureDoesNotMatch", 403),
      as("RequestExpired", 400, "Request has expired.")),
  INTERNAL(as("InternalFailure", 500), as("InternalFailure", 500), as("InternalError", 500));

  /**
   * How one protocol family says it.
   *
   * @param message what it says in every case; empty if it says what exactly was wrong
   */
  record Said(String code, int status, String message) {}

  private final Said json;
  private final Said query;
  private final Said ec2;

  Fault(Said json, Said query, Said ec2) {
    this.json = json;
    this.query = query;
    this.ec2 = ec2;
  }

  Said inJson() {
    return json;
  }

  Said inQuery() {
    return query;
  }

  Said inEc2() {
    return ec2;
  }

  private static Said as(String code, int status) {
    return new Said(code, status, "");
  }

  private static Said as(String code, int status, String message) {
    return new Said(code, status, message);
  }
}
