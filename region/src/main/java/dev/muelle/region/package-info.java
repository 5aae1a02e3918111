/**
 * The whole region in one process: one plain constructor call after another ({@link
 * dev.muelle.region.Region}), the server that offers it, and the command line.
 */
@NullMarked
package dev.muelle.region;

import org.jspecify.annotations.NullMarked;
