/** What connections of HTTP/2 have in common, whether to clients or to targets. */
@NullMarked
package dev.muelle.balancer.http2;

import org.jspecify.annotations.NullMarked;
