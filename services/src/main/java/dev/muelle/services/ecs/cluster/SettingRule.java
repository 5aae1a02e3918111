package dev.muelle.services.ecs.cluster;

import dev.muelle.services.ecs.definition.LogOptions;
import dev.muelle.services.ecs.state.Refuse;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.SettingName;

/**
 * What one account setting may be. A documented value without an effect here is refused by name.
 *
 * @param initial what holds where nobody has chosen
 * @param values those that have their effect
 * @param elsewhere documented ones that would have none here
 * @param missing what they would need, for the message
 * @param managed whether AWS sets it and nobody else
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_PutAccountSetting.html">PutAccountSetting</a>
 */
public record SettingRule(
    String name,
    String initial,
    List<String> values,
    List<String> elsewhere,
    String missing,
    boolean managed) {

  public static final String ENABLED = "enabled";

  /** A setting that the SDK has no word for: whether tasks have IPv6 addresses. */
  public static final String DUAL_STACK = "dualStackIPv6";

  static final String DISABLED = "disabled";

  private static final List<String> LOG_MODES =
      List.of(LogOptions.BLOCKING, LogOptions.NON_BLOCKING);

  /** What {@code containerInsights} may be. */
  static final List<String> INSIGHTS = List.of(ENABLED, "enhanced", DISABLED);

  private static final String LONG =
      "the short ARN format, which Amazon ECS has given up for new accounts";

  /** Every setting there is. */
  static List<String> names() {
    return Stream.concat(
            Stream.of(DUAL_STACK), SettingName.knownValues().stream().map(SettingName::toString))
        .sorted()
        .toList();
  }

  static SettingRule of(String name) {
    return name.equals(DUAL_STACK)
        ? of(name, ENABLED, List.of(ENABLED, DISABLED), List.of(), "")
        : of(SettingName.fromValue(name));
  }

  private static SettingRule of(SettingName name) {
    String text = name.toString();
    return switch (name) {
      case SERVICE_LONG_ARN_FORMAT, TASK_LONG_ARN_FORMAT, CONTAINER_INSTANCE_LONG_ARN_FORMAT ->
          of(text, ENABLED, List.of(ENABLED), List.of(DISABLED), LONG);
      case AWSVPC_TRUNKING -> of(text, DISABLED, List.of(ENABLED, DISABLED), List.of(), "");
      case CONTAINER_INSIGHTS -> of(text, DISABLED, INSIGHTS, List.of(), "");
      case FARGATE_FIPS_MODE ->
          of(text, DISABLED, List.of(DISABLED), List.of(ENABLED), "FIPS 140 modules");
      case TAG_RESOURCE_AUTHORIZATION ->
          of(text, "off", List.of("off"), List.of("on"), "authorization by IAM policies");
      case FARGATE_TASK_RETIREMENT_WAIT_PERIOD ->
          of(text, "7", List.of("7"), List.of("0", "14"), "retirement of Fargate tasks");
      case GUARD_DUTY_ACTIVATE ->
          new SettingRule(text, "off", List.of(), List.of("on", "off"), "Amazon GuardDuty", true);
      case DEFAULT_LOG_DRIVER_MODE -> of(text, LogOptions.BLOCKING, LOG_MODES, List.of(), "");
      case UNKNOWN_TO_SDK_VERSION -> throw new IllegalArgumentException(text);
    };
  }

  private static SettingRule of(
      String name, String initial, List<String> values, List<String> elsewhere, String missing) {
    return new SettingRule(name, initial, values, elsewhere, missing, false);
  }

  void checkWritable() {
    if (managed) {
      throw Refuse.invalid(
          "The account setting " + name + " is managed by AWS and cannot be changed.");
    }
  }

  void check(@Nullable String value) {
    checkWritable();
    if (value != null && elsewhere.contains(value)) {
      throw Refuse.invalid(
          "The value "
              + value
              + " of the account setting "
              + name
              + " is not supported by this region yet: it needs "
              + missing
              + ".");
    }
    if (value == null || !values.contains(value)) {
      throw Refuse.invalid("Invalid setting 'value'");
    }
  }
}
