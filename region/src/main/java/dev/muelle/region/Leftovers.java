package dev.muelle.region;

import java.time.Clock;

/** Ends and removes what a region left running. */
public final class Leftovers {

  private Leftovers() {}

  public static void remove(DataDirectory directory, Clock clock) {}
}
