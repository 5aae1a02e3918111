package dev.muelle.services.iam;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import software.amazon.awssdk.services.iam.model.MalformedPolicyDocumentException;

/**
 * What a policy document has to look like.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html">Grammar
 *     of the policy language</a>
 */
final class PolicyDocuments {

  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .build();

  private static final List<String> LISTS =
      List.of("Action", "NotAction", "Resource", "NotResource");
  private static final Set<String> PRINCIPALS =
      Set.of("AWS", "Service", "Federated", "CanonicalUser");
  private static final Set<String> FIELDS =
      Set.of(
          "Sid",
          "Effect",
          "Principal",
          "NotPrincipal",
          "Action",
          "NotAction",
          "Resource",
          "NotResource",
          "Condition");
  private static final Set<String> VERSIONS = Set.of("2012-10-17", "2008-10-17");

  private PolicyDocuments() {}

  /** Checks a role's trust policy: who may assume it. */
  static void checkTrust(String document) {
    for (JsonNode statement : statements(document)) {
      if (!statement.has("Principal") && !statement.has("NotPrincipal")) {
        throw malformed(
            "AssumeRolepolicy contained an invalid principal: missing required field Principal");
      }
      if (statement.has("Resource") || statement.has("NotResource")) {
        throw malformed("Has prohibited field Resource");
      }
      JsonNode principal = statement.path("Principal");
      boolean everybody = principal.isTextual() && principal.asText().equals("*");
      boolean some = principal.isObject() && !principal.isEmpty();
      if (statement.has("Principal") && !everybody && !some) {
        throw malformed("Invalid principal in policy: " + principal);
      }
      for (Map.Entry<String, JsonNode> one : principal.properties()) {
        if (!PRINCIPALS.contains(one.getKey()) || !isText(one.getValue())) {
          throw malformed(
              "Invalid principal in policy: \"" + one.getKey() + "\":" + one.getValue());
        }
      }
      for (String action : texts(statement.path("Action"))) {
        if (!action.toLowerCase(Locale.ROOT).startsWith("sts:")) {
          throw malformed("AssumeRole policy may only specify STS AssumeRole actions.");
        }
      }
    }
  }

  /** Checks a permissions policy: what may be done to what. */
  static void checkPermissions(String document) {
    for (JsonNode statement : statements(document)) {
      if (statement.has("Principal") || statement.has("NotPrincipal")) {
        throw malformed("Policy document should not specify a principal.");
      }
      if (!statement.has("Resource") && !statement.has("NotResource")) {
        throw malformed("Policy statement must contain resources.");
      }
    }
  }

  /** How much of a quota a document takes: characters that are not blank. */
  static int length(String document) {
    return (int) document.chars().filter(one -> !Character.isWhitespace(one)).count();
  }

  private static boolean isText(JsonNode node) {
    return node.isTextual()
        || node.isArray() && !node.isEmpty() && node.valueStream().allMatch(JsonNode::isTextual);
  }

  private static List<String> texts(JsonNode node) {
    return node.isArray()
        ? node.valueStream().map(JsonNode::asText).toList()
        : node.isTextual() ? List.of(node.asText()) : List.of();
  }

  private static List<JsonNode> statements(String document) {
    JsonNode root;
    try {
      root = JSON.readTree(document);
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
    Set<String> ids = new HashSet<>();
    for (JsonNode one : statements) {
      if (one.has("Sid") && !ids.add(one.get("Sid").asText())) {
        throw malformed("Statement IDs (SID) in a single policy must be unique.");
      }
      if (!one.isObject()
          || !FIELDS.containsAll(one.propertyStream().map(Map.Entry::getKey).toList())) {
        throw malformed("Syntax errors in policy.");
      }
      String effect = one.path("Effect").asText();
      if (!effect.equals("Allow") && !effect.equals("Deny")) {
        throw malformed("Syntax errors in policy.");
      }
      if (!one.has("Action") && !one.has("NotAction")) {
        throw malformed("Policy statement must contain actions.");
      }
      for (String list : LISTS) {
        if (one.has(list) && !isText(one.get(list))) {
          throw malformed("Syntax errors in policy.");
        }
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
