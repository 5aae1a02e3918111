package dev.muelle.services.applicationautoscaling;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.applicationautoscaling.model.ApplicationAutoScalingRequest;
import software.amazon.awssdk.services.applicationautoscaling.model.ScalableDimension;
import software.amazon.awssdk.services.applicationautoscaling.model.ServiceNamespace;

/**
 * What is scaled: the desired count of an ECS service.
 *
 * @param resourceId {@code service/cluster/name}
 */
record TargetKey(String resourceId) {

  static final String NAMESPACE = "ecs";
  static final String DIMENSION = "ecs:service:DesiredCount";
  private static final Pattern RESOURCE = Pattern.compile("service/([^/]+)/([^/]+)");
  private static final int LONGEST = 1_600;

  /** The target that a request names, whichever it is: these members have the same names in all. */
  static TargetKey of(ApplicationAutoScalingRequest request) {
    namespace(request.getValueForField("ServiceNamespace", String.class).orElse(null));
    String resourceId = request.getValueForField("ResourceId", String.class).orElse(null);
    String dimension = request.getValueForField("ScalableDimension", String.class).orElse(null);
    if (resourceId == null) {
      throw Refuse.missing("resourceId");
    }
    if (resourceId.isEmpty() || resourceId.length() > LONGEST) {
      throw Refuse.constraint(
          resourceId,
          "resourceId",
          "Member must have length between 1 and " + LONGEST + ", inclusive");
    }
    if (dimension == null) {
      throw Refuse.missing("scalableDimension");
    }
    dimension(dimension);
    if (!RESOURCE.matcher(resourceId).matches()) {
      throw unsupported();
    }
    return new TargetKey(resourceId);
  }

  /** Only {@code ecs} is here. */
  static void namespace(@Nullable String namespace) {
    if (namespace == null) {
      throw Refuse.missing("serviceNamespace");
    }
    if (ServiceNamespace.fromValue(namespace) == ServiceNamespace.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.constraint(
          namespace,
          "serviceNamespace",
          "Member must satisfy enum value set: " + ServiceNamespace.knownValues());
    }
    if (!namespace.equals(NAMESPACE)) {
      throw Refuse.unsupported("The service namespace " + namespace);
    }
  }

  /** A dimension that a request may name or filter by: with {@code ecs} there is only one. */
  static void dimension(@Nullable String dimension) {
    if (dimension != null
        && ScalableDimension.fromValue(dimension) == ScalableDimension.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.constraint(
          dimension,
          "scalableDimension",
          "Member must satisfy enum value set: " + ScalableDimension.knownValues());
    }
    if (dimension != null && !dimension.equals(DIMENSION)) {
      throw unsupported();
    }
  }

  private static RuntimeException unsupported() {
    return Refuse.invalid("Unsupported service namespace, resource type or scalable dimension");
  }

  String cluster() {
    return part(1);
  }

  String service() {
    return part(2);
  }

  private String part(int number) {
    Matcher matcher = RESOURCE.matcher(resourceId);
    if (!matcher.matches()) {
      throw new IllegalStateException(resourceId);
    }
    return matcher.group(number);
  }

  /** As AWS's messages have it. */
  String words() {
    return "service namespace: "
        + NAMESPACE
        + ", resource ID: "
        + resourceId
        + ", scalable dimension: "
        + DIMENSION;
  }

  /** The key of what belongs to this target: {@code /} ends a resource id nowhere. */
  String of(String name) {
    return prefix() + name;
  }

  String prefix() {
    return resourceId + "//";
  }
}
