package dev.muelle.engine.oci;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** For the few things of the kernel's that give no notice. */
final class Waits {
  private Waits() {}

  /** About two milliseconds. */
  static void briefly() {
    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(2));
  }
}
