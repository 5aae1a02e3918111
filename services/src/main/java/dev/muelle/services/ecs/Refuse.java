package dev.muelle.services.ecs;

import java.util.Collection;
import java.util.Map;
import java.util.Set;
import software.amazon.awssdk.core.SdkField;
import software.amazon.awssdk.core.SdkPojo;
import software.amazon.awssdk.services.ecs.model.ClientException;
import software.amazon.awssdk.services.ecs.model.EcsException;
import software.amazon.awssdk.services.ecs.model.InvalidParameterException;

/** The two ways in which ECS says that a request is wrong. */
final class Refuse {

  private Refuse() {}

  static EcsException invalid(String message) {
    return InvalidParameterException.builder().message(message).build();
  }

  static EcsException client(String message) {
    return ClientException.builder().message(message).build();
  }

  /**
   * Refuses by name every member that is set and would have no effect here.
   *
   * @param what of which structure, for the message
   * @param effective the SDK names of the members that have their effect
   */
  static void unlessEffective(String what, SdkPojo value, Set<String> effective) {
    for (SdkField<?> field : value.sdkFields()) {
      if (!effective.contains(field.locationName()) && says(field.getValueOrDefault(value))) {
        throw invalid(
            what + " parameter " + field.locationName() + " is not supported by this region yet.");
      }
    }
  }

  /** Whether a member says anything: an absent, empty or false one does not. */
  private static boolean says(Object value) {
    return switch (value) {
      case null -> false;
      case Boolean flag -> flag;
      case String text -> !text.isEmpty();
      case Collection<?> items -> !items.isEmpty();
      case Map<?, ?> entries -> !entries.isEmpty();
      case SdkPojo pojo ->
          pojo.sdkFields().stream().anyMatch(field -> says(field.getValueOrDefault(pojo)));
      default -> true;
    };
  }
}
