package dev.muelle.services.elasticloadbalancingv2.rule;

import dev.muelle.balancer.LoadBalancer;
import dev.muelle.balancer.Redirect;
import dev.muelle.services.elasticloadbalancingv2.request.Protocols;
import dev.muelle.services.elasticloadbalancingv2.request.Refuse;
import dev.muelle.services.elasticloadbalancingv2.state.AddressTypes;
import dev.muelle.services.elasticloadbalancingv2.state.Existing;
import dev.muelle.services.elasticloadbalancingv2.state.State;
import dev.muelle.services.elasticloadbalancingv2.state.State.Balancing;
import dev.muelle.services.elasticloadbalancingv2.state.State.Group;
import dev.muelle.store.Tx;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Action;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ActionTypeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.FixedResponseActionConfig;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ForwardActionConfig;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.InvalidConfigurationRequestException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.InvalidLoadBalancerActionException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ProtocolEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RedirectActionConfig;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RedirectActionStatusCodeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupStickinessConfig;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupTuple;

/**
 * What listeners and rules do with requests: checked as requests bring it, and in the balancer's
 * terms.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-action-types.html">Action
 *     types for listener rules</a>
 */
public final class Actions {

  private static final int MAX_ORDER = 50_000;
  public static final int MAX_GROUPS = 5;
  private static final int MAX_WEIGHT = 999;
  private static final int MAX_BODY = 1024;
  private static final int MAX_PART = 128;
  private static final int MAX_STICKY = 604_800;
  private static final Set<String> CONTENT_TYPES =
      Set.of("text/plain", "text/css", "text/html", "application/javascript", "application/json");
  private static final Pattern PLACEHOLDER = Pattern.compile("#\\{([^}]*)\\}");

  private Actions() {}

  /**
   * Of a listener or a rule: exactly one that ends the request, and perhaps one that authenticates
   * users before.
   *
   * @param ruleArn the rule's; of a listener its default rule's
   */
  public static List<Action> check(
      Tx tx, Balancing balancer, ProtocolEnum protocol, String ruleArn, List<Action> actions) {
    List<Action> ordered = inOrder(actions);
    Action end = ordered.isEmpty() ? null : ordered.getLast();
    if (end == null || ordered.size() > 2) {
      throw unlessOne();
    }
    List<Action> checked = new ArrayList<>();
    if (ordered.size() == 2) {
      Action first = ordered.getFirst();
      if (first.type() == ActionTypeEnum.AUTHENTICATE_OIDC) {
        Authentications.unlessEncrypted(protocol);
        checked.add(Authentications.check(tx, ruleArn, first));
      } else if (first.type() == ActionTypeEnum.FORWARD
          || first.type() == ActionTypeEnum.FIXED_RESPONSE
          || first.type() == ActionTypeEnum.REDIRECT) {
        throw unlessOne();
      } else {
        throw unknown(first);
      }
    } else {
      tx.delete(State.CLIENT_SECRETS, ruleArn);
    }
    checked.add(end(tx, balancer, protocol, end));
    return List.copyOf(checked);
  }

  private static InvalidLoadBalancerActionException unlessOne() {
    return InvalidLoadBalancerActionException.builder()
        .message(
            "Exactly one action of type forward, redirect or fixed-response must be specified, and"
                + " it must be the last one to be performed")
        .build();
  }

  private static RuntimeException unknown(Action action) {
    return Refuse.invalid(
        "Actions of type '" + action.typeAsString() + "' are not supported in this region");
  }

  /** In which order they are performed: several have to say. */
  private static List<Action> inOrder(List<Action> actions) {
    if (actions.size() < 2) {
      return actions;
    }
    Set<Integer> orders = new HashSet<>();
    for (Action action : actions) {
      if (action.order() == null || action.order() < 1 || action.order() > MAX_ORDER) {
        throw Refuse.invalid("With several actions, each must have an order in the range 1-50000");
      }
      if (!orders.add(action.order())) {
        throw Refuse.invalid("The action order '" + action.order() + "' is specified twice");
      }
    }
    return actions.stream().sorted(Comparator.comparing(Action::order)).toList();
  }

  private static Action end(Tx tx, Balancing balancer, ProtocolEnum protocol, Action action) {
    return switch (action.type()) {
      case FORWARD -> {
        Action forward = forward(tx, balancer, action);
        unlessSpoken(tx, protocol, List.of(forward));
        yield forward;
      }
      case FIXED_RESPONSE -> fixed(action);
      case REDIRECT -> redirect(action);
      case AUTHENTICATE_OIDC -> throw unlessOne();
      case null -> throw Refuse.invalid("An action type must be specified");
      default -> throw unknown(action);
    };
  }

