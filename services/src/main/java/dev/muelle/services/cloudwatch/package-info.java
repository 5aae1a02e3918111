/**
 * Amazon CloudWatch. {@link dev.muelle.services.cloudwatch.CloudWatch} is the door and wires the
 * rooms together; each room uses only those before it: {@code series} keeps what was measured,
 * {@code math} reads it and computes with it, {@code alarm} watches it.
 */
@NullMarked
package dev.muelle.services.cloudwatch;

import org.jspecify.annotations.NullMarked;
