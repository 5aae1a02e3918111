/**
 * What ECS tells EventBridge. {@code ToldStore} is the store that all other rooms write to: it
 * compares each transaction's tasks, container instances and services with what they were before,
 * and puts the events down in that same transaction. So nothing that changes a task has to think of
 * events, and none can be forgotten.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_cwe_events.html">Amazon
 *     ECS events</a>
 */
@NullMarked
package dev.muelle.services.ecs.event;

import org.jspecify.annotations.NullMarked;
