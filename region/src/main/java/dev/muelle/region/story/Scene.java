package dev.muelle.region.story;

import java.time.Instant;
import java.util.Set;

/**
 * How things stand.
 *
 * @param at the region's time
 * @param cpu of the service, percent of what its tasks reserve; not a number as long as there is
 *     none
 * @param desired tasks
 * @param running tasks
 * @param instances in service
 * @param ringing the lab's alarms that are in ALARM, without their common prefix
 */
record Scene(Instant at, double cpu, int desired, int running, int instances, Set<String> ringing) {

  /** As few of everything as in the beginning. */
  boolean small() {
    return desired == 2 && running == 2 && instances == 1 && ringing.isEmpty();
  }
}
