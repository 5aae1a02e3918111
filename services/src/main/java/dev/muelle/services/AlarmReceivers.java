package dev.muelle.services;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Everybody in a region who performs actions of alarms. Receivers need CloudWatch themselves, and
 * are made after it: so they enter here once they exist, before the region starts.
 */
public final class AlarmReceivers implements AlarmActions {

  private final List<AlarmActions> receivers = new CopyOnWriteArrayList<>();

  /** Lets somebody perform what he {@link AlarmActions#takes}. */
  public void add(AlarmActions receiver) {
    receivers.add(receiver);
  }

  @Override
  public boolean takes(String action) {
    return receivers.stream().anyMatch(receiver -> receiver.takes(action));
  }

  @Override
  public void perform(String action, Transition transition) {
    receivers.stream()
        .filter(receiver -> receiver.takes(action))
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("nobody takes " + action))
        .perform(action, transition);
  }
}
