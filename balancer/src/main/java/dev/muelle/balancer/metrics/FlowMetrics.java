package dev.muelle.balancer.metrics;

import java.util.concurrent.atomic.LongAdder;

/**
 * What a network load balancer counts; all but active flows only grow.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-cloudwatch-metrics.html">
 *     CloudWatch metrics for your Network Load Balancer</a>
 */
public final class FlowMetrics {

  private final LongAdder active = new LongAdder();
  private final LongAdder fresh = new LongAdder();
  private final LongAdder bytes = new LongAdder();
  private final LongAdder clientResets = new LongAdder();
  private final LongAdder targetResets = new LongAdder();
  private final LongAdder ownResets = new LongAdder();
  private final LongAdder clientTlsErrors = new LongAdder();
  private final LongAdder targetTlsErrors = new LongAdder();
  private final LongAdder rejected = new LongAdder();

  public FlowMetrics() {}

  public void begins() {
    active.increment();
    fresh.increment();
  }

  public void ends() {
    active.decrement();
  }

  public void passed(int count) {
    bytes.add(count);
  }

  public void clientReset() {
    clientResets.increment();
  }

  public void targetReset() {
    targetResets.increment();
  }

  public void ownReset() {
    ownResets.increment();
  }

  public void clientTlsError() {
    clientTlsErrors.increment();
  }

  public void targetTlsError() {
    targetTlsErrors.increment();
  }

  public void reject() {
    rejected.increment();
  }

  /** {@code ActiveFlowCount}. */
  public long active() {
    return active.sum();
  }

  /** {@code NewFlowCount}. */
  public long fresh() {
    return fresh.sum();
  }

  /** {@code ProcessedBytes}, both ways. */
  public long bytes() {
    return bytes.sum();
  }

  /** {@code TCP_Client_Reset_Count}. */
  public long clientResets() {
    return clientResets.sum();
  }

  /** {@code TCP_Target_Reset_Count}. */
  public long targetResets() {
    return targetResets.sum();
  }

  /** {@code TCP_ELB_Reset_Count}. */
  public long ownResets() {
    return ownResets.sum();
  }

  /** {@code ClientTLSNegotiationErrorCount}. */
  public long clientTlsErrors() {
    return clientTlsErrors.sum();
  }

  /** {@code TargetTLSNegotiationErrorCount}. */
  public long targetTlsErrors() {
    return targetTlsErrors.sum();
  }

  /** {@code RejectedFlowCount}: flows beyond what is kept at once. */
  public long rejected() {
    return rejected.sum();
  }
}
