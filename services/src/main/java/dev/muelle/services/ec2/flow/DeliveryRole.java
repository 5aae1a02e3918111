package dev.muelle.services.ec2.flow;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.muelle.services.Scope;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import software.amazon.awssdk.services.iam.IamClient;
import software.amazon.awssdk.services.iam.model.NoSuchEntityException;

/**
 * The role in which flow logs are delivered: there must be one, and it must trust the service.
 *
 * @see <a href="https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html">IAM role
 *     for publishing flow logs to CloudWatch Logs</a>
 */
public final class DeliveryRole {

  private static final String SERVICE = "vpc-flow-logs.amazonaws.com";
  private static final JsonMapper JSON = new JsonMapper();

  private final Scope scope;
  private final IamClient iam;

  public DeliveryRole(Scope scope, IamClient iam) {
    this.scope = scope;
    this.iam = iam;
  }

  boolean mayBeAssumed(String arn) {
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
  private static boolean trusts(JsonNode policy) {
    return each(policy.path("Statement"))
            .filter(statement -> statement.path("Effect").asText().equals("Allow"))
            .anyMatch(DeliveryRole::speaksOfIt)
        && each(policy.path("Statement"))
            .filter(statement -> statement.path("Effect").asText().equals("Deny"))
            .noneMatch(DeliveryRole::speaksOfIt);
  }

  private static boolean speaksOfIt(JsonNode statement) {
    JsonNode principal = statement.path("Principal");
    boolean service =
        principal.asText().equals("*")
            || each(principal.path("Service")).anyMatch(one -> one.asText().equals(SERVICE));
    return service
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
