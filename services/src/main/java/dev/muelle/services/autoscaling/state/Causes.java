package dev.muelle.services.autoscaling.state;

import java.time.Instant;
import java.time.temporal.ChronoUnit;

/**
 * Why activities happen, in AWS's words.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-verify-scaling-activity.html">Verify
 *     a scaling activity</a>
 * @see <a href="https://repost.aws/knowledge-center/auto-scaling-scale-down">Why did my group scale
 *     down?</a>
 */
public final class Causes {

  private Causes() {}

  /** {@code At 2016-05-13T15:03:47Z a user request …} */
  public static String at(Instant now, String what) {
    return "At " + now.truncatedTo(ChronoUnit.SECONDS) + " " + what;
  }

  public static String created(Instant now, int desired) {
    return at(
        now,
        "a user request created an AutoScalingGroup changing the desired capacity from 0 to "
            + desired
            + ".");
  }

  /** Who changed a group's bounds: {@code a user request} or {@code a scheduled action}. */
  public static String updated(
      Instant now, String who, int least, int most, int desired, int before) {
    return at(
        now,
        who
            + " update of AutoScalingGroup constraints to min: "
            + least
            + ", max: "
            + most
            + ", desired: "
            + desired
            + " changing the desired capacity from "
            + before
            + " to "
            + desired
            + ".");
  }

  public static String asked(Instant now, int before, int desired) {
    return at(
        now,
        "a user request explicitly set group desired capacity changing the desired capacity from "
            + before
            + " to "
            + desired
            + ".");
  }

  public static String direct(Instant now, int before, int after) {
    return at(
        now,
        "a user request launched instances directly, increasing the capacity from "
            + before
            + " to "
            + after
            + ".");
  }

  public static String growing(Instant now, int before, int after) {
    return at(
        now,
        "an instance was started in response to a difference between desired and actual capacity,"
            + " increasing the capacity from "
            + before
            + " to "
            + after
            + ".");
  }

  public static String shrinking(Instant now, int before, int after) {
    return at(
        now,
        "an instance was taken out of service in response to a difference between desired and"
            + " actual capacity, shrinking the capacity from "
            + before
            + " to "
            + after
            + ".");
  }

  public static String pooling(Instant now, int before, int after) {
    return at(
        now,
        "an instance was "
            + (after > before ? "started" : "taken out")
            + " in response to a difference between desired and actual warm pool capacity, "
            + (after > before ? "increasing" : "shrinking")
            + " the warm pool capacity from "
            + before
            + " to "
            + after
            + ".");
  }

  public static String selected(Instant now, String instance) {
    return at(now, "instance " + instance + " was selected for termination.");
  }

  public static String replacing(Instant now) {
    return at(
        now,
        "an instance was launched in response to an unhealthy instance needing to be replaced.");
  }

  public static String refreshing(Instant now) {
    return at(now, "an instance was launched in response to an instance refresh.");
  }

  public static String balancing(Instant now, String zone) {
    return at(
        now,
        "an instance was launched to balance instances in zone "
            + zone
            + " with other zones resulting in more than desired number of instances in the group.");
  }

  public static String outOfService(Instant now, String because) {
    return at(now, "an instance was taken out of service in response to " + because + ".");
  }
}
