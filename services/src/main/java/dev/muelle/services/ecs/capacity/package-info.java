/**
 * Capacity providers, the strategies that choose among them, and the contract with the Auto Scaling
 * groups behind some.
 */
@NullMarked
package dev.muelle.services.ecs.capacity;

import org.jspecify.annotations.NullMarked;
