/**
 * The load balancer's data plane: listeners, rules, targets, health checks. It knows no AWS type
 * and no store: it is told the whole desired state of one load balancer and makes it so, without
 * dropping a connection. This room is its door: {@link dev.muelle.balancer.Balancer} and what it is
 * told and tells; {@code netty} has who does it. Outside the module only this one is used, {@code
 * netty} to make one, and the rooms whose words the door speaks: {@code http}, {@code rules},
 * {@code tls}, {@code metrics} and {@code logs}.
 *
 * <p>Each room uses only those before it: {@code http}, {@code rules}, {@code tls}, {@code metrics}
 * and {@code logs}; the door; {@code messages} and {@code health}; {@code routing} and {@code
 * http2}; {@code targets}; {@code probes} and {@code visitors}; {@code exchanges}; {@code clients}
 * and {@code flows}; {@code netty}.
 */
@NullMarked
package dev.muelle.balancer;

import org.jspecify.annotations.NullMarked;
