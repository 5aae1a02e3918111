package dev.muelle.services.autoscaling.activity;

import org.jspecify.annotations.Nullable;

/** What is done to an instance. */
public enum Kind {
  LAUNCH("Launching a new EC2 instance", "EC2 Instance Launch"),
  TERMINATE("Terminating EC2 instance", "EC2 Instance Terminate"),
  ATTACH("Attaching an existing EC2 instance", "EC2 Instance Launch"),
  DETACH("Detaching EC2 instance", "EC2 Instance Detach"),
  STANDBY("Moving EC2 instance to Standby", null),
  SERVE("Moving EC2 instance out of Standby", null);

  private final String words;
  private final @Nullable String event;

  Kind(String words, @Nullable String event) {
    this.words = words;
    this.event = event;
  }

  /** {@code Launching a new EC2 instance: i-0123456789abcdef0} */
  String description(@Nullable String instance) {
    return instance == null ? words : words + ": " + instance;
  }

  /** What the bus is told when it is over; null if it is told nothing. */
  @Nullable String event() {
    return event;
  }
}
