package dev.muelle.services.elasticloadbalancingv2.target;

import dev.muelle.services.elasticloadbalancingv2.request.Refuse;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Matcher;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ProtocolEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroup;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetTypeEnum;

/** What a target group says of its health checks: what is allowed, and what is usual. */
final class TargetGroupChecks {

  private static final String GRPC = "GRPC";

  private TargetGroupChecks() {}

  static <T> T or(@Nullable T value, T otherwise) {
    return value == null ? otherwise : value;
  }

  static boolean enabled(@Nullable Boolean enabled, TargetTypeEnum type) {
    if (enabled != null && !enabled) {
      throw Refuse.invalid(
          "Health checks must be enabled for target groups with target type '" + type + "'");
    }
    return true;
  }

  static ProtocolEnum protocol(@Nullable ProtocolEnum protocol) {
    if (protocol != null && protocol != ProtocolEnum.HTTP && protocol != ProtocolEnum.HTTPS) {
      throw Refuse.invalid(
          "The health check protocol '" + protocol + "' is not supported in this region");
    }
    return protocol == null ? ProtocolEnum.HTTP : protocol;
  }

  static String version(@Nullable String version) {
    if (version == null) {
      return "HTTP1";
    }
    if (!Set.of("HTTP1", "HTTP2", GRPC).contains(version)) {
      throw Refuse.invalid(
          "Protocol version '" + version + "' must be one of 'HTTP1, HTTP2, GRPC'");
    }
    return version;
  }

  /** What counts as healthy unless something is said: with gRPC, that nothing is implemented. */
  static Matcher usual(boolean grpc) {
    return grpc
        ? Matcher.builder().grpcCode("12").build()
        : Matcher.builder().httpCode("200").build();
  }

  /** A matcher of the kind that the protocol version has; null if none was given. */
  static @Nullable Matcher matcher(@Nullable Matcher matcher, boolean grpc) {
    if (matcher == null) {
      return null;
    }
    Refuse.unlessEffective(matcher, Set.of(grpc ? "GrpcCode" : "HttpCode"));
    String codes = grpc ? matcher.grpcCode() : matcher.httpCode();
    if (codes == null) {
      throw Refuse.invalid(
          "Health check matcher " + (grpc ? "GRPC" : "HTTP") + " code must be specified");
    }
    Matchers.parse(codes, grpc);
    return matcher;
  }

  static TargetGroup checked(TargetGroup group) {
    range("Health check interval", group.healthCheckIntervalSeconds(), 5, 300);
    range("Health check timeout", group.healthCheckTimeoutSeconds(), 2, 120);
    range("Healthy threshold count", group.healthyThresholdCount(), 2, 10);
    range("Unhealthy threshold count", group.unhealthyThresholdCount(), 2, 10);
    if (group.healthCheckTimeoutSeconds() >= group.healthCheckIntervalSeconds()) {
      throw Refuse.invalid("Health check interval must be greater than the timeout.");
    }
    if (!group.healthCheckPath().matches("/[\\x21-\\x7e]{0,1023}")) {
      throw Refuse.invalid(
          "Health check path '" + group.healthCheckPath() + "' must begin with a '/' character");
    }
    String port = group.healthCheckPort();
    if (!port.equals("traffic-port")
        && !(port.matches("[1-9][0-9]{0,4}") && Integer.parseInt(port) <= 65_535)) {
      throw Refuse.invalid(
          "Health check port '" + port + "' must be 'traffic-port' or in the range 1-65535");
    }
    return group;
  }

  static void range(String what, int value, int from, int to) {
    if (value < from || value > to) {
      throw Refuse.invalid(what + " '" + value + "' must be in the range " + from + "-" + to);
    }
  }
}
