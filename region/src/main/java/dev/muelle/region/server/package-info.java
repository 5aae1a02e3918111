/**
 * HTTP on sockets: Jetty serving the handlers of the other rooms, on the machine's loopback and at
 * addresses inside the VPCs.
 */
@NullMarked
package dev.muelle.region.server;

import org.jspecify.annotations.NullMarked;
