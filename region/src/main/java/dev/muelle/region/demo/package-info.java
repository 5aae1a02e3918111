/**
 * The main job, end to end: the lab of Fargate, ECS and a load balancer, done through the public
 * HTTP API with the AWS SDK's own clients. Knows nothing of the services behind it.
 */
@NullMarked
package dev.muelle.region.demo;

import org.jspecify.annotations.NullMarked;
