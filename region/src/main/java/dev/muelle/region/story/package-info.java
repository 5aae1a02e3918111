/**
 * The story of the lab on scaling, docs/labs/escalado.md: visitors come and go, a task falls ill,
 * an instance loses its network; what follows is shown as it happens, and judged in the end.
 */
@NullMarked
package dev.muelle.region.story;

import org.jspecify.annotations.NullMarked;