  /**
   * A forward action, checked and completed.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ForwardActionConfig.html">ForwardActionConfig</a>
   */
  private static Action forward(Tx tx, Balancing balancer, Action action) {
    Refuse.unlessEffective(action, Set.of("Type", "TargetGroupArn", "ForwardConfig", "Order"));
    List<TargetGroupTuple> given = State.groupsOf(action);
    if (given.isEmpty()) {
      throw Refuse.invalid("A target group ARN must be specified");
    }
    if (given.size() > MAX_GROUPS) {
      throw Refuse.invalid("A forward action can have at most 5 target groups");
    }
    if (action.targetGroupArn() != null
        && (given.size() > 1
            || !action.targetGroupArn().equals(given.getFirst().targetGroupArn()))) {
      throw Refuse.invalid(
          "You cannot specify both a target group ARN and a different ForwardConfig");
    }
    List<TargetGroupTuple> groups = new ArrayList<>();
    Set<String> arns = new HashSet<>();
    for (TargetGroupTuple tuple : given) {
      Group group = Existing.group(tx, tuple.targetGroupArn());
      AddressTypes.unlessReached(balancer.balancer().ipAddressType(), group.group());
      if (!arns.add(tuple.targetGroupArn())) {
        throw Refuse.invalid("Target group '" + tuple.targetGroupArn() + "' is specified twice");
      }
      int weight = tuple.weight() == null ? 1 : tuple.weight();
      if (weight < 0 || weight > MAX_WEIGHT) {
        throw Refuse.invalid("The weight '" + weight + "' must be in the range 0-999");
      }
      if (!group.group().vpcId().equals(balancer.balancer().vpcId())) {
        throw InvalidConfigurationRequestException.builder()
            .message(
                "The following target groups belong to a different VPC than load balancer '"
                    + balancer.balancer().loadBalancerArn()
                    + "': "
                    + tuple.targetGroupArn())
            .build();
      }
      groups.add(tuple.toBuilder().weight(weight).build());
    }
    return Action.builder()
        .type(ActionTypeEnum.FORWARD)
        .targetGroupArn(groups.size() == 1 ? groups.getFirst().targetGroupArn() : null)
        .order(action.order())
        .forwardConfig(
            ForwardActionConfig.builder()
                .targetGroups(groups)
                .targetGroupStickinessConfig(stickiness(action.forwardConfig()))
                .build())
        .build();
  }

  /**
   * For how long clients keep the group that was chosen for them.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupStickinessConfig.html">
   *     TargetGroupStickinessConfig</a>
   */
  private static TargetGroupStickinessConfig stickiness(@Nullable ForwardActionConfig config) {
    TargetGroupStickinessConfig asked =
        config == null ? null : config.targetGroupStickinessConfig();
    if (asked == null || !Boolean.TRUE.equals(asked.enabled())) {
      return TargetGroupStickinessConfig.builder().enabled(false).build();
    }
    Integer seconds = asked.durationSeconds();
    if (seconds == null || seconds < 1 || seconds > MAX_STICKY) {
      throw Refuse.invalid(
          "Target group stickiness duration must be specified and between 1 and 604800 seconds");
    }
    return asked;
  }

  /**
   * Refuses target groups of HTTP/2 and gRPC behind a listener whose clients cannot speak that, and
   * users' credentials by a listener that does not encrypt.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html#target-group-protocol-version">
   *     Protocol version</a>
   */
  public static void unlessSpoken(Tx tx, ProtocolEnum protocol, List<Action> actions) {
    Action action = actions.getLast();
    if (actions.size() > 1) {
      Authentications.unlessEncrypted(protocol);
    }
    for (TargetGroupTuple tuple : State.groupsOf(action)) {
      Protocols.unlessCompatible(protocol, Existing.group(tx, tuple.targetGroupArn()).group());
    }
    if (protocol != ProtocolEnum.HTTP) {
      return;
    }
    for (TargetGroupTuple tuple : State.groupsOf(action)) {
      String version = Existing.group(tx, tuple.targetGroupArn()).group().protocolVersion();
      if (!version.equals("HTTP1")) {
        throw InvalidLoadBalancerActionException.builder()
            .message(
                "Listener protocol '"
                    + protocol
                    + "' is not supported with a target group with the protocol-version '"
                    + version
                    + "'")
            .build();
      }
    }
  }

  private static Action fixed(Action action) {
    Refuse.unlessEffective(action, Set.of("Type", "FixedResponseConfig", "Order"));
    FixedResponseActionConfig config = action.fixedResponseConfig();
    if (config == null || config.statusCode() == null) {
      throw Refuse.invalid("A fixed response must have a status code");
    }
    if (!config.statusCode().matches("[245][0-9][0-9]")) {
      throw Refuse.invalid(
          "The status code '" + config.statusCode() + "' is not valid: 2XX, 4XX or 5XX");
    }
    if (config.contentType() != null && !CONTENT_TYPES.contains(config.contentType())) {
      throw Refuse.invalid("The content type '" + config.contentType() + "' is not valid");
    }
    if (config.messageBody() != null && config.messageBody().length() > MAX_BODY) {
      throw Refuse.invalid("The message body must have at most 1024 characters");
    }
    return action;
  }

