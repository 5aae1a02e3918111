/**
 * A VPC data plane without packets: it remembers what was put and plugged, refuses what the real
 * one refuses, and can tell what the security groups would let pass. For tests of the control
 * plane.
 */
@NullMarked
package dev.muelle.network.sim;

import org.jspecify.annotations.NullMarked;
