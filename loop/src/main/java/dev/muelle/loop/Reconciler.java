package dev.muelle.loop;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Brings one keyed thing closer to what is wanted. Level-triggered: it re-reads everything. */
@FunctionalInterface
public interface Reconciler<K> {

  /**
   * Looks at the present state of {@code key} and acts on it; idempotent.
   *
   * @return when to look again even if nothing wakes the loop, or null for "only when woken"
   * @throws Exception to be tried again after an exponentially growing delay
   */
  @Nullable Duration reconcile(K key) throws Exception;
}
