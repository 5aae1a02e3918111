/**
 * The VPC data plane on Linux: a network namespace per VPC that routes, a veth per task whose
 * address is a /32 behind it, an nftables table that is the security groups, and a resolver on
 * sockets born inside. {@link dev.muelle.network.linux.Ruleset} is the pure part: what the filters
 * are to say.
 */
@NullMarked
package dev.muelle.network.linux;

import org.jspecify.annotations.NullMarked;
