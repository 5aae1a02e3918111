package dev.muelle.services.elasticloadbalancingv2.rule;

import dev.muelle.balancer.rules.Rewrites;
import dev.muelle.balancer.rules.Rewrites.Rewrite;
import dev.muelle.services.elasticloadbalancingv2.request.Refuse;
import dev.muelle.services.elasticloadbalancingv2.request.Regexes;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RewriteConfig;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RuleTransform;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TransformTypeEnum;

/**
 * The transforms of a rule: checked as requests bring them, and in the balancer's terms.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RuleTransform.html">RuleTransform</a>
 */
public final class Transforms {

  private static final int MAX_LENGTH = 1024;

  private Transforms() {}

  /** Checks them: at most one of each type, with one rewrite. */
  static List<RuleTransform> check(List<RuleTransform> transforms) {
    Set<TransformTypeEnum> types = EnumSet.noneOf(TransformTypeEnum.class);
    for (RuleTransform transform : transforms) {
      Refuse.unlessPresent("type", transform.typeAsString());
      TransformTypeEnum type = transform.type();
      if (type == TransformTypeEnum.UNKNOWN_TO_SDK_VERSION) {
        throw Refuse.invalid(
            "Transform type '"
                + transform.typeAsString()
                + "' must be one of '[host-header-rewrite, url-rewrite]'");
      }
      if (!types.add(type)) {
        throw Refuse.invalid("A rule can only have one '" + type + "' transform");
      }
      boolean host = type == TransformTypeEnum.HOST_HEADER_REWRITE;
      Refuse.unlessEffective(
          transform, Set.of("Type", host ? "HostHeaderRewriteConfig" : "UrlRewriteConfig"));
      rewrite(transform);
    }
    return transforms;
  }

  /** The same for the balancer; null if there are none. */
  public static @Nullable Rewrites view(List<RuleTransform> transforms) {
    Rewrite host = null;
    Rewrite url = null;
    for (RuleTransform transform : transforms) {
      if (transform.type() == TransformTypeEnum.HOST_HEADER_REWRITE) {
        host = rewrite(transform);
      } else {
        url = rewrite(transform);
      }
    }
    return host == null && url == null ? null : new Rewrites(host, url);
  }

  private static Rewrite rewrite(RuleTransform transform) {
    boolean host = transform.type() == TransformTypeEnum.HOST_HEADER_REWRITE;
    List<RewriteConfig> rewrites = List.of();
    if (host && transform.hostHeaderRewriteConfig() != null) {
      rewrites = transform.hostHeaderRewriteConfig().rewrites();
    } else if (!host && transform.urlRewriteConfig() != null) {
      rewrites = transform.urlRewriteConfig().rewrites();
    }
    if (rewrites.size() != 1) {
      throw Refuse.invalid(
          "Exactly one rewrite must be specified for a transform of type '"
              + transform.typeAsString()
              + "'");
    }
    String regex = text("regex", rewrites.getFirst().regex(), 1);
    String replace = text("replace", rewrites.getFirst().replace(), 0);
    try {
      return new Rewrite(Regexes.compile(regex, host), replace);
    } catch (IllegalArgumentException e) {
      throw Refuse.invalid(
          "The replacement '" + replace + "' is not valid for '" + regex + "': " + e.getMessage());
    }
  }

  private static String text(String member, @Nullable String value, int least) {
    String text = Refuse.unlessPresent(member, value);
    if (text.length() < least || text.length() > MAX_LENGTH) {
      throw Refuse.invalid(
          "The " + member + " must have between " + least + " and " + MAX_LENGTH + " characters");
    }
    if (!text.chars().allMatch(c -> c >= ' ' && c < 127)) {
      throw Refuse.invalid(
          "The " + member + " '" + text + "' contains a character that is not valid");
    }
    return text;
  }
}
