package dev.muelle.services.ecs.placement;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A task that wants a place.
 *
 * @param group its task group: {@code service:NAME}, {@code family:NAME} or what the caller named
 * @param required attributes that its definition needs an instance to have; the value is empty
 *     where any will do
 * @param zones where its subnets are; none if its network does not bind it to a zone
 * @param constraints all of them must hold
 * @param strategies the first decides, the next among what the ones before left equal
 * @param provider of which capacity provider the instance must be; null if any will do
 */
public record Request(
    String group,
    Demand demand,
    Map<String, String> required,
    Set<String> zones,
    List<Constraint> constraints,
    List<Strategy> strategies,
    @Nullable String provider) {

  public Request {
    required = Map.copyOf(required);
    zones = Set.copyOf(zones);
    constraints = List.copyOf(constraints);
    strategies = List.copyOf(strategies);
  }

  /** One for any instance of a cluster. */
  public Request(
      String group,
      Demand demand,
      Map<String, String> required,
      Set<String> zones,
      List<Constraint> constraints,
      List<Strategy> strategies) {
    this(group, demand, required, zones, constraints, strategies, null);
  }

  /** The same, for instances of a capacity provider only; of any if it is null. */
  public Request of(@Nullable String itsProvider) {
    return new Request(group, demand, required, zones, constraints, strategies, itsProvider);
  }

  /** Whether an instance is one of those that it is about. */
  boolean concerns(Machine machine) {
    return provider == null || provider.equals(machine.provider());
  }
}
