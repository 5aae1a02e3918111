package dev.muelle.services.ssm;

import dev.muelle.services.EcsOptimizedImage;
import dev.muelle.services.Scope;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.services.ssm.model.GetParameterRequest;
import software.amazon.awssdk.services.ssm.model.GetParameterResponse;
import software.amazon.awssdk.services.ssm.model.GetParametersByPathRequest;
import software.amazon.awssdk.services.ssm.model.GetParametersByPathResponse;
import software.amazon.awssdk.services.ssm.model.GetParametersRequest;
import software.amazon.awssdk.services.ssm.model.GetParametersResponse;
import software.amazon.awssdk.services.ssm.model.InvalidNextTokenException;
import software.amazon.awssdk.services.ssm.model.Parameter;
import software.amazon.awssdk.services.ssm.model.ParameterNotFoundException;
import software.amazon.awssdk.services.ssm.model.ParameterType;
import software.amazon.awssdk.services.ssm.model.ParameterVersionNotFoundException;
import software.amazon.awssdk.services.ssm.model.SsmException;

/**
 * Parameters that AWS publishes in every region: those of the ECS-optimized image that there is.
 * Each has one version, which is named by its number.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-public-parameters.html">
 *     Working with public parameters</a>
 */
final class PublicParameters {

  private static final int MOST = 10;
  private static final String VERSION = "1";

  private final String arn;
  private final TreeMap<String, Parameter> all = new TreeMap<>();

  PublicParameters(Scope scope) {
    arn = "arn:aws:ssm:" + scope.region() + "::parameter";
    EcsOptimizedImage image = EcsOptimizedImage.of(scope);
    image
        .parameters()
        .forEach((name, value) ->
            all.put(
                name,
                Parameter.builder()
                    .name(name)
                    .arn(arn + name)
                    .type(ParameterType.STRING)
                    .dataType(value.equals(image.id()) ? "aws:ec2:image" : "text")
                    .value(value)
                    .version(Long.valueOf(VERSION))
                    .lastModifiedDate(Instant.parse(EcsOptimizedImage.CREATED))
                    .build()));
  }

  GetParameterResponse get(GetParameterRequest request) {
    String said = constrained("name", request.name(), 1, 2048);
    return GetParameterResponse.builder()
        .parameter(
            find(said).orElseThrow(() -> ParameterNotFoundException.builder().message("").build()))
        .build();
  }

  GetParametersResponse get(GetParametersRequest request) {
    List<String> names = request.names();
    if (names.isEmpty() || names.size() > MOST) {
      throw invalid(
          "1 validation error detected: Value '"
              + names
              + "' at 'names' failed to satisfy constraint: Member must have length "
              + (names.isEmpty() ? "greater than or equal to 1" : "less than or equal to " + MOST));
    }
    List<Parameter> found = new ArrayList<>();
    List<String> unknown = new ArrayList<>();
    for (String name : names.stream().distinct().toList()) {
      Optional<Parameter> one;
      try {
        one = find(name);
      } catch (ParameterVersionNotFoundException e) {
        one = Optional.empty(); // of several, one that is not there is told as such
      }
      one.ifPresentOrElse(found::add, () -> unknown.add(name));
    }
    return GetParametersResponse.builder().parameters(found).invalidParameters(unknown).build();
  }

  GetParametersByPathResponse get(GetParametersByPathRequest request) {
    String said = constrained("path", request.path(), 1, 2048);
    if (!said.startsWith("/")) {
      throw invalid(
          "The parameter doesn't meet the parameter name requirements. The parameter name must begin"
              + " with a forward slash \"/\".");
    }
    if (!request.parameterFilters().isEmpty()) {
      throw because(
          "UnsupportedOperation",
          "The parameter ParameterFilters is not supported by this region yet.");
    }
    Integer size = request.maxResults();
    if (size != null && (size < 1 || size > MOST)) {
      throw invalid(
          "1 validation error detected: Value '"
              + size
              + "' at 'maxResults' failed to satisfy constraint: Member must have value "
              + (size < 1 ? "greater than or equal to 1" : "less than or equal to " + MOST));
    }
    String token = request.nextToken();
    if (token != null && !all.containsKey(token)) {
      throw InvalidNextTokenException.builder().message("The specified token isn't valid.").build();
    }
    String path = said.endsWith("/") ? said : said + "/";
    boolean whole = Boolean.TRUE.equals(request.recursive());
    List<Parameter> below =
        (token == null ? all : all.tailMap(token, false))
            .entrySet().stream()
                .filter(one -> one.getKey().startsWith(path))
                .filter(one -> whole || one.getKey().indexOf('/', path.length()) < 0)
                .map(Map.Entry::getValue)
                .toList();
    int most = size == null ? MOST : size;
    List<Parameter> page = below.subList(0, Math.min(most, below.size()));
    return GetParametersByPathResponse.builder()
        .parameters(page)
        .nextToken(below.size() > page.size() ? page.getLast().name() : null)
        .build();
  }

  /** By its name or its ARN, with or without a version behind a colon. */
  private Optional<Parameter> find(String said) {
    String name = said.startsWith(arn + "/") ? said.substring(arn.length()) : said;
    int colon = name.indexOf(':');
    if (colon < 0) {
      return Optional.ofNullable(all.get(name));
    }
    Parameter one = all.get(name.substring(0, colon));
    if (one == null) {
      return Optional.empty();
    }
    String version = name.substring(colon + 1);
    if (!version.equals(VERSION)) {
      throw ParameterVersionNotFoundException.builder()
          .message(
              "Systems Manager could not find version "
                  + version
                  + " of "
                  + one.name()
                  + ". Verify the version and try again.")
          .build();
    }
    return Optional.of(one.toBuilder().selector(":" + VERSION).build());
  }

  private static String constrained(String member, @Nullable String value, int least, int most) {
    if (value == null || value.length() < least || value.length() > most) {
      throw invalid(
          "1 validation error detected: Value "
              + (value == null ? "null" : "'" + value + "'")
              + " at '"
              + member
              + "' failed to satisfy constraint: "
              + (value == null
                  ? "Member must not be null"
                  : "Member must have length "
                      + (value.length() < least
                          ? "greater than or equal to " + least
                          : "less than or equal to " + most)));
    }
    return value;
  }

  private static SsmException invalid(String message) {
    return because("ValidationException", message);
  }

  private static SsmException because(String code, String message) {
    return (SsmException)
        SsmException.builder()
            .awsErrorDetails(
                AwsErrorDetails.builder()
                    .serviceName("Ssm")
                    .errorCode(code)
                    .errorMessage(message)
                    .build())
            .message(message)
            .statusCode(400)
            .build();
  }
}
