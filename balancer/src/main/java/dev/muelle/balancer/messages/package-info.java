/** Requests and answers, whichever version of HTTP they came by, and what is noted of them. */
@NullMarked
package dev.muelle.balancer.messages;

import org.jspecify.annotations.NullMarked;
