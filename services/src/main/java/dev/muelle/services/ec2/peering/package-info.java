/** Connections between two VPCs. */
@NullMarked
package dev.muelle.services.ec2.peering;

import org.jspecify.annotations.NullMarked;
