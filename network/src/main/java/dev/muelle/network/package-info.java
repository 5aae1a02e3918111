/**
 * The VPC data plane's contract: what a VPC, an interface, a security group and a name are to
 * packets. Implementations: linux (namespaces, veth, nftables) and sim (for tests of the control
 * plane).
 */
@NullMarked
package dev.muelle.network;

import org.jspecify.annotations.NullMarked;
