/**
 * How events lie in the store: in packs, compressed together, a few hundred kilobytes each, of one
 * stream and one minute. What a pack has is told by an entry of its own, so that who looks for
 * something reads few packs. Nothing here knows groups, names or requests.
 */
@NullMarked
package dev.muelle.services.cloudwatchlogs.packs;

import org.jspecify.annotations.NullMarked;
