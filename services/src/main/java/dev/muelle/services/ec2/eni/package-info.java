/** Network interfaces, and the Elastic IP addresses that they have. */
@NullMarked
package dev.muelle.services.ec2.eni;

import org.jspecify.annotations.NullMarked;
