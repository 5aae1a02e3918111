package dev.muelle.services.ecs.placement;

import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Where a task goes, or why nowhere. */
public sealed interface Verdict {

  /** On this container instance. */
  record Placed(String machine) implements Verdict {}

  /**
   * Nowhere.
   *
   * @param closest the instance that failed last; null if the cluster has no active one
   * @param rejections of at most {@value #MOST} active instances, the closest first
   */
  record Refused(@Nullable Rejection closest, List<Rejection> rejections) implements Verdict {

    /** As many as are worth telling. */
    public static final int MOST = 100;

    /** How events say that there is no place for a task. */
    public static final String UNPLACED = "was unable to place a task";

    private static final Pattern CLOSEST =
        Pattern.compile("closest matching \\(container-instance ([^)]+)\\)");

    /** The instance that a service's event calls the closest; empty if it names none. */
    public static Optional<String> closestOf(String event) {
      return CLOSEST.matcher(event).results().map(found -> found.group(1)).findFirst();
    }

    /** What a service's event says, without the service's name. */
    public String event() {
      String why =
          closest == null
              ? "Reason: No Container Instances were found in your cluster."
              : "The closest matching (container-instance "
                  + closest.machine()
                  + ") "
                  + closest.reason().ofClosest();
      return UNPLACED
          + " because no container instance met all of its requirements. "
          + why
          + " For more information, see the Troubleshooting section of the Amazon ECS Developer"
          + " Guide.";
    }
  }

  /** An instance that cannot take the task, and why. */
  record Rejection(String machine, Reason reason) {}
}
