/**
 * Amazon ECS. {@link dev.muelle.services.ecs.Ecs} is the door; {@code Clusters}, {@code
 * TaskDefinitions}, {@code Tasks} and {@code Services} do what callers ask and write what is wanted
 * into the store. Two loops make it so: {@code TaskAgent} brings one task from PROVISIONING to
 * STOPPED (interface, sandbox, images, containers, targets, and all of it back), {@code
 * ServiceScheduler} starts and stops tasks as {@code Rollout}, a pure function, decides. {@code
 * LogPump} carries output to CloudWatch Logs, {@code TaskMetadata} answers containers that ask who
 * they are. Fargate with awsvpc networking; what is not built is refused by name.
 */
@NullMarked
package dev.muelle.services.ecs;

import org.jspecify.annotations.NullMarked;
