package dev.muelle.region.simulate;

/**
 * What requests cost: a task answers so many a second and no more; what exceeds this waits. A
 * model, not a measurement: measure how many requests a second bring one task to 100% of its CPU,
 * and give that.
 *
 * @param perTask requests a second at which a task's CPU is wholly busy
 * @param serviceMillis how long a request takes in a task that has nothing else to do
 */
public record Model(double perTask, double serviceMillis) {

  /** Nearer to 1 a queue's length is a matter of luck, and no estimate. */
  private static final double BUSIEST = 0.99;

  public Model {
    if (!(perTask > 0) || !(serviceMillis > 0)) {
      throw new IllegalArgumentException(
          "requests per task and service time must be greater than 0");
    }
  }

  /**
   * A stretch of time.
   *
   * @param busy the share of the tasks' CPU that is used, from 0 to 1
   * @param latencyMillis an estimate of the mean; infinite if there is no task
   * @param waiting requests that have come and are not answered yet
   * @param answered requests
   */
  public record State(double busy, double latencyMillis, double waiting, double answered) {
    /** Nothing yet. */
    public static final State IDLE = new State(0, 0, 0, 0);
  }

  /**
   * What is so after some seconds.
   *
   * <p>Each task shares its processor among its requests (M/M/1, processor sharing): the mean time
   * is the service time divided by the share that is idle. Requests that found all tasks busy wait
   * until those before them are done, so their time is added.
   *
   * @param rate requests a second
   */
  State after(State before, int tasks, double rate, double seconds) {
    double capacity = tasks * perTask;
    double asked = before.waiting() + rate * seconds;
    double answered = Math.min(asked, capacity * seconds);
    double waiting = asked - answered;
    if (tasks == 0) {
      boolean none = asked == 0;
      return new State(0, none ? 0 : Double.POSITIVE_INFINITY, waiting, 0);
    }
    double busy = answered / (capacity * seconds);
    double latency = serviceMillis / (1 - Math.min(busy, BUSIEST)) + 1_000 * waiting / capacity;
    return new State(busy, latency, waiting, answered);
  }
}
