package dev.muelle.services.ecs.placement;

import java.util.Set;

/**
 * What one task takes of the container instance that it is placed on, as long as it has not
 * stopped.
 *
 * @param cpu units; the task's, or the sum of its containers'
 * @param memory MiB; the task's, or the sum of its containers' (the soft limit where there is one)
 * @param tcp fixed host ports
 * @param udp fixed host ports
 * @param interfaces 1 for a task in network mode {@code awsvpc}
 * @param gpus the sum of its containers'
 */
public record Demand(
    int cpu, int memory, Set<Integer> tcp, Set<Integer> udp, int interfaces, int gpus) {

  public Demand {
    tcp = Set.copyOf(tcp);
    udp = Set.copyOf(udp);
  }

  /** Without ports, interfaces or GPUs. */
  public static Demand of(int cpu, int memory) {
    return new Demand(cpu, memory, Set.of(), Set.of(), 0, 0);
  }
}