  private static Action redirect(Action action) {
    Refuse.unlessEffective(action, Set.of("Type", "RedirectConfig", "Order"));
    RedirectActionConfig config = action.redirectConfig();
    if (config == null || config.statusCode() == null) {
      throw Refuse.invalid("A redirect action must have a status code");
    }
    if (config.statusCode() == RedirectActionStatusCodeEnum.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.invalid(
          "The status code '"
              + config.statusCodeAsString()
              + "' is not valid: HTTP_301 or HTTP_302");
    }
    String protocol = Objects.requireNonNullElse(config.protocol(), "#{protocol}");
    String host = Objects.requireNonNullElse(config.host(), "#{host}");
    String port = Objects.requireNonNullElse(config.port(), "#{port}");
    String path = Objects.requireNonNullElse(config.path(), "/#{path}");
    String query = Objects.requireNonNullElse(config.query(), "#{query}");
    if (!Set.of("HTTP", "HTTPS", "#{protocol}").contains(protocol)) {
      throw Refuse.invalid("The redirect protocol '" + protocol + "' is not valid");
    }
    if (!port.equals("#{port}")
        && !(port.matches("[0-9]{1,5}") && isPort(Integer.parseInt(port)))) {
      throw Refuse.invalid("The redirect port '" + port + "' is not valid");
    }
    if (!path.startsWith("/")) {
      throw Refuse.invalid("The redirect path '" + path + "' must start with '/'");
    }
    checkPart("host", host, Set.of("host"));
    checkPart("path", path, Set.of("host", "port", "path"));
    checkPart("query", query, Set.of("protocol", "host", "port", "path", "query"));
    if (config.protocol() == null
            && config.host() == null
            && config.port() == null
            && config.path() == null
            && config.query() == null
        || protocol.equals("#{protocol}")
            && host.equals("#{host}")
            && port.equals("#{port}")
            && path.equals("/#{path}")) {
      throw InvalidLoadBalancerActionException.builder()
          .message(
              "A redirect must change at least one of protocol, host, port and path, or it would"
                  + " never end")
          .build();
    }
    return action.toBuilder()
        .redirectConfig(
            config.toBuilder()
                .protocol(protocol)
                .host(host)
                .port(port)
                .path(path)
                .query(query)
                .build())
        .build();
  }

  private static boolean isPort(int port) {
    return port >= 1 && port <= 65_535;
  }

  private static void checkPart(String name, String value, Set<String> placeholders) {
    boolean printable = value.chars().allMatch(c -> c > ' ' && c < 127);
    Matcher matcher = PLACEHOLDER.matcher(value);
    boolean known = matcher.results().allMatch(found -> placeholders.contains(found.group(1)));
    if (value.length() > MAX_PART || !printable || !known) {
      throw Refuse.invalid("The redirect " + name + " '" + value + "' is not valid");
    }
  }

  /** One that ends the request, for the balancer. */
  public static LoadBalancer.Action.Ending view(Action action) {
    return switch (action.type()) {
      case FIXED_RESPONSE -> {
        FixedResponseActionConfig fixed = action.fixedResponseConfig();
        yield new LoadBalancer.Action.FixedResponse(
            Integer.parseInt(fixed.statusCode()),
            Objects.requireNonNullElse(fixed.contentType(), "text/plain"),
            Objects.requireNonNullElse(fixed.messageBody(), ""));
      }
      case REDIRECT -> {
        RedirectActionConfig to = action.redirectConfig();
        yield new Redirect(
            to.statusCode() == RedirectActionStatusCodeEnum.HTTP_301 ? 301 : 302,
            to.protocol().toLowerCase(Locale.ROOT),
            to.host(),
            to.port(),
            to.path(),
            to.query());
      }
      default -> {
        ForwardActionConfig config = action.forwardConfig();
        TargetGroupStickinessConfig sticky =
            config == null ? null : config.targetGroupStickinessConfig();
        yield new LoadBalancer.Action.Forward(
            shares(action),
            sticky != null && Boolean.TRUE.equals(sticky.enabled())
                ? Duration.ofSeconds(sticky.durationSeconds())
                : null);
      }
    };
  }

  /** The target groups of a forward action that was checked. */
  public static List<LoadBalancer.Share> shares(Action forward) {
    return State.groupsOf(forward).stream()
        .map(tuple -> new LoadBalancer.Share(tuple.targetGroupArn(), tuple.weight()))
        .toList();
  }
}
