package dev.muelle.region.simulate;

import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The instances that tasks run on: an Auto Scaling group that a capacity provider scales.
 *
 * @param type for example {@code t3.small}
 * @param target the capacity provider's {@code targetCapacity}: the share of the group that is to
 *     be in use, in percent
 * @param starting how long an instance takes until tasks can be placed on it
 */
public record Hosts(String type, int min, int max, int target, Duration starting) {

  /**
   * What Linux instances cost on demand in us-east-1, in dollars an hour, as listed in 2026.
   *
   * @see <a href="https://aws.amazon.com/ec2/pricing/on-demand/">Amazon EC2 On-Demand Pricing</a>
   */
  private static final Map<String, Double> HOURLY =
      """
      t2.nano      0.0058
      t2.micro     0.0116
      t2.small     0.0230
      t2.medium    0.0464
      t2.large     0.0928
      t2.xlarge    0.1856
      t2.2xlarge   0.3712
      t3.nano      0.0052
      t3.micro     0.0104
      t3.small     0.0208
      t3.medium    0.0416
      t3.large     0.0832
      t3.xlarge    0.1664
      t3.2xlarge   0.3328
      m5.large     0.0960
      m5.xlarge    0.1920
      m5.2xlarge   0.3840
      m5.4xlarge   0.7680
      m5.8xlarge   1.5360
      m5.12xlarge  2.3040
      m5.16xlarge  3.0720
      m5.24xlarge  4.6080
      c5.large     0.0850
      c5.xlarge    0.1700
      c5.2xlarge   0.3400
      c5.4xlarge   0.6800
      c5.9xlarge   1.5300
      c5.12xlarge  2.0400
      c5.18xlarge  3.0600
      c5.24xlarge  4.0800
      """
          .lines()
          .map(line -> Arrays.asList(line.split(" +", -1)))
          .collect(Collectors.toMap(words -> words.get(0), words -> Double.valueOf(words.get(1))));

  public Hosts {
    if (!HOURLY.containsKey(type)) {
      throw new IllegalArgumentException(
          "there is no price of "
              + type
              + "; there are those of "
              + HOURLY.keySet().stream().sorted().toList());
    }
    if (min < 0 || max < Math.max(1, min)) {
      throw new IllegalArgumentException("a group of " + min + " to " + max + " instances");
    }
    if (target < 1 || target > 100) {
      throw new IllegalArgumentException("a target capacity is from 1 to 100, not " + target);
    }
  }

  /** What an instance costs, in dollars an hour. */
  double hourly() {
    return HOURLY.getOrDefault(type, 0.0);
  }
}
