package dev.muelle.services.iam;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.iam.model.MalformedPolicyDocumentException;

/**
 * What a policy document has to look like.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html">Grammar
 *     of the policy language</a>
 */
final class PolicyDocuments {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Set<String> VERSIONS = Set.of("2012-10-17", "2008-10-17");

  private PolicyDocuments() {}

  /** Checks a role's trust policy: who may assume it. */
  static void checkTrust(@Nullable String document) {
    for (JsonNode statement : statements(document)) {
      if (!statement.has("Principal") && !statement.has("NotPrincipal")) {
        throw malformed(
            "AssumeRolepolicy contained an invalid principal: missing required field Principal");
      }
      if (statement.has("Resource") || statement.has("NotResource")) {
        throw malformed("Has prohibited field Resource");
      }
    }
  }

  /** Checks a permissions policy: what may be done to what. */
  static void checkPermissions(@Nullable String document) {
    for (JsonNode statement : statements(document)) {
      if (statement.has("Principal") || statement.has("NotPrincipal")) {
        throw malformed("Policy document should not specify a principal.");
      }
      if (!statement.has("Resource") && !statement.has("NotResource")) {
        throw malformed("Policy statement must contain resources.");
      }
    }
  }

  private static List<JsonNode> statements(@Nullable String document) {
    JsonNode root;
    try {
      root = JSON.readTree(document == null ? "" : document);
    } catch (JsonProcessingException e) {
      throw malformed("This policy contains invalid Json");
    }
    if (!root.isObject()) {
      throw malformed("Syntax errors in policy.");
    }
    if (root.has("Version") && !VERSIONS.contains(root.get("Version").asText())) {
      throw malformed("The policy must contain a valid version string");
    }
    JsonNode statement = root.get("Statement");
    if (statement == null || statement.isArray() && statement.isEmpty()) {
      throw malformed("Syntax errors in policy.");
    }
    List<JsonNode> statements =
        statement.isArray() ? List.copyOf(statement.valueStream().toList()) : List.of(statement);
    for (JsonNode one : statements) {
      String effect = one.path("Effect").asText();
      if (!effect.equals("Allow") && !effect.equals("Deny")) {
        throw malformed("Syntax errors in policy.");
      }
      if (!one.has("Action") && !one.has("NotAction")) {
        throw malformed("Policy statement must contain actions.");
      }
    }
    return statements;
  }

  /** Documents go out percent-encoded (RFC 3986), as IAM sends them. */
  static String encoded(String document) {
    return URLEncoder.encode(document, StandardCharsets.UTF_8).replace("+", "%20");
  }

  private static MalformedPolicyDocumentException malformed(String message) {
    return MalformedPolicyDocumentException.builder().message(message).build();
  }
}
