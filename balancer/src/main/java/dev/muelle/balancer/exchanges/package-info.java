/** One request and its answer: what is to be done with it, and its way to a target and back. */
@NullMarked
package dev.muelle.balancer.exchanges;

import org.jspecify.annotations.NullMarked;
