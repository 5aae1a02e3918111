/** Who has which address. */
@NullMarked
package dev.muelle.services.ec2.address;

import org.jspecify.annotations.NullMarked;
