package dev.muelle.services.ecs.placement;

import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A container instance as placement sees it: what it offers in all, whatever is booked of it.
 *
 * @param id the container instance's id: 32 hexadecimal digits
 * @param active whether new tasks may be placed on it; a draining one takes none
 * @param connected whether its agent is there
 * @param attributes by name; the value is empty for one that has none
 * @param offer what its tasks may use together
 * @param provider the capacity provider whose group it belongs to; null if to none
 */
public record Machine(
    String id,
    boolean active,
    boolean connected,
    String ec2InstanceId,
    String agentVersion,
    Instant registeredAt,
    Map<String, String> attributes,
    Offer offer,
    @Nullable String provider) {

  /** The attribute that says in which Availability Zone an instance is. */
  public static final String ZONE = "ecs.availability-zone";

  public Machine {
    attributes = Map.copyOf(attributes);
  }

  /** One that belongs to no capacity provider. */
  public Machine(
      String id,
      boolean active,
      boolean connected,
      String ec2InstanceId,
      String agentVersion,
      Instant registeredAt,
      Map<String, String> attributes,
      Offer offer) {
    this(id, active, connected, ec2InstanceId, agentVersion, registeredAt, attributes, offer, null);
  }
}
