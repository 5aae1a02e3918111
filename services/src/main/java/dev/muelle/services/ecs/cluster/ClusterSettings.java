package dev.muelle.services.ecs.cluster;

import dev.muelle.services.ecs.state.Refuse;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.ClusterConfiguration;
import software.amazon.awssdk.services.ecs.model.ClusterSetting;
import software.amazon.awssdk.services.ecs.model.ClusterSettingName;
import software.amazon.awssdk.services.ecs.model.ExecuteCommandConfiguration;
import software.amazon.awssdk.services.ecs.model.ExecuteCommandLogging;

/**
 * What a cluster may be set to, where it has an effect here.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ClusterSetting.html">ClusterSetting</a>
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ExecuteCommandConfiguration.html">ExecuteCommandConfiguration</a>
 */
final class ClusterSettings {

  private ClusterSettings() {}

  /** The settings of a new cluster: as given, or as the account has it. */
  static List<ClusterSetting> initial(List<ClusterSetting> given, String insights) {
    return given.isEmpty()
        ? List.of(
            ClusterSetting.builder()
                .name(ClusterSettingName.CONTAINER_INSIGHTS)
                .value(insights)
                .build())
        : given;
  }

  /** Refuses what is no setting, and what would have no effect. */
  static void check(List<ClusterSetting> settings) {
    Set<ClusterSettingName> names = new HashSet<>();
    for (ClusterSetting setting : settings) {
      if (setting.name() != ClusterSettingName.CONTAINER_INSIGHTS || !names.add(setting.name())) {
        throw Refuse.invalid("Invalid setting 'name'");
      }
      if (!SettingRule.INSIGHTS.contains(Objects.requireNonNullElse(setting.value(), ""))) {
        throw Refuse.invalid("Invalid setting 'value'");
      }
    }
  }

  /** Commands that are run in containers are not logged, and that can be said. */
  static void check(@Nullable ClusterConfiguration configuration) {
    if (configuration == null) {
      return;
    }
    Refuse.unlessEffective(
        "ClusterConfiguration", configuration, Set.of("executeCommandConfiguration"));
    ExecuteCommandConfiguration exec = configuration.executeCommandConfiguration();
    if (exec == null) {
      return;
    }
    ExecuteCommandLogging logging = exec.logging();
    if (logging == ExecuteCommandLogging.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.invalid(
          "Invalid executeCommandConfiguration logging: " + exec.loggingAsString());
    }
    if (logging != ExecuteCommandLogging.OVERRIDE && exec.logConfiguration() != null) {
      throw Refuse.invalid(
          "A logConfiguration can only be specified when executeCommandConfiguration logging is"
              + " OVERRIDE.");
    }
    if (logging != ExecuteCommandLogging.NONE) {
      throw Refuse.invalid(
          "ExecuteCommandConfiguration logging "
              + Objects.requireNonNullElse(logging, ExecuteCommandLogging.DEFAULT)
              + " is not supported by this region yet: what is done in containers is not logged,"
              + " as with NONE.");
    }
    Refuse.unlessEffective("ExecuteCommandConfiguration", exec, Set.of("logging"));
  }
}
