/**
 * The grammar of HTTP/1.1: heads, fields and how bodies are framed, and what of a message is
 * refused.
 */
@NullMarked
package dev.muelle.balancer.http;

import org.jspecify.annotations.NullMarked;
