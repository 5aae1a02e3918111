package dev.muelle.services;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import software.amazon.awssdk.services.iam.IamClient;
import software.amazon.awssdk.services.iam.model.NoSuchEntityException;

/**
 * A role in which a service acts for its user: there must be one, and it must trust the service.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-service.html">Create
 *     a role to delegate permissions to an AWS service</a>
 */
public final class ServiceRole {

  private static final JsonMapper JSON = new JsonMapper();

  private final Scope scope;
  private final IamClient iam;
  private final String service;

  /**
   * Roles for a service.
   *
   * @param service as trust policies name it, for example {@code autoscaling.amazonaws.com}
   */
  public ServiceRole(Scope scope, IamClient iam, String service) {
    this.service = service;
    this.scope = scope;
    this.iam = iam;
  }

  /** Whether the service can act in a role. */
  public boolean mayBeAssumed(String arn) {
    if (!arn.startsWith(scope.globalArn("iam", "role/"))) {
      return false;
    }
    String name = arn.substring(arn.lastIndexOf('/') + 1);
    try {
      String trust = iam.getRole(role -> role.roleName(name)).role().assumeRolePolicyDocument();
      return trusts(JSON.readTree(URLDecoder.decode(trust, StandardCharsets.UTF_8)));
    } catch (NoSuchEntityException e) {
      return false;
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("the trust policy of " + arn, e);
    }
  }

  /** Whether some statement allows the service, and none denies it. */
  private boolean trusts(JsonNode policy) {
    return each(policy.path("Statement"))
            .filter(statement -> statement.path("Effect").asText().equals("Allow"))
            .anyMatch(this::speaksOfIt)
        && each(policy.path("Statement"))
            .filter(statement -> statement.path("Effect").asText().equals("Deny"))
            .noneMatch(this::speaksOfIt);
  }

  private boolean speaksOfIt(JsonNode statement) {
    JsonNode principal = statement.path("Principal");
    boolean named =
        principal.asText().equals("*")
            || each(principal.path("Service")).anyMatch(one -> one.asText().equals(service));
    return named
        && each(statement.path("Action"))
            .map(JsonNode::asText)
            .anyMatch(action ->
                action.equals("*")
                    || action.equalsIgnoreCase("sts:*")
                    || action.equalsIgnoreCase("sts:AssumeRole"));
  }

  /** One or several. */
  private static Stream<JsonNode> each(JsonNode node) {
    return node.isArray() ? node.valueStream() : Stream.of(node);
  }
}
