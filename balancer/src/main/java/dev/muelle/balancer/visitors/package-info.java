/**
 * Who knocks at a listener of HTTP: what is known of a connection before and beside its requests.
 */
@NullMarked
package dev.muelle.balancer.visitors;

import org.jspecify.annotations.NullMarked;
