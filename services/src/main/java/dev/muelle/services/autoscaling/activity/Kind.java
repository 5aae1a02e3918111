package dev.muelle.services.autoscaling.activity;

import dev.muelle.services.autoscaling.state.Side;
import dev.muelle.services.autoscaling.state.Way;
import org.jspecify.annotations.Nullable;

/** What is done to an instance. */
public enum Kind {
  LAUNCH(
      "Launching a new EC2 instance", "EC2 Instance Launch", Notice.LAUNCH, Side.EC2, Side.GROUP),
  TERMINATE(
      "Terminating EC2 instance", "EC2 Instance Terminate", Notice.TERMINATE, Side.GROUP, Side.EC2),
  WARM(
      "Launching a new EC2 instance into warm pool",
      "EC2 Instance Launch",
      Notice.LAUNCH,
      Side.EC2,
      Side.POOL),
  DRAW(
      "Launching a new EC2 instance from warm pool",
      "EC2 Instance Launch",
      Notice.LAUNCH,
      Side.POOL,
      Side.GROUP),
  RETURN(
      "Returning EC2 instance to warm pool",
      "EC2 Instance Terminate",
      Notice.TERMINATE,
      Side.GROUP,
      Side.POOL),
  DROP(
      "Terminating EC2 instance from warm pool",
      "EC2 Instance Terminate",
      Notice.TERMINATE,
      Side.POOL,
      Side.EC2),
  ATTACH(
      "Attaching an existing EC2 instance",
      "EC2 Instance Launch",
      Notice.LAUNCH,
      Side.EC2,
      Side.GROUP),
  DETACH("Detaching EC2 instance", "EC2 Instance Detach", null, Side.GROUP, Side.EC2),
  STANDBY("Moving EC2 instance to Standby", null, null, Side.GROUP, Side.EC2),
  SERVE("Moving EC2 instance out of Standby", null, null, Side.EC2, Side.GROUP);

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
  private final Side origin;
  private final Side destination;

  Kind(
      String words,
      @Nullable String event,
      @Nullable Notice notice,
      Side origin,
      Side destination) {
    this.words = words;
    this.event = event;
    this.notice = notice;
    this.origin = origin;
    this.destination = destination;
  }

  /** {@code Launching a new EC2 instance: i-0123456789abcdef0} */
  String description(@Nullable String instance) {
    return instance == null ? words : words + ": " + instance;
  }

  /** What the bus is told when it is over; null if it is told nothing. */
  @Nullable String event() {
    return event;
  }

  /** From where to where the instance goes. */
  Way way() {
    return new Way(origin, destination);
  }

  /** What topics are told when it is over; null for nothing. */
  @Nullable Notice notice() {
    return notice;
  }
}
