package dev.muelle.services.autoscaling.state;

/**
 * Where an instance can be. Events name it.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/warm-pools-eventbridge-events.html">Warm
 *     pool events</a>
 */
public enum Side {
  EC2("EC2"),
  GROUP("AutoScalingGroup"),
  POOL("WarmPool");

  private final String said;

  Side(String said) {
    this.said = said;
  }

  @Override
  public String toString() {
    return said;
  }
}
