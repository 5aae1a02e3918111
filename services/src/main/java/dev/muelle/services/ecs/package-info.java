/**
 * Amazon ECS. {@link dev.muelle.services.ecs.Ecs} is the door and wires the rooms together; each
 * room uses only those before it: {@code state}, {@code definition}, {@code capacity} and {@code
 * placement}, {@code task}, {@code cluster}, {@code instance}, {@code service} and {@code scaling},
 * {@code agent}, {@code event}. Requests write what is wanted into the store; three loops make it
 * so: the agent's for tasks, the scheduler's for services, and that of {@code scaling} for
 * clusters.
 */
@NullMarked
package dev.muelle.services.ecs;

import org.jspecify.annotations.NullMarked;
