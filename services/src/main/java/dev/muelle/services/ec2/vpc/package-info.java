/** VPCs, with what each is born with. */
@NullMarked
package dev.muelle.services.ec2.vpc;

import org.jspecify.annotations.NullMarked;
