/** What instances find out about themselves at 169.254.169.254, and who may ask. */
@NullMarked
package dev.muelle.services.ec2.metadata;

import org.jspecify.annotations.NullMarked;
