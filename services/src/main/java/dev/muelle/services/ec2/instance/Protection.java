package dev.muelle.services.ec2.instance;

import dev.muelle.services.OnBehalf;
import dev.muelle.services.ec2.state.InstanceRecord;
import dev.muelle.services.ec2.state.Refuse;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;

/**
 * Instances that callers may not terminate, or neither stop nor terminate. EC2 Auto Scaling may all
 * the same: it protects its instances in its own way.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_ChangingDisableAPITermination.html">Termination
 *     protection</a>
 * @see <a href="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-stop-protection.html">Stop
 *     protection</a>
 */
final class Protection {

  private static final String STOP = "stop";

  private Protection() {}

  static void mayTerminate(InstanceRecord record) {
    if (record.keptAlive() && !byAutoScaling()) {
      throw refusal(record, "terminated", "disableApiTermination");
    }
    if (record.keptRunning() && !byAutoScaling()) {
      throw refusal(record, "terminated", "disableApiStop");
    }
  }

  static void mayStop(InstanceRecord record) {
    if (record.keptRunning() && !byAutoScaling()) {
      throw refusal(record, "stopped", "disableApiStop");
    }
  }

  private static Ec2Exception refusal(InstanceRecord record, String done, String attribute) {
    return Refuse.because(
        "OperationNotPermitted",
        "The instance '"
            + record.id()
            + "' may not be "
            + done
            + ". Modify its '"
            + attribute
            + "' instance attribute and try again.");
  }

  private static boolean byAutoScaling() {
    return OnBehalf.by("autoscaling");
  }

  /**
   * Nothing in an instance can shut it down; what would become of it then may be said all the same.
   */
  static void shutdownBehavior(@Nullable String behavior) {
    if (behavior == null || behavior.equals(STOP)) {
      return;
    }
    if (behavior.equals("terminate")) {
      throw Refuse.unsupported(
          "The value terminate of the parameter InstanceInitiatedShutdownBehavior is not supported"
              + " by this region yet.");
    }
    throw Refuse.invalidValue(
        behavior, "instanceInitiatedShutdownBehavior", "Unknown shutdown behavior.");
  }
}
