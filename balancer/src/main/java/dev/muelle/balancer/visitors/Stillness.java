package dev.muelle.balancer.visitors;

/**
 * For how long nothing has moved, as somebody finds out who looks now and then: whatever moves a
 * hundred thousand times a second need not look at the clock each time.
 */
public final class Stillness {

  private boolean moved = true;
  private long since;

  public void moved() {
    moved = true;
  }

  /** For how many nanoseconds; it begins when it is first seen that something has moved. */
  public long nanos(long now) {
    if (moved) {
      moved = false;
      since = now;
    }
    return now - since;
  }
}
