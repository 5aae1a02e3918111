/**
 * Container instances: how they register, their attributes, their agents, and how they are lost.
 */
@NullMarked
package dev.muelle.services.ecs.instance;

import org.jspecify.annotations.NullMarked;
