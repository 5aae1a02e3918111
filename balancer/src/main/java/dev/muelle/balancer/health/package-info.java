/** How targets fare, decided purely: what checks make of their state, and who fails more often. */
@NullMarked
package dev.muelle.balancer.health;

import org.jspecify.annotations.NullMarked;
