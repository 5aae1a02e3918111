/**
 * Amazon EC2 Auto Scaling. {@link dev.muelle.services.autoscaling.AutoScaling} is the door and
 * wires the rooms together; each uses only those before it: {@code state}, {@code activity}, {@code
 * launch}, {@code hook}, {@code fleet}, {@code group}. Requests write what is wanted into the
 * store; the loop of {@code fleet} makes it so, with the instances of EC2.
 */
@NullMarked
package dev.muelle.services.autoscaling;

import org.jspecify.annotations.NullMarked;
