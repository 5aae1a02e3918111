/** Clusters, their settings, and those of the account. */
@NullMarked
package dev.muelle.services.ecs.cluster;

import org.jspecify.annotations.NullMarked;
