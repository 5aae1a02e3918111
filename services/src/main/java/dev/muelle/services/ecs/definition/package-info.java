/**
 * Task definitions: registering them, their rules for Fargate and for instances, and what the rest
 * asks of one.
 */
@NullMarked
package dev.muelle.services.ecs.definition;

import org.jspecify.annotations.NullMarked;
