/**
 * The transport-neutral HTTP request, response and handler that the server adapts to its socket
 * library. Bodies stream both ways.
 */
@NullMarked
package dev.muelle.wire.http;

import org.jspecify.annotations.NullMarked;
