package dev.muelle.services.autoscaling.activity;

import org.jspecify.annotations.Nullable;

/** What is done to an instance. */
public enum Kind {
  LAUNCH("Launching a new EC2 instance", "EC2 Instance Launch", Notice.LAUNCH),
  TERMINATE("Terminating EC2 instance", "EC2 Instance Terminate", Notice.TERMINATE),
  ATTACH("Attaching an existing EC2 instance", "EC2 Instance Launch", Notice.LAUNCH),
  DETACH("Detaching EC2 instance", "EC2 Instance Detach", null),
  STANDBY("Moving EC2 instance to Standby", null, null),
  SERVE("Moving EC2 instance out of Standby", null, null);

  /** What topics are told. */
  enum Notice {
    LAUNCH("autoscaling:EC2_INSTANCE_LAUNCH", "launch"),
    TERMINATE("autoscaling:EC2_INSTANCE_TERMINATE", "termination");

    private final String type;
    private final String word;

    Notice(String type, String word) {
      this.type = type;
      this.word = word;
    }

    String type(boolean well) {
      return well ? type : type + "_ERROR";
    }

    String subject(boolean well) {
      return well ? word : "failed " + word;
    }
  }

  private final String words;
  private final @Nullable String event;
  private final @Nullable Notice notice;

  Kind(String words, @Nullable String event, @Nullable Notice notice) {
    this.words = words;
    this.event = event;
    this.notice = notice;
  }

  /** {@code Launching a new EC2 instance: i-0123456789abcdef0} */
  String description(@Nullable String instance) {
    return instance == null ? words : words + ": " + instance;
  }

  /** What the bus is told when it is over; null if it is told nothing. */
  @Nullable String event() {
    return event;
  }

  /** What topics are told when it is over; null for nothing. */
  @Nullable Notice notice() {
    return notice;
  }
}
