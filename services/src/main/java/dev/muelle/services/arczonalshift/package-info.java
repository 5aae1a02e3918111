/**
 * Amazon Application Recovery Controller's zonal shifts: they keep traffic from a zone for a while.
 * What a shift does is done by the service whose resource it moves.
 */
@NullMarked
package dev.muelle.services.arczonalshift;

import org.jspecify.annotations.NullMarked;
