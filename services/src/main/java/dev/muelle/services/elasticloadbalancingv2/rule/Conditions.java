package dev.muelle.services.elasticloadbalancingv2.rule;

import dev.muelle.balancer.rules.Condition;
import dev.muelle.balancer.rules.Condition.QueryString.Parameter;
import dev.muelle.balancer.rules.Condition.SourceIp.Block;
import dev.muelle.balancer.rules.Regex;
import dev.muelle.balancer.rules.TextPattern;
import dev.muelle.balancer.rules.Wildcard;
import dev.muelle.services.elasticloadbalancingv2.request.Refuse;
import dev.muelle.services.elasticloadbalancingv2.request.Regexes;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.QueryStringKeyValuePair;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RuleCondition;

/**
 * The conditions of a rule: checked as requests bring them, and in the balancer's terms.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html">Condition
 *     types for listener rules</a>
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html">Quotas</a>
 */
public final class Conditions {

  private static final int MAX_LENGTH = 128;
  private static final int MAX_NAME = 40;
  public static final int MAX_VALUES = 5;
  public static final int MAX_WILDCARDS = 6;
  private static final Pattern HOST = Pattern.compile("[A-Za-z0-9.*?:_-]+");
  private static final Pattern PATH = Pattern.compile("[A-Za-z0-9_.$/~\"'@:+&*?;=,!%()\\\\-]+");
  private static final Pattern FIELD = Pattern.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]+");
  private static final Pattern METHOD = Pattern.compile("[A-Z_-]{1,40}");

  private static final List<String> REGEX_FIELDS =
      List.of("http-header", "host-header", "path-pattern");
  private static final String NO_NAME = "An HTTP header condition must have a header name";

  private Conditions() {}

  /** Checks a rule's conditions; gives them as they are described. */
  static List<RuleCondition> check(List<RuleCondition> conditions) {
    if (conditions.isEmpty()) {
      throw Refuse.invalid("A condition must be specified");
    }
    Set<String> fields = new HashSet<>();
    List<RuleCondition> complete = new ArrayList<>();
    int values = 0;
    int wildcards = 0;
    for (RuleCondition condition : conditions) {
      String field = Refuse.unlessPresent("field", condition.field());
      boolean repeatable = field.equals("http-header") || field.equals("query-string");
      if (!fields.add(field) && !repeatable) {
        throw Refuse.invalid("A rule can only have one '" + field + "' condition");
      }
      RuleCondition one = complete(condition, field);
      complete.add(one);
      values += count(one);
      wildcards += wildcards(view(one));
    }
    if (values > MAX_VALUES) {
      throw Refuse.invalid("A rule can only have '5' condition values");
    }
    if (wildcards > MAX_WILDCARDS) {
      throw Refuse.invalid("A rule can only have '6' condition wildcards");
    }
    return complete;
  }

  private static RuleCondition complete(RuleCondition condition, String field) {
    Refuse.unlessEffective(condition, Set.of("Field", "Values", "RegexValues", member(field)));
    List<String> regexes = regexes(condition, field);
    if (!regexes.isEmpty()) {
      return byRegex(condition, field, regexes);
    }
    return switch (field) {
      case "host-header" -> {
        List<String> hosts =
            values(
                condition,
                condition.hostHeaderConfig() == null
                    ? null
                    : condition.hostHeaderConfig().values());
        hosts.forEach(host -> checkValue(field, host, HOST));
        yield condition.toBuilder().values(hosts).hostHeaderConfig(c -> c.values(hosts)).build();
      }
      case "path-pattern" -> {
        List<String> paths =
            values(
                condition,
                condition.pathPatternConfig() == null
                    ? null
                    : condition.pathPatternConfig().values());
        paths.forEach(path -> checkValue(field, path, PATH));
        yield condition.toBuilder().values(paths).pathPatternConfig(c -> c.values(paths)).build();
      }
      case "http-header" -> {
        var config = condition.httpHeaderConfig();
        if (config == null) {
          throw Refuse.invalid(NO_NAME);
        }
        checkName(config.httpHeaderName());
        values(condition, config.values()).forEach(value -> checkValue(field, value, null));
        yield condition;
      }
      case "http-request-method" -> {
        var config = condition.httpRequestMethodConfig();
        for (String method : values(condition, config == null ? null : config.values())) {
          if (!METHOD.matcher(method).matches()) {
            throw Refuse.invalid("The HTTP request method '" + method + "' is not valid");
          }
        }
        yield condition;
      }
      case "query-string" -> {
        var config = condition.queryStringConfig();
        if (config == null || config.values().isEmpty() || !condition.values().isEmpty()) {
          throw Refuse.invalid("A condition value must be specified");
        }
        for (QueryStringKeyValuePair pair : config.values()) {
          if (pair.key() != null) {
            checkValue(field, pair.key(), null);
          }
          checkValue(field, Refuse.unlessPresent("value", pair.value()), null);
        }
        yield condition;
      }
      case "source-ip" -> {
        var config = condition.sourceIpConfig();
        for (String cidr : values(condition, config == null ? null : config.values())) {
          try {
            Block.parse(cidr);
          } catch (IllegalArgumentException e) {
            throw Refuse.invalid("The source IP '" + cidr + "' is not a valid CIDR block");
          }
        }
        yield condition;
      }
      default ->
          throw Refuse.invalid(
              "Condition field '"
                  + field
                  + "' must be one of '[path-pattern, host-header, http-header, http-request-method, query-string, source-ip]'");
    };
  }

  /** The regular expressions of a condition, which stand where values can; none if it has none. */
  private static List<String> regexes(RuleCondition condition, String field) {
    List<String> config =
        switch (field) {
          case "host-header" ->
              condition.hostHeaderConfig() == null
                  ? List.of()
                  : condition.hostHeaderConfig().regexValues();
          case "path-pattern" ->
              condition.pathPatternConfig() == null
                  ? List.of()
                  : condition.pathPatternConfig().regexValues();
          case "http-header" ->
              condition.httpHeaderConfig() == null
                  ? List.of()
                  : condition.httpHeaderConfig().regexValues();
          default -> List.of();
        };
    List<String> older = condition.regexValues();
    if (!older.isEmpty() && !REGEX_FIELDS.contains(field)) {
      throw Refuse.invalid(
          "Regular expressions can be specified only for conditions with field '"
              + String.join("', '", REGEX_FIELDS)
              + "'");
    }
    if (!older.isEmpty() && !config.isEmpty() && !older.equals(config)) {
      throw Refuse.invalid("You cannot specify both regex values and a " + member(field));
    }
    return config.isEmpty() ? older : config;
  }

  /**
   * A condition with regular expressions, which can have no values besides them.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RuleCondition.html">RuleCondition</a>
   */
  private static RuleCondition byRegex(
      RuleCondition condition, String field, List<String> regexes) {
    var header = condition.httpHeaderConfig();
    List<String> values =
        switch (field) {
          case "host-header" ->
              condition.hostHeaderConfig() == null
                  ? List.of()
                  : condition.hostHeaderConfig().values();
          case "path-pattern" ->
              condition.pathPatternConfig() == null
                  ? List.of()
                  : condition.pathPatternConfig().values();
          default -> header == null ? List.of() : header.values();
        };
    if (!condition.values().isEmpty() || !values.isEmpty()) {
      throw Refuse.invalid("You cannot specify both values and regex values in a condition");
    }
    for (String regex : regexes) {
      checkValue(field, regex, null);
      Regexes.compile(regex, false);
    }
    RuleCondition.Builder complete = condition.toBuilder().regexValues(regexes);
    return switch (field) {
      case "host-header" -> complete.hostHeaderConfig(c -> c.regexValues(regexes)).build();
      case "path-pattern" -> complete.pathPatternConfig(c -> c.regexValues(regexes)).build();
      default -> {
        String name = header == null ? null : header.httpHeaderName();
        checkName(name);
        yield complete.httpHeaderConfig(c -> c.httpHeaderName(name).regexValues(regexes)).build();
      }
    };
  }

  private static void checkName(@Nullable String name) {
    if (name == null) {
      throw Refuse.invalid(NO_NAME);
    }
    if (name.length() > MAX_NAME || !FIELD.matcher(name).matches() || name.contains("*")) {
      throw Refuse.invalid("The HTTP header name '" + name + "' is not valid");
    }
    if (name.equalsIgnoreCase("host")) {
      throw Refuse.invalid("Use a host-header condition to look at the Host header");
    }
  }

  /** The member in which a kind of condition has its values. */
  private static String member(String field) {
    return switch (field) {
      case "host-header" -> "HostHeaderConfig";
      case "path-pattern" -> "PathPatternConfig";
      case "http-header" -> "HttpHeaderConfig";
      case "http-request-method" -> "HttpRequestMethodConfig";
      case "query-string" -> "QueryStringConfig";
      default -> "SourceIpConfig";
    };
  }

  /**
   * Values stand in the condition itself (the older form, for hosts and paths) or in its config.
   */
  private static List<String> values(RuleCondition condition, @Nullable List<String> config) {
    List<String> inConfig = config == null ? List.of() : config;
    boolean older =
        condition.field().equals("host-header") || condition.field().equals("path-pattern");
    List<String> values = older && inConfig.isEmpty() ? condition.values() : inConfig;
    if (values.isEmpty() || !condition.values().isEmpty() && !condition.values().equals(values)) {
      throw Refuse.invalid(
          values.isEmpty()
              ? "A condition value must be specified"
              : "You cannot specify both values and a " + member(condition.field()));
    }
    return values;
  }

  private static void checkValue(String field, String value, @Nullable Pattern allowed) {
    if (value.isEmpty() || value.length() > MAX_LENGTH) {
      throw Refuse.invalid(
          "Condition value '" + value + "' must have between 1 and " + MAX_LENGTH + " characters");
    }
    if (allowed != null
        ? !allowed.matcher(value).matches()
        : !value.chars().allMatch(c -> c >= ' ' && c < 127)) {
      throw Refuse.invalid(
          "Condition value '" + value + "' contains a character that is not valid for " + field);
    }
  }

  private static int count(RuleCondition condition) {
    if (!condition.regexValues().isEmpty()) {
      return condition.regexValues().size();
    }
    return switch (condition.field()) {
      case "http-header" -> condition.httpHeaderConfig().values().size();
      case "http-request-method" -> condition.httpRequestMethodConfig().values().size();
      case "query-string" -> condition.queryStringConfig().values().size();
      case "source-ip" -> condition.sourceIpConfig().values().size();
      default -> condition.values().size();
    };
  }

  private static int wildcards(Condition condition) {
    return switch (condition) {
      case Condition.HostHeader host -> sum(host.patterns());
      case Condition.PathPattern path -> sum(path.patterns());
      case Condition.HttpHeader header -> sum(header.patterns());
      case Condition.QueryString query -> {
        int sum = 0;
        for (Parameter parameter : query.parameters()) {
          sum += parameter.value().wildcards();
          sum += parameter.key() == null ? 0 : parameter.key().wildcards();
        }
        yield sum;
      }
      case Condition.RequestMethod method -> 0;
      case Condition.SourceIp source -> 0;
    };
  }

  private static int sum(List<? extends TextPattern> patterns) {
    int sum = 0;
    for (TextPattern pattern : patterns) {
      sum += pattern instanceof Wildcard wildcard ? wildcard.wildcards() : 0;
    }
    return sum;
  }

  /**
   * The same for the balancer. Of values, paths alone tell upper from lower case; regular
   * expressions do unless they say otherwise, but not of hosts, whose names have no case.
   */
  public static Condition view(RuleCondition condition) {
    List<String> regexes = condition.regexValues();
    if (!regexes.isEmpty()) {
      boolean host = condition.field().equals("host-header");
      List<Regex> patterns = regexes.stream().map(one -> Regexes.compile(one, host)).toList();
      return switch (condition.field()) {
        case "host-header" -> new Condition.HostHeader(patterns);
        case "path-pattern" -> new Condition.PathPattern(patterns);
        default ->
            new Condition.HttpHeader(condition.httpHeaderConfig().httpHeaderName(), patterns);
      };
    }
    return switch (condition.field()) {
      case "host-header" -> new Condition.HostHeader(patterns(condition.values(), true));
      case "path-pattern" -> new Condition.PathPattern(patterns(condition.values(), false));
      case "http-header" ->
          new Condition.HttpHeader(
              condition.httpHeaderConfig().httpHeaderName(),
              patterns(condition.httpHeaderConfig().values(), true));
      case "http-request-method" ->
          new Condition.RequestMethod(Set.copyOf(condition.httpRequestMethodConfig().values()));
      case "query-string" ->
          new Condition.QueryString(
              condition.queryStringConfig().values().stream()
                  .map(pair ->
                      new Parameter(
                          pair.key() == null ? null : new Wildcard(pair.key(), true),
                          new Wildcard(pair.value(), true)))
                  .toList());
      default ->
          new Condition.SourceIp(
              condition.sourceIpConfig().values().stream().map(Block::parse).toList());
    };
  }

  private static List<Wildcard> patterns(List<String> values, boolean ignoreCase) {
    return values.stream().map(value -> new Wildcard(value, ignoreCase)).toList();
  }
}
