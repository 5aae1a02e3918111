package dev.muelle.services.ecs.placement;

import java.util.Set;

/**
 * What a container instance has for its tasks.
 *
 * @param cpu units; 1,024 to a core
 * @param memory MiB
 * @param reservedTcp host ports that no task may have, as the agent's own
 * @param reservedUdp host ports that no task may have
 * @param interfaces how many network interfaces can be attached for tasks
 * @param gpus how many; each belongs to one task at a time
 */
public record Offer(
    int cpu,
    int memory,
    Set<Integer> reservedTcp,
    Set<Integer> reservedUdp,
    int interfaces,
    int gpus) {

  public Offer {
    reservedTcp = Set.copyOf(reservedTcp);
    reservedUdp = Set.copyOf(reservedUdp);
  }
}
