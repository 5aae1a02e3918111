/**
 * Where a task goes on the EC2 launch type. {@link dev.muelle.services.ecs.placement.ClusterQuery}
 * is ECS's query language over container instances; {@link dev.muelle.services.ecs.placement.Fleet}
 * knows the instances of a cluster and what is booked on them, kept up change by change; {@link
 * dev.muelle.services.ecs.placement.Placement} decides: it changes nothing, and what it answers is
 * an instance or the reason why there is none.
 */
@NullMarked
package dev.muelle.services.ecs.placement;

import org.jspecify.annotations.NullMarked;
