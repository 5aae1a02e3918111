/**
 * What ECS keeps in the store, and the words that all of its rooms share: tasks, services and
 * container instances as they are written down, clusters as requests name them, tags, pages, and
 * refusals in ECS's form.
 */
@NullMarked
package dev.muelle.services.ecs.state;

import org.jspecify.annotations.NullMarked;
