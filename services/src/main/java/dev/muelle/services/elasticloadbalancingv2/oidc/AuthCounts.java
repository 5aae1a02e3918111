package dev.muelle.services.elasticloadbalancingv2.oidc;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/**
 * What one load balancer's gates have counted; all only grow.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html#user-authentication-metric-table">
 *     User authentication metrics</a>
 */
public final class AuthCounts {

  /** As many latencies wait to be looked at. */
  private static final int MAX_WAITING = 10_000;

  private final LongAdder successes = new LongAdder();
  private final LongAdder refreshes = new LongAdder();
  private final LongAdder failures = new LongAdder();
  private final LongAdder errors = new LongAdder();
  private final LongAdder oversized = new LongAdder();
  private final ConcurrentLinkedQueue<Long> latencies = new ConcurrentLinkedQueue<>();
  private final AtomicInteger waiting = new AtomicInteger();

  AuthCounts() {}

  void success() {
    successes.increment();
  }

  void refreshed() {
    refreshes.increment();
  }

  void failed(Failure why) {
    switch (why.kind) {
      case FAILURE -> failures.increment();
      case ERROR -> errors.increment();
      case SIZE -> oversized.increment();
    }
  }

  void took(long millis) {
    if (waiting.incrementAndGet() <= MAX_WAITING) {
      latencies.add(millis);
    } else {
      waiting.decrementAndGet();
    }
  }

  public long successes() {
    return successes.sum();
  }

  public long refreshes() {
    return refreshes.sum();
  }

  public long failures() {
    return failures.sum();
  }

  public long errors() {
    return errors.sum();
  }

  public long oversized() {
    return oversized.sum();
  }

  /** How many milliseconds the provider took, each time since this was asked last. */
  public List<Long> latencies() {
    List<Long> all = new ArrayList<>();
    for (Long one = latencies.poll(); one != null; one = latencies.poll()) {
      waiting.decrementAndGet();
      all.add(one);
    }
    return all;
  }
}
