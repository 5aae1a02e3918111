package dev.muelle.services.autoscaling.state;

import java.util.Arrays;
import java.util.List;
import software.amazon.awssdk.services.autoscaling.model.AutoScalingGroup;

/**
 * What a group does by itself, and can be told not to.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-suspend-resume-processes.html">Suspend
 *     and resume processes</a>
 */
public enum ScalingProcess {
  ADD_TO_LOAD_BALANCER("AddToLoadBalancer"),
  ALARM_NOTIFICATION("AlarmNotification"),
  AZ_REBALANCE("AZRebalance"),
  HEALTH_CHECK("HealthCheck"),
  INSTANCE_REFRESH("InstanceRefresh"),
  LAUNCH("Launch"),
  REPLACE_UNHEALTHY("ReplaceUnhealthy"),
  SCHEDULED_ACTIONS("ScheduledActions"),
  TERMINATE("Terminate");

  private final String word;

  ScalingProcess(String word) {
    this.word = word;
  }

  /** AWS's word for it. */
  public String word() {
    return word;
  }

  public static List<String> words() {
    return Arrays.stream(values()).map(ScalingProcess::word).toList();
  }

  /** Whether a group does it now. */
  public boolean runs(AutoScalingGroup group) {
    return group.suspendedProcesses().stream().noneMatch(s -> s.processName().equals(word));
  }
}
