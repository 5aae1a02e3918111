package dev.muelle.balancer.logs;

import java.time.Instant;

/**
 * How one health check went.
 *
 * @param at when it began
 * @param node the address from which the target was asked
 * @param type {@code http}, {@code https}, {@code h2} or {@code grpc}
 * @param group the target group's id
 * @param nanos how long it took
 * @param status what the target said, of gRPC its own; 0 if nothing
 * @param failure in ALB's words; empty if the target is well
 */
public record Checked(
    Instant at,
    String node,
    String type,
    String targetAddress,
    int targetPort,
    String group,
    long nanos,
    int status,
    String failure) {}
