package dev.muelle.services.ecs.placement;

import dev.muelle.services.ecs.placement.Fleet.Slot;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Why an instance cannot take a task, in the order in which it is asked: the instance that fails
 * last is the closest match.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/api_failures_messages.html">API
 *     failure reasons</a>
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html">Service
 *     event messages</a>
 */
public enum Reason {
  DRAINING("DRAINING"),
  AGENT("AGENT"),
  ATTRIBUTE("ATTRIBUTE"),
  MEMBER_OF("MemberOf placement constraint unsatisfied."),
  DISTINCT_INSTANCE("DistinctInstance placement constraint unsatisfied."),
  CPU("RESOURCE:CPU"),
  MEMORY("RESOURCE:MEMORY"),
  PORTS("RESOURCE:PORTS"),
  INTERFACES("RESOURCE:ENI"),
  GPU("RESOURCE:GPU");

  private final String failure;

  Reason(String failure) {
    this.failure = failure;
  }

  /** As RunTask's and StartTask's {@code failures} say it. */
  public String failure() {
    return failure;
  }

  /** What a service's event says of the closest instance. */
  String ofClosest() {
    return switch (this) {
      case ATTRIBUTE -> "is missing an attribute required by your task.";
      case CPU -> "has insufficient CPU units available.";
      case MEMORY -> "has insufficient memory available.";
      case PORTS -> "is already using a port required by your task.";
      case DRAINING, AGENT, MEMBER_OF, DISTINCT_INSTANCE, INTERFACES, GPU ->
          "encountered error \"" + failure + "\".";
    };
  }

  /** The one that a service's event tells of the closest instance; empty if it tells none. */
  public static Optional<Reason> told(String event) {
    return Stream.of(values()).filter(reason -> event.contains(reason.ofClosest())).findFirst();
  }

  /** Whether this is no reason against an instance. */
  boolean admits(Slot slot, Request request) {
    return switch (this) {
      case DRAINING -> slot.machine().active();
      case AGENT -> slot.machine().connected();
      case ATTRIBUTE -> hasAll(slot.machine(), request);
      case MEMBER_OF -> isMember(slot, request);
      case DISTINCT_INSTANCE ->
          !request.constraints().contains(new Constraint.DistinctInstance())
              || slot.tasksOf(request.group()) == 0;
      case CPU -> request.demand().cpu() <= slot.freeCpu();
      case MEMORY -> request.demand().memory() <= slot.freeMemory();
      case PORTS ->
          free(request.demand().tcp(), slot.machine().offer().reservedTcp(), slot.tcp())
              && free(request.demand().udp(), slot.machine().offer().reservedUdp(), slot.udp());
      case INTERFACES -> request.demand().interfaces() <= slot.freeInterfaces();
      case GPU -> request.demand().gpus() <= slot.freeGpus();
    };
  }

  private static boolean isMember(Slot slot, Request request) {
    for (Constraint constraint : request.constraints()) {
      if (constraint instanceof Constraint.MemberOf in && !in.query().selects(slot)) {
        return false;
      }
    }
    return true;
  }

  private static boolean hasAll(Machine machine, Request request) {
    if (!request.zones().isEmpty()
        && !request.zones().contains(machine.attributes().getOrDefault(Machine.ZONE, ""))) {
      return false;
    }
    for (Map.Entry<String, String> required : request.required().entrySet()) {
      String value = machine.attributes().get(required.getKey());
      if (value == null || (!required.getValue().isEmpty() && !required.getValue().equals(value))) {
        return false;
      }
    }
    return true;
  }

  private static boolean free(
      Set<Integer> wanted, Set<Integer> reserved, Map<Integer, Integer> taken) {
    for (Integer port : wanted) {
      if (reserved.contains(port) || taken.containsKey(port)) {
        return false;
      }
    }
    return true;
  }
}
