package dev.muelle.services.ecs.placement;

import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A task that wants a place.
 *
 * @param group its task group: {@code service:NAME}, {@code family:NAME} or what the caller named
 * @param required attributes that its definition needs an instance to have; the value is empty
 *     where any will do
 * @param zones where its subnets are; none if its network does not bind it to a zone
 * @param constraints all of them must hold
 * @param strategies the first decides, the next among what the ones before left equal
 */
public record Request(
    String group,
    Demand demand,
    Map<String, String> required,
    Set<String> zones,
    List<Constraint> constraints,
    List<Strategy> strategies) {

  public Request {
    required = Map.copyOf(required);
    zones = Set.copyOf(zones);
    constraints = List.copyOf(constraints);
    strategies = List.copyOf(strategies);
  }
}
