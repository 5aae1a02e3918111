/** The command line: one class per command, each a few lines over the rest of the region. */
@NullMarked
package dev.muelle.region.command;

import org.jspecify.annotations.NullMarked;
