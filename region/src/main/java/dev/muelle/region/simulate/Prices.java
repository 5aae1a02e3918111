package dev.muelle.region.simulate;

import java.util.Map;
import java.util.TreeMap;

/**
 * What things cost, in dollars an hour. What a user says of a price takes the place of Amazon's
 * list of it: another region, Windows, Spot or a savings plan.
 *
 * <p>Amazon's are those of us-east-1 for Linux, on demand: Fargate's as its page had them in 2026;
 * those of instance types were not all looked up again.
 *
 * @see <a href="https://aws.amazon.com/fargate/pricing/">AWS Fargate Pricing</a>
 * @see <a href="https://aws.amazon.com/ec2/pricing/on-demand/">Amazon EC2 On-Demand Pricing</a>
 */
public final class Prices {

  /** A task's processor and memory on Fargate. */
  public static final String VCPU = "vcpu";

  public static final String GIGABYTE = "gb";

  private static final Map<String, Double> X86 = Map.of(VCPU, 0.04048, GIGABYTE, 0.004445);
  private static final Map<String, Double> ARM = Map.of(VCPU, 0.03238, GIGABYTE, 0.00356);

  private static final String INSTANCES =
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
      """;

  private final Map<String, Double> hourly = new TreeMap<>();

  /**
   * Amazon's prices, and a user's in their place.
   *
   * @param arm whether tasks run on ARM
   * @param own by {@link #VCPU}, {@link #GIGABYTE} or a type of instances
   */
  public Prices(boolean arm, Map<String, Double> own) {
    INSTANCES
        .lines()
        .map(line -> line.split(" +", -1))
        .forEach(words -> hourly.put(words[0], Double.valueOf(words[1])));
    hourly.putAll(arm ? ARM : X86);
    own.forEach((name, dollars) -> {
      if (!hourly.containsKey(name)) {
        throw new IllegalArgumentException("there is no price of " + name + "; " + known());
      }
      if (!Double.isFinite(dollars) || dollars < 0) {
        throw new IllegalArgumentException("a price of " + dollars + " dollars for " + name);
      }
      hourly.put(name, dollars);
    });
  }

  private String known() {
    return "there are those of " + hourly.keySet();
  }

  /** What so much of Fargate costs. */
  double fargate(double vcpu, double gigabytes) {
    return vcpu * of(VCPU) + gigabytes * of(GIGABYTE);
  }

  /**
   * What a thing costs.
   *
   * @throws IllegalArgumentException if there is no price of it
   */
  double of(String name) {
    Double dollars = hourly.get(name);
    if (dollars == null) {
      throw new IllegalArgumentException("there is no price of " + name + "; " + known());
    }
    return dollars;
  }
}
