/** What instances can be made of: machine images and instance types. */
@NullMarked
package dev.muelle.services.ec2.image;

import org.jspecify.annotations.NullMarked;
