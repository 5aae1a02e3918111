package dev.muelle.services.elasticloadbalancingv2.request;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.IncompatibleProtocolsException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ProtocolEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroup;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetTypeEnum;

/**
 * Which protocols belong to network load balancers, and which of listeners go with which of target
 * groups.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-listeners.html">
 *     Listeners for your Network Load Balancers</a>
 */
public final class Protocols {

  /** By a listener's protocol, those of its target groups. */
  private static final Map<ProtocolEnum, Set<ProtocolEnum>> TARGETS =
      Map.of(
          ProtocolEnum.TCP, Set.of(ProtocolEnum.TCP, ProtocolEnum.TCP_UDP),
          ProtocolEnum.TLS, Set.of(ProtocolEnum.TCP, ProtocolEnum.TLS),
          ProtocolEnum.UDP, Set.of(ProtocolEnum.UDP, ProtocolEnum.TCP_UDP),
          ProtocolEnum.TCP_UDP, Set.of(ProtocolEnum.TCP_UDP));

  private Protocols() {}

  /** Whether whole connections, or flows of datagrams, are passed on. */
  public static boolean flows(@Nullable ProtocolEnum protocol) {
    return protocol != null && TARGETS.containsKey(protocol);
  }

  /** Whether datagrams are. */
  public static boolean datagrams(ProtocolEnum protocol) {
    return protocol == ProtocolEnum.UDP || protocol == ProtocolEnum.TCP_UDP;
  }

  public static void checkListener(
      boolean network, @Nullable ProtocolEnum protocol, @Nullable String text) {
    if (protocol == null) {
      throw Refuse.invalid("A listener protocol must be specified");
    }
    List<ProtocolEnum> valid =
        network
            ? List.of(ProtocolEnum.TCP, ProtocolEnum.TLS, ProtocolEnum.UDP, ProtocolEnum.TCP_UDP)
            : List.of(ProtocolEnum.HTTP, ProtocolEnum.HTTPS);
    if (!valid.contains(protocol)) {
      String all = String.join(", ", valid.stream().map(ProtocolEnum::toString).toList());
      throw Refuse.invalid("Listener protocol '" + text + "' must be one of '" + all + "'");
    }
  }

  public static void unlessCompatible(ProtocolEnum listener, TargetGroup group) {
    boolean compatible =
        flows(listener)
            ? TARGETS.getOrDefault(listener, Set.of()).contains(group.protocol())
                && (listener == ProtocolEnum.TCP || group.targetType() != TargetTypeEnum.ALB)
            : !flows(group.protocol());
    if (!compatible) {
      throw IncompatibleProtocolsException.builder()
          .message(
              "Listener protocol '"
                  + listener
                  + "' is not compatible with target group '"
                  + group.targetGroupArn()
                  + "' with the protocol '"
                  + group.protocol()
                  + "' and the target type '"
                  + group.targetType()
                  + "'")
          .build();
    }
  }
}
