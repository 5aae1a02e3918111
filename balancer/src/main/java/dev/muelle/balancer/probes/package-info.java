/** Health checks: how a target is asked. */
@NullMarked
package dev.muelle.balancer.probes;

import org.jspecify.annotations.NullMarked;
