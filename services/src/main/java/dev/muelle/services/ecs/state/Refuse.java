package dev.muelle.services.ecs.state;

import java.util.Collection;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import software.amazon.awssdk.core.SdkField;
import software.amazon.awssdk.core.SdkPojo;
import software.amazon.awssdk.services.ecs.model.ClientException;
import software.amazon.awssdk.services.ecs.model.EcsException;
import software.amazon.awssdk.services.ecs.model.InvalidParameterException;

/** The two ways in which ECS says that a request is wrong. */
public final class Refuse {

  private static final String SECRETS = "AWS Secrets Manager or the SSM Parameter Store";

  /** What a region would have to have first, by the name of the member. */
  private static final Map<String, String> MISSING =
      Map.ofEntries(
          Map.entry("secrets", SECRETS),
          Map.entry("secretOptions", SECRETS),
          Map.entry("repositoryCredentials", "AWS Secrets Manager"),
          Map.entry("firelensConfiguration", "FireLens, which runs a log router in the task"),
          Map.entry("lifecycleHooks", "AWS Lambda"),
          Map.entry("proxyConfiguration", "AWS App Mesh"),
          Map.entry("serviceConnectConfiguration", "AWS Cloud Map"),
          Map.entry("serviceRegistries", "AWS Cloud Map"),
          Map.entry("efsVolumeConfiguration", "Amazon EFS"),
          Map.entry("fsxWindowsFileServerVolumeConfiguration", "Amazon FSx"),
          Map.entry("configuredAtLaunch", "Amazon EBS"),
          Map.entry("volumeConfigurations", "Amazon EBS"),
          Map.entry("credentialSpecs", "Active Directory"),
          Map.entry("enableFaultInjection", "AWS Fault Injection Service"),
          Map.entry("resourceRequirements", "GPUs"),
          Map.entry("inferenceAccelerators", "Elastic Inference"));

  private Refuse() {}

  public static EcsException invalid(String message) {
    return InvalidParameterException.builder().message(message).build();
  }

  public static EcsException client(String message) {
    return ClientException.builder().message(message).build();
  }

  /**
   * Refuses by name every member that is set and would have no effect here.
   *
   * @param what of which structure, for the message
   * @param effective the SDK names of the members that have their effect
   */
  public static void unlessEffective(String what, SdkPojo value, Set<String> effective) {
    unlessAllowed(
        value,
        effective,
        member ->
            what
                + " parameter "
                + member
                + " is not supported by this region yet"
                + (MISSING.containsKey(member) ? ": it needs " + MISSING.get(member) : "")
                + ".");
  }

  /** Refuses every member that is set and is not one of these, with a message about its name. */
  public static void unlessAllowed(
      SdkPojo value, Set<String> allowed, UnaryOperator<String> message) {
    for (SdkField<?> field : value.sdkFields()) {
      if (!allowed.contains(field.locationName()) && says(field.getValueOrDefault(value))) {
        throw invalid(message.apply(field.locationName()));
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
