package dev.muelle.balancer.http2;

/** How often something may happen in a span of time; the next span begins with what comes after. */
public final class Quota {

  private final int most;
  private final long nanos;
  private long since;
  private int count;

  public Quota(int most, long nanos, long now) {
    this.most = most;
    this.nanos = nanos;
    this.since = now;
  }

  /** Counts one more; false if that is too many. */
  public boolean take(long now) {
    if (now - since > nanos) {
      since = now;
      count = 0;
    }
    return ++count <= most;
  }
}
