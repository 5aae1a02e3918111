/**
 * From what is stored to what packets obey: {@code DataPlane} re-reads one resource and states it
 * to the network; the rest translates, purely.
 */
@NullMarked
package dev.muelle.services.ec2.plane;

import org.jspecify.annotations.NullMarked;
