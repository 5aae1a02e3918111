/**
 * Services: {@code Services}, {@code ServiceCreation} and {@code ServiceUpdates} write down what is
 * wanted; {@code ServiceScheduler} is the loop that starts and stops tasks as {@code Rollout}, a
 * pure function, decides; {@code Deployments} and {@code Revisions} are their history.
 */
@NullMarked
package dev.muelle.services.ecs.service;

import org.jspecify.annotations.NullMarked;
