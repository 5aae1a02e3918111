/**
 * What the agent does on AWS: {@code TaskAgent} brings one task from PROVISIONING to STOPPED
 * (interface, sandbox, images, containers, targets, and all of it back), {@code HealthChecks} asks
 * its containers how they are, {@code LogPump} carries their output to CloudWatch Logs, {@code
 * TaskEndpoint} answers containers that ask who they are.
 */
@NullMarked
package dev.muelle.services.ecs.agent;

import org.jspecify.annotations.NullMarked;
