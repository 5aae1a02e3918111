package dev.muelle.services.elasticloadbalancingv2.request;

import java.util.Collection;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.core.SdkField;
import software.amazon.awssdk.core.SdkPojo;
import software.amazon.awssdk.http.SdkHttpResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ElasticLoadBalancingV2Exception;

/** How ELB says that a request is wrong when it has no exception of its own for it. */
public final class Refuse {

  private static final int BAD_REQUEST = 400;

  private Refuse() {}

  public static ElasticLoadBalancingV2Exception invalid(String message) {
    return coded("ValidationError", message);
  }

  /** An error that the SDK has no exception for. */
  public static ElasticLoadBalancingV2Exception coded(String code, String message) {
    return (ElasticLoadBalancingV2Exception)
        ElasticLoadBalancingV2Exception.builder()
            .message(message)
            .statusCode(BAD_REQUEST)
            .awsErrorDetails(
                AwsErrorDetails.builder()
                    .errorCode(code)
                    .errorMessage(message)
                    .serviceName("ElasticLoadBalancingV2")
                    .sdkHttpResponse(SdkHttpResponse.builder().statusCode(BAD_REQUEST).build())
                    .build())
            .build();
  }

  /** The ARN, if it is one of such a resource. */
  public static String unlessArn(@Nullable String arn, String kind, String what) {
    if (arn == null
        || !arn.matches("arn:aws:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:" + kind + "[^:]+")) {
      throw invalid("'" + arn + "' is not a valid " + what + " ARN");
    }
    return arn;
  }

  /** The value of a required member, or AWS's error that names it. */
  public static String unlessPresent(String member, @Nullable String value) {
    if (value == null) {
      throw invalid(
          "1 validation error detected: Value null at '"
              + member
              + "' failed to satisfy constraint: Member must not be null");
    }
    return value;
  }

  /** Refuses by name every member that is set and would have no effect here. */
  public static void unlessEffective(SdkPojo value, Set<String> effective) {
    for (SdkField<?> field : value.sdkFields()) {
      Object set = field.getValueOrDefault(value);
      boolean empty =
          set == null
              || set instanceof Collection<?> list && list.isEmpty()
              || set instanceof Map<?, ?> map && map.isEmpty();
      if (!empty && !effective.contains(field.memberName())) {
        throw invalid("The parameter '" + field.memberName() + "' is not supported in this region");
      }
    }
  }
}
