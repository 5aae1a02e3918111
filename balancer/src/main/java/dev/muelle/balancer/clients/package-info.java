/** Who speaks HTTP with clients, in each of its versions. */
@NullMarked
package dev.muelle.balancer.clients;

import org.jspecify.annotations.NullMarked;
