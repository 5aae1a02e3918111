/** What is told of single requests and connections to who wants to hear of them. */
@NullMarked
package dev.muelle.balancer.logs;

import org.jspecify.annotations.NullMarked;
