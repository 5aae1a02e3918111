package dev.muelle.services.ecs.placement;

import java.time.Instant;
import java.util.Map;

/**
 * A container instance as placement sees it: what it offers in all, whatever is booked of it.
 *
 * @param id the container instance's id: 32 hexadecimal digits
 * @param active whether new tasks may be placed on it; a draining one takes none
 * @param connected whether its agent is there
 * @param attributes by name; the value is empty for one that has none
 * @param offer what its tasks may use together
 */
public record Machine(
    String id,
    boolean active,
    boolean connected,
    String ec2InstanceId,
    String agentVersion,
    Instant registeredAt,
    Map<String, String> attributes,
    Offer offer) {

  /** The attribute that says in which Availability Zone an instance is. */
  public static final String ZONE = "ecs.availability-zone";

  public Machine {
    attributes = Map.copyOf(attributes);
  }
}
