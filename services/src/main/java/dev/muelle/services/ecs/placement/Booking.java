package dev.muelle.services.ecs.placement;

/**
 * What a task has of an instance until it has stopped.
 *
 * @param machine the container instance's id
 * @param group the task's group
 */
public record Booking(String machine, String group, Demand demand) {}
