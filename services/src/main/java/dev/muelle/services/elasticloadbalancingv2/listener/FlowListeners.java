package dev.muelle.services.elasticloadbalancingv2.listener;

import dev.muelle.balancer.FlowListener;
import dev.muelle.balancer.FlowListener.Transport;
import dev.muelle.balancer.tls.Tls;
import dev.muelle.services.elasticloadbalancingv2.request.Refuse;
import dev.muelle.services.elasticloadbalancingv2.rule.Actions;
import dev.muelle.services.elasticloadbalancingv2.state.State.Listening;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Action;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ActionTypeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ForwardActionConfig;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.InvalidLoadBalancerActionException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Listener;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ProtocolEnum;

/**
 * What is particular to listeners of network load balancers.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-listeners.html">
 *     Listeners for your Network Load Balancers</a>
 */
public final class FlowListeners {

  static final String IDLE = "tcp.idle_timeout.seconds";
  private static final String USUAL_IDLE = "350";

  /**
   * What each policy negotiates, the preferred one first.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-listeners.html#alpn-policies">
   *     ALPN policies</a>
   */
  private static final Map<String, List<String>> ALPN =
      Map.of(
          "HTTP1Only", List.of("http/1.1", "http/1.0"),
          "HTTP2Only", List.of("h2"),
          "HTTP2Optional", List.of("http/1.1", "http/1.0", "h2"),
          "HTTP2Preferred", List.of("h2", "http/1.1", "http/1.0"),
          "None", List.of());

  private FlowListeners() {}

  /** The one ALPN policy that a listener may have; none for others than TLS. */
  static List<String> alpn(ProtocolEnum protocol, List<String> wanted) {
    if (wanted.isEmpty()) {
      return List.of();
    }
    if (protocol != ProtocolEnum.TLS) {
      throw Refuse.invalid("An ALPN policy can only be specified for TLS listeners");
    }
    if (wanted.size() > 1) {
      throw Refuse.invalid("You can specify one ALPN policy name");
    }
    if (!ALPN.containsKey(wanted.getFirst())) {
      throw Refuse.coded(
          "ALPNPolicyNotFound",
          "The specified ALPN policy '" + wanted.getFirst() + "' is not supported.");
    }
    return wanted;
  }

  /** Target groups take what comes in, and no client is tied to one of them by a cookie. */
  static void unlessForward(List<Action> actions) {
    if (actions.size() != 1 || actions.getFirst().type() != ActionTypeEnum.FORWARD) {
      throw refused(
          "Exactly one action of type forward must be specified for listeners of Network Load"
              + " Balancers");
    }
    ForwardActionConfig config = actions.getFirst().forwardConfig();
    if (config != null
        && config.targetGroupStickinessConfig() != null
        && Boolean.TRUE.equals(config.targetGroupStickinessConfig().enabled())) {
      throw refused(
          "You cannot specify target group stickiness on load balancers of type 'network'");
    }
  }

  private static InvalidLoadBalancerActionException refused(String message) {
    return InvalidLoadBalancerActionException.builder().message(message).build();
  }

  /**
   * The attributes of a listener.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/network/update-idle-timeout.html">Update
   *     the TCP idle timeout for your Network Load Balancer listener</a>
   */
  static Map<String, String> attributes(Listening listening) {
    return listening.listener().protocol() == ProtocolEnum.TCP
        ? Map.of(IDLE, listening.attributes().getOrDefault(IDLE, USUAL_IDLE))
        : Map.of();
  }

  /**
   * Whether an attribute may have a value: only TCP's idle timeout can be changed, to between a
   * minute and 6,000 seconds.
   */
  static boolean takes(ProtocolEnum protocol, String key, String value) {
    if (protocol != ProtocolEnum.TCP || !key.equals(IDLE)) {
      throw Refuse.invalid(
          "Listener attribute key '" + key + "' is not supported for " + protocol + " listeners");
    }
    return value.matches("[0-9]{2,4}")
        && Integer.parseInt(value) >= 60
        && Integer.parseInt(value) <= 6_000;
  }

  /** What is negotiated with ALPN. */
  public static List<String> protocols(Listener listener) {
    return listener.alpnPolicy().isEmpty()
        ? List.of()
        : ALPN.getOrDefault(listener.alpnPolicy().getFirst(), List.of());
  }

  public static FlowListener view(
      Listener listener, @Nullable Tls tls, Map<String, String> attributes) {
    Action forward = listener.defaultActions().getFirst();
    return new FlowListener(
        listener.listenerArn(),
        listener.port(),
        switch (listener.protocol()) {
          case UDP -> Transport.UDP;
          case TCP_UDP -> Transport.TCP_UDP;
          default -> Transport.TCP;
        },
        Actions.shares(forward),
        tls,
        Duration.ofSeconds(Long.parseLong(attributes.getOrDefault(IDLE, USUAL_IDLE))));
  }
}
