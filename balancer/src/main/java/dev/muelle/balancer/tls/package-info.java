/**
 * TLS with clients and with targets: which certificate and which versions, and whose word counts.
 */
@NullMarked
package dev.muelle.balancer.tls;

import org.jspecify.annotations.NullMarked;
